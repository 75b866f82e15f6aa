"""sklearn.neighbors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestCentroid,
    NearestNeighbors,
    NeighborhoodComponentsAnalysis,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

from . import Case

METRICS = ("manhattan", "chebyshev", "canberra", "braycurtis", "sqeuclidean", "cosine", "hamming", "l1", "l2")

#: newer versions of scikit-learn have more
PARAMS = NearestCentroid().get_params()
BOTH = ("uniform", "distance")


def cauchy(distances: Any) -> Any:
    """Weights of a user's own."""
    return 1 / (1 + distances**2)


#: an inverse covariance matrix of seven features
INVERSE_COVARIANCE = np.linalg.inv(np.eye(7) + 0.3)

CASES = [
    *(
        Case(
            KNeighborsClassifier(metric="mahalanobis", metric_params={"VI": INVERSE_COVARIANCE}, algorithm=a),
            "multiclass",
        )
        for a in ("brute", "ball_tree")
    ),
    Case(
        KNeighborsRegressor(metric="mahalanobis", metric_params={"V": np.eye(7) + 0.3}, weights="distance"),
        "regression",
    ),
    Case(
        RadiusNeighborsRegressor(9.0, metric="mahalanobis", metric_params={"VI": INVERSE_COVARIANCE}), "scattered_seven"
    ),
    Case(KNeighborsClassifier(metric="correlation"), "scattered_seven"),
    Case(KNeighborsRegressor(metric="haversine", weights="distance"), "earth"),
    Case(KNeighborsRegressor(metric="haversine", algorithm="brute"), "earth"),
    Case(KNeighborsRegressor(metric="nan_euclidean", n_neighbors=3), "gaps", ("predict",)),
    *(
        Case(RadiusNeighborsRegressor(0.61, metric=m, algorithm="brute", weights="distance"), "yes_and_no")
        for m in ("jaccard", "dice", "rogerstanimoto", "russellrao", "sokalsneath", "yule")
    ),
    *(
        Case(RadiusNeighborsRegressor(0.61, metric=m), "yes_and_no")
        for m in ("jaccard", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath")
    ),
    Case(KNeighborsClassifier(metric="haversine"), "earth_classes", ("predict", "predict_proba")),
    Case(KNeighborsTransformer(n_neighbors=3), "scattered"),
    Case(KNeighborsTransformer(n_neighbors=4, mode="connectivity", algorithm="brute"), "scattered"),
    Case(KNeighborsTransformer(n_neighbors=2, metric="manhattan"), "scattered32"),
    *(
        Case(KNeighborsClassifier(weights=weights, algorithm=algorithm), data)
        for algorithm in ("kd_tree", "ball_tree")
        for weights in BOTH
        for data in ("binary_str", "multiclass")
    ),
    *(Case(KNeighborsClassifier(weights=w, algorithm="brute"), d) for w in BOTH for d in ("scattered", "scattered32")),
    Case(KNeighborsClassifier(), "multiclass32"),
    Case(KNeighborsClassifier(n_neighbors=1), "multiclass_str"),
    Case(KNeighborsClassifier(n_neighbors=40), "multiclass_float"),
    Case(KNeighborsClassifier(weights="distance"), "binary_bool"),
    Case(KNeighborsClassifier(weights="distance"), "classes_multi"),
    Case(KNeighborsClassifier(), "classes_multi"),
    Case(KNeighborsClassifier(), "multilabel"),
    *(Case(KNeighborsClassifier(metric=m, algorithm="brute"), "scattered") for m in METRICS if m != "hamming"),
    Case(KNeighborsClassifier(metric="manhattan", algorithm="brute", weights="distance"), "scattered32"),
    Case(KNeighborsClassifier(metric="cosine"), "scattered32", ("predict", "predict_proba")),
    *(Case(KNeighborsRegressor(weights=w, algorithm=a), "regression") for a in ("auto", "ball_tree") for w in BOTH),
    *(Case(KNeighborsRegressor(weights=w), d) for w in BOTH for d in ("regression_multi", "regression32")),
    Case(KNeighborsRegressor(algorithm="brute", weights="distance"), "scattered"),
    Case(KNeighborsRegressor(p=1), "regression"),
    Case(KNeighborsRegressor(p=3), "regression"),
    Case(KNeighborsRegressor(p=1.5, algorithm="brute", weights="distance"), "regression"),
    Case(KNeighborsRegressor(p=3, metric_params={"w": [1, 2, 0.5, 1, 0, 3, 1]}), "regression"),
    Case(KNeighborsRegressor(metric="seuclidean", metric_params={"V": [1, 2, 0.5, 1, 4, 3, 1]}), "regression"),
    Case(KNeighborsRegressor(metric="chebyshev"), "regression"),
    Case(KNeighborsRegressor(metric="canberra"), "scattered"),
    Case(KNeighborsRegressor(metric="precomputed"), "distances"),
    Case(NearestNeighbors(), "regression"),
    Case(NearestNeighbors(n_neighbors=9, algorithm="brute"), "scattered"),
    Case(NearestNeighbors(metric="cosine"), "scattered"),
    Case(LocalOutlierFactor(novelty=True), "regression"),
    Case(LocalOutlierFactor(novelty=True, n_neighbors=5, contamination=0.1), "regression32", rtol=1e-5),
    Case(LocalOutlierFactor(novelty=True, metric="manhattan", algorithm="brute"), "regression"),
    Case(NearestNeighbors(metric="l2", algorithm="brute"), "scattered", note="squares are not expanded"),
    Case(RadiusNeighborsRegressor(4.0, metric="l2", algorithm="brute"), "scattered32"),
    *(Case(RadiusNeighborsClassifier(3.0, weights=w, outlier_label="most_frequent"), "multiclass_str") for w in BOTH),
    Case(RadiusNeighborsClassifier(2.0, outlier_label=-1, algorithm="brute"), "binary"),
    Case(RadiusNeighborsClassifier(4.0, outlier_label=0), "classes_multi"),
    *(
        Case(RadiusNeighborsClassifier(2.0, metric="manhattan", algorithm="brute", outlier_label=label), "scattered")
        for label in ("most_frequent", 1, 7)  # a label is taken for the number of a class
    ),
    Case(RadiusNeighborsClassifier(1e3), "scattered", note="no row is without neighbours"),
    Case(RadiusNeighborsRegressor(3.0), "regression"),
    Case(RadiusNeighborsRegressor(4.0, weights="distance", algorithm="brute"), "scattered"),
    Case(RadiusNeighborsRegressor(4.0, weights="distance"), "regression_multi"),
    Case(RadiusNeighborsRegressor(3.0, p=1), "regression"),
    Case(RadiusNeighborsTransformer(radius=2.5), "regression"),
    Case(RadiusNeighborsTransformer(radius=2.5, mode="connectivity", algorithm="brute"), "scattered"),
    Case(RadiusNeighborsTransformer(radius=6, metric="manhattan"), "scattered32"),
    Case(RadiusNeighborsTransformer(radius=3.5, metric="chebyshev", algorithm="ball_tree"), "regression_int"),
    *(Case(c(weights=cauchy), "multiclass") for c in (KNeighborsClassifier, KNeighborsRegressor)),
    Case(RadiusNeighborsRegressor(3.5, weights=cauchy), "scattered"),
    Case(RadiusNeighborsClassifier(3.0, weights=cauchy, outlier_label=10), "scattered"),
    Case(NearestCentroid(), "multiclass_str", ("predict",)),
    Case(NearestCentroid(), "scattered"),
    Case(NearestCentroid(shrink_threshold=0.2), "binary32"),
    Case(NearestCentroid(metric="manhattan"), "multiclass_int"),
    *(Case(NearestCentroid(priors=p), "scattered") for p in ("empirical", [0.2, 0.3, 0.5]) if "priors" in PARAMS),
    Case(NeighborhoodComponentsAnalysis(max_iter=3, random_state=0), "multiclass"),
    Case(NeighborhoodComponentsAnalysis(2, init="pca", max_iter=3), "multiclass32"),
    Case(NeighborhoodComponentsAnalysis(3, init="random", max_iter=3, random_state=0), "multiclass_int"),
]
