"""sklearn.svm: kernel machines of libsvm, in float64 whatever the rows are. LinearSVC and LinearSVR are linear models.

Decisions of a pair of classes are positive for the first, as in libsvm; scikit-learn turns the sign for two classes.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import OneClassSVM
from sklearn.svm._base import BaseLibSVM, BaseSVC

from ..convert import call
from ..errors import ConversionError
from ..graph import Value, as_value, current_graph, where
from ..operators.sparse import sparse_matrix
from ..operators.svm import KERNELS, group_sums, kernel_sums, pairwise_coupling
from ..registry import converter
from .base import argmax_labels, dense, take_labels

# ---- libsvm's decision ----------------------------------------------------------------------------------------------


def decisions(est: Any, X: Value) -> Any:
    """Return ``_dense_decision_function``: one column a pair of classes, or one in all.

    Class i's vectors carry a coefficient for each other class; the decision of (i, j) adds the sums of both::

        sums   class 0: against 1, 2 | class 1: against 0, 2 | class 2: against 0, 1
        (0, 2)                  ^                                                ^
    """
    X, n_support = X.astype(np.float64), _groups(est)
    if est.kernel == "linear":
        return X @ _primal(est, n_support).T + est._intercept_
    sums = _sums(est, X, n_support)
    if len(n_support) == 1:
        return sums + est._intercept_
    first, second = _pair_columns(len(n_support))
    return sums[:, first] + sums[:, second] + est._intercept_


def _groups(est: Any) -> list[int]:
    """Return the sizes of the groups of support vectors; with one row of coefficients, all are one group."""
    sizes = np.asarray(est._n_support)
    return sizes.tolist() if dense(est._dual_coef_).shape[0] > 1 else [len(est.support_)]


def _sums(est: Any, X: Value, n_support: list[int]) -> Any:
    coefficients = dense(est._dual_coef_)
    if est.kernel == "precomputed":
        return group_sums(X[:, est.support_], as_value(coefficients), n_support)
    if est.kernel not in KERNELS:
        raise ConversionError(
            f"{type(est).__name__}(kernel={est.kernel!r}) runs Python code, which a model file cannot hold. "
            f"Use one of linear, {', '.join(KERNELS)}, precomputed (and give the model the kernel matrix)."
        )
    vectors = est.support_vectors_
    return kernel_sums(
        X,
        sparse_matrix(vectors.astype(np.float64)) if hasattr(vectors, "toarray") else vectors,
        coefficients,
        np.float64(est._gamma),
        np.float64(est.coef0),
        kernel=est.kernel,
        degree=int(est.degree),
        n_support=n_support,
    )


def _primal(est: Any, n_support: list[int]) -> NDArray[np.float64]:
    """Weights of the features for each decision of a linear kernel, summed in extended precision."""
    vectors, coefficients = est.support_vectors_, dense(est._dual_coef_)
    stops = np.cumsum(n_support)
    blocks = [slice(stop - size, stop) for stop, size in zip(stops, n_support, strict=True)]
    weights = np.concatenate([_weighted(coefficients[:, b], vectors[b]) for b in blocks])
    if len(n_support) > 1:
        first, second = _pair_columns(len(n_support))
        weights = weights[first] + weights[second]
    return weights.astype(np.float64)


def _weighted(coefficients: NDArray[np.float64], vectors: Any) -> NDArray[np.longdouble]:
    """Return ``coefficients @ vectors`` in extended precision, of sparse vectors by their entries."""
    if not hasattr(vectors, "tocoo"):
        return coefficients.astype(np.longdouble) @ np.asarray(vectors, np.longdouble)
    entries = vectors.tocoo()
    weights = np.zeros((len(coefficients), vectors.shape[1]), np.longdouble)
    for row, own in zip(weights, coefficients, strict=True):
        np.add.at(row, entries.col, own[entries.row] * entries.data.astype(np.longdouble))
    return weights


def _pairs(n_classes: int) -> NDArray[np.int64]:
    return np.array(list(combinations(range(n_classes), 2)), np.int64)


def _pair_columns(n_classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the two sums of each pair stand: class i against j, class j against i (a class leaves itself out)."""
    i, j = _pairs(n_classes).T
    return i * (n_classes - 1) + j - 1, j * (n_classes - 1) + i


def _votes(wins: Value, n_classes: int) -> Any:
    """Count votes: the first class of a pair gets it where `wins`, else the second."""
    unit, (i, j) = np.eye(n_classes), _pairs(n_classes).T
    won = wins.astype(np.float64)
    return won @ unit[i] + (1.0 - won) @ unit[j]


# ---- classification --------------------------------------------------------------------------------------------------


@converter(BaseSVC, method="decision_function")
def svc_decision(est: Any, X: Value) -> Value:
    values, n = _svc_decisions(est, X), len(est.classes_)
    if n == 2:
        return -values.reshape(-1)
    return _one_vs_rest(values, n) if est.decision_function_shape == "ovr" else values


def _svc_decisions(est: Any, X: Value) -> Value:
    """Share the pairs' decisions between the methods of one estimator."""
    memo, key = current_graph().memo, ("decisions", id(est), X.name)
    if key not in memo:
        memo[key] = decisions(est, X)
    value: Value = memo[key]
    return value


def _one_vs_rest(values: Value, n_classes: int) -> Any:
    """``_ovr_decision_function``: votes, and within them the sum of confidences squeezed into a third."""
    unit, (i, j) = np.eye(n_classes), _pairs(n_classes).T
    confidences = values @ (unit[i] - unit[j])
    return _votes(values >= 0, n_classes) + confidences / (3 * (abs(confidences) + 1))


@converter(BaseSVC, method="predict")
def svc_predict(est: Any, X: Value) -> Value:
    n = len(est.classes_)
    if est.break_ties and est.decision_function_shape == "ovo":
        raise ConversionError(
            f"{type(est).__name__}.predict refuses break_ties=True with decision_function_shape='ovo'; set it to False."
        )
    if est.break_ties and n > 2:
        return argmax_labels(est.classes_, call(est, "decision_function", X))
    wins = _svc_decisions(est, X) > 0
    if n == 2:
        return take_labels(est.classes_, ~wins.reshape(-1))
    return argmax_labels(est.classes_, _votes(wins, n))


@converter(BaseSVC, method="predict_proba")
def svc_proba(est: Any, X: Value) -> Value:
    """Platt's sigmoid of each pair, coupled; libsvm bounds it away from 0 and 1."""
    score = _svc_decisions(est, X) * est._probA + est._probB
    pairs = np.clip(1.0 / (1.0 + np.exp(score)), 1e-7, 1 - 1e-7)
    result: Value = pairwise_coupling(pairs, n_classes=len(est.classes_))
    return result


@converter(BaseSVC, method="predict_log_proba")
def svc_log_proba(est: Any, X: Value) -> Any:
    return np.log(call(est, "predict_proba", X))


# ---- regression and outliers -----------------------------------------------------------------------------------------


@converter(BaseLibSVM, method="predict")
def svr_predict(est: Any, X: Value) -> Any:
    return decisions(est, X).reshape(-1)


@converter(OneClassSVM, method="decision_function")
def one_class_decision(est: Any, X: Value) -> Any:
    return decisions(est, X).reshape(-1)


@converter(OneClassSVM, method="score_samples")
def one_class_scores(est: Any, X: Value) -> Any:
    return call(est, "decision_function", X) + est.offset_


@converter(OneClassSVM, method="predict")
def one_class_predict(est: Any, X: Value) -> Value:
    return where(call(est, "decision_function", X) > 0, np.int64(1), np.int64(-1))
