"""Sums of polynomial kernels become one polynomial where that is less work; it is the same on every instruction set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.svm import SVC, SVR

import sardonyx
from sardonyx import _native
from sardonyx.errors import ProgramError
from sardonyx.graph import Graph
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program
from sardonyx.lowering.sdx import pack
from sardonyx.operators.svm import kernel_sums

from ..native.programs import ISAS


def program_of(S: Any, c: Any, sizes: list[int], degree: int, coef0: float = 0.7) -> Program:
    graph = Graph({"": 21, "sardonyx": 1})
    with graph.scope():
        X = graph.input("X", np.float64, ("N", S.shape[1]))
        options: dict[str, Any] = {"kernel": "poly", "degree": degree, "n_support": sizes}
        result = kernel_sums(X, S, c, np.float64(0.3), np.float64(coef0), **options)
    program = lower(graph.model({"Y": result})).native
    assert program is not None
    return program


def kernels(program: Program) -> list[str]:
    return [step.kernel for step in program.steps]


def expected(X: Any, S: Any, c: Any, sizes: list[int], degree: int, coef0: float = 0.7) -> Any:
    stops = np.cumsum(sizes)
    K = (0.3 * (X.astype(np.longdouble) @ S.T) + coef0) ** degree
    parts = [K[:, b - n : b] @ c[:, b - n : b].T for b, n in zip(stops, sizes, strict=True)]
    return np.concatenate(parts, 1).astype(float)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("degree", "features"), [(2, 1), (2, 9), (3, 1), (3, 4), (3, 13), (4, 5), (7, 2), (8, 1)])
@pytest.mark.parametrize(("sizes", "rows"), [([700], 1), ([500, 201], 2)])
def test_expands(degree: int, features: int, sizes: list[int], rows: int, isa: str) -> None:
    rng = np.random.default_rng(degree * 100 + features)
    S, c = rng.normal(size=(sum(sizes), features)), rng.normal(size=(rows, sum(sizes)))
    program = program_of(S, c, sizes, degree)
    assert kernels(program) == ["Polynomial"]
    run = _native.Program.from_bytes(pack(program), 1, isa).run
    X = rng.normal(size=(70, features))
    X[3] = 0
    Y, wanted = run(None, {"X": X})[0], expected(X, S, c, sizes, degree)
    scale = expected(abs(X), abs(S), abs(c), sizes, degree)
    assert (abs(Y - wanted) <= 1e-14 * scale).all()
    assert all((run(None, {"X": X[i : i + n]})[0] == Y[i : i + n]).all() for n in (1, 2, 3, 6) for i in (0, 3, 60))


def test_a_negative_constant() -> None:
    rng = np.random.default_rng(0)
    S, c, X = rng.normal(size=(300, 3)), rng.normal(size=(1, 300)), rng.normal(size=(9, 3))
    program = program_of(S, c, [300], 3, coef0=-2.0)
    assert kernels(program) == ["Polynomial"]
    (Y,) = _native.Program.from_bytes(pack(program)).run(None, {"X": X})
    np.testing.assert_allclose(Y, expected(X, S, c, [300], 3, -2.0), rtol=1e-10)


@pytest.mark.parametrize(("degree", "features", "n"), [(3, 30, 100), (1, 3, 500), (9, 1, 500), (2, 3, 2)])
def test_leaves_what_does_not_pay(degree: int, features: int, n: int) -> None:
    rng = np.random.default_rng(0)
    program = program_of(rng.normal(size=(n, features)), rng.normal(size=(1, n)), [n], degree)
    assert kernels(program) == ["KernelSums"]


def test_leaves_monomials_that_cancel() -> None:
    """(0.3 x.s + 0.7)^8 is near zero at all vectors, but its monomials are not."""
    S = np.full((400, 1), 1.0)
    S[::2] += 0.01
    program = program_of(S, np.ones((1, 400)), [400], 8, coef0=-0.3)
    assert kernels(program) == ["KernelSums"]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_machines_with_many_vectors(scale: float) -> None:
    rng = np.random.default_rng(0)
    X = scale * rng.normal(size=(400, 4))
    y = (X[:, 0] * X[:, 1] / scale - X[:, 2]) / scale
    for model in (SVR(kernel="poly", coef0=1.0), SVC(kernel="poly", C=0.1), SVR(kernel="poly", degree=2)):
        model.fit(X, np.digitize(y, [-1, 1]) if isinstance(model, SVC) else y)
        session = sardonyx.load(sardonyx.to_onnx(model, X))
        np.testing.assert_allclose(session.predict(X), model.predict(X), rtol=1e-10, atol=1e-12)


def test_illegal_steps_are_refused() -> None:
    rng = np.random.default_rng(0)
    program = program_of(rng.normal(size=(300, 3)), rng.normal(size=(1, 300)), [300], 3)
    (step,) = program.steps
    for params in [(2,), (4,), (1,), (9,), (2**62,), (3, 3), (3.0,)]:
        with pytest.raises(ProgramError):
            _native.Program.from_bytes(pack(replace(program, steps=(replace(step, params=params),))))
