"""BSplineBasis against SciPy, in both runtimes; Ndtr and Ndtri against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special
from scipy.interpolate import BSpline

from sardonyx.graph import Graph, Value
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner
from sardonyx.operators.interpolation import b_spline_basis
from sardonyx.operators.special import ndtr, ndtri

from .single import onnxruntime


def both(body: Callable[[Value], Value], X: NDArray[Any]) -> list[Any]:
    """Answers of our runtime, natively, and of ONNX Runtime."""
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        result = body(graph.input("X", np.float64, ("N", X.shape[1])))
    model = graph.model({"Y": result})
    plan = lower(model)
    assert not plan.reference_operators
    return [PlanRunner(plan, threads=1).run(None, {"X": X})[0], onnxruntime(model, {"X": X})[0]]


@pytest.mark.parametrize("knots", [[0, 1, 2.5, 3, 7, 8, 9, 11, 12, 15], [0, 0, 0, 0, 1, 1, 4, 4, 4, 4]])
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_b_splines(degree: int, knots: list[float]) -> None:
    tables = np.array([knots, np.array(knots) * -1.5 + 40])
    tables[1].sort()
    x = np.r_[knots, np.nextafter(knots, 99), np.nextafter(knots, -99), -3.3, 17, 1e6, np.nan]
    X = np.c_[x, x * 1.5 + 10]
    splines = [BSpline.construct_fast(t, np.eye(len(t) - degree - 1), degree, extrapolate=True) for t in tables]
    expected = np.concatenate([s(c) for s, c in zip(splines, X.T, strict=True)], axis=1)
    ours, theirs = both(lambda X: b_spline_basis(X, tables, degree=degree), X)
    np.testing.assert_array_equal(ours, expected)
    np.testing.assert_allclose(theirs, expected, rtol=1e-12, atol=1e-15)


def test_the_normal_distribution_and_its_inverse() -> None:
    x = np.r_[np.linspace(-37, 37, 4001), 0, -0.0, np.inf, -np.inf, np.nan, 1e-300][:, None]
    tails = np.geomspace(1e-300, 0.2, 900)
    y = np.r_[np.linspace(0, 1, 2001), tails, 1 - tails, np.nan, -1, 2, 0.13533528323661269189, 5e-324][:, None]
    for operator, function, values in ((ndtr, special.ndtr, x), (ndtri, special.ndtri, y)):
        for answer in both(operator, values):
            np.testing.assert_allclose(answer, function(values), rtol=1e-13)
