"""sklearn.model_selection._classification_threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.model_selection._classification_threshold import BaseThresholdClassifier

from ..convert import Data, step
from ..graph import Value
from ..registry import converter
from ._response import response
from .base import take_labels


def _fitted(est: Any) -> Any:
    """Return the fitted estimator; one given fitted (or frozen) stays where it was."""
    return getattr(est, "estimator_", est.estimator)


def _method(method: str) -> Callable[[Any, Data], Any]:
    return lambda est, X: step("estimator", _fitted(est), [method], X)[method]


for _name in ("predict_proba", "predict_log_proba", "decision_function"):
    converter(BaseThresholdClassifier, method=_name, frame=True, finite=False)(_method(_name))


def _labels(est: Any, scores: Value, threshold: float, pos_label: Any) -> Value:
    classes = _fitted(est).classes_
    first = pos_label is not None and pos_label == classes[0]
    return take_labels(classes[::-1] if first else classes, scores >= threshold)


@converter(FixedThresholdClassifier, method="predict", frame=True, finite=False)
def fixed_threshold(est: Any, X: Data) -> Value:
    scores, method = response("estimator", _fitted(est), est._get_response_method(), X, est.pos_label)
    threshold = est.threshold if est.threshold != "auto" else 0.5 if method == "predict_proba" else 0.0
    return _labels(est, scores, np.float64(threshold), est.pos_label)


@converter(TunedThresholdClassifierCV, method="predict", frame=True, finite=False)
def tuned_threshold(est: Any, X: Data) -> Value:
    pos_label = est._curve_scorer._get_pos_label()
    scores, _ = response("estimator", est.estimator_, est._get_response_method(), X, pos_label)
    return _labels(est, scores, est.best_threshold_, pos_label)
