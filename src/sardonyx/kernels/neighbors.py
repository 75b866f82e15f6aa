"""Nearest neighbours (native/kernels/neighbors/), of rows with missing values too (donors.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.program import Param
from ..lowering.rules import Array, Builder, Const, Entries, NodeView, Operand, Row, Values, decline, lowers
from . import sparse_distances
from .elementwise import FLOATS, cast

METRICS = (
    "euclidean", "sqeuclidean", "seuclidean", "manhattan", "chebyshev", "minkowski", "hamming", "canberra",
    "braycurtis", "scipy_braycurtis", "haversine", "jaccard", "dice", "rogerstanimoto", "russellrao", "sokalsneath",
)  # fmt: skip
ALGORITHMS = ("brute", "kd_tree", "ball_tree")
#: what native/kernels/neighbors/argpartition.cpp takes for the numbers in a vector of the machine
LANES_OF_THE_MACHINE = 0
#: in which order native/kernels/neighbors/neighbors.cpp adds up the squares of a row
SQUARES_AS_EINSUM, SQUARES_AS_DOT = 0, 1
#: inputs of the operator before the tree's arrays
FIXED = 4


#: of sklearn.neighbors.KernelDensity, as native/kernels/neighbors/density.cpp numbers them
DENSITIES = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")


def _space(b: Builder, node: NodeView, k: int, algorithm: str) -> tuple[Operand, Array, Array, tuple[Param, ...]]:
    """Return the rows, training rows, weights and params of a search."""
    x, fit, metric = node.row(0), node.const(1), node.text("metric", "")
    if metric not in METRICS or algorithm not in ALGORITHMS or len(x.shape) != 1 or x.dtype != Const(fit).dtype:
        decline("a metric without a kernel")
    params = (METRICS.index(metric), k, ALGORITHMS.index(algorithm), int(x.dtype == "float32"), float(node.const(2)))
    return cast(b, x, "float64"), fit.astype(np.float64), node.const(3).astype(np.float64), params


@lowers("KNeighbors", domain="sardonyx")
def k_neighbors(b: Builder, node: NodeView) -> Values:
    """Search in scikit-learn's order."""
    k, algorithm = node.integer("k", 0), node.text("algorithm", "brute")
    x, fit, w, params = _space(b, node, k, algorithm)
    tree = [] if algorithm == "brute" else [node.const(FIXED + i) for i in range(4)]
    return b.step("KNeighbors", [x, fit, w, *tree], [("float64", (k,)), ("int64", (k,))], params)


@lowers("PairwiseDistances", domain="sardonyx")
def pairwise_distances(b: Builder, node: NodeView) -> Values:
    """Compute what a brute search computes, and keep it."""
    metric = node.text("metric", "")
    if metric in ("cosine", "sparse_cosine"):
        return _cosine(b, node)
    if metric == "sparse_euclidean":
        return (_of_two_sparse(b, node),)
    if metric == "expanded_sqeuclidean":
        return (_expanded(b, node, SQUARES_AS_DOT),)
    x, fit, w, params = _space(b, node, 0, "brute")
    return b.step("PairwiseDistances", [x, fit, w], [("float64", (len(fit),))], params)


@lowers("PairwiseSquaredEuclidean", domain="sardonyx")
def squared_distances(b: Builder, node: NodeView) -> Values:
    """Expand the squares in float64, whatever comes in, and round at the end."""
    return (cast(b, _expanded(b, node, SQUARES_AS_EINSUM), node.row(0).dtype),)


def _of_two_sparse(b: Builder, node: NodeView) -> Row:
    x = node.row(0)
    fit = node.entries(1) if x.sparse else decline("rows that are not sparse")
    if fit.shape[1:] != x.shape or x.dtype != Const(fit.values).dtype or x.dtype not in FLOATS:
        decline("rows that do not fit")
    return sparse_distances.euclidean_distances(b, x, fit)


def _expanded(b: Builder, node: NodeView, order: int) -> Row:
    x, fit = node.row(0), node.const(1)
    if len(x.shape) != 1 or fit.shape[1:] != x.shape or x.dtype != Const(fit).dtype or x.dtype not in FLOATS:
        decline("rows that do not fit")
    if x.sparse:
        wide = fit.astype(np.float64)
        entries = Entries.of(wide)
        einsum = order == SQUARES_AS_EINSUM
        own = np.einsum("ij,ij->i", wide, wide) if einsum else sparse_distances.summed_squares(entries)
        return sparse_distances.expanded_squares(b, x, entries, own)
    params = (METRICS.index("sqeuclidean"), 0, ALGORITHMS.index("brute"), 0, 2.0, order)
    inputs = [cast(b, x, "float64"), fit.astype(np.float64), np.ones(x.shape)]
    (row,) = b.step("ExpandedSquares", inputs, [("float64", (len(fit),))], params)
    return row


def _cosine(b: Builder, node: NodeView) -> Values:
    """Multiply rows of unit length; in float64, as scikit-learn's order of summation is known there only."""
    x = node.row(0)
    if x.sparse and x.dtype in FLOATS and x.width:
        entries = node.entries(1)
        if x.dtype == Const(entries.values).dtype and entries.shape[1:] == x.shape:
            return (sparse_distances.cosine_distances(b, x, entries),)
    fit = node.const(1)
    if x.dtype != "float64" or fit.dtype != np.float64 or fit.shape[1:] != x.shape:
        decline("cosines of another type than float64")
    sparse = int(node.text("metric", "") == "sparse_cosine")
    return b.step("CosineDistances", [x, fit], [("float64", (len(fit),))], [sparse])


@lowers("ArgPartition", domain="sardonyx")
def arg_partition(b: Builder, node: NodeView) -> Values:
    """Select as NumPy does on the machine that the program runs on."""
    x, k = node.row(0), node.integer("k", 0)
    if len(x.shape) != 1 or x.dtype not in ("float32", "float64") or not 1 <= k <= x.shape[0]:
        decline("keys that are no row of floats, or fewer than k")
    return b.step("ArgPartition", [x], [(x.dtype, (k,)), ("int64", (k,))], [k, LANES_OF_THE_MACHINE])


@lowers("NanNeighbors", domain="sardonyx")
def nan_neighbors(b: Builder, node: NodeView) -> Values:
    """Search only for the features that a row is without."""
    x, fit, k = node.row(0), node.const(1), node.integer("k", 0)
    if x.dtype != "float64" or fit.dtype != np.float64 or fit.shape[1:] != x.shape:
        decline("training rows that do not fit")
    return b.step("NanNeighbors", [x, fit], [("float64", (*x.shape, k))] * 2, [k, node.integer("single", 0)])


@lowers("KernelDensity", domain="sardonyx")
def kernel_density(b: Builder, node: NodeView) -> Values:
    """Follow scikit-learn's search of its tree."""
    x, fit, w, params = _space(b, node, 0, node.text("algorithm", ""))
    kernel, numbers = node.text("kernel", ""), node.const(FIXED)
    if kernel not in DENSITIES or numbers.dtype != np.float64 or numbers.shape != (5,):
        decline("a kernel or numbers that there are not")
    tree = [node.const(i) for i in range(FIXED + 1, len(node.inputs))]
    own = (DENSITIES.index(kernel), node.integer("breadth_first", 1), *map(float, numbers))
    return b.step("KernelDensity", [x, fit, w, *tree], [("float64", (1,))], (*params, *own))
