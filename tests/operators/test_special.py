"""Special functions and interpolation against SciPy and NumPy, over their whole ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special

from sardonyx.graph import Graph, Value
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner
from sardonyx.operators.interpolation import interp, knots_of_columns
from sardonyx.operators.special import bessel_k, erf

OPSET = {"": 21, "ai.onnx.ml": 5, "sardonyx": 1}
RUNTIMES = ("onnxruntime", "sardonyx")


def evaluate(runtime: str, body: Callable[[Value], Value], X: NDArray[Any]) -> Any:
    """Run a function of one vector."""
    graph = Graph(OPSET)
    with graph.scope():
        y = body(graph.input("X", X.dtype, ("N",)))
    model = graph.model({"Y": y})
    if runtime == "sardonyx":
        return PlanRunner(lower(model), threads=1).run(None, {"X": X})[0]
    return ort.InferenceSession(model.SerializeToString()).run(None, {"X": X})[0]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_erf(runtime: str) -> None:
    x = np.r_[np.linspace(-9, 9, 20001), 0.0, -0.0, np.inf, -np.inf, np.nan, 1e-300, 1.0, -1.0]
    actual, expected = evaluate(runtime, erf, x), special.erf(x)
    np.testing.assert_allclose(actual, expected, rtol=5e-16, atol=0)
    np.testing.assert_array_equal(np.signbit(actual), np.signbit(expected))


@pytest.mark.parametrize("order", [0.1, 0.8, 1.0, 3.2, 7.7])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_bessel_k(runtime: str, order: float) -> None:
    x = np.r_[np.geomspace(3e-16, 600, 500), 1.0]
    actual = evaluate(runtime, lambda X: bessel_k(X, np.float64(order)), x)
    np.testing.assert_allclose(actual, special.kv(order, x), rtol=1e-12)


finite = st.floats(-1e6, 1e6)


@pytest.mark.parametrize("runtime", RUNTIMES)
@settings(max_examples=30, deadline=None)
@given(starts=st.lists(finite, min_size=2, max_size=20, unique=True), others=st.lists(finite, min_size=1, max_size=5))
def test_interp_is_numpys_between_and_at_knots(runtime: str, starts: list[float], others: list[float]) -> None:
    x = np.unique(np.round(starts, 3))
    if len(x) < 2:
        return
    y = np.sin(x)
    queries = np.clip(np.r_[x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf), others], x[0], x[-1])
    actual = evaluate(runtime, lambda X: interp(X[:, None], *knots_of_columns([(x, y)])).reshape(-1), queries)
    np.testing.assert_allclose(actual, np.interp(queries, x, y), rtol=1e-10, atol=1e-10)
