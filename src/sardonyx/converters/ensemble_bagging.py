"""sklearn.ensemble._bagging: members that know some of the features each. Each is a step; sums go in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier, BaggingRegressor

from ..convert import call, step, take
from ..graph import Value, concat, op, where
from ..operators.numeric import log1p
from ..registry import converter
from .base import argmax_labels, total


def _members(est: Any, method: str, X: Value) -> list[Value]:
    """Return what each estimator's method gives for its features."""
    pairs = zip(est.estimators_, est.estimators_features_, strict=True)
    return [step(f"estimator_{i}", e, [method], take(X, f))[method] for i, (e, f) in enumerate(pairs)]


def _widened(classes: Any, n_classes: int, given: Value, absent: float) -> Value:
    """Return columns for all classes; those that an estimator never saw hold `absent`."""
    if len(classes) == n_classes:
        return given
    column = np.full(n_classes, len(classes))
    column[np.asarray(classes, int)] = np.arange(len(classes))
    return concat([given, where(given[:, :1] == given[:, :1], absent, absent)])[:, column]


@converter(BaggingClassifier, method="predict_proba", finite=False)
def bagging_proba(est: Any, X: Value) -> Value:
    """Average probabilities; estimators that have none vote."""
    n = est.n_classes_
    if all(hasattr(e, "predict_proba") for e in est.estimators_):
        members = _members(est, "predict_proba", X)
        given = [_widened(e.classes_, n, p, 0.0) for e, p in zip(est.estimators_, members, strict=True)]
        return total(given).astype(np.float64) / float(est.n_estimators)
    votes = [(p.astype(np.int64)[:, None] == np.arange(n)).astype(np.float64) for p in _members(est, "predict", X)]
    return total(votes) / float(est.n_estimators)


@converter(BaggingClassifier, method="predict", finite=False)
def bagging_classes(est: Any, X: Value) -> Value:
    return argmax_labels(est.classes_, call(est, "predict_proba", X))


@converter(BaggingClassifier, method="predict_log_proba", finite=False)
def bagging_log_proba(est: Any, X: Value) -> Value:
    if not hasattr(est.estimator_, "predict_log_proba"):
        return np.log(call(est, "predict_proba", X))
    members = _members(est, "predict_log_proba", X)
    given = [_widened(e.classes_, est.n_classes_, p, -np.inf) for e, p in zip(est.estimators_, members, strict=True)]
    total = given[0].astype(np.float64)
    for value in given[1:]:
        total = _logaddexp(total, value.astype(np.float64))
    return total - np.log(est.n_estimators)


def _logaddexp(a: Value, b: Value) -> Value:
    """``numpy.logaddexp``: equal ones (perhaps both -inf) apart, so that no infinities are subtracted."""
    same = a == b
    gap = where(same, 0.0, abs(a - b))
    return where(same, a + np.log(2.0), op.Max(a, b) + log1p(np.exp(-gap)))


@converter(BaggingClassifier, method="decision_function", finite=False)
def bagging_scores(est: Any, X: Value) -> Value:
    return total(_members(est, "decision_function", X)) / float(est.n_estimators)


@converter(BaggingRegressor, method="predict", finite=False)
def bagging_values(est: Any, X: Value) -> Value:
    return total(_members(est, "predict", X)) / float(est.n_estimators)
