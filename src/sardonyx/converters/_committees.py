"""Estimators of sklearn.ensemble that ask other estimators: bagging, AdaBoost, voting and stacking.

Each part is a step of its own. Sums go from the first estimator to the last, as scikit-learn's do in one job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)

from ..convert import Coded, Data, as_matrix, call, step, take
from ..errors import ConversionError
from ..graph import Value, as_value, concat, op, per_row, where
from ..operators.numeric import log1p
from ..registry import converter
from .base import argmax_labels, class_labels, softmax, take_labels

# ------------------------------------------------------------------------------------------------------------- bagging


def _members(est: Any, method: str, X: Value) -> list[Value]:
    """Return what each estimator's method gives for its features."""
    pairs = zip(est.estimators_, est.estimators_features_, strict=True)
    return [step(f"estimator_{i}", e, [method], take(X, f))[method] for i, (e, f) in enumerate(pairs)]


def _total(values: Sequence[Value]) -> Value:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


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
        return _total(given).astype(np.float64) / float(est.n_estimators)
    votes = [(p.astype(np.int64)[:, None] == np.arange(n)).astype(np.float64) for p in _members(est, "predict", X)]
    return _total(votes) / float(est.n_estimators)


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
    return _total(_members(est, "decision_function", X)) / float(est.n_estimators)


@converter(BaggingRegressor, method="predict", finite=False)
def bagging_values(est: Any, X: Value) -> Value:
    return _total(_members(est, "predict", X)) / float(est.n_estimators)


# ------------------------------------------------------------------------------------------------------------- AdaBoost


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
    scores = _total([where(h, w, -1 / (n - 1) * w) for h, (_, w) in zip(hits, pairs, strict=True)])
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


# --------------------------------------------------------------------------------------------------------------- voting


def _named(est: Any) -> list[tuple[str, Any]]:
    """Return names and fitted estimators, those dropped left out."""
    return list(zip([name for name, e in est.estimators if e != "drop"], est.estimators_, strict=True))


def _answers(est: Any, method: str, X: Data) -> list[Value]:
    return [step(name, e, [method], X)[method] for name, e in _named(est)]


def _average(est: Any, values: Sequence[Value]) -> Value:
    weights = est._weights_not_none
    if weights is None:
        return _total(values) / float(len(values))
    return _total([v * float(w) for v, w in zip(values, weights, strict=True)]) / float(np.sum(weights))


@converter(VotingClassifier, method="predict_proba", frame=True, finite=False)
def voting_proba(est: Any, X: Data) -> Value:
    return _average(est, _answers(est, "predict_proba", X))


@converter(VotingClassifier, method="predict", frame=True, finite=False)
def voting_classes(est: Any, X: Data) -> Value:
    if est.voting == "soft":
        return argmax_labels(est.le_.classes_, call(est, "predict_proba", X))
    codes = np.arange(len(est.le_.classes_))
    votes = [(p.astype(np.int64)[:, None] == codes).astype(np.float64) for p in _answers(est, "predict", X)]
    weights = est._weights_not_none or [1.0] * len(votes)
    counts = _total([v * float(w) for v, w in zip(votes, weights, strict=True)])
    return argmax_labels(est.le_.classes_, counts)


@converter(VotingClassifier, method="transform", frame=True, finite=False)
def voting_transform(est: Any, X: Data) -> Value | Coded:
    if est.voting == "soft":
        answers = _answers(est, "predict_proba", X)
        return (
            concat(answers) if est.flatten_transform else Coded("stacked", concat([a[None] for a in answers], axis=0))
        )
    return concat([p[:, None] for p in _answers(est, "predict", X)])


@converter(VotingRegressor, method="predict", frame=True, finite=False)
def voting_values(est: Any, X: Data) -> Value:
    return _average(est, _answers(est, "predict", X))


@converter(VotingRegressor, method="transform", frame=True, finite=False)
def voting_regressor_transform(est: Any, X: Data) -> Value:
    return concat([p[:, None] for p in _answers(est, "predict", X)])


# ------------------------------------------------------------------------------------------------------------- stacking


@converter(StackingClassifier, StackingRegressor, method="transform", frame=True, finite=False)
def stacking_transform(est: Any, X: Data) -> Value:
    """Return the estimators' answers side by side, one of two probabilities left out; then X if it passes through."""
    parts: list[Value] = []
    for (name, e), method in zip(_named(est), est.stack_method_, strict=True):
        answer = step(name, e, [method], X)[method]
        if isinstance(answer, list):
            parts += [p[:, 1:] for p in answer]
        elif answer.ndim == 1:
            parts.append(answer[:, None])
        else:
            parts.append(answer[:, 1:] if method == "predict_proba" and len(est.classes_) == 2 else answer)
    return concat([*parts, as_matrix(X)] if est.passthrough else parts)


def _final(est: Any, method: str, X: Data) -> Any:
    return step("final_estimator", est.final_estimator_, [method], call(est, "transform", X))[method]


@converter(StackingRegressor, method="predict", frame=True, finite=False)
def stacking_values(est: Any, X: Data) -> Any:
    return _final(est, "predict", X)


@converter(StackingClassifier, method="predict", frame=True, finite=False)
def stacking_classes(est: Any, X: Data) -> Value:
    codes = _final(est, "predict", X)
    if not isinstance(est.classes_, list):
        return take_labels(est.classes_, codes)
    return concat([take_labels(c, codes[:, k])[:, None] for k, c in enumerate(est.classes_)])


@converter(StackingClassifier, method="predict_proba", frame=True, finite=False)
def stacking_proba(est: Any, X: Data) -> Value:
    result = _final(est, "predict_proba", X)
    return concat([p[:, :1] for p in result]) if isinstance(est.classes_, list) else result


@converter(StackingClassifier, method="decision_function", frame=True, finite=False)
def stacking_scores(est: Any, X: Data) -> Any:
    return _final(est, "decision_function", X)
