"""Mahalanobis: bit by bit SciPy's distances, in both runtimes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sardonyx.graph import Value
from sardonyx.operators.mahalanobis import mahalanobis

from ..native.programs import ISAS, load
from .bodies import Body, assert_mutants_are_refused_or_run, assert_refused, model_of, program_of
from .single import onnxruntime


def body(center: NDArray[Any], inverse: NDArray[Any]) -> Body:
    def distances(X: Value) -> Value:
        result: Value = mahalanobis(X, center, inverse)
        return result

    return distances


def inputs(n: int, rows: int = 50) -> tuple[NDArray[Any], ...]:
    rng = np.random.default_rng(n)
    mixed = rng.normal(size=(n, 3 * n))
    return rng.normal(size=(rows, n)), rng.normal(size=n), np.linalg.inv(mixed @ mixed.T / n)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13, 40])
def test_bits_are_scipys(n: int) -> None:
    X, center, inverse = inputs(n)
    expected = cdist(X, center[None], "mahalanobis", VI=inverse)
    model = model_of(body(center, inverse), X=X)
    np.testing.assert_array_equal(onnxruntime(model, {"X": X})[0], expected)
    for isa in ISAS:
        for rows in (50, 1, 0):
            np.testing.assert_array_equal(
                load(program_of(model), isa=isa).run(None, {"X": X[:rows]})[0], expected[:rows]
            )


def test_illegal_steps_are_refused() -> None:
    X, center, inverse = inputs(5)
    program = program_of(model_of(body(center, inverse), X=X))
    assert_refused(program, "Mahalanobis", [{"params": (1,)}])
    assert_mutants_are_refused_or_run(program)
