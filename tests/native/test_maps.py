"""One dict a row, as ZipMap gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.parser
import pytest

import sardonyx
from sardonyx import _native
from sardonyx.errors import InputError

ARRAYS = {
    "float32": np.array([[1.5, np.nan], [-0.0, np.inf]], np.float32),
    "float64": np.array([[1.5, np.nan], [-0.0, np.inf]]),
    "int64": np.array([[1 << 62, -1]]),
    "text": np.array([["a", "ä"]], object),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "every other": np.arange(12.0).reshape(3, 4)[::2, ::-2],
    "no row": np.zeros((0, 2)),
}


@pytest.mark.parametrize("keys", [(0, 1), ("ja", "nein"), ("same", "same")], ids=str)
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_row_maps(array: Any, keys: tuple[int | str, ...]) -> None:
    expected = [dict(zip(keys, row, strict=True)) for row in array.tolist()]
    actual = _native.row_maps(array, keys)
    assert repr(actual) == repr(expected)  # NaN is not NaN, and 0.0 is -0.0
    assert all(
        type(a) is type(b)
        for m, n in zip(actual, expected, strict=True)
        for a, b in zip(m.values(), n.values(), strict=True)
    )


def test_no_columns() -> None:
    maps = _native.row_maps(np.zeros((2, 0)), ())
    assert maps == [{}, {}]
    assert maps[0] is not maps[1]


@pytest.mark.parametrize("given", [(np.zeros(2), (0, 1)), (np.zeros((1, 2)), (0,)), (np.zeros((1, 2)), ([], 0))])
def test_what_cannot_be_maps(given: tuple[Any, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        _native.row_maps(*given)


@pytest.fixture(scope="module")
def session() -> sardonyx.Session:
    return sardonyx.load(
        onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 3]>
        g (float[N,2] X) => (seq(map(int64, float)) Z, float[N,2] Y, float[2] C) <float[2] c={1,2}>
        { Y = Neg(X)  Z = ai.onnx.ml.ZipMap<classlabels_int64s=[7,-1]>(Y)  C = Identity(c) }""")
    )


@pytest.mark.parametrize("n", [0, 1, 3])
def test_sessions_give_maps_beside_arrays(session: sardonyx.Session, n: int) -> None:
    X = np.arange(2.0 * n).reshape(n, 2)
    maps, constant, y = session.run(["Z", "C", "Y"], {"X": X.astype(np.float32)})
    assert maps == [{7: -a, -1: -b} for a, b in X.tolist()]
    assert constant.tolist() == [1, 2]
    np.testing.assert_array_equal(y, -X.astype(np.float32))
    assert session.run(["Z"], {"X": np.asfortranarray(X)})[0] == maps


def test_bad_input_is_named(session: sardonyx.Session) -> None:
    with pytest.raises(InputError, match="W"):
        session.run(["W"], {"X": np.zeros((1, 2), np.float32)})
    with pytest.raises(InputError, match="X"):
        session.run(None, {})
    with pytest.raises(InputError, match="X"):
        session.run(None, {"X": np.zeros((1, 3), np.float32)})
    with pytest.raises(InputError, match="V"):
        session.run(None, {"X": np.zeros((1, 2), np.float32), "V": np.zeros(1)})
