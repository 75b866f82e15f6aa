"""sklearn.neighbors._kde."""

import numpy as np
from sklearn.neighbors import KernelDensity

from . import Case

KERNELS = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")

CASES = [
    *(Case(KernelDensity(kernel=k, bandwidth=0.5), "one_feature") for k in KERNELS),
    *(Case(KernelDensity(kernel=k, bandwidth=30, algorithm="ball_tree"), "regression_near") for k in KERNELS),
    Case(KernelDensity(bandwidth=6, leaf_size=5, breadth_first=False), "regression32_near"),
    Case(KernelDensity(bandwidth="scott", metric="manhattan", leaf_size=5), "one_feature32"),
    Case(KernelDensity(bandwidth="silverman", kernel="exponential", metric="chebyshev"), "regression_int"),
    Case(KernelDensity(bandwidth=9, metric="minkowski", metric_params={"p": 3}), "regression_near"),
    Case(KernelDensity(bandwidth=9, metric="canberra", algorithm="ball_tree"), "regression_near"),
    Case(KernelDensity(bandwidth=0.3, metric="haversine", algorithm="ball_tree", leaf_size=5), "earth"),
    Case(KernelDensity(bandwidth=0.3, metric="jaccard", algorithm="ball_tree", leaf_size=5), "yes_and_no"),
    Case(
        KernelDensity(bandwidth=9, metric="mahalanobis", algorithm="ball_tree", metric_params={"VI": np.eye(7) + 0.3}),
        "regression_near",
    ),
    Case(
        KernelDensity(bandwidth=9, metric="seuclidean", metric_params={"V": [1, 2, 1, 1, 4, 3, 1]}), "regression_near"
    ),
]
