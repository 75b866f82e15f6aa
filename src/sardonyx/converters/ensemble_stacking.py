"""sklearn.ensemble._stacking: members with names, and an estimator of what they answer. Each is a step."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import StackingClassifier, StackingRegressor

from ..convert import Data, as_matrix, call, step
from ..graph import Value, concat
from ..registry import converter
from .base import take_labels
from .ensemble_voting import named


@converter(StackingClassifier, StackingRegressor, method="transform", frame=True, finite=False)
def stacking_transform(est: Any, X: Data) -> Value:
    """Return the estimators' answers side by side, one of two probabilities left out; then X if it passes through."""
    parts: list[Value] = []
    for (name, e), method in zip(named(est), est.stack_method_, strict=True):
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
