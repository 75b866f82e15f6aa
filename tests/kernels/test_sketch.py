"""SketchProduct: sketches convolved in a circle, against the sum that defines it and against Fourier transforms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sardonyx import _native
from sardonyx.errors import ProgramError
from sardonyx.graph import Value
from sardonyx.lowering.sdx import pack
from sardonyx.operators.sketch import sketch_product

from .bodies import (
    Body,
    assert_kernels_are_the_body,
    assert_mutants_are_refused_or_run,
    assert_refused,
    assert_rows_are_alone,
    model_of,
    program_of,
)


def inputs(n: int, features: int) -> tuple[dict[str, NDArray[Any]], NDArray[Any], NDArray[Any]]:
    """Return Z and X, places and signs."""
    rng = np.random.default_rng(100 * n + features)
    places, signs = rng.integers(0, n, features), rng.choice([-1.0, 1.0], features)
    return {"Z": rng.normal(size=(9, n)), "X": rng.normal(size=(9, features))}, places, signs


def body(places: NDArray[Any], signs: NDArray[Any]) -> Body:
    def product(Z: Value, X: Value) -> Value:
        result: Value = sketch_product(Z, X, places, signs)
        return result

    return product


@pytest.mark.parametrize("n", [1, 2, 7, 16, 41, 100])
@pytest.mark.parametrize("features", [1, 5, 33])
def test_a_circular_convolution(n: int, features: int) -> None:
    given, places, signs = inputs(n, features)
    product = assert_kernels_are_the_body(body(places, signs), **given)
    sketch = np.zeros((9, n))
    np.add.at(sketch.T, places, (signs * given["X"]).T)
    expected = np.fft.irfft(np.fft.rfft(given["Z"]) * np.fft.rfft(sketch), n)
    np.testing.assert_allclose(product, expected, rtol=0, atol=1e-12)
    assert_rows_are_alone(body(places, signs), **given)


def test_numbers_without_a_partner_are_zeros() -> None:
    """Of a Fourier transform, rounding would be left: 1e-10 beside 1e6."""
    Z, X = np.zeros((1, 8)), np.array([[1e6, -3.0]])
    Z[0, 2] = 0.1
    product = assert_kernels_are_the_body(body(np.array([7, 3]), np.array([1.0, -1.0])), Z=Z, X=X)
    assert np.flatnonzero(product[0]).tolist() == [1, 5]


def test_illegal_steps_are_refused() -> None:
    given, places, signs = inputs(7, 5)
    program = program_of(model_of(body(places, signs), **given))
    assert_refused(program, "SketchProduct", [{"params": (1,)}])
    for place in (-1, 7):
        wrong = [replace(s, data=np.full(5, place)) if s.dtype == "int64" else s for s in program.slots]
        with pytest.raises(ProgramError, match="no such place"):
            _native.Program.from_bytes(pack(replace(program, slots=tuple(wrong))))
    assert_mutants_are_refused_or_run(program)
