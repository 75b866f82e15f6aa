"""Operators of nearest neighbours: distances between rows and training rows, and the k smallest.

Distances are sums over features in order, of float64 terms, as sklearn/metrics/_dist_metrics.pyx.tp computes them: bit
for bit the distances of KDTree and BallTree, and 0 for equal rows. "Reduced" distances (a square before its root) order
alike and are compared instead, as there. Where rows are float32, results are rounded to it as there (trees never are).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Value, concat, loop, op, where
from . import operator
from .numeric import arctan

#: scikit-learn's names for one metric
ALIASES = {
    "l1": "manhattan",
    "cityblock": "manhattan",
    "l2": "euclidean",
    "p": "minkowski",
    "infinity": "chebyshev",
    "sokalmichener": "rogerstanimoto",
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
    "scipy_braycurtis": lambda total, x, y, gap, p, w: total + gap,
}
#: what the sums of these are divided by: scikit-learn's own searches have one formula, scipy.spatial.distance another
DENOMINATORS: dict[str, Term] = {
    "braycurtis": lambda total, x, y, gap, p, w: total + (abs(x) + abs(y)),
    "scipy_braycurtis": lambda total, x, y, gap, p, w: total + abs(x + y),
}
SQUARED = ("euclidean", "sqeuclidean")
#: of the number of features that both rows have, of those that one of them has, and of all -> distance
Counted = Callable[[Value, Value, float], Value]
#: distances of rows of booleans; two rows without any feature have none in some of them, and are never neighbours
COUNTED: dict[str, Counted] = {
    "jaccard": lambda both, one, n: _ratio(one, both + one),
    "dice": lambda both, one, n: _ratio(one, 2.0 * both + one, np.inf),
    "rogerstanimoto": lambda both, one, n: 2.0 * one / (n + one),
    "russellrao": lambda both, one, n: (n - both) / n,
    "sokalsneath": lambda both, one, n: _ratio(one, 0.5 * both + one, np.inf),
}
#: the distances of two sparse matrices, whose squares are expanded: our runtime has what rounding leaves of them
OF_TWO_SPARSE = "sparse_euclidean"
#: metrics in which a point is compared whole; products of sparse rows are rounded otherwise than those of dense ones
WHOLE = ("cosine", "sparse_cosine", "precomputed")
METRICS = (*TERMS, *WHOLE, "haversine", *COUNTED)
#: squares as a brute search by Euclidean distances has them: with what rounding leaves of nearly equal rows
EXPANDED = "expanded_sqeuclidean"


def _ratio(a: Value, b: Value, empty: float = 0.0) -> Value:
    """Return a / b, and `empty` where both are 0, or b is NaN."""
    some = b > 0
    return where(some, a / where(some, b, 1.0), empty)


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
        One of `METRICS`, `EXPANDED` or `OF_TWO_SPARSE`.

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


@operator("ArgPartition", outputs=("values", "indices"))
def arg_partition(keys: Value, *, k: int) -> tuple[Value, Value]:
    """Return the k smallest numbers of each row in rising order, and where they are.

    Of equal ones our runtime takes those that ``numpy.argpartition``, and then ``numpy.argsort``, leave in front on the
    machine it runs on: scikit-learn selects neighbours so where it has no search of its own. This body takes the first.

    Parameters
    ----------
    keys : float Value of shape (N, n)
    k : int
        How many.

    Returns
    -------
    values : Value of shape (N, k)
    indices : int64 Value of shape (N, k)
    """
    values, indices = op.TopK(keys, np.array([k], np.int64), axis=1, largest=0, sorted=1)
    return values, indices


@operator("NanNeighbors", outputs=("distances", "values"))
def nan_neighbors(X: Value, fit_X: Value, *, k: int, single: int) -> tuple[Value, Value]:
    """Return, where X is missing, the k nearest training rows that have a value of that feature.

    A feature that is missing on either side does not count; distances are scaled up to all features
    (``sklearn.metrics.nan_euclidean_distances``). Of equally distant rows our runtime takes those that
    scikit-learn does (see `arg_partition`), this body the first of the training data.

    Parameters
    ----------
    X : float64 Value of shape (N, F)
        Rows; NaN is missing.
    fit_X : float64 Value of shape (M, F)
        Training rows; NaN is missing.
    k : int
        How many, at most M.
    single : int
        1 where rows and training rows were float32: distances are rounded where scikit-learn rounds them.

    Returns
    -------
    distances, values : float64 Value of shape (N, F, k)
        NaN where X is not missing, and beyond the rows that there are.
    """
    distances = _present_distances(X, fit_X, np.float32 if single else np.float64)
    found = [_nearest_donors(X[:, f : f + 1], distances, fit_X[:, f], k) for f in range(X.dim(1))]
    return concat([d[:, None, :] for d, _ in found]), concat([v[:, None, :] for _, v in found])


def _nearest_donors(column: Value, distances: Value, donors: Value, k: int) -> tuple[Value, Value]:
    """Return distances and values, shape (N, k), of one feature."""
    usable = where(np.isnan(distances) | np.isnan(donors), np.inf, distances)
    nearest, indices = op.TopK(usable, np.array([k], np.int64), axis=1, largest=0, sorted=1)
    absent = np.isinf(nearest) | ~np.isnan(column)
    return where(absent, np.nan, nearest), where(absent, np.nan, donors[indices])


def _present_distances(X: Value, fit_X: Value, dtype: type[np.floating[Any]]) -> Value:
    """Return distances over the features present on both sides, shape (N, M); NaN where there are none.

    scikit-learn expands the square, and takes away what has no partner, in the rows' own dtype: so it is rounded here.
    """

    def add(i: Value, *sums: Value) -> tuple[Value, ...]:
        at, (xx, yy, xy, x_alone, y_alone, present) = i.reshape(1), sums
        x, y = op.Gather(X, at, axis=1), op.Transpose(op.Gather(fit_X, at, axis=1), perm=[1, 0])
        in_x, in_y = x == x, y == y
        a, b = where(in_x, x, 0.0), where(in_y, y, 0.0)
        a_alone, b_alone = (where(gone, v * v, 0.0).astype(dtype) for gone, v in ((~in_y, a), (~in_x, b)))
        both = (in_x & in_y).astype(np.float64)
        return (i >= 0), xx + a * a, yy + b * b, xy + a * b, x_alone + a_alone, y_alone + b_alone, present + both

    zeros = (X[:, :1] != X[:, :1]).astype(np.float64) * 0.0 + (fit_X[:, 0] != fit_X[:, 0]).astype(np.float64) * 0.0
    alone = zeros.astype(dtype)
    xx, yy, xy, x_alone, y_alone, present = loop(add, X.dim(1), zeros, zeros, zeros, alone, alone, zeros)
    whole = op.Max((-2.0 * xy + xx + yy).astype(dtype), 0.0)
    squared = np.maximum((whole - x_alone) - y_alone, 0.0)
    none = present == 0
    mean = (squared.astype(np.float64) / where(none, 1.0, present)).astype(dtype)
    return where(none, np.nan, np.sqrt(mean * float(X.dim(1))).astype(np.float64))


@operator("KernelDensity")
def kernel_density(
    X: Value,
    fit_X: Value,
    p: Value,
    w: Value,
    numbers: Value,
    *tree: Value,
    metric: str,
    kernel: str,
    algorithm: str,
    breadth_first: int,
) -> Value:
    """Return the logarithm of the sum of normalised kernels around the training rows, shape (N, 1).

    scikit-learn adds and subtracts bounds of its tree's nodes until they are settled; with ``rtol`` and ``atol`` of 0
    what that leaves is the sum, and rounding noise, which far from the training rows is larger than the sum. Our
    runtime does the same in the same order; this body adds up all kernels.

    Parameters
    ----------
    X : float64 Value of shape (N, n_features)
    fit_X, p, w
        As in `pairwise_distances`.
    numbers : float64 Value of shape (5,)
        Bandwidth, logarithm of the kernel's norm, logarithms of the absolute and relative tolerance, and the weight of
        all training rows.
    *tree : Values
        As in `k_neighbors`, and, of weighted rows, their weights and the logarithms of these, (n_fit,) each.
    metric : str
        One of `METRICS`.
    kernel : str
        One of scikit-learn's six.
    algorithm : {"kd_tree", "ball_tree"}
        Whose order.
    breadth_first : int
        1 to split the nearest nodes first, 0 to go down the tree.
    """
    distances = from_reduced(reduced_distances(X, fit_X, p, w, metric), p, metric, X.dtype)
    logs = _LOG_KERNELS[kernel](distances, numbers[0])
    if len(tree) > TREE:
        logs = logs + tree[TREE + 1]
    most = logs.max(1, keepdims=True)
    finite = where(np.isinf(most), 0.0, most)
    return finite + np.log(np.exp(logs - finite).sum(1, keepdims=True)) + numbers[1]


#: arrays of a tree
TREE = 4


def _inside(distance: Value, h: Value, density: Callable[[Value], Value]) -> Value:
    """Return the logarithm of a kernel that is zero from the bandwidth on."""
    inside = distance < h
    return where(inside, np.log(density(where(inside, distance, 0.0))), -np.inf)


#: kernel -> its logarithm, from distances and bandwidth
_LOG_KERNELS: dict[str, Callable[[Value, Value], Value]] = {
    "gaussian": lambda d, h: -0.5 * (d * d) / (h * h),
    "tophat": lambda d, h: where(d < h, 0.0, -np.inf) + d * 0.0,
    "epanechnikov": lambda d, h: _inside(d, h, lambda d: 1.0 - (d * d) / (h * h)),
    "exponential": lambda d, h: -d / h,
    "linear": lambda d, h: _inside(d, h, lambda d: 1.0 - d / h),
    "cosine": lambda d, h: _inside(d, h, lambda d: np.cos(0.5 * np.pi * d / h)),
}


def reduced_distances(X: Value, fit_X: Value, p: Value, w: Value, metric: str) -> Value:
    """Return what orders like the distances, shape (N, n_fit)."""
    if metric == "precomputed":
        return X
    if metric in ("cosine", "sparse_cosine"):
        return _cosine(X, fit_X)
    if metric == EXPANDED:
        return expanded_squares(X, fit_X)
    if metric in COUNTED:
        return COUNTED[metric](*shared_features(X, fit_X), float(X.dim(1)))
    if metric == "haversine":
        return _haversine(X, fit_X)
    metric = "euclidean" if metric == OF_TWO_SPARSE else metric
    if metric not in TERMS:
        raise ConversionError(f"metric {metric!r} has no ONNX form; choose one of {', '.join(METRICS)}.")
    if metric in SQUARED:  # scikit-learn multiplies matrices in float64 here, and rounds at the end
        return _sum_features(X.astype(np.float64), fit_X.astype(np.float64), p, w, TERMS[metric])
    total = _sum_features(X, fit_X, p, w, TERMS[metric])
    if metric in DENOMINATORS:
        below = _sum_features(X, fit_X, p, w, DENOMINATORS[metric])
        total = _ratio(total, below) if metric == "braycurtis" else total / below
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


def expanded_squares(X: Value, Y: Value) -> Value:
    """Return ``max(-2 x.y + x.x + y.y, 0)`` in float64, for rows of X and Y."""
    x, y = X.astype(np.float64), Y.astype(np.float64)
    xx, yy = _squared_norms(x), op.Transpose(_squared_norms(y), perm=[1, 0])
    squares: Value = np.maximum(-2.0 * (x @ op.Transpose(y, perm=[1, 0])) + xx + yy, 0.0)
    return squares


def _squared_norms(x: Value) -> Value:
    """Return ``einsum("ij,ij->i", x, x)[:, None]``, added up in NumPy's order: what is left of equal rows is rounding.

    NumPy adds up vectors of two, four of them at a time, of which the last comes first.
    """
    width = x.dim(1)
    if width < 2:
        return x * x
    padded = -(-width // 2) * 2
    pairs = np.arange(padded).reshape(-1, 2)
    blocks = width // 8 * 4
    order = np.concatenate([pairs[:blocks].reshape(-1, 4, 2)[:, ::-1].reshape(-1, 2), pairs[blocks:]])
    squares = x * x if padded == width else concat([x * x, (x[:, :1] > 0.0).astype(np.float64) * 0.0])
    lanes = op.CumSum(op.Gather(squares, order, axis=1), np.int64(1))[:, -1]
    return lanes[:, :1] + lanes[:, 1:]


def shared_features(X: Value, fit_X: Value) -> tuple[Value, Value]:
    """Return how many features rows and training rows both have, and how many one of them has, shape (N, n_fit)."""
    rows, known = ((v != v.dtype.type(0)).astype(np.float64) for v in (X, fit_X))
    both: Value = rows @ op.Transpose(known, perm=[1, 0])
    either = rows.sum(1, keepdims=True) + op.Transpose(known.sum(1, keepdims=True), perm=[1, 0])
    return both, either - 2.0 * both


def _haversine(X: Value, fit_X: Value) -> Value:
    """Return the squared half chords between latitudes and longitudes in radians."""
    rows, known = X.astype(np.float64), op.Transpose(fit_X.astype(np.float64), perm=[1, 0])
    lat, lon = (np.sin((rows[:, i : i + 1] - known[i : i + 1]) * 0.5) for i in (0, 1))
    return lat * lat + np.cos(rows[:, :1]) * np.cos(known[:1]) * lon * lon


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
    if metric in WHOLE or metric == EXPANDED:
        return reduced
    rounded = reduced.astype(dtype).astype(np.float64)
    if metric in ("euclidean", "seuclidean", OF_TWO_SPARSE):
        rounded = np.sqrt(rounded)
    elif metric == "minkowski":
        rounded = rounded ** (1.0 / p)
    elif metric == "haversine":
        rounded = 2.0 * arctan(np.sqrt(rounded / (1.0 - rounded)))
    return rounded.astype(dtype).astype(np.float64)
