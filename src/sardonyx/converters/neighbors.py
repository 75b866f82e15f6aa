"""sklearn.neighbors: classes, targets and graphs of the k nearest training rows, and of those within a radius.

How neighbours are found is in _neighbor_search.py; what is done with them is standard operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neighbors as nn
from sklearn.neighbors._base import KNeighborsMixin

from ..convert import Columns, Data, as_matrix, call, checked, in_order
from ..errors import ConversionError
from ..graph import Value, as_value, concat, where
from ..operators.checks import require
from ..operators.neighbors import (
    EXPANDED,
    SQUARED,
    pairwise_distances,
)
from ..registry import converter
from ..tracing import trace
from ._metrics import SPECIAL
from ._neighbor_search import distances_to_all, is_narrow, metric_of, partitions, search, space
from .base import argmax_labels, class_labels, total


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
    graph = total(parts)
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
        entries = distances.astype(np.float32) if is_narrow(est, X) else distances.astype(np.float64)
    graph = where(inside, entries, entries.dtype.type(0))
    graph.sparse = True
    return graph


def _within(est: Any, X: Value) -> Value:
    """Return the weight of every training row, shape (N, n_fit); zero outside of the radius."""
    distances, inside = _inside(est, X)
    # rows outside must not count as equal
    weights = distance_weights(est, where(inside, distances, np.inf) if est.weights == "distance" else distances)
    return inside.astype(np.float64) if weights is None else where(inside, weights, 0.0)


def _inside(est: Any, X: Value) -> tuple[Value, Value]:
    """Return the distances to all training rows, and which are within the radius: of expanded squares, its square."""
    if est._fit_method != "brute" or partitions(est, X) or metric_of(est) not in SQUARED:
        distances = distances_to_all(est, X)
        return distances, distances <= np.float64(est.radius)
    X, fit_X, p, w, metric = space(est, X)
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
    return not partitions(est, X) and metric_of(est) not in (*SQUARED, *SPECIAL, "precomputed")


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
