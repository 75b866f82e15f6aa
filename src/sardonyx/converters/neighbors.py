"""sklearn.neighbors: k nearest neighbours, within a radius, local outlier factor, nearest centroid, components.

The search is the operator `KNeighbors`; what is done with the neighbours is standard operators. Distances are exact
differences, also where scikit-learn's brute force expands the square (and so has rounding noise in nearly equal rows).
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neighbors as nn
from sklearn.neighbors._base import KNeighborsMixin

from ..convert import Columns, Data, as_matrix, call, checked, in_order
from ..errors import ConversionError
from ..graph import Value, as_value, concat, where
from ..operators.checks import check_finite, require
from ..operators.neighbors import (
    ALIASES,
    EXPANDED,
    METRICS,
    OF_TWO_SPARSE,
    SQUARED,
    WHOLE,
    arg_partition,
    k_neighbors,
    pairwise_distances,
)
from ..operators.pairwise import float_rows, squared_distances
from ..operators.sparse import sparse_matrix
from ..registry import converter
from ..tracing import trace
from ._metrics import SPECIAL, check_radius, check_shared, whitening
from .base import argmax_labels, class_labels, dense, take_labels

#: metrics that `ArgKmin` does not take
PARTITIONED = (*WHOLE, "hamming", "mahalanobis")

# ---- the search ------------------------------------------------------------------------------------------------------


def search(est: Any, X: Value, k: int) -> tuple[Value, Value]:
    """Return distances and indices of the k nearest training rows: ``kneighbors(X, k)``."""
    if _partitions(est, X) or (est._fit_method == "brute" and _metric(est) in SPECIAL):
        distances, indices = arg_partition(_all_distances(est, X), k=int(k))
        return check_shared(est, distances.astype(np.float32) if _narrow(est, X) else distances, indices)
    X, fit_X, p, w, metric = _space(est, X)
    tree = _tree(est)
    distances, indices = k_neighbors(X, fit_X, p, w, *tree, metric=metric, k=int(k), algorithm=str(est._fit_method))
    return distances, indices


def _tree(est: Any) -> tuple[NDArray[Any], ...]:
    """Return the arrays of the tree that is searched, if one is; of ``mahalanobis``, its centroids as rows are."""
    if est._fit_method not in ("kd_tree", "ball_tree"):
        return ()
    *arrays, bounds = tree_arrays(est._tree)
    if _metric(est) == "mahalanobis":
        bounds = bounds @ whitening(est, est.effective_metric_params_)
    return (*arrays, bounds)


def _partitions(est: Any, X: Value) -> bool:
    """Whether scikit-learn has no search for these rows (`ArgKmin.is_usable_for`), and partitions all distances."""
    if est._fit_method != "brute":
        return False
    metric = _metric(est)
    floats = X.dtype == est._fit_X.dtype and X.dtype in (np.float32, np.float64)
    return not floats or _expands(est, X) or metric in PARTITIONED


def _narrow(est: Any, X: Value) -> bool:
    """Whether distances are float32: of sparse rows, all of which are computed; a search gives float64."""
    return _partitions(est, X) and X.dtype == est._fit_X.dtype == np.float32 and _metric(est) in SQUARED


def _all_distances(est: Any, X: Value) -> Value:
    """Return all distances as ``sklearn.metrics.pairwise_distances`` has them, shape (N, n_fit)."""
    if _metric(est) != "braycurtis":
        return _distances(est, X)
    X, fit_X, p, w, metric = _space(est, X)
    distances: Value = pairwise_distances(X, fit_X, p, w, metric=f"scipy_{metric}")
    return distances


def _space(est: Any, X: Value) -> tuple[Value, NDArray[Any], np.float64, NDArray[np.float64], str]:
    """Return rows and training rows in the dtype in which they are compared, and the metric with its parameters."""
    metric = _metric(est)
    fit_X = dense(est._fit_X)
    # trees hold float64; brute force compares float32 with float32, and everything else in float64
    single = est._fit_method == "brute" and X.dtype == fit_X.dtype == np.float32 and metric != "hamming"
    dtype = np.float32 if single else np.float64
    if metric == "precomputed":
        if X.sparse:
            raise ConversionError(
                f"{type(est).__name__}(metric='precomputed') of a sparse graph: there an entry of zero is a "
                "neighbour, no entry is none, and a tensor cannot tell the two apart. Fit it on the data "
                "themselves, with that metric, or give dense distances."
            )
        return X.astype(np.float64), np.zeros((1, 1)), np.float64(1), np.ones(1), metric
    if metric == "mahalanobis":
        whiten = whitening(est, est.effective_metric_params_)
        rows, known = X.astype(np.float64) @ whiten, fit_X.astype(np.float64) @ whiten
        return rows, known, np.float64(2), np.ones(len(whiten)), "euclidean"
    given = {key: value for key, value in est.effective_metric_params_.items() if value is not None}
    weights = given.pop("V" if metric == "seuclidean" else "w", None)
    p = given.pop("p", 2)
    if metric == "seuclidean" and weights is None and est.effective_metric_ != "l2":
        raise ConversionError(
            f"{type(est).__name__}(metric='seuclidean') without metric_params={{'V': ...}} takes the variances of each "
            "batch. Set V to the training variances."
        )
    if given or (weights is not None and metric not in ("minkowski", "seuclidean")):
        raise ConversionError(
            f"{type(est).__name__}: metric_params {est.metric_params} of metric {metric!r} cannot be converted."
        )
    w = np.ones(fit_X.shape[1]) if weights is None else np.asarray(weights, np.float64)
    sparse = "sparse_" if metric == "cosine" and hasattr(est._fit_X, "toarray") else ""
    return X.astype(dtype), fit_X.astype(dtype), np.float64(p), w, f"{sparse}{metric}"


def _metric(est: Any) -> str:
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


@converter(KNeighborsMixin, method="kneighbors")
def kneighbors(est: Any, X: Value) -> tuple[Value, Value]:
    return search(est, X, est.n_neighbors)


@converter(nn.KNeighborsTransformer, method="transform")
def k_neighbors_transformer(est: Any, X: Value) -> Value:
    """Return the graph as a dense matrix, (N, n_samples_fit): each neighbour's distance, or one, in its column."""
    distances, indices = search(est, X, est.n_neighbors + (est.mode == "distance"))
    entries = distances if est.mode == "distance" else (indices >= 0).astype(np.float64)
    columns, zero = np.arange(est.n_samples_fit_), entries.dtype.type(0)
    parts = [where(indices[:, j : j + 1] == columns, entries[:, j : j + 1], zero) for j in range(entries.dim(1))]
    graph = functools.reduce(operator.add, parts)
    graph.sparse = True
    return graph


def distance_weights(est: Any, distances: Value) -> Value | None:
    """``_get_weights``: of rows at distance zero, only those count; a function of the user's is traced."""
    if est.weights in (None, "uniform"):
        return None
    if est.weights != "distance":
        return _traced_weights(est, distances)
    weights = 1.0 / distances
    infinite = (weights == np.inf).astype(weights.dtype)
    return where(infinite.max(distances.ndim - 1, keepdims=True) > 0, infinite, weights)


def _traced_weights(est: Any, distances: Value) -> Value:
    """Call the function with symbolic distances: what it does to them becomes part of the model."""
    name = f"{type(est).__name__}(weights={getattr(est.weights, '__name__', est.weights)})"
    weights = as_matrix(trace(name, est.weights, distances))
    if weights.shape != distances.shape:
        raise ConversionError(
            f"{name} gives weights of shape {list(weights.shape)} for distances of shape {list(distances.shape)}; "
            "give each distance a weight."
        )
    return weights.astype(np.float64)


# ---- k neighbours ----------------------------------------------------------------------------------------------------


@converter(nn.KNeighborsRegressor, method="predict")
def k_regressor(est: Any, X: Value) -> Value:
    distances, indices = call(est, "kneighbors", X)
    y = est._y if est._y.dtype.kind == "f" else est._y.astype(np.float64)
    targets, weights = as_value(y)[indices], distance_weights(est, distances)
    if weights is None:
        return targets.mean(1)
    total = weights.sum(1)
    if y.ndim == 1:
        return (targets * weights).sum(1) / total
    return (targets * weights[:, :, None]).sum(1) / total[:, None]


def _k_votes(est: Any, X: Value) -> list[Value]:
    """Return the weight of each class, one array an output."""
    distances, indices = call(est, "kneighbors", X)
    weights = distance_weights(est, distances)
    columns = np.asarray(est._y).reshape(len(est._y), -1).T
    return [
        _class_weights(as_value(y.copy())[indices], weights, len(c))
        for y, c in zip(columns, _classes(est), strict=True)
    ]


def _class_weights(labels: Value, weights: Value | None, n_classes: int) -> Value:
    """Sum weights, shape (N, k), by label."""
    votes = (labels[:, :, None] == np.arange(n_classes)).astype(np.float64)
    return votes.sum(1) if weights is None else (votes * weights[:, :, None]).sum(1)


def _classes(est: Any) -> list[Any]:
    return list(est.classes_) if est.outputs_2d_ else [est.classes_]


@converter(nn.KNeighborsClassifier, method="predict")
def k_classifier(est: Any, X: Value) -> Value:
    labels = [argmax_labels(c, v) for c, v in zip(_classes(est), _k_votes(est, X), strict=True)]
    return concat([v[:, None] for v in labels]) if est.outputs_2d_ else labels[0]


@converter(nn.KNeighborsClassifier, method="predict_proba")
def k_proba(est: Any, X: Value) -> Value | list[Value]:
    proba = [votes / votes.sum(1, keepdims=True) for votes in _k_votes(est, X)]
    return proba if est.outputs_2d_ else proba[0]


# ---- within a radius -------------------------------------------------------------------------------------------------


@converter(nn.RadiusNeighborsTransformer, method="transform")
def radius_neighbors_transformer(est: Any, X: Value) -> Value:
    """Return the graph as a dense matrix, (N, n_samples_fit): each neighbour's distance, or one, in its column."""
    distances, inside = _inside(est, X)
    entries: Any = np.float64(1)
    if est.mode == "distance":
        entries = distances.astype(np.float32) if _narrow(est, X) else distances.astype(np.float64)
    graph = where(inside, entries, entries.dtype.type(0))
    graph.sparse = True
    return graph


def _distances(est: Any, X: Value) -> Value:
    """Return the distance to every training row, shape (N, n_fit)."""
    if (metric := _metric(est)) in SPECIAL:
        check_radius(est, metric, dense(est._fit_X))
        return SPECIAL[metric](X, dense(est._fit_X), type(est).__name__)
    if hasattr(est._fit_X, "toarray") and not est.metric_params and (_expands(est, X) or metric == "cosine"):
        return _between_sparse(est, X, "sparse_cosine" if metric == "cosine" else OF_TWO_SPARSE)
    X, fit_X, p, w, metric = _space(est, X)
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
    return est._fit_method == "brute" and both_sparse and _metric(est) in SQUARED


def _within(est: Any, X: Value) -> Value:
    """Return the weight of every training row, shape (N, n_fit); zero outside of the radius."""
    distances, inside = _inside(est, X)
    # rows outside must not count as equal
    weights = distance_weights(est, where(inside, distances, np.inf) if est.weights == "distance" else distances)
    return inside.astype(np.float64) if weights is None else where(inside, weights, 0.0)


def _inside(est: Any, X: Value) -> tuple[Value, Value]:
    """Return the distances to all training rows, and which are within the radius: of expanded squares, its square."""
    if est._fit_method != "brute" or _partitions(est, X) or _metric(est) not in SQUARED:
        distances = _distances(est, X)
        return distances, distances <= np.float64(est.radius)
    X, fit_X, p, w, metric = _space(est, X)
    squares = pairwise_distances(X, fit_X, p, w, metric=EXPANDED)
    if metric == "sqeuclidean":
        return squares, squares <= np.float64(est.radius)
    return np.sqrt(squares), squares <= np.float64(est.radius) ** 2


@converter(nn.RadiusNeighborsRegressor, method="predict")
def radius_regressor(est: Any, X: Value) -> Value:
    weights, y = _within(est, X), est._y.astype(np.float64)
    sums = weights @ y.reshape(len(y), -1)
    total = weights.sum(1, keepdims=True)
    with np.errstate(invalid="ignore"):  # scikit-learn casts NaN to the targets' dtype: of integers, the least one
        empty = np.full_like(est._y[:1], np.nan).astype(np.float64).reshape(1, -1)
    means = where(total == 0, empty, sums / total)
    if est._y.dtype == np.float32 and est.weights in (None, "uniform"):
        means = means.astype(np.float32)
    return means.reshape(-1) if y.ndim == 1 else means


def _counts_classes(est: Any, X: Data) -> bool:
    """Whether classes are counted within the search (``RadiusNeighborsClassMode``): of arrays, and not by squares.

    It looks at no NaN, and takes an outlier's label for the number of a class.
    """
    if isinstance(X, Columns) or est.weights != "uniform" or est._fit_method != "brute" or est.outputs_2d_:
        return False
    return not _partitions(est, X) and _metric(est) not in (*SQUARED, *SPECIAL, "precomputed")


@converter(nn.RadiusNeighborsClassifier, method="predict_proba", frame=True, finite=False)
def radius_proba(est: Any, X: Data) -> Value | list[Value]:
    counts, rows = _counts_classes(est, X), as_matrix(in_order(est, X))
    weights, columns = (
        _within(est, rows if counts else checked(est, rows)),
        np.asarray(est._y).reshape(len(est._y), -1).T,
    )
    if est.outlier_label_ is None:
        message = "no neighbors found; fit RadiusNeighborsClassifier with another radius, or set its outlier_label"
        weights = require(weights, weights.max(1, keepdims=True) > 0, message=message)
    proba = [_radius_proba(weights, *a) for a in zip(columns, _outliers(est, counts), strict=True)]
    return proba if est.outputs_2d_ else proba[0]


def _outliers(est: Any, counts: bool) -> list[NDArray[Any]]:
    """Return what rows without neighbours get for each output: one for their label, if it is a class."""
    if counts:
        return [np.array([float(code == est.outlier_label) for code in range(len(est.classes_))])]
    labels = _outlier_labels(est)
    return [(np.asarray(c) == label).astype(np.float64) for c, label in zip(_classes(est), labels, strict=True)]


def _outlier_labels(est: Any) -> list[Any]:
    """Return the label of rows without neighbours for each output; None, where they are refused."""
    labels = est.outlier_label_
    return [None] * len(_classes(est)) if labels is None else list(labels)


def _radius_proba(weights: Value, codes: Any, outlier: NDArray[Any]) -> Value:
    votes = where(weights.max(1, keepdims=True) == 0, outlier, weights @ np.eye(len(outlier))[codes])
    total = votes.sum(1, keepdims=True)
    return votes / where(total == 0, 1.0, total)


@converter(nn.RadiusNeighborsClassifier, method="predict", frame=True, finite=False)
def radius_classifier(est: Any, X: Data) -> Value:
    result = call(est, "predict_proba", X)
    proba = result if isinstance(result, list) else [result]
    labels = [_radius_labels(*a) for a in zip(proba, _classes(est), _outlier_labels(est), strict=True)]
    return concat([v[:, None] for v in labels]) if est.outputs_2d_ else labels[0]


def _radius_labels(proba: Value, classes: Any, outlier: Any) -> Value:
    """Return the likeliest label, and the outlier's label (which may be no class) for rows of zeros."""
    if outlier is None:
        return argmax_labels(classes, proba)
    labels = class_labels(np.append(np.asarray(classes), np.asarray([outlier], np.asarray(classes).dtype)))
    index = where(proba.max(1) == 0, np.int64(len(labels) - 1), proba.argmax(1))
    return as_value(labels)[index]


# ---- outliers, nearest centroids -------------------------------------------------------------------------------------


@converter(nn.LocalOutlierFactor, method="score_samples")
def lof_scores(est: Any, X: Value) -> Value:
    X = check_finite(X, allow_nan=0, estimator=type(est).__name__).like(X) if X.dtype.kind == "f" else X
    distances, indices = search(est, X, est.n_neighbors_)
    if X.dtype == np.float32:
        distances = distances.astype(np.float32)
    farthest = as_value(est._distances_fit_X_[:, est.n_neighbors_ - 1].copy())[indices]
    reach = where(distances > farthest, distances, farthest)
    density = 1.0 / (reach.mean(1) + 1e-10)
    return -(as_value(est._lrd)[indices] / density[:, None]).mean(1)


@converter(nn.LocalOutlierFactor, method="decision_function")
def lof_decision(est: Any, X: Value) -> Any:
    return call(est, "score_samples", X) - est.offset_


@converter(nn.LocalOutlierFactor, method="predict")
def lof_predict(est: Any, X: Value) -> Value:
    return where(call(est, "decision_function", X) < 0, np.int64(-1), np.int64(1))


@converter(nn.NearestCentroid, method="predict")
def centroid_predict(est: Any, X: Value) -> Any:
    prior = getattr(est, "class_prior_", None)  # older versions of scikit-learn weigh all classes alike
    if prior is not None and not np.isclose(prior, 1 / len(est.classes_)).all():
        return argmax_labels(est.classes_, _centroid_scores(est, X))
    single = X.dtype == est.centroids_.dtype == np.float32
    dtype = np.float32 if single else np.float64
    x, centroids, ones = X.astype(dtype), est.centroids_.astype(dtype), np.ones(est.centroids_.shape[1])
    _, nearest = k_neighbors(x, centroids, np.float64(2), ones, metric=_centroid_metric(est), k=1, algorithm="brute")
    return take_labels(est.classes_, nearest.reshape(-1))


def _centroid_metric(est: Any) -> str:
    if est.metric not in ("euclidean", "manhattan"):
        raise ConversionError(
            f"NearestCentroid(metric={est.metric!r}) cannot be converted. Use euclidean or manhattan."
        )
    return str(est.metric)


def _centroid_scores(est: Any, X: Value) -> Any:
    """``_decision_function``: squared distances in units of the within-class deviation, and priors."""
    deviation = np.where(est.within_class_std_dev_ != 0, est.within_class_std_dev_, 1.0)
    x, centroids = X.astype(np.float64) / deviation, est.centroids_ / deviation
    ones = np.ones(centroids.shape[1])
    if _centroid_metric(est) == "euclidean":
        distances = np.sqrt(squared_distances(*float_rows(x, centroids)))
    else:
        distances = pairwise_distances(x, centroids.astype(np.float64), np.float64(2), ones, metric="manhattan")
    return 2.0 * np.log(est.class_prior_) - distances * distances


@converter(nn.NearestCentroid, method="decision_function")
def centroid_decision(est: Any, X: Value) -> Any:
    scores = _centroid_scores(est, X)
    return scores[:, 1] - scores[:, 0] if len(est.classes_) == 2 else scores


@converter(nn.NearestCentroid, method="predict_log_proba")
def centroid_log_proba(est: Any, X: Value) -> Any:
    scores = _centroid_scores(est, X)
    likelihood = scores - scores.max(1, keepdims=True)
    return likelihood - np.log(np.exp(likelihood).sum(1, keepdims=True))


@converter(nn.NearestCentroid, method="predict_proba")
def centroid_proba(est: Any, X: Value) -> Any:
    return np.exp(call(est, "predict_log_proba", X))


@converter(nn.NeighborhoodComponentsAnalysis)
def neighborhood_components(est: Any, X: Value) -> Value:
    embedded: Value = X @ est.components_.T
    return embedded
