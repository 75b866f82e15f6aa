"""sklearn.neighbors._lof: local outlier factor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import LocalOutlierFactor

from ..convert import call
from ..graph import Value, as_value, where
from ..operators.checks import check_finite
from ..registry import converter
from ._neighbor_search import search


@converter(LocalOutlierFactor, method="score_samples")
def lof_scores(est: Any, X: Value) -> Value:
    X = check_finite(X, allow_nan=0, estimator=type(est).__name__).like(X) if X.dtype.kind == "f" else X
    distances, indices = search(est, X, est.n_neighbors_)
    if X.dtype == np.float32:
        distances = distances.astype(np.float32)
    farthest = as_value(est._distances_fit_X_[:, est.n_neighbors_ - 1].copy())[indices]
    reach = where(distances > farthest, distances, farthest)
    density = 1.0 / (reach.mean(1) + 1e-10)
    return -(as_value(est._lrd)[indices] / density[:, None]).mean(1)


@converter(LocalOutlierFactor, method="decision_function")
def lof_decision(est: Any, X: Value) -> Any:
    return call(est, "score_samples", X) - est.offset_


@converter(LocalOutlierFactor, method="predict")
def lof_predict(est: Any, X: Value) -> Value:
    return where(call(est, "decision_function", X) < 0, np.int64(-1), np.int64(1))
