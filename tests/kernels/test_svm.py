"""KernelSums and PairwiseCoupling: the native kernels against their bodies in ONNX Runtime, and against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest

from sardonyx import _native
from sardonyx.errors import ProgramError
from sardonyx.graph import Graph, Value
from sardonyx.lower import lower
from sardonyx.operators.svm import kernel_sums, pairwise_coupling
from sardonyx.plan import PlanRunner
from sardonyx.program import Program, Step, pack

from .single import onnxruntime


def model_of(width: int, body: Callable[[Value], Value]) -> onnx.ModelProto:
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        result = body(graph.input("X", np.float64, ("N", width)))
    return graph.model({"Y": result})


def native(model: onnx.ModelProto, X: Any) -> Any:
    plan = lower(model)
    assert not plan.reference_operators
    return PlanRunner(plan, threads=1).run(None, {"X": X})[0]


def sums_model(kernel: str, features: int, sizes: list[int], coefs: int = 2, degree: int = 3) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    vectors, weights = rng.normal(size=(sum(sizes), features)), rng.normal(size=(coefs, sum(sizes)))
    options = {"kernel": kernel, "degree": degree, "n_support": sizes}
    return model_of(features, lambda X: kernel_sums(X, vectors, weights, np.float64(0.3), np.float64(-0.5), **options))


@pytest.mark.parametrize("sizes", [[1], [7], [8], [40], [3, 17, 1], [2, 9]])
@pytest.mark.parametrize("features", [1, 5, 33])
@pytest.mark.parametrize("kernel", ["poly", "rbf", "sigmoid"])
def test_kernel_sums(kernel: str, features: int, sizes: list[int]) -> None:
    model = sums_model(kernel, features, sizes)
    for n in (0, 1, 3, 21):
        X = np.random.default_rng(n).normal(size=(n, features))
        np.testing.assert_allclose(native(model, X), onnxruntime(model, {"X": X})[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("degree", [0, 1, 2, 7])
def test_degrees(degree: int) -> None:
    model, X = sums_model("poly", 4, [5], degree=degree), np.random.default_rng(1).normal(size=(9, 4))
    np.testing.assert_allclose(native(model, X), onnxruntime(model, {"X": X})[0], rtol=1e-10)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    model, X = sums_model("rbf", 6, [30, 11]), np.random.default_rng(2).normal(size=(50, 6))
    together = native(model, X)
    assert all((native(model, X[i : i + 1]) == together[i]).all() for i in range(50))


def test_exp_over_its_whole_range() -> None:
    """One support vector at zero makes the sum exp(-x^2)."""
    squares = np.concatenate([np.linspace(0, 707, 5001), 10.0 ** np.arange(-300, 2), [708.5, 1e4, 1e300, np.inf]])
    X = np.sqrt(squares)[:, None]
    options = {"kernel": "rbf", "degree": 0, "n_support": [1]}
    model = model_of(
        1, lambda X: kernel_sums(X, np.zeros((1, 1)), np.ones((1, 1)), np.float64(1), np.float64(0), **options)
    )
    np.testing.assert_allclose(native(model, X), np.exp(-X * X), rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize("n_classes", [2, 3, 5, 11])
def test_pairwise_coupling(n_classes: int) -> None:
    rng, pairs = np.random.default_rng(n_classes), n_classes * (n_classes - 1) // 2
    model = model_of(pairs, lambda P: pairwise_coupling(P, n_classes=n_classes))
    P = np.clip(rng.random((40, pairs)), 1e-7, 1 - 1e-7)
    P[0], P[1], P[2] = 1e-7, 1 - 1e-7, 0.5
    np.testing.assert_allclose(native(model, P), onnxruntime(model, {"X": P})[0], rtol=1e-10)


def assert_refused(program: Program, **changes: Any) -> None:
    step = next(i for i, s in enumerate(program.steps) if s.kernel in ("KernelSums", "PairwiseCoupling"))
    steps: list[Step] = list(program.steps)
    steps[step] = replace(steps[step], **changes)
    with pytest.raises(ProgramError):
        _native.Program.from_bytes(pack(replace(program, steps=tuple(steps))))


def test_illegal_steps_are_refused() -> None:
    program = lower(sums_model("rbf", 3, [4, 2])).native
    assert program is not None
    assert_refused(program, params=(3, 3, 0.3, 0.0, 4, 2))  # no such kernel
    assert_refused(program, params=(1, -1, 0.3, 0.0, 4, 2))  # degree
    assert_refused(program, params=(1, 3, 0.3, 0.0, 4, 3))  # groups larger than all
    assert_refused(program, params=(1, 3, 0.3, 0.0, 4, 1))  # vectors in no group
    assert_refused(program, params=(1, 3, 0.3, 0.0, 6))  # fewer outputs
    assert_refused(program, params=(1, 3, 0.3, 0.0, 2**62, 2**62))
    assert_refused(program, params=(1, 3))
