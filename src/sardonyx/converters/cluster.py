"""sklearn.cluster: which centre is nearest. Of equally near centres scikit-learn takes the first, so does ArgMin."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AffinityPropagation, Birch, BisectingKMeans, MeanShift
from sklearn.cluster._feature_agglomeration import AgglomerationTransform
from sklearn.cluster._kmeans import _BaseKMeans

from ..convert import as_float
from ..errors import ConversionError
from ..graph import Value, as_value, concat, op, per_row, where
from ..operators.pairwise import float_rows, squared_distances
from ..registry import converter
from .base import dense


def _from_centers(X: Value, centers: NDArray[Any]) -> Value:
    """Return squared distances less what is the same for all centres, as lloyd_iter_chunked_dense orders them."""
    return X @ (-2.0 * centers.T) + (centers * centers).sum(1)


@converter(_BaseKMeans, method="predict")
def kmeans_cluster(est: Any, X: Value) -> Value:
    return _from_centers(as_float(X), est.cluster_centers_).argmin(1).astype(np.int32)


@converter(_BaseKMeans, method="transform")
def kmeans_transform(est: Any, X: Value) -> Value:
    return np.sqrt(squared_distances(*float_rows(as_float(X), est.cluster_centers_)))


@converter(BisectingKMeans, method="predict")
def bisecting_cluster(est: Any, X: Value) -> Value:
    """Decide every split for every row, then choose from the leaves up.

    ::

        root ── left  1 ── left  3        splits [root, 1], centres [left, right] of each one below the other:
             │         └── right 4        (N, 2 * n_splits) distances from one product
             └─ right 2
    """
    splits = _splits(est._bisecting_tree)
    if not splits:
        return per_row(np.int32(est._bisecting_tree.label), X)
    centers = np.vstack([[node.left.center, node.right.center] for node in splits])
    distances = _from_centers(as_float(X), centers + getattr(est, "_X_mean", 0))
    left = distances[:, 0::2] <= distances[:, 1::2]
    return _leaf(est._bisecting_tree, {id(node): left[:, i] for i, node in enumerate(splits)}).astype(np.int32)


def _splits(node: Any) -> list[Any]:
    """Return the nodes that have children, each before those below it."""
    return [] if node.left is None else [node, *_splits(node.left), *_splits(node.right)]


def _leaf(node: Any, left: dict[int, Value]) -> Any:
    if node.left is None:
        return np.int64(node.label)
    return where(left[id(node)], _leaf(node.left, left), _leaf(node.right, left))


def _nearest(X: Value, centers: NDArray[Any]) -> Value:
    """Return ``pairwise_distances_argmin(X, centers)``: in float64, whatever X is (``ArgKmin``)."""
    return squared_distances(*float_rows(X.astype(np.float64), np.asarray(centers, np.float64))).argmin(1)


@converter(AffinityPropagation, method="predict")
def affinity_cluster(est: Any, X: Value) -> Value:
    if not hasattr(est, "cluster_centers_"):
        raise ConversionError("AffinityPropagation(affinity='precomputed') cannot predict. Use affinity='euclidean'.")
    centers = dense(est.cluster_centers_)
    return _nearest(X, centers) if len(centers) else per_row(np.int64(-1), X)


@converter(MeanShift, method="predict")
def mean_shift_cluster(est: Any, X: Value) -> Value:
    return _nearest(X, est.cluster_centers_)


@converter(Birch, method="predict")
def birch_cluster(est: Any, X: Value) -> Value:
    return as_value(np.asarray(est.subcluster_labels_))[_nearest(X, est.subcluster_centers_)]


@converter(Birch, method="transform")
def birch_transform(est: Any, X: Value) -> Value:
    return np.sqrt(squared_distances(*float_rows(X, est.subcluster_centers_)))


def _median(x: Value) -> Value:
    """Return the median of each row: of an even number, the mean of the two in the middle."""
    n = x.dim(1)
    ordered = op.TopK(x, np.array([n], np.int64), axis=1, largest=0, sorted=1)[0]
    return ordered[:, (n - 1) // 2 : n // 2 + 1].mean(1)


#: pooling functions, each from the columns of one cluster, shape (N, k), to (N,)
_POOLS: dict[Any, Callable[[Value], Value]] = {
    np.max: lambda x: x.max(1),
    np.min: lambda x: x.min(1),
    np.sum: lambda x: x.sum(1),
    np.median: lambda x: _median(as_float(x)),
}


@converter(AgglomerationTransform)
def pool_features(est: Any, X: Value) -> Value:
    labels = est.labels_
    if est.pooling_func == np.mean:
        members = np.eye(labels.max() + 1)[labels]
        return X.astype(np.float64) @ members / np.bincount(labels)
    if est.pooling_func not in _POOLS:
        raise ConversionError(
            f"{type(est).__name__}(pooling_func={est.pooling_func!r}): a function of Python cannot be converted. "
            "Use numpy.mean, max, min, sum or median."
        )
    pool = _POOLS[est.pooling_func]
    return concat([pool(X[:, np.flatnonzero(labels == label)])[:, None] for label in np.unique(labels)])


@converter(AgglomerationTransform, method="inverse_transform", finite=False)
def unpool_features(est: Any, X: Value) -> Value:
    return X[:, np.unique(est.labels_, return_inverse=True)[1]]
