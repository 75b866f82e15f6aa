"""sklearn.ensemble._voting: members with names, which all see the same rows. Each is a step under its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import VotingClassifier, VotingRegressor

from ..convert import Coded, Data, call, step
from ..graph import Value, concat
from ..registry import converter
from .base import argmax_labels, total


def named(est: Any) -> list[tuple[str, Any]]:
    """Return names and fitted estimators, those dropped left out."""
    return list(zip([name for name, e in est.estimators if e != "drop"], est.estimators_, strict=True))


def _answers(est: Any, method: str, X: Data) -> list[Value]:
    return [step(name, e, [method], X)[method] for name, e in named(est)]


def _average(est: Any, values: Sequence[Value]) -> Value:
    weights = est._weights_not_none
    if weights is None:
        return total(values) / float(len(values))
    return total([v * float(w) for v, w in zip(values, weights, strict=True)]) / float(np.sum(weights))


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
    counts = total([v * float(w) for v, w in zip(votes, weights, strict=True)])
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
