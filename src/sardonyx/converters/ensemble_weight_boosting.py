"""sklearn.ensemble._weight_boosting: AdaBoost. Each member is a step; sums go from the first to the last."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor

from ..convert import call, step
from ..errors import ConversionError
from ..graph import Value, as_value, concat, op, per_row, where
from ..registry import converter
from .base import argmax_labels, class_labels, softmax, take_labels, total


@converter(AdaBoostClassifier, method="decision_function")
def adaboost_scores(est: Any, X: Value) -> Value:
    if getattr(est, "algorithm", "SAMME") == "SAMME.R":
        raise ConversionError(
            "AdaBoostClassifier(algorithm='SAMME.R') is not converted: scikit-learn has removed it. "
            "Fit again with algorithm='SAMME'."
        )
    n = est.n_classes_
    if n == 1:
        return X[:, :1] * 0
    classes = as_value(class_labels(est.classes_))
    pairs = [(e, float(w)) for e, w in zip(est.estimators_, est.estimator_weights_, strict=False)]
    hits = [step(f"estimator_{i}", e, ["predict"], X)["predict"][:, None] == classes for i, (e, _) in enumerate(pairs)]
    scores = total([where(h, w, -1 / (n - 1) * w) for h, (_, w) in zip(hits, pairs, strict=True)])
    scores = scores / float(est.estimator_weights_.sum())
    return (scores * np.array([-1.0, 1.0])).sum(1) if n == 2 else scores


@converter(AdaBoostClassifier, method="predict")
def adaboost_classes(est: Any, X: Value) -> Value:
    scores = call(est, "decision_function", X)
    if est.n_classes_ == 2:
        return take_labels(est.classes_, (scores > 0.0).astype(np.int64))
    return argmax_labels(est.classes_, scores)


@converter(AdaBoostClassifier, method="predict_proba", finite=False)
def adaboost_proba(est: Any, X: Value) -> Value:
    n = est.n_classes_
    if n == 1:  # whatever the row is
        return per_row([1.0], X)
    scores = call(est, "decision_function", X)
    if n == 2:
        return softmax(concat([-scores[:, None], scores[:, None]]) / 2.0)
    return softmax(scores / float(n - 1))


@converter(AdaBoostClassifier, method="predict_log_proba", finite=False)
def adaboost_log_proba(est: Any, X: Value) -> Value:
    return np.log(call(est, "predict_proba", X))


@converter(AdaBoostRegressor, method="predict")
def adaboost_values(est: Any, X: Value) -> Value:
    """Return the weighted median: sorted predictions, the first whose weights up to it are half of all."""
    members = [step(f"estimator_{i}", e, ["predict"], X)["predict"][:, None] for i, e in enumerate(est.estimators_)]
    weights = np.asarray(est.estimator_weights_[: len(members)], np.float64)
    ordered, index = op.TopK(concat(members), np.array([len(members)]), axis=1, largest=0, sorted=1)
    sums = op.CumSum(as_value(weights)[index], np.int64(1))
    above = (sums >= sums[:, -1:] * 0.5).astype(np.int64)
    return op.GatherElements(ordered, above.argmax(1)[:, None], axis=1).reshape(-1)
