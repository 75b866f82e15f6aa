"""Operators of nearest neighbours: distances between rows and training rows, and the k smallest.

Distances are sums over features in order, of float64 terms, as sklearn/metrics/_dist_metrics.pyx.tp computes them: bit
for bit the distances of KDTree and BallTree, and 0 for equal rows. "Reduced" distances (a square before its root) order
alike and are compared instead, as there. Where rows are float32, results are rounded to it as there (trees never are).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import ConversionError
from ..graph import Value, loop, op, where
from . import operator

#: scikit-learn's names for one metric
ALIASES = {
    "l1": "manhattan",
    "cityblock": "manhattan",
    "l2": "euclidean",
    "p": "minkowski",
    "infinity": "chebyshev",
}

#: what a feature adds to the sum: (sum, x, y, |x - y|, p, weight) -> sum
Term = Callable[[Value, Value, Value, Value, Value, Value], Value]
TERMS: dict[str, Term] = {
    "euclidean": lambda total, x, y, gap, p, w: total + gap * gap,
    "sqeuclidean": lambda total, x, y, gap, p, w: total + gap * gap,
    "seuclidean": lambda total, x, y, gap, p, w: total + gap * gap / w,
    "manhattan": lambda total, x, y, gap, p, w: total + gap,
    "chebyshev": lambda total, x, y, gap, p, w: op.Max(total, gap),
    "minkowski": lambda total, x, y, gap, p, w: total + w * gap**p,
    "hamming": lambda total, x, y, gap, p, w: total + (x != y).astype(np.float64),
    "canberra": lambda total, x, y, gap, p, w: total + _ratio(gap, abs(x) + abs(y)),
    "braycurtis": lambda total, x, y, gap, p, w: total + gap,
}
SQUARED = ("euclidean", "sqeuclidean")
#: metrics in which a point is compared whole
WHOLE = ("cosine", "precomputed")
METRICS = (*TERMS, *WHOLE)


def _ratio(a: Value, b: Value) -> Value:
    """Return a / b, and 0 where both are 0."""
    zero = b == 0
    return where(zero, 0.0, a / where(zero, 1.0, b))


@operator("PairwiseDistances")
def pairwise_distances(X: Value, fit_X: Value, p: Value, w: Value, *, metric: str) -> Value:
    """Return the distance of every row to every training row.

    Parameters
    ----------
    X : Value of shape (N, n_features)
        Rows, float32 or float64.
    fit_X : Value of shape (n_fit, n_features)
        Training rows of the same dtype; differences are taken in it (of ``euclidean``, in float64).
    p : float64 scalar
        The order of ``minkowski``.
    w : float64 Value of shape (n_features,)
        Weights of ``minkowski``, variances of ``seuclidean``.
    metric : str
        One of `METRICS`.

    Returns
    -------
    float64 Value of shape (N, n_fit); float32 for ``cosine`` of float32 rows
    """
    return from_reduced(reduced_distances(X, fit_X, p, w, metric), p, metric, X.dtype)


@operator("KNeighbors", outputs=("distances", "indices"))
def k_neighbors(
    X: Value, fit_X: Value, p: Value, w: Value, *tree: Value, metric: str, k: int, algorithm: str
) -> tuple[Value, Value]:
    """Return the k nearest training rows of each row, nearest first.

    Where several training rows are equally far, scikit-learn's choice follows from the order in which its search meets
    them; our runtime searches in that order. This body takes the first of them in the training data.

    Parameters
    ----------
    X, fit_X, p, w
        As in `pairwise_distances`.
    *tree : Values
        Of a KDTree or BallTree, for runtimes that search it: row order (n_fit,), nodes' first and last + 1 row and
        whether they are leaves (n_nodes, 3), radii (n_nodes,), and bounds (n_bounds * n_nodes, n_features): lower and
        upper corners, or centroids.
    metric : str
        One of `METRICS`.
    k : int
        How many.
    algorithm : {"brute", "kd_tree", "ball_tree"}
        Whose order.

    Returns
    -------
    distances : Value of shape (N, k)
    indices : int64 Value of shape (N, k)
    """
    reduced = reduced_distances(X, fit_X, p, w, metric)
    nearest, indices = op.TopK(reduced, np.array([k], np.int64), axis=1, largest=0, sorted=1)
    return from_reduced(nearest, p, metric, X.dtype), indices


def reduced_distances(X: Value, fit_X: Value, p: Value, w: Value, metric: str) -> Value:
    """Return what orders like the distances, shape (N, n_fit)."""
    if metric == "precomputed":
        return X
    if metric == "cosine":
        return _cosine(X, fit_X)
    if metric not in TERMS:
        raise ConversionError(f"metric {metric!r} has no ONNX form; choose one of {', '.join(METRICS)}.")
    if metric in SQUARED:  # scikit-learn multiplies matrices in float64 here, and rounds at the end
        return _sum_features(X.astype(np.float64), fit_X.astype(np.float64), p, w, TERMS[metric])
    total = _sum_features(X, fit_X, p, w, TERMS[metric])
    if metric == "braycurtis":
        total = _ratio(total, _sum_features(X, fit_X, p, w, lambda total, x, y, gap, p, w: total + (abs(x) + abs(y))))
    if metric == "hamming":
        total = total / float(X.dim(1))
    return total.astype(X.dtype).astype(np.float64)


def _sum_features(X: Value, fit_X: Value, p: Value, w: Value, term: Term) -> Value:
    """Add up terms feature by feature: never an array of rows by training rows by features."""

    def add(i: Value, total: Value) -> tuple[Value, Value]:
        at = i.reshape(1)
        x, y = op.Gather(X, at, axis=1), op.Transpose(op.Gather(fit_X, at, axis=1), perm=[1, 0])
        gap = abs(x - y).astype(np.float64)
        return (i >= 0), term(total, x.astype(np.float64), y.astype(np.float64), gap, p, op.Gather(w, at, axis=0))

    zeros = X[:, :1].astype(np.float64) * 0.0
    start = zeros + fit_X[:, 0].astype(np.float64) * 0.0
    return loop(add, X.dim(1), start)[0]


def _cosine(X: Value, fit_X: Value) -> Value:
    """``cosine_distances``, in the dtype of the rows."""
    normal = [_normalized(v) for v in (X, fit_X)]
    similarity = normal[0] @ op.Transpose(normal[1], perm=[1, 0])
    return np.clip(1.0 - similarity, 0.0, 2.0)


def _normalized(x: Value) -> Value:
    norms = np.sqrt((x * x).sum(1, keepdims=True))
    return x / where(norms == 0, 1.0, norms)


def from_reduced(reduced: Value, p: Value, metric: str, dtype: np.dtype[np.generic]) -> Value:
    """Return the distances of reduced ones, rounded to the rows' dtype."""
    if metric in WHOLE:
        return reduced
    rounded = reduced.astype(dtype).astype(np.float64)
    if metric in ("euclidean", "seuclidean"):
        rounded = np.sqrt(rounded)
    elif metric == "minkowski":
        rounded = rounded ** (1.0 / p)
    return rounded.astype(dtype).astype(np.float64)
