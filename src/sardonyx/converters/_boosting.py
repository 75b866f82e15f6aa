"""What gradient boosting does around its trees: where sums start, and what raw predictions mean under a loss.

Source: sklearn/ensemble/_gb.py, sklearn/_loss/link.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor

from ..convert import step
from ..errors import ConversionError
from ..graph import Value
from ..operators.numeric import expit
from .base import argmax_labels, both_classes, softmax, take_labels

#: link functions of sklearn/_loss/link.py: from predictions to raw ones, and back
LINKS: dict[str, Callable[[Value], Value]] = {
    "IdentityLink": lambda p: p,
    "LogLink": np.log,
    "LogitLink": lambda p: np.log(p / (1.0 - p)),
    "HalfLogitLink": lambda p: 0.5 * np.log(p / (1.0 - p)),
    "MultinomialLogit": lambda p: np.log(p / np.exp(np.log(p).mean(1, keepdims=True))),
}
INVERSE_LINKS: dict[str, Callable[[Value], Value]] = {
    "IdentityLink": lambda x: x,
    "LogLink": np.exp,
    "LogitLink": expit,
    "HalfLogitLink": lambda x: expit(2.0 * x),
    "MultinomialLogit": softmax,
}


def inverse_link(est: Any, raw: Value) -> Value:
    """Return ``est._loss.link.inverse(raw)``."""
    return _link(est, INVERSE_LINKS)(raw)


def _link(est: Any, table: dict[str, Callable[[Value], Value]]) -> Callable[[Value], Value]:
    name = type(est._loss.link).__name__
    if name not in table:
        raise ConversionError(
            f"{type(est).__name__}: loss {est.loss!r} has the unknown link {name}; use one of {sorted(table)}."
        )
    return table[name]


def probabilities(est: Any, scores: Value) -> Value:
    """Return ``est._loss.predict_proba`` of what ``decision_function`` returns."""
    given = inverse_link(est, scores)
    return given if scores.ndim == 2 else both_classes(given)


def flattened(raw: Value) -> Value:
    """Return raw predictions as ``decision_function`` does: one column as (N,)."""
    return raw if raw.dim(1) > 1 else raw.reshape(-1)


def labels(est: Any, scores: Value, *, zero_is_positive: bool) -> Value:
    """Return the class labels of what ``decision_function`` returns."""
    if scores.ndim == 2:
        return argmax_labels(est.classes_, scores)
    return take_labels(est.classes_, (scores >= 0.0 if zero_is_positive else scores > 0.0).astype(np.int64))


def is_constant(est: Any) -> bool:
    """Whether the first prediction of a GradientBoosting estimator is the same for every row."""
    if isinstance(est.init_, DummyClassifier) and est.init_.strategy in ("stratified", "uniform"):
        raise ConversionError(
            f"{type(est).__name__}: init=DummyClassifier(strategy={est.init_.strategy!r}) predicts at random. "
            "Use strategy='prior', or init='zero'."
        )
    return isinstance(est.init_, str | DummyClassifier | DummyRegressor)


def constant_start(est: Any) -> Any:
    """Return the first raw prediction where it is constant, shape (n_columns,)."""
    return est._raw_predict_init(np.zeros((1, est.n_features_in_), np.float32))[0].astype(np.float64)


def start(est: Any, X: Value) -> Value:
    """Return the raw predictions of the ``init`` estimator, as ``_init_raw_predictions`` computes them."""
    method = "predict_proba" if is_classifier(est) else "predict"
    given = step("init", est.init_, [method], X)[method]
    if method == "predict":
        return _link(est, LINKS)(given.astype(np.float64).reshape(-1, 1))
    chosen = given if est._loss.is_multiclass else given[:, 1:2]
    eps = clipped_at(est)
    return _link(est, LINKS)(np.clip(chosen.astype(np.float64), eps, 1 - eps))


def clipped_at(est: Any) -> float:
    """Return how close to 0 and 1 the installed scikit-learn lets first probabilities come: it has changed."""
    from sklearn.ensemble._gb import _init_raw_predictions

    class Certain:
        def predict_proba(self, X: Any) -> Any:
            return np.eye(2)[:1]

    class Binary:
        is_multiclass = False
        link = type("Identity", (), {"link": staticmethod(lambda p: p)})

    return float(_init_raw_predictions(np.zeros((1, 1)), Certain(), Binary(), True)[0, 0])
