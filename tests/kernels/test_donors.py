"""NanNeighbors: the native kernel against its body in ONNX Runtime, and the rounding of scikit-learn's distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.impute import KNNImputer
from sklearn.metrics.pairwise import nan_euclidean_distances

import sardonyx
from sardonyx.graph import Graph
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner
from sardonyx.operators.neighbors import nan_neighbors

from .single import onnxruntime


def holes(n: int, features: int, seed: int, dtype: Any) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, features)).astype(dtype)
    X[rng.random(X.shape) < 0.4] = np.nan
    return X


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 3, 40])
def test_the_nearest_rows_with_a_value(k: int, dtype: Any) -> None:
    fit, X = holes(40, 4, 0, dtype), holes(30, 4, 1, dtype)
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        given = graph.input("X", np.float64, ("N", 4))
        distances, values = nan_neighbors(given, fit.astype(float), k=k, single=int(dtype == np.float32))
    model = graph.model({"distances": distances, "values": values})
    plan = lower(model)
    assert not plan.reference_operators
    for rows in (X, X[:1], X[:0]):
        ours = PlanRunner(plan, threads=1).run(None, {"X": rows.astype(float)})
        theirs = onnxruntime(model, {"X": rows.astype(float)})
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6 if dtype == np.float32 else 1e-11)
        np.testing.assert_array_equal(ours[1], theirs[1])
    nearest, _ = PlanRunner(plan, threads=1).run(None, {"X": X.astype(float)})
    right = np.where(np.isnan(fit[:, 2]), np.nan, nan_euclidean_distances(X, fit))
    right = np.where(np.isnan(X[:, 2:3]), np.sort(right, axis=1)[:, :k], np.nan)
    np.testing.assert_allclose(nearest[:, 2], right, rtol=1e-6 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 30])
def test_equally_far_donors_are_those_of_scikit_learn(k: int) -> None:
    """Whole numbers: most distances occur many times."""
    rng = np.random.default_rng(k)
    fit, X = (rng.integers(0, 4, (n, 4)).astype(float) for n in (500, 60))
    for rows in (fit, X):
        rows[rng.random(rows.shape) < 0.3] = np.nan
    imputer = KNNImputer(n_neighbors=k).fit(fit)
    ours = sardonyx.load(sardonyx.to_onnx(imputer, X, verify=False)).transform(X)
    np.testing.assert_allclose(ours, imputer.transform(X), rtol=1e-12)
