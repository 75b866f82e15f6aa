"""Two products with a wide middle become one; others stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, WhiteKernel
from sklearn.kernel_ridge import KernelRidge

import sardonyx
from sardonyx import _native
from sardonyx.graph import Graph
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program
from sardonyx.lowering.sdx import pack

RNG = np.random.default_rng(0)
A, B, FIRST, SECOND = (RNG.normal(size=shape) for shape in ((3, 40), (40, 2), 40, 2))


def program_of(body: Any, dtype: Any = np.float64) -> Program:
    graph = Graph({"": 21})
    with graph.scope():
        outputs = body(graph.input("X", dtype, ("N", 3)))
    program = lower(graph.model(outputs)).native
    assert program is not None
    return program


@pytest.mark.parametrize(("first", "second"), [(0, 0), (FIRST, 0), (0, SECOND), (FIRST, SECOND)])
def test_merges(first: Any, second: Any) -> None:
    program, X = program_of(lambda X: {"Y": (X @ A + first) @ B + second}), RNG.normal(size=(9, 3))
    assert "Linear" in [step.kernel for step in program.steps]
    assert len([step for step in program.steps if step.kernel == "Linear"]) == 1
    (Y,) = _native.Program.from_bytes(pack(program)).run(None, {"X": X})
    np.testing.assert_allclose(Y, (X @ A + first) @ B + second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "body",
    [
        lambda X: {"Y": X @ A[:, :8] @ B[:8]},
        lambda X: {"Y": X @ A @ np.ones((40, 20))},
        lambda X: (lambda y: {"Y": y @ B, "Z": y})(X @ A),
    ],
)
def test_leaves_the_rest(body: Any) -> None:
    assert [step.kernel for step in program_of(body).steps] == ["Linear", "Linear"]


def test_leaves_float32() -> None:
    program = program_of(lambda X: {"Y": X @ A.astype(np.float32) @ B.astype(np.float32)}, np.float32)
    assert [step.kernel for step in program.steps] == ["Linear", "Linear"]


@pytest.mark.parametrize(
    "model",
    [
        KernelRidge(kernel="linear"),
        GaussianProcessRegressor(DotProduct() + WhiteKernel(), optimizer=None),
        GaussianProcessRegressor(2.0 * RBF(1.5) + WhiteKernel(), optimizer=None, normalize_y=True),
    ],
    ids=str,
)
def test_models(model: Any) -> None:
    X = RNG.normal(size=(60, 4))
    y = np.sin(X[:, 0]) + X[:, 1]
    session = sardonyx.compile(model.fit(X, y), X)
    assert not {"PairwiseDistances", "Exp"} & set(session.explain().split())
    np.testing.assert_allclose(session.predict(X + 0.25), model.predict(X + 0.25), rtol=1e-10, atol=1e-12)
