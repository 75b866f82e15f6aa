"""Chains of distances, exponentials and weights become one step, and only those that mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sardonyx.graph import Graph, Value
from sardonyx.lowering.lower import lower
from sardonyx.lowering.plan import NativeSegment
from sardonyx.lowering.runner import PlanRunner
from sardonyx.operators.pairwise import exact_distances

FIT = np.random.default_rng(0).normal(size=(13, 3))
WEIGHTS = np.random.default_rng(1).normal(size=(13, 2))

Body = Callable[[Value], Value]


def run(body: Body, X: Any) -> tuple[list[str], Any]:
    """Return the kernels that a graph became, and its result."""
    graph = Graph({"": 21, "sardonyx": 1})
    with graph.scope():
        result = body(graph.input("X", np.float64, ("N", 3)))
    plan = lower(graph.model({"Y": result}))
    (segment,) = plan.segments
    assert isinstance(segment, NativeSegment)
    return [step.kernel for step in segment.program.steps], PlanRunner(plan, threads=1).run(None, {"X": X})[0]


def rbf(X: Value, rate: float = -0.5, metric: str = "sqeuclidean") -> Value:
    result: Value = np.exp(rate * exact_distances(X, FIT, metric))
    return result


def expected(X: Any, rate: float, weights: Any) -> Any:
    return np.exp(rate * ((X[:, None] - FIT) ** 2).sum(2)) @ weights


@pytest.mark.parametrize("rate", [-0.5, 0.0, -3.0])
@pytest.mark.parametrize("weights", [WEIGHTS, WEIGHTS[:, 0]])
@pytest.mark.parametrize("n", [0, 1, 5, 70])
def test_fuses(n: int, weights: Any, rate: float) -> None:
    X = np.random.default_rng(2).normal(size=(n, 3))
    kernels, y = run(lambda X: (2.5 * rbf(X, rate) + 0.0) * 0.5 @ weights + 1.0, X)
    assert "KernelSums" in kernels
    assert not {"PairwiseDistances", "Exp", "Linear"} & set(kernels)
    np.testing.assert_allclose(y, 1.25 * expected(X, rate, weights) + 1.0, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "body",
    [
        lambda X: rbf(X, 0.5) @ WEIGHTS,
        lambda X: (rbf(X) + 1.0) @ WEIGHTS,
        lambda X: rbf(X, metric="euclidean") @ WEIGHTS,
        lambda X: rbf(X) * np.arange(13.0) @ WEIGHTS,
        lambda X: (lambda K: K @ WEIGHTS + K[:, :2])(rbf(X)),
    ],
    ids=["grows", "sum with a number", "another metric", "a factor a row", "read elsewhere too"],
)
def test_leaves_alone(body: Body) -> None:
    kernels, y = run(body, FIT[:4])
    assert "KernelSums" not in kernels
    assert np.isfinite(y).all()
