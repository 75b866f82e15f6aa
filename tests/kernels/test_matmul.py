"""Linear and MatMul."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .single import FINITE, assert_declined, check, numpy, rows

RNG = np.random.default_rng(0)


def finite(dtype: str, *shape: int) -> Any:
    return rows(dtype, *shape, values=FINITE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("k", "n"), [(1, 1), (3, 1), (5, 4), (40, 17)])
def test_a_row_times_a_matrix(dtype: str, k: int, n: int) -> None:
    w = RNG.integers(-20, 20, size=(k, n)).astype(dtype) / 8  # every sum of products is exact, in any order
    check("MatMul", finite(dtype, k), w, rtol=1e-300)
    check("MatMul", finite(dtype, k), w[:, 0], rtol=1e-300)


def test_gemm() -> None:
    w, c = RNG.normal(size=(3, 4)), RNG.normal(size=4)
    check("Gemm", finite("float64", 3), w)
    check("Gemm", finite("float64", 3), w, c)
    check("Gemm", finite("float64", 3), w, c.reshape(1, 4), alpha=0.5, beta=2.0)
    check("Gemm", finite("float64", 3), w.T.copy(), np.array(1.5), transB=1)
    check("Gemm", finite("float64", 3), w, finite("float64", 4), beta=-0.25)
    assert_declined("Gemm", rows("float64", 3, values=FINITE), np.ones((5, 2)), transA=1)


SHAPES = [
    (finite("float64", 2, 3), finite("float64", 3, 4)),
    (finite("float64", 5, 2, 3), finite("float64", 5, 3, 4)),
    (finite("float64", 5, 2, 3), finite("float64", 1, 3, 4)),
    (finite("float64", 2, 3), RNG.normal(size=(3, 4))),
    (finite("float64", 2, 3), RNG.normal(size=(1, 3, 4))),
    (finite("float64", 2, 3), RNG.normal(size=3)),
    (RNG.normal(size=(4, 2)), finite("float64", 2, 3)),
    (RNG.normal(size=2), finite("float64", 2, 3)),
    (finite("float64", 2, 2, 3), RNG.normal(size=(3, 4))),
]


@pytest.mark.parametrize("operands", SHAPES, ids=lambda o: " x ".join(str(x.shape) for x in o))
def test_matrices_inside_a_row(operands: tuple[Any, Any]) -> None:
    check("MatMul", *operands, rtol=1e-11)


def test_integers() -> None:
    w = RNG.integers(-5, 5, size=(3, 4))
    check("MatMul", rows("int64", 3), w, judge=numpy(lambda x: x @ w))
    check("MatMul", rows("int32", 2, 3), rows("int32", 3, 2))


def test_products_along_the_rows_are_declined() -> None:
    assert_declined("MatMul", rows("float64", 3, values=FINITE), np.ones((2, 3, 4)))
    assert_declined("MatMul", rows("float64", 3, values=FINITE), rows("float64", 3, 2, values=FINITE))
    assert_declined("MatMul", rows("float64", 2, 3, values=FINITE), np.ones((1, 1, 3, 4)))
