"""sklearn.neighbors._nearest_centroid: the nearest of the classes' centroids."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestCentroid

from ..convert import call
from ..errors import ConversionError
from ..graph import Value
from ..operators.neighbors import k_neighbors, pairwise_distances
from ..operators.pairwise import float_rows, squared_distances
from ..registry import converter
from .base import argmax_labels, take_labels


@converter(NearestCentroid, method="predict")
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


@converter(NearestCentroid, method="decision_function")
def centroid_decision(est: Any, X: Value) -> Any:
    scores = _centroid_scores(est, X)
    return scores[:, 1] - scores[:, 0] if len(est.classes_) == 2 else scores


@converter(NearestCentroid, method="predict_log_proba")
def centroid_log_proba(est: Any, X: Value) -> Any:
    scores = _centroid_scores(est, X)
    likelihood = scores - scores.max(1, keepdims=True)
    return likelihood - np.log(np.exp(likelihood).sum(1, keepdims=True))


@converter(NearestCentroid, method="predict_proba")
def centroid_proba(est: Any, X: Value) -> Any:
    return np.exp(call(est, "predict_log_proba", X))
