"""KernelDensity: the native search gives scikit-learn's bits, its rounding noise included; Ndtr, Ndtri and donors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KernelDensity

from sardonyx import _native
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, ProgramError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program
from sardonyx.lowering.runner import PlanRunner
from sardonyx.lowering.sdx import pack

from .single import onnxruntime

KERNELS = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")


def blobs(n: int, features: int, seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=(n, features))


def native(density: KernelDensity, X: NDArray[Any]) -> NDArray[Any]:
    plan = lower(convert(density, X, methods=["score_samples"]))
    assert not plan.reference_operators
    scores: NDArray[Any] = PlanRunner(plan, threads=1).run(None, {"X": X})[0]
    return scores


@pytest.mark.parametrize("breadth_first", [True, False])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_bit_also_where_noise_is_all_there_is(kernel: str, algorithm: str, breadth_first: bool) -> None:
    for features, rtol, atol in ((1, 0, 0), (7, 0, 0), (3, 1e-2, 0), (3, 0, 1e-3)):
        fit, X = blobs(120, features, 0), blobs(60, features, 1) * 2
        X[0], X[1] = 1e3, fit[0]
        density = KernelDensity(
            kernel=kernel, algorithm=algorithm, breadth_first=breadth_first, leaf_size=9, rtol=rtol, atol=atol
        )
        np.testing.assert_array_equal(native(density.fit(fit), X), density.score_samples(X))


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "minkowski"])
def test_metrics(metric: str) -> None:
    parameters = {"p": 2.5} if metric == "minkowski" else None
    density = KernelDensity(metric=metric, metric_params=parameters, leaf_size=9).fit(blobs(99, 4, 0))
    np.testing.assert_array_equal(native(density, blobs(30, 4, 1)), density.score_samples(blobs(30, 4, 1)))


@pytest.mark.parametrize("breadth_first", [True, False])
def test_weighted_rows(breadth_first: bool) -> None:
    weights = np.random.default_rng(5).random(99) + 0.1
    density = KernelDensity(bandwidth=3, breadth_first=breadth_first, leaf_size=9)
    density.fit(blobs(99, 3, 0), sample_weight=weights)
    X = blobs(30, 3, 1)
    np.testing.assert_allclose(native(density, X), density.score_samples(X), rtol=1e-13)
    model = convert(density, X, methods=["score_samples"])
    np.testing.assert_allclose(onnxruntime(model, {"X": X})[0], density.score_samples(X), rtol=1e-10)


def test_metrics_without_a_form_are_refused() -> None:
    density = KernelDensity(metric="pyfunc", algorithm="ball_tree", metric_params={"func": np.dot}).fit(blobs(9, 2, 0))
    with pytest.raises(ConversionError, match="metric='pyfunc'"):
        convert(density, blobs(9, 2, 0), methods=["score_samples"])


def test_illegal_params_are_refused() -> None:
    density = KernelDensity(leaf_size=5).fit(blobs(30, 2, 0))
    program = lower(convert(density, blobs(3, 2, 0), methods=["score_samples"])).native
    assert isinstance(program, Program)
    at = next(i for i, s in enumerate(program.steps) if s.kernel == "KernelDensity")
    legal = program.steps[at].params
    for index, value in ((0, 99), (1, 1), (2, 0), (3, 1), (5, 6), (5, -1), (6, 2), (7, 1)):
        params = (*legal[:index], value, *legal[index + 1 :])
        steps = (*program.steps[:at], replace(program.steps[at], params=params), *program.steps[at + 1 :])
        with pytest.raises(ProgramError):
            _native.Program.from_bytes(pack(replace(program, steps=steps)))
