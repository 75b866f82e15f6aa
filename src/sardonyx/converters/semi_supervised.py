"""sklearn.semi_supervised."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.semi_supervised._label_propagation import BaseLabelPropagation

from ..convert import call, step, together
from ..errors import ConversionError
from ..graph import Value, as_value
from ..operators.pairwise import pairwise_kernel
from ..registry import converter
from .base import argmax_labels


def _method(method: str) -> Callable[[Any, Value], Any]:
    def convert(est: Any, X: Value) -> Any:
        fitted = est.estimator_ if hasattr(est, "estimator_") else est.base_estimator_
        return step("estimator", fitted, together(method), X)[method]

    return convert


for _name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
    converter(SelfTrainingClassifier, method=_name, finite=False)(_method(_name))


@converter(BaseLabelPropagation, method="predict_proba")
def propagation_proba(est: Any, X: Value) -> Value:
    votes = _votes(est, X)
    return votes / votes.sum(1, keepdims=True)


def _votes(est: Any, X: Value) -> Value:
    """Return the sum of the label distributions of the training rows, as near as they are, shape (N, n_classes)."""
    if est.kernel == "rbf":
        return pairwise_kernel("rbf", X, est.X_, gamma=est.gamma) @ est.label_distributions_
    if est.kernel == "knn":
        _, nearest = call(est.nn_fit, "kneighbors", X)
        return as_value(est.label_distributions_)[nearest].sum(1)
    raise ConversionError(
        f"{type(est).__name__}(kernel={est.kernel!r}): a function of Python cannot be converted. "
        "Use kernel='rbf' or 'knn'."
    )


@converter(BaseLabelPropagation, method="predict")
def propagation_classes(est: Any, X: Value) -> Value:
    return argmax_labels(est.classes_, call(est, "predict_proba", X))
