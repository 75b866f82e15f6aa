"""Linear and Relu become one step, bit for bit, on every instruction set and for every number of rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sardonyx import _native
from sardonyx.graph import Graph, Value, op
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program
from sardonyx.lowering.sdx import pack

from ..native.programs import ISAS


def program_of(w: Any, twice: bool = False) -> Program:
    graph = Graph({"": 21})
    with graph.scope():
        y: Value = graph.input("X", w.dtype, ("N", len(w))) @ w + np.linspace(-1, 1, w.shape[1]).astype(w.dtype)
        outputs = {"Y": op.Relu(y), "Z": y} if twice else {"Y": op.Relu(y)}
    program = lower(graph.model(outputs)).native
    assert program is not None
    return program


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 3, 7, 16, 33])
def test_is_what_the_two_give(k: int, dtype: Any, isa: str) -> None:
    rng = np.random.default_rng(k)
    for n in (1, 2, 3, 4, 5, 8, 9, 13, 17, 20, 25, 33):
        w, X = rng.normal(size=(k, n)).astype(dtype), rng.normal(size=(23, k)).astype(dtype)
        X[3], X[5, 0], X[7, -1] = 0, np.nan, np.inf
        fused, apart = (_native.Program.from_bytes(pack(program_of(w, twice)), 1, isa).run for twice in (False, True))
        (Y,), (expected, Z) = fused(None, {"X": X}), apart(None, {"X": X})
        np.testing.assert_array_equal(Y, expected)
        exact = X.astype(np.longdouble) @ w + np.linspace(-1, 1, n).astype(dtype)
        tolerance = 1e-13 if dtype == np.float64 else 1e-4
        np.testing.assert_allclose(Z, exact.astype(dtype), rtol=tolerance, atol=tolerance)
        for i in range(1, 23):
            np.testing.assert_array_equal(fused(None, {"X": X[:i]})[0], Y[:i])


def test_what_it_fuses() -> None:
    w = np.ones((3, 2))
    assert [step.kernel for step in program_of(w).steps] == ["Linear"]
    assert [step.kernel for step in program_of(w, twice=True).steps] == ["Linear", "Relu"]
