"""sklearn.neighbors._kde: KernelDensity. The sum of kernels is the operator `KernelDensity`."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KernelDensity
from sklearn.neighbors._kd_tree import kernel_norm

from ..errors import ConversionError
from ..graph import Value
from ..operators.neighbors import ALIASES, METRICS, kernel_density
from ..registry import converter
from ._metrics import whitening
from ._neighbor_search import tree_arrays

Array = NDArray[Any]


@converter(KernelDensity, method="score_samples")
def kernel_density_scores(est: Any, X: Value) -> Value:
    tree = est.tree_
    data, weights = np.asarray(tree.data), tree.sample_weight
    total = len(data) if weights is None else tree.sum_weight
    *arrays, bounds = tree_arrays(tree)
    if est.metric == "mahalanobis":
        whiten = whitening(est, est.metric_params or {})
        X, data, bounds = X.astype(np.float64) @ whiten, data @ whiten, bounds @ whiten
        metric, p, w = "euclidean", np.float64(2), np.ones(len(whiten))
    else:
        metric, p, w = _metric(est, data.shape[1])
    with np.errstate(divide="ignore"):
        log_tolerances = np.log([est.atol * total, est.rtol])
        of_rows = () if weights is None else (np.asarray(weights, float), np.log(np.asarray(weights, float)))
    norm = kernel_norm(est.bandwidth_, data.shape[1], est.kernel, return_log=True)
    numbers = np.array([est.bandwidth_, norm, *log_tolerances, total], np.float64)
    density = kernel_density(
        X.astype(np.float64), data, p, w, numbers, *arrays, bounds, *of_rows,
        metric=metric, kernel=est.kernel, algorithm=_algorithm(tree), breadth_first=int(est.breadth_first),
    )  # fmt: skip
    return density.reshape(-1) - np.log(total)


def _algorithm(tree: Any) -> str:
    return "kd_tree" if type(tree).__name__.startswith("KDTree") else "ball_tree"


def _metric(est: Any, features: int) -> tuple[str, np.float64, NDArray[np.float64]]:
    """Return the metric of the tree, and its order and weights."""
    metric, given = ALIASES.get(est.metric, est.metric), dict(est.metric_params or {})
    p, weights = given.pop("p", 2.0), given.pop("V" if metric == "seuclidean" else "w", None)
    if metric not in METRICS or given or (weights is not None and metric not in ("minkowski", "seuclidean")):
        raise ConversionError(
            f"KernelDensity(metric={est.metric!r}, metric_params={est.metric_params!r}) cannot be converted; known "
            f"are {', '.join((*METRICS, 'mahalanobis'))}. Use one of them."
        )
    if metric == "minkowski" and weights is None and p in (1, 2, np.inf):
        metric = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}[p]
    w = np.ones(features) if weights is None else np.asarray(weights, np.float64)
    return metric, np.float64(p if np.isfinite(p) else 2.0), w
