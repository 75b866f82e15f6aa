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
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program, Step
from sardonyx.lowering.runner import PlanRunner
from sardonyx.lowering.sdx import pack
from sardonyx.operators.svm import kernel_sums, pairwise_coupling

from ..native.programs import ISAS
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
    """One support vector at zero makes the sum exp(-x^2); rounding the exponent moves it by its own size."""
    squares = np.concatenate([np.linspace(0, 707, 5001), 10.0 ** np.arange(-300, 2), [708.5, 1e4, 1e300, np.inf]])
    X = np.sqrt(squares)[:, None]
    options = {"kernel": "rbf", "degree": 0, "n_support": [1]}
    model = model_of(
        1, lambda X: kernel_sums(X, np.zeros((1, 1)), np.ones((1, 1)), np.float64(1), np.float64(0), **options)
    )
    leeway = (1e-15 + 4e-16 * np.minimum(X * X, 750)) * np.exp(-X * X) + 1e-300
    assert (abs(native(model, X) - np.exp(-X * X)) <= leeway).all()


def exact_sums(kernel: str, X: Any, S: Any, c: Any, gamma: float, coef0: float) -> Any:
    """In extended precision, a gap at a time."""
    X, S, c = (np.asarray(a, np.longdouble) for a in (X, S, c))
    if kernel == "rbf":
        return np.exp(-gamma * ((X[:, None] - S) ** 2).sum(-1)) @ c.T
    inner = gamma * (X @ S.T) + coef0
    return (np.tanh(inner) if kernel == "sigmoid" else inner**3) @ c.T


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e10])
@pytest.mark.parametrize("gamma", [1e-12, 1e-3, 0.1, 30.0, 1e6, -0.01])
def test_rbf_of_any_gamma_far_from_the_origin(gamma: float, offset: float, isa: str) -> None:
    """Squares are expanded only where nothing cancels; rows within reach and out of it stand side by side."""
    rng, features = np.random.default_rng(0), 7
    S, c = offset + rng.integers(-40, 40, (30, features)) / 8.0, rng.random((2, 30))
    X = offset + rng.integers(-40, 40, (45, features)) / 8.0
    X[:15] = S[:15]
    if gamma > 0:
        X[2], X[7], X[9:11] = 1e200, offset + 1e3, -1e3
    model = model_of(
        features,
        lambda X: kernel_sums(X, S, c, np.float64(gamma), np.float64(0), kernel="rbf", degree=3, n_support=[13, 17]),
    )
    program = lower(model).native
    assert program is not None
    run = _native.Program.from_bytes(pack(program), 1, isa).run
    Y = run(None, {"X": X})[0]
    with np.errstate(all="ignore"):
        expected = np.concatenate(
            [exact_sums("rbf", X, S[p], c[:, p], gamma, 0) for p in (slice(13), slice(13, 30))], 1
        )
    np.testing.assert_allclose(Y, expected.astype(float), rtol=1e-10, atol=1e-300)
    assert all((run(None, {"X": X[i : i + 1]})[0] == Y[i]).all() for i in range(len(X)))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("gamma", [1e-200, 1e-9, 0.3, 40.0])
def test_sigmoid_from_the_smallest_to_the_largest(gamma: float, isa: str) -> None:
    rng = np.random.default_rng(0)
    S, c, X = rng.random((9, 3)), rng.random((1, 9)), rng.random((21, 3))
    X[5] *= -1
    options = {"kernel": "sigmoid", "degree": 3, "n_support": [9]}
    program = lower(model_of(3, lambda X: kernel_sums(X, S, c, np.float64(gamma), np.float64(0), **options))).native
    assert program is not None
    (Y,) = _native.Program.from_bytes(pack(program), 1, isa).run(None, {"X": X})
    np.testing.assert_allclose(Y, exact_sums("sigmoid", X, S, c, gamma, 0).astype(float), rtol=1e-13)


def test_nan_and_infinities() -> None:
    X = np.ones((9, 4))
    X[1, 2], X[4, 0], X[6, 3] = np.nan, np.inf, -np.inf
    rbf, sigmoid = (native(sums_model(kernel, 4, [9, 4]), X) for kernel in ("rbf", "sigmoid"))
    assert np.isnan(rbf[1]).all()
    assert np.isnan(sigmoid[1]).all()
    assert (rbf[[4, 6]] == 0).all()
    assert np.isfinite(np.delete(sigmoid, 1, 0)).all()


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
