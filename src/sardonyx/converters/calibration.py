"""sklearn.calibration."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import calibration
from sklearn.calibration import CalibratedClassifierCV, _SigmoidCalibration

from ..convert import Data, call
from ..graph import Value, concat, where
from ..operators.numeric import expit
from ..registry import converter
from ._response import as_float64, columns_of, response
from .base import argmax_labels, softmax

#: how far above 1 rounding takes a probability, which scikit-learn then sets to 1
_ROUNDING = 1e-5


@converter(_SigmoidCalibration, method="predict", finite=False)
def sigmoid(est: Any, scores: Value) -> Value:
    return expit(-(est.a_ * scores + est.b_))


def temperature(est: Any, scores: Value) -> Value:
    return softmax(est.beta_ * _logits(scores))


def _logits(scores: Value) -> Value:
    """Return ``_convert_to_logits``: whether scores are probabilities is decided for the whole batch, as there."""
    if scores.dim(1) == 1:
        return concat([-scores, scores])
    inside = (scores >= 0) & (scores <= 1)
    close = abs(scores.sum(1, keepdims=True) - 1.0) <= 1e-5 + 1e-8
    misfits = (~(inside & close)).astype(np.int64).sum((0, 1), keepdims=True)
    return where(misfits == 0, np.log(where(inside, scores, 1.0) + 1e-12), scores)


if hasattr(calibration, "_TemperatureScaling"):  # scikit-learn 1.8
    converter(calibration._TemperatureScaling, method="predict", finite=False)(temperature)


def _pair(name: str, pair: Any, X: Data) -> Value:
    """Return ``_CalibratedClassifier.predict_proba``."""
    scores, method = response(name, pair.estimator, ("decision_function", "predict_proba"), X)
    scores = scores[:, None] if scores.ndim == 1 else scores
    p = _METHODS[pair.method](pair, scores, method)
    return where((p > 1.0) & (p <= 1.0 + _ROUNDING), 1.0, p)


def _one_calibrator_a_class(pair: Any, scores: Value, method: str) -> Value:
    n_classes = len(pair.classes)
    places = np.searchsorted(pair.classes, pair.estimator.classes_) + (n_classes == 2)
    columns = [scores[:, 0] * 0.0] * n_classes
    for place, column, calibrator in zip(places, range(scores.dim(1)), pair.calibrators, strict=False):
        columns[place] = as_float64(call(calibrator, "predict", scores[:, column]))
    if n_classes == 2:
        return columns_of([1.0 - columns[1], columns[1]])
    return _normalized(columns_of(columns))


def _normalized(p: Value) -> Value:
    """Divide each row by its sum; rows of zeros become uniform."""
    total = p.sum(1, keepdims=True)
    return where(total != 0, p / where(total != 0, total, 1.0), 1 / p.dim(1))


def _one_temperature(pair: Any, scores: Value, method: str) -> Value:
    if len(pair.classes) == 2 and scores.dim(1) == 1 and method == "predict_proba":
        scores = concat([1 - scores, scores])
    return call(pair.calibrators[0], "predict", scores)


_METHODS: dict[str, Callable[[Any, Value, str], Value]] = {
    "sigmoid": _one_calibrator_a_class,
    "isotonic": _one_calibrator_a_class,
    "temperature": _one_temperature,
}


@converter(CalibratedClassifierCV, method="predict_proba", frame=True, finite=False)
def calibrated_proba(est: Any, X: Data) -> Value:
    pairs = est.calibrated_classifiers_
    p = as_float64(_pair("estimator_0", pairs[0], X))
    for i, pair in enumerate(pairs[1:], 1):
        p = p + _pair(f"estimator_{i}", pair, X)
    return p / len(pairs)


@converter(CalibratedClassifierCV, method="predict", frame=True, finite=False)
def calibrated_classes(est: Any, X: Data) -> Value:
    return argmax_labels(est.classes_, call(est, "predict_proba", X))
