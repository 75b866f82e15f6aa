"""The core's own kernels against NumPy, in every instruction set this machine runs."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from sardonyx import _native
from sardonyx.errors import InputError, ProgramError
from sardonyx.lowering.program import DTYPE_CODES

from .programs import ISAS, Builder, load

NUMBERS = [dtype for dtype in DTYPE_CODES if dtype != "str"]
SIZES = [(0, 2), (1, 1), (3, 1), (7, 2), (8, 3), (50, 1), (17, 4), (5, 5), (30, 8), (9, 17), (33, 40), (129, 1)]
SIZES += [(64, 65), (4, 6), (4, 7), (200, 2), (6, 130), (40, 100)]


def run_linear(X: NDArray[Any], w: NDArray[Any], b: NDArray[Any] | None, isa: str) -> NDArray[Any]:
    builder = Builder(block_rows=64)
    inputs = [builder.input("X", X.dtype.name, X.shape[1:]), builder.constant("w", w)]
    if b is not None:
        inputs.append(builder.constant("b", b))
    y = builder.step("Linear", inputs, ("y", X.dtype.name, (w.shape[1],)))
    result: NDArray[Any] = load(builder.program(y), isa=isa).run(None, {"X": X})[0]
    return result


@pytest.mark.skipif("SARDONYX_ISA" in os.environ, reason="the environment chooses the instruction set")
def test_the_instruction_set_is_the_one_numpy_finds() -> None:
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    features = {*simd["baseline"], *simd.get("found", [])}
    known = {"avx512": {"X86_V4", "AVX512_SKX"}, "avx2": {"X86_V3", "AVX2"}, "neon": {"NEON", "ASIMD"}}
    assert _native.isa() == next((isa for isa, names in known.items() if names & features), "generic")


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("k", "n"), SIZES)
def test_linear(k: int, n: int, dtype: str, isa: str) -> None:
    rng = np.random.default_rng(k * 1000 + n)
    w, b = rng.normal(size=(k, n)).astype(dtype), rng.normal(size=n).astype(dtype)
    # The reference is computed in more than the dtype's precision; the tolerance is its rounding, term by term.
    tolerance = 2e-14 if dtype == "float64" else 1e-5
    for rows in (1, 2, 5, 64, 131):
        X = rng.normal(size=(rows, k)).astype(dtype)
        for bias in (b, None):
            exact = X.astype(np.longdouble) @ w.astype(np.longdouble) + (0 if bias is None else bias)
            scale = np.abs(X).astype(np.longdouble) @ np.abs(w) + 1
            y = run_linear(X, w, bias, isa)
            assert (np.abs(y - exact) <= tolerance * scale).all()
            assert y.dtype == dtype


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("k", "n"), SIZES)
def test_a_row_of_linear_does_not_depend_on_its_neighbours(k: int, n: int, dtype: str, isa: str) -> None:
    rng = np.random.default_rng(3)
    X, w, b = (rng.normal(size=shape).astype(dtype) for shape in ((131, k), (k, n), (n,)))
    together = run_linear(X, w, b, isa)
    for row in (0, 1, 3, 63, 64, 127, 128, 130):
        np.testing.assert_array_equal(run_linear(X[row : row + 1], w, b, isa)[0], together[row])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("k", "n"), [(50, 1), (7, 3), (12, 20)])
def test_linear_passes_special_values_on(k: int, n: int, isa: str) -> None:
    X = np.ones((9, k))
    X[2, k - 1], X[5, 0], X[7, 1] = np.nan, np.inf, -np.inf
    w, b = np.ones((k, n)), np.zeros(n)
    expected = [[sum(row)] * n for row in X.tolist()]
    np.testing.assert_array_equal(run_linear(X, w, b, isa), expected)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("source", NUMBERS)
@pytest.mark.parametrize("target", NUMBERS)
def test_cast_is_astype(source: str, target: str, isa: str) -> None:
    rng = np.random.default_rng(0)
    info: Any = np.iinfo(source) if source[0] in "iu" else None
    if info is not None:
        X = rng.integers(info.min, info.max, 100, source, endpoint=True)
        X[:4] = [info.min, info.max, 0, 1]
    elif source == "bool":
        X = rng.integers(0, 2, 100).astype(bool)
    else:
        low, high = (0, 120) if target[0] != "f" else (-1e30, 1e30)
        with np.errstate(over="ignore"):
            X = rng.uniform(low, high, 100).astype(source)
        if target[0] == "f" or target == "bool":
            with np.errstate(over="ignore"):
                X[:8] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e38, 0.1]
        elif target[0] == "i":
            X[:5] = [-1.5, -0.5, -0.0, 0.5, 1.5]
    builder = Builder(64)
    program = builder.program(builder.step("Cast", [builder.input("X", source, ())], ("y", target, ())))
    y = load(program, isa=isa).run(None, {"X": X})[0]
    with np.errstate(over="ignore"):
        expected = X.astype(target)
    assert y.dtype == expected.dtype
    assert y.tobytes() == expected.tobytes()


@pytest.mark.parametrize("isa", ISAS)
def test_cast_of_floats_beyond_an_integer_is_defined(isa: str) -> None:
    X = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 2.0**63, -(2.0**63)])
    builder = Builder()
    program = builder.program(builder.step("Cast", [builder.input("X", "float64", ())], ("y", "int64", ())))
    assert (load(program, isa=isa).run(None, {"X": X})[0] == np.iinfo(np.int64).min).all()


def run_check(X: NDArray[Any], allow_nan: int, isa: str) -> NDArray[Any]:
    builder = Builder(16)
    x = builder.input("X", X.dtype.name, X.shape[1:])
    y = builder.step("CheckFinite", [x], ("y", X.dtype.name, X.shape[1:]), allow_nan)
    result: NDArray[Any] = load(builder.program(y), isa=isa).run(None, {"X": X})[0]
    return result


FLOATS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=2, max_dims=2, max_side=40))
)


@given(FLOATS, st.sampled_from([0, 1]), st.sampled_from(ISAS))
@settings(deadline=None)
def test_check_finite_refuses_what_scikit_learn_refuses(X: NDArray[Any], allow_nan: int, isa: str) -> None:
    nan, infinity = np.isnan(X).any() and not allow_nan, np.isinf(X).any()
    if not nan and not infinity:
        np.testing.assert_array_equal(run_check(X, allow_nan, isa), X)
        return
    # Blocks are checked one after the other: which of the two is found first depends on the rows.
    with pytest.raises(InputError, match=r"Input contains (NaN|infinity or a value too large for dtype)"):
        run_check(X, allow_nan, isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_check_finite_sees_every_place(value: float, dtype: str, isa: str) -> None:
    clean = np.full((20, 7), np.finfo(dtype).max, dtype)
    clean[::2] = -0.0
    clean[1] = np.nextafter(np.array(0, dtype), np.array(1, dtype))
    np.testing.assert_array_equal(run_check(clean, 0, isa), clean)
    for at in range(clean.size):
        X = clean.copy()
        X.flat[at] = value
        with pytest.raises(InputError, match="NaN" if np.isnan(value) else "infinity"):
            run_check(X, 0, isa)
        if np.isnan(value):
            np.testing.assert_array_equal(run_check(X, 1, isa), X)


@pytest.mark.parametrize(
    ("kernel", "dtypes", "params"),
    [
        ("CheckFinite", ("int8", "int8"), (0,)),
        ("CheckFinite", ("float32", "float64"), (0,)),
        ("Cast", ("str", "str"), ()),
    ],
)
def test_steps_of_the_wrong_type_are_refused(kernel: str, dtypes: tuple[str, str], params: tuple[int, ...]) -> None:
    builder = Builder()
    x = builder.input("X", dtypes[0], ())
    with pytest.raises(ProgramError, match=kernel):
        load(builder.program(builder.step(kernel, [x], ("y", dtypes[1], ()), *params)))


@pytest.mark.parametrize("params", [(2,), (0, 2), (0, -1), (1, 1), (0, 0, 0), (0.0,), (0, 1.0)])
def test_params_that_linear_does_not_have_are_refused(params: tuple[int | float, ...]) -> None:
    builder = Builder()
    x, w = builder.input("X", "float64", (3,)), builder.constant("w", np.ones((3, 2)))
    with pytest.raises(ProgramError, match="Linear"):
        load(builder.program(builder.step("Linear", [x, w], ("y", "float64", (2,)), *params)))
