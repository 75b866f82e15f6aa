"""sklearn.discriminant_analysis."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.discriminant_analysis import (
    DiscriminantAnalysisPredictionMixin,
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)

from ..convert import call
from ..errors import ConversionError
from ..graph import Value, where
from ..operators.numeric import logistic
from ..registry import converter
from ._response import columns_of
from .base import argmax_labels, both_classes, softmax
from .linear_model import linear_decision

converter(LinearDiscriminantAnalysis, method="decision_function")(linear_decision)


@converter(LinearDiscriminantAnalysis, method="predict_proba")
def linear_proba(est: Any, X: Value) -> Value:
    decision = call(est, "decision_function", X)
    return both_classes(logistic(decision)) if len(est.classes_) == 2 else softmax(decision)


@converter(LinearDiscriminantAnalysis, method="predict_log_proba")
def linear_log_proba(est: Any, X: Value) -> Value:
    p = call(est, "predict_proba", X)
    return np.log(where(p == 0.0, np.finfo(p.dtype).smallest_normal, p))


@converter(LinearDiscriminantAnalysis, method="transform")
def linear_transform(est: Any, X: Value) -> Value:
    if est.solver == "lsqr":
        raise ConversionError(
            "LinearDiscriminantAnalysis(solver='lsqr').transform does not exist, in scikit-learn neither. "
            "Use solver='svd' or 'eigen', or leave transform out of methods."
        )
    centred = X - est.xbar_ if est.solver == "svd" else X
    return (centred @ est.scalings_)[:, : est._max_components]


def _quadratic_scores(est: Any, X: Value) -> Value:
    """Return ``_decision_function``: the log posterior of each class up to a constant, shape (N, n_classes)."""
    norms = []
    for mean, rotation, scaling in zip(est.means_, est.rotations_, est.scalings_, strict=True):
        projected = (X - mean) @ (rotation * scaling**-0.5)
        norms.append((projected * projected).sum(1))
    logdet = np.array([np.sum(np.log(s)) for s in est.scalings_])
    return -0.5 * (columns_of(norms) + logdet) + np.log(est.priors_)


@converter(DiscriminantAnalysisPredictionMixin, QuadraticDiscriminantAnalysis, method="decision_function")
def quadratic_decision(est: Any, X: Value) -> Value:
    scores = _quadratic_scores(est, X)
    return scores[:, 1] - scores[:, 0] if len(est.classes_) == 2 else scores


@converter(DiscriminantAnalysisPredictionMixin, QuadraticDiscriminantAnalysis, method="predict")
def quadratic_classes(est: Any, X: Value) -> Value:
    return argmax_labels(est.classes_, _quadratic_scores(est, X))


@converter(DiscriminantAnalysisPredictionMixin, QuadraticDiscriminantAnalysis, method="predict_log_proba")
def quadratic_log_proba(est: Any, X: Value) -> Value:
    scores = _quadratic_scores(est, X)
    likelihood = scores - scores.max(1, keepdims=True)
    return likelihood - np.log(np.exp(likelihood).sum(1, keepdims=True))


@converter(DiscriminantAnalysisPredictionMixin, QuadraticDiscriminantAnalysis, method="predict_proba")
def quadratic_proba(est: Any, X: Value) -> Value:
    return np.exp(call(est, "predict_log_proba", X))
