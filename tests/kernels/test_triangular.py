"""SolveTriangular: forward substitution in both runtimes, where a product with the inverse would be noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cholesky, solve_triangular

import sardonyx
from sardonyx.graph import Graph
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner
from sardonyx.operators.triangular import solve_triangular as operator

from .single import onnxruntime


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_forward_substitution(n: int) -> None:
    rng = np.random.default_rng(n)
    L = cholesky(np.cov(rng.normal(size=(n, 3 * n))).reshape(n, n) + np.eye(n), lower=True)
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        result = operator(graph.input("B", np.float64, ("N", n)), L)
    model = graph.model({"V": result})
    plan = lower(model)
    assert not plan.reference_operators
    for rows in (0, 1, 3, 9, 50):
        B = rng.normal(size=(rows, n))
        expected = solve_triangular(L, B.T, lower=True).T
        np.testing.assert_allclose(PlanRunner(plan, threads=1).run(None, {"B": B})[0], expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(onnxruntime(model, {"B": B})[0], expected, rtol=1e-12, atol=1e-14)


def test_deviations_of_a_nearly_singular_process() -> None:
    """The default alpha, rows among those trained on: deviations of 1e-5, made of squares near one."""
    from sklearn.gaussian_process import GaussianProcessRegressor

    rng = np.random.default_rng(0)
    X = rng.uniform(-3, 3, (80, 2))
    process = GaussianProcessRegressor(optimizer=None).fit(X, np.sin(X[:, 0]))
    _, deviation = process.predict(X, return_std=True)
    assert deviation.max() < 2e-5
    model = sardonyx.to_onnx(process, X, methods=["predict", "predict_std"])
    _, ours = sardonyx.load(model).predict(X, return_std=True)
    np.testing.assert_allclose(ours**2, deviation**2, rtol=0, atol=1e-13)
