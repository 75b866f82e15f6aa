"""native/simd/math.h: within 2 units in the last place of what long doubles say, on every instruction set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from sardonyx import _native

from .programs import ISAS, Builder, load

Array = NDArray[Any]
FLOATS = ("float32", "float64")


def logistic(x: Array) -> Array:
    e: Array = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, e, 1) / (1 + e))


def softplus(x: Array) -> Array:
    return np.asarray(np.where(x > 0, x, 0) + np.log1p(np.exp(-np.abs(x))))


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "Exp": np.exp,
    "Log": np.log,
    "Tanh": np.tanh,
    "Sigmoid": logistic,
    "Softplus": softplus,
}
CASES = [(op, dtype, isa) for op in FUNCTIONS for dtype in FLOATS for isa in ISAS]


def program(op: str, dtype: str, isa: str) -> _native.Program:
    b = Builder()
    return load(b.program(b.step(op, [b.input("x", dtype, ())], ("y", dtype, ()))), isa=isa)


def edges(dtype: str) -> Array:
    """Numbers at which a function turns, and their neighbours."""
    info = np.finfo(dtype)
    turns = [0.0, 5e-324, info.smallest_subnormal, info.tiny, 1e-9, 0.5**0.5, 0.55, 1.0, 2.0**0.5, 2.0, 20.0, 36.8]
    turns += [87.3, 88.72284, 103.97, 708.0, 708.3964, 709.782712893384, 710.0, 744.44, 745.1332, 746.0, 1e300]
    turns += [info.max]
    with np.errstate(all="ignore"):
        at = np.array([*turns, np.inf]).astype(dtype)
        near = np.concatenate([at, np.nextafter(at, at.dtype.type(np.inf)), np.nextafter(at, at.dtype.type(0))])
    return np.concatenate([near, -near, np.array([np.nan], dtype)])


def assert_close(op: str, x: Array, y: Array) -> None:
    """Within 2 units in the last place, half a unit being the rounding of the result; special results identical."""
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[op](x.astype(np.longdouble))
        rounded = exact.astype(x.dtype)
        unit = np.spacing(np.abs(rounded)).astype(np.longdouble)
    finite = np.isfinite(rounded) & np.isfinite(y)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    near = finite & np.isfinite(unit)  # beyond the last number there is no unit
    assert (np.abs(y[near] - exact[near]) <= 2 * unit[near]).all()
    np.testing.assert_array_equal(y[finite & ~near], rounded[finite & ~near])
    np.testing.assert_array_equal(np.signbit(y[y == 0]), np.signbit(rounded[y == 0]))


@pytest.mark.parametrize(("op", "dtype", "isa"), CASES)
def test_edges(op: str, dtype: str, isa: str) -> None:
    x = edges(dtype)
    (y,) = program(op, dtype, isa).run(None, {"x": x})
    assert_close(op, x, y)


@pytest.mark.parametrize(("op", "dtype", "isa"), CASES)
def test_many_magnitudes(op: str, dtype: str, isa: str) -> None:
    rng = np.random.default_rng(0)
    exponents = rng.uniform(-37, 37, 20_000) if dtype == "float32" else rng.uniform(-307, 307, 20_000)
    parts = [rng.uniform(-w, w, 20_000) for w in (0.6, 2.0, 110.0, 750.0)] + [10.0**exponents]
    x = np.concatenate(parts).astype(dtype)
    x = np.abs(x) if op == "Log" else x
    (y,) = program(op, dtype, isa).run(None, {"x": x})
    assert_close(op, x, y)


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_any_doubles(numbers: list[float]) -> None:
    x = np.array(numbers)
    for op in FUNCTIONS:
        for isa in ISAS:
            (y,) = program(op, "float64", isa).run(None, {"x": x})
            assert_close(op, x, y)


@pytest.mark.parametrize(("op", "dtype", "isa"), CASES)
def test_same_bits_alone_and_in_a_batch(op: str, dtype: str, isa: str) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([edges(dtype), rng.normal(0, 5, 500).astype(dtype)])
    native = program(op, dtype, isa)
    (whole,) = native.run(None, {"x": x})
    alone = np.concatenate([native.run(None, {"x": x[i : i + 1]})[0] for i in range(len(x))])
    np.testing.assert_array_equal(whole.view(np.uint8), alone.view(np.uint8))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_logistic(dtype: str, isa: str) -> None:
    """As SciPy's expit: also 0 where it is, since a logarithm may follow."""
    rng = np.random.default_rng(0)
    x = np.concatenate([edges(dtype), *(rng.uniform(-w, w, 5_000).astype(dtype) for w in (2.0, 110.0, 750.0))])
    (y,) = program("Logistic", dtype, isa).run(None, {"x": x})
    with np.errstate(all="ignore"):
        exact = expit(x)
        near = np.abs(y - exact) <= 3 * np.spacing(exact)
    assert (near | (np.isnan(y) & np.isnan(exact))).all()
    np.testing.assert_array_equal(y == 0, exact == 0)
    alone = np.concatenate([program("Logistic", dtype, isa).run(None, {"x": x[i : i + 1]})[0] for i in range(99)])
    np.testing.assert_array_equal(y[:99].view(np.uint8), alone.view(np.uint8))


def lines(op: str, shape: tuple[int, int, int], dtype: str, isa: str) -> _native.Program:
    """A program along the middle axis of a row of `shape`."""
    b = Builder()
    out = (shape[0], 1, shape[2]) if op == "ReduceLogSumExp" else shape
    return load(b.program(b.step(op, [b.input("x", dtype, shape)], ("y", dtype, out), *shape)), isa=isa)


def expected_lines(op: str, x: Array) -> Array:
    wide: Array = x.astype(np.longdouble)
    e: Array = np.exp(wide - wide.max(axis=2, keepdims=True))
    total: Array = e.sum(axis=2, keepdims=True)
    if op == "Softmax":
        return np.asarray(e / total)
    if op == "LogSoftmax":
        return np.asarray(wide - wide.max(axis=2, keepdims=True) - np.log(total))
    return np.asarray(np.log(total) + wide.max(axis=2, keepdims=True))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 1), (1, 16, 1), (3, 5, 1), (2, 3, 4), (1, 700, 1), (1, 3000, 1)])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "ReduceLogSumExp"])
def test_lines(op: str, shape: tuple[int, int, int], dtype: str, isa: str) -> None:
    x = np.random.default_rng(0).normal(0, 20, (300 if shape[1] < 100 else 5, *shape)).astype(dtype)
    native = lines(op, shape, dtype, isa)
    (whole,) = native.run(None, {"x": x})
    rtol, atol = (1e-5, 1e-5) if dtype == "float32" else (1e-13, 1e-14)
    np.testing.assert_allclose(whole, expected_lines(op, x).astype(dtype), rtol=rtol, atol=atol)
    alone = np.concatenate([native.run(None, {"x": x[i : i + 1]})[0] for i in range(len(x))])
    np.testing.assert_array_equal(whole, alone)
