"""sklearn.manifold: embeddings that new rows can be put into."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import Isomap, LocallyLinearEmbedding

from ..convert import as_float, call, checked
from ..graph import Value, as_value, loop, op, where
from ..operators.checks import require
from ..operators.neighbors import pairwise_distances
from ..registry import converter
from ._neighbor_search import search, space
from .decomposition_kernel_pca import project


@converter(Isomap, finite=False)
def isomap(est: Any, X: Value) -> Value:
    known = np.asarray(est.dist_matrix_)
    if est.n_neighbors is not None:
        geodesic = _through_neighbors(known, *call(est.nbrs_, "kneighbors", X))
    else:
        geodesic = _through_radius(known, checked(est.nbrs_, X), est.nbrs_)
    geodesic = geodesic.astype(np.float32 if X.dtype == np.float32 else np.float64)
    return project(est.kernel_pca_, -0.5 * (geodesic * geodesic))


def _through_neighbors(known: NDArray[Any], distances: Value, indices: Value) -> Value:
    """Return the shortest way to each training row, through one of the neighbours, shape (N, n_fit)."""
    table, shortest = as_value(known), None
    for j in range(distances.dim(1)):
        way = table[indices[:, j]] + distances[:, j : j + 1]
        shortest = way if shortest is None else op.Min(shortest, way)
    assert shortest is not None
    return shortest


def _through_radius(known: NDArray[Any], X: Value, nearest: Any) -> Value:
    """Return the shortest way to each training row, through one within the radius, shape (N, n_fit)."""
    X, fit_X, p, w, metric = space(nearest, X)
    distances = X if metric == "precomputed" else pairwise_distances(X, fit_X, p, w, metric=metric)
    first = where(distances <= np.float64(nearest.radius), distances, np.inf)
    alone = first.min(1, keepdims=True) == np.inf
    message = "Isomap: a row has no training row within the radius."
    first, table = require(first, ~alone, message=message), as_value(known.astype(np.float64))

    def through(j: Value, shortest: Value) -> tuple[Value, Value]:
        way = op.Gather(first, j.reshape(1), axis=1) + op.Gather(table, j.reshape(1), axis=0)
        return (j >= 0), op.Min(shortest, way)

    return loop(through, len(known), distances * 0.0 + np.inf)[0]


@converter(LocallyLinearEmbedding)
def locally_linear(est: Any, X: Value) -> Value:
    _, indices = search(est.nbrs_, X, est.n_neighbors)
    weights = _barycenter_weights(as_float(X), as_value(est.nbrs_._fit_X)[indices], est.reg)
    return (as_value(est.embedding_)[indices] * weights[:, :, None].astype(np.float64)).sum(1)


def _barycenter_weights(X: Value, neighbors: Value, reg: float) -> Value:
    """Return the weights that rebuild each row from its neighbours, (N, k): ``barycenter_weights``.

    They solve ``G w = 1``, G the regularised products of the differences (S. Roweis and L. Saul, Science 290, 2000).
    """
    difference = neighbors - X[:, None, :]
    G = difference @ op.Transpose(difference, perm=[0, 2, 1])
    k = neighbors.dim(1)
    trace = (G * np.eye(k).astype(G.dtype)).sum((1, 2), keepdims=True)
    ridge = where(trace > 0, trace * float(reg), G.dtype.type(reg))
    weights = _solve_ones(G + ridge * np.eye(k).astype(G.dtype), k)
    return weights / weights.sum(1, keepdims=True)


def _solve_ones(G: Value, k: int) -> Value:
    """Solve ``G w = 1`` for positive definite G, shape (N, k, k), by Gauss-Jordan elimination without pivots.

    ::

        [G | 1] ──▶ row j cleared from all other rows, j = 0 ... k - 1 ──▶ [diagonal | D w]
    """
    system = np.concatenate([G, (G[:, :, :1] * 0 + 1)], axis=2)
    for j in range(k):
        others = (np.arange(k) != j).astype(G.dtype)[:, None]
        factors = system[:, :, j : j + 1] / system[:, j : j + 1, j : j + 1] * others
        system = system - factors * system[:, j : j + 1, :]
    diagonal = (system[:, :, :k] * np.eye(k).astype(G.dtype)).sum(2)
    return system[:, :, k] / diagonal
