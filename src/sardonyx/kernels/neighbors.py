"""Nearest neighbours (native/kernels/neighbors.cpp)."""

from __future__ import annotations

import numpy as np

from ..program import Param
from ..rules import Array, Builder, Const, NodeView, Operand, Values, decline, lowers
from .elementwise import cast

METRICS = (
    "euclidean", "sqeuclidean", "seuclidean", "manhattan", "chebyshev", "minkowski", "hamming", "canberra",
    "braycurtis",
)  # fmt: skip
ALGORITHMS = ("brute", "kd_tree", "ball_tree")
#: inputs of the operator before the tree's arrays
FIXED = 4


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
    x, fit, w, params = _space(b, node, 0, "brute")
    return b.step("PairwiseDistances", [x, fit, w], [("float64", (len(fit),))], params)
