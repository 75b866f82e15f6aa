"""sklearn.cluster."""

import numpy as np
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)

from . import Case

CASES = [
    Case(KMeans(5, n_init=2, random_state=0), "regression"),
    Case(KMeans(3, n_init=2, random_state=0), "regression_int"),
    Case(KMeans(4, n_init=2, random_state=0), "regression32_near"),
    Case(KMeans(1), "regression"),
    Case(MiniBatchKMeans(4, n_init=2, random_state=0), "regression"),
    Case(MiniBatchKMeans(8, n_init=2, random_state=1), "regression_int"),
    Case(MiniBatchKMeans(4, n_init=2, random_state=0), "regression32_near"),
    Case(BisectingKMeans(6, random_state=0), "regression"),
    Case(BisectingKMeans(5, bisecting_strategy="largest_cluster", random_state=0), "regression_int"),
    Case(BisectingKMeans(1, random_state=0), "regression"),
    Case(BisectingKMeans(4, random_state=0), "regression32_near"),
    Case(AffinityPropagation(random_state=0), "regression"),
    Case(AffinityPropagation(preference=-200, random_state=0), "regression_int"),
    Case(AffinityPropagation(max_iter=2, random_state=0), "regression", note="did not converge"),
    Case(AffinityPropagation(random_state=0), "regression32_near"),
    Case(MeanShift(bandwidth=2.5), "regression"),
    Case(MeanShift(bandwidth=6.0, bin_seeding=True), "regression_int"),
    Case(MeanShift(bandwidth=1.5, cluster_all=False), "regression"),
    Case(Birch(n_clusters=3, threshold=1.0), "regression"),
    Case(Birch(n_clusters=None, threshold=1.5), "regression"),
    Case(Birch(n_clusters=2, branching_factor=10), "regression_int"),
    Case(Birch(n_clusters=3, threshold=1.0), "regression32_near", ("predict",)),
    Case(FeatureAgglomeration(3), "regression"),
    Case(FeatureAgglomeration(2, pooling_func=np.median), "regression_int"),
    Case(FeatureAgglomeration(3, pooling_func=np.max), "regression32"),
    Case(FeatureAgglomeration(3, pooling_func=np.min), "regression_int"),
    Case(FeatureAgglomeration(3, pooling_func=np.sum), "regression"),
    Case(FeatureAgglomeration(3), "regression", ("inverse_transform",)),
    Case(MiniBatchKMeans(4, init="random", batch_size=20, n_init=1, random_state=0), "regression"),
]
