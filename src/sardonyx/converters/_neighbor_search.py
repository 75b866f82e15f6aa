"""The search of sklearn.neighbors: which training rows are near, and how far, by every metric.

The search is the operator `KNeighbors`; where scikit-learn computes all distances and partitions them, the model does
so too. Distances are exact differences, also where scikit-learn's brute force expands the square (and so has rounding
noise in nearly equal rows).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value
from ..operators.neighbors import (
    ALIASES,
    METRICS,
    OF_TWO_SPARSE,
    SQUARED,
    WHOLE,
    arg_partition,
    k_neighbors,
    pairwise_distances,
)
from ..operators.sparse import sparse_matrix
from ._metrics import SPECIAL, check_radius, check_shared, whitening
from .base import dense

#: metrics that `ArgKmin` does not take
PARTITIONED = (*WHOLE, "hamming", "mahalanobis")


def search(est: Any, X: Value, k: int) -> tuple[Value, Value]:
    """Return distances and indices of the k nearest training rows: ``kneighbors(X, k)``."""
    if k > est.n_samples_fit_:
        raise ConversionError(
            f"{type(est).__name__}: n_neighbors={k} is more than the {est.n_samples_fit_} rows of the fit, so that "
            "scikit-learn refuses every row; choose fewer."
        )
    if partitions(est, X) or (est._fit_method == "brute" and metric_of(est) in SPECIAL):
        distances, indices = arg_partition(_all_distances(est, X), k=int(k))
        return check_shared(est, distances.astype(np.float32) if is_narrow(est, X) else distances, indices)
    X, fit_X, p, w, metric = space(est, X)
    tree = _tree(est)
    distances, indices = k_neighbors(X, fit_X, p, w, *tree, metric=metric, k=int(k), algorithm=str(est._fit_method))
    return distances, indices


def _tree(est: Any) -> tuple[NDArray[Any], ...]:
    """Return the arrays of the tree that is searched, if one is; of ``mahalanobis``, its centroids as rows are."""
    if est._fit_method not in ("kd_tree", "ball_tree"):
        return ()
    *arrays, bounds = tree_arrays(est._tree)
    if metric_of(est) == "mahalanobis":
        bounds = bounds @ whitening(est, est.effective_metric_params_)
    return (*arrays, bounds)


def partitions(est: Any, X: Value) -> bool:
    """Whether scikit-learn has no search for these rows (`ArgKmin.is_usable_for`), and partitions all distances."""
    if est._fit_method != "brute":
        return False
    metric = metric_of(est)
    floats = X.dtype == est._fit_X.dtype and X.dtype in (np.float32, np.float64)
    return not floats or _expands(est, X) or metric in PARTITIONED


def is_narrow(est: Any, X: Value) -> bool:
    """Whether distances are float32: of sparse rows, all of which are computed; a search gives float64."""
    return partitions(est, X) and X.dtype == est._fit_X.dtype == np.float32 and metric_of(est) in SQUARED


def _all_distances(est: Any, X: Value) -> Value:
    """Return all distances as ``sklearn.metrics.pairwise_distances`` has them, shape (N, n_fit)."""
    if metric_of(est) != "braycurtis":
        return distances_to_all(est, X)
    X, fit_X, p, w, metric = space(est, X)
    distances: Value = pairwise_distances(X, fit_X, p, w, metric=f"scipy_{metric}")
    return distances


def space(est: Any, X: Value) -> tuple[Value, NDArray[Any], np.float64, NDArray[np.float64], str]:
    """Return rows and training rows in the dtype in which they are compared, and the metric with its parameters."""
    name = metric_of(est)
    if name == "precomputed":
        return _given_distances(est, X), np.zeros((1, 1)), np.float64(1), np.ones(1), name
    fit_X = dense(est._fit_X)
    if name == "mahalanobis":
        whiten = whitening(est, est.effective_metric_params_)
        rows, known = X.astype(np.float64) @ whiten, fit_X.astype(np.float64) @ whiten
        return rows, known, np.float64(2), np.ones(len(whiten)), "euclidean"
    # trees hold float64; brute force compares float32 with float32, and everything else in float64
    single = est._fit_method == "brute" and X.dtype == fit_X.dtype == np.float32 and name != "hamming"
    dtype = np.float32 if single else np.float64
    p, weights = _parameters(est, name)
    w = np.ones(fit_X.shape[1]) if weights is None else np.asarray(weights, np.float64)
    sparse = "sparse_" if name == "cosine" and hasattr(est._fit_X, "toarray") else ""
    return X.astype(dtype), fit_X.astype(dtype), np.float64(p), w, f"{sparse}{name}"


def _given_distances(est: Any, X: Value) -> Value:
    if X.sparse:
        raise ConversionError(
            f"{type(est).__name__}(metric='precomputed') of a sparse graph: there an entry of zero is a neighbour, no "
            "entry is none, and a tensor cannot tell the two apart. Fit it on the data themselves, with that metric, "
            "or give dense distances."
        )
    return X.astype(np.float64)


def _parameters(est: Any, name: str) -> tuple[Any, Any]:
    """Return the power of a metric, and its weights."""
    given = {key: value for key, value in est.effective_metric_params_.items() if value is not None}
    weights = given.pop("V" if name == "seuclidean" else "w", None)
    p = given.pop("p", 2)
    if name == "seuclidean" and weights is None and est.effective_metric_ != "l2":
        raise ConversionError(
            f"{type(est).__name__}(metric='seuclidean') without metric_params={{'V': ...}} takes the variances of each "
            "batch. Set V to the training variances."
        )
    if given or (weights is not None and name not in ("minkowski", "seuclidean")):
        raise ConversionError(
            f"{type(est).__name__}: metric_params {est.metric_params} of metric {name!r} cannot be converted. "
            "Leave them out, or scale the columns before the fit."
        )
    return p, weights


def metric_of(est: Any) -> str:
    name = est.effective_metric_
    metric = ALIASES.get(name, name) if isinstance(name, str) else repr(name)
    if name == "l2" and est._fit_method == "brute" and not hasattr(est._fit_X, "toarray"):
        metric = "seuclidean"  # a brute search by this name expands no squares
    if metric not in (*METRICS, *SPECIAL, "mahalanobis"):
        why = "runs Python code, which a model file cannot hold" if callable(name) else "cannot be converted"
        known = sorted({m for m in (*METRICS, *SPECIAL, "mahalanobis") if "_" not in m} | {"nan_euclidean"})
        raise ConversionError(
            f"{type(est).__name__}(metric={est.metric!r}) {why}. Use one of {', '.join(known)}, or "
            "metric='precomputed' and give the model the distances."
        )
    if not isinstance(est._fit_X, np.ndarray) and not hasattr(est._fit_X, "toarray"):
        raise ConversionError(
            f"{type(est).__name__} was fitted on a tree, which keeps a metric of its own. Fit it on the training rows."
        )
    return metric


def tree_arrays(tree: Any) -> tuple[NDArray[Any], ...]:
    """Return the arrays of a KDTree or BallTree, as `k_neighbors` takes them."""
    _, order, nodes, bounds = tree.get_arrays()
    nodes, bounds = np.asarray(nodes), np.asarray(bounds)
    ranges = np.stack([nodes["idx_start"], nodes["idx_end"], nodes["is_leaf"]], axis=1).astype(np.int64)
    return np.asarray(order, np.int64), ranges, nodes["radius"].astype(np.float64), bounds.reshape(-1, bounds.shape[-1])


def distances_to_all(est: Any, X: Value) -> Value:
    """Return the distance to every training row, shape (N, n_fit)."""
    if (metric := metric_of(est)) in SPECIAL:
        check_radius(est, metric, dense(est._fit_X))
        return SPECIAL[metric](X, dense(est._fit_X), type(est).__name__)
    if hasattr(est._fit_X, "toarray") and not est.metric_params and (_expands(est, X) or metric == "cosine"):
        return _between_sparse(est, X, "sparse_cosine" if metric == "cosine" else OF_TWO_SPARSE)
    X, fit_X, p, w, metric = space(est, X)
    result: Value = X if metric == "precomputed" else pairwise_distances(X, fit_X, p, w, metric=metric)
    return result


def _between_sparse(est: Any, X: Value, metric: str) -> Value:
    """Return the distances to training rows that are sparse, and stay so."""
    dtype = np.float32 if X.dtype == est._fit_X.dtype == np.float32 else np.float64
    known, ones = sparse_matrix(est._fit_X.astype(dtype)), np.ones(X.dim(1))
    distances: Value = pairwise_distances(X.astype(dtype), known, np.float64(2), ones, metric=metric)
    return distances.astype(dtype)


def _expands(est: Any, X: Value) -> bool:
    """Whether squares of Euclidean distances are expanded without a search: ``euclidean_distances`` of sparse rows."""
    both_sparse = X.sparse and hasattr(est._fit_X, "toarray")
    return est._fit_method == "brute" and both_sparse and metric_of(est) in SQUARED
