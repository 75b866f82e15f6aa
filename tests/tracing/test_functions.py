"""Functions on traced arrays do what NumPy does, in both runtimes, natively, at numeric edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.preprocessing import FunctionTransformer

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError
from sardonyx.tracing.array import UFUNCS

from ..exactness import assert_exact

Array = NDArray[Any]
FLOATS = (0, -0.0, 1, -1, 0.5, -0.5, 2.5, -2.5, 8, 1e-300, 5e-324, 1e300, np.nan, np.inf, -np.inf, 3, 100, 7.25, 0.1)
INTEGERS = (0, 1, -1, 2, 3, -5, 7, 100, 127, -128, 2**31 - 1, -(2**31), 2**62, -(2**63))


def rows(dtype: str, n: int = 150, seed: int = 0) -> Array:
    """Rows of four columns drawn from a dtype's edges."""
    rng, kind = np.random.default_rng(seed), np.dtype(dtype)
    if kind.kind == "b":
        return rng.random((n, 4)) > 0.5
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(FLOATS).astype(kind)[rng.integers(0, len(FLOATS), (n, 4))]
    limits = np.iinfo(kind)
    fitting = np.array([i for i in INTEGERS if limits.min <= i <= limits.max], kind)
    return fitting[rng.integers(0, len(fitting), (n, 4))]


def same(function: Callable[[Any], Any], X: Array, *, may_refuse: bool = False) -> bool:
    """Compare a function with its conversion; return whether it converts."""
    with np.errstate(all="ignore"):
        try:
            expected = np.asarray(function(X))
        except (TypeError, OverflowError, ValueError):
            expected = None
        try:
            model = convert(FunctionTransformer(function).fit(X), X)
        except ConversionError:
            assert may_refuse or expected is None
            return False
    assert expected is not None, "NumPy refuses this"
    session = sardonyx.load(model)
    assert "reference" not in str(session.explain()).lower()
    for actual in (
        session.run(None, session.feeds(X))[0],
        ort.InferenceSession(model.SerializeToString()).run(None, {"X": X})[0],
    ):
        assert actual.dtype == expected.dtype
        assert_exact(actual, expected)
    return True


# ---- ufuncs


@pytest.mark.parametrize("ufunc", [u for u in UFUNCS if u is not np.matmul], ids=lambda u: u.__name__)
def test_ufuncs(ufunc: np.ufunc) -> None:
    """Every ufunc converts for float64, and for every other dtype does what NumPy does or is refused."""

    def apply(X: Any) -> Any:
        other = () if ufunc.nin == 1 else (X[:, ::-1],)
        result = ufunc(X, *other)
        return np.concatenate(result, axis=1) if ufunc.nout > 1 else result

    def by_constant(X: Any) -> Any:
        result = ufunc(X, 3)
        return np.concatenate(result, axis=1) if ufunc.nout > 1 else result

    floats = {np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift}
    assert same(apply, rows("float64"), may_refuse=ufunc in floats) is (ufunc not in floats)
    for dtype in ("float32", "int64", "int8", "bool"):
        same(apply, rows(dtype), may_refuse=True)
    if ufunc.nin == 2:
        assert same(by_constant, rows("int64"))
        assert ufunc in floats or same(by_constant, rows("float32"))


# ---- functions


ONE_BY_ONE = """
np.where(X > 0, X, 0)            np.where(X[:, :1] > 0, X, -X)      np.clip(X, 0, 1)          np.clip(X, -1.5, None)
np.round(X, 2)                   np.round(X)                        np.nan_to_num(X)          np.nan_to_num(X, nan=-1, posinf=9)
np.concatenate([X, X * 2], axis=1)      np.column_stack([X[:, 0], X[:, 1:3]])      np.stack([X[:, 0], X[:, 1]], axis=1)
np.c_[X[:, 0], X]                np.array([X[:, 0], X[:, 2]]).T     X.T[1]                    X.T.max(axis=0)
np.vstack([X[:, 0], X[:, 2]]).T   np.take(X, [2, 0], axis=1)         X[:, [0, -1]]             X[:, ::-1]
X[:, np.array([True, False, True, False])]                          X[..., 1]                 X[:, 1:3, None]
X.reshape(-1, 2, 2)              X.reshape(X.shape[0], -1)          X[:, :1].ravel()          np.expand_dims(X, 1)
X.sum(axis=1)                    X.sum(1, keepdims=True)            X.mean(axis=-1)           X.std(axis=1)
X.var(axis=1, ddof=1)            X.min(axis=1)                      X.max(axis=1)             np.ptp(X, axis=1)
np.any(X, axis=1)                np.all(X > 0, axis=1)              np.argmax(X, axis=1)      np.argmin(X, axis=1)
np.cumsum(X, axis=1)             np.diff(X, axis=1)                 np.diff(X, n=2)           np.count_nonzero(X, axis=1)
np.median(X, axis=1)             np.sort(X, axis=1)                 np.average(X, axis=1)     np.prod(X, axis=1)
np.nansum(X, axis=1)             np.nanmean(X, axis=1)              np.nanmax(X, axis=1)      np.nanmin(X, axis=1)
np.linalg.norm(X, axis=1)        np.linalg.norm(X, 1, axis=1)       np.linalg.norm(X, np.inf, axis=1, keepdims=True)
np.select([X < 0, X > 1], [X * 2, X - 1], default=7)                np.digitize(X, [0, 1, 2.5])
np.digitize(X, [0, 1, 2.5], right=True)                             np.searchsorted([0, 1, 2.5], X[:, 0])
np.interp(X, [0, 1, 2.5, 8], [1, 3, -2, 0])     np.interp(X[:, 0], [0, 1], [1, 3], left=-9, right=np.nan)
np.polyval([1, 2, 3], X)         X.astype(np.float32)               X.astype(bool)            (X > 0).astype(float)
np.zeros_like(X)                 np.ones_like(X[:, 0], dtype=int)   np.full_like(X, 3)        np.isin(X, [1, 2, 2.5])
np.isclose(X, 1.0000001)         np.flip(X, axis=1)                 np.roll(X, 1, axis=1)     np.repeat(X, 2, axis=1)
np.hstack(np.split(X, 2, axis=1)[::-1])         np.squeeze(X[:, :1], axis=1)    np.asarray(X, dtype=np.float64)
X**2                             X**3                               -X % 3                    X // 2
X**2.0                           X**0.5                             (1.0 * X)**-1             (X > 0)**2
np.power(X, 0.5)                 np.power(X, np.float64(0.5))       (1.0 * X)**np.array(0.5)   2**(X > 0).astype(float)
np.add.reduce(X, axis=1)         np.maximum.reduce(X, axis=1)       np.broadcast_to(X[:, :1], X.shape)
np.percentile(X, 75, axis=1)     np.quantile(X, [0, 0.3, 1], axis=1).T                         np.nanpercentile(X, 30, axis=1)
np.nanmedian(X, axis=1)          np.nanstd(X, axis=1)               np.nanvar(X, axis=1, ddof=1)   np.nanprod(X, axis=1)
np.nancumsum(X, axis=1)          np.nanargmax(np.where(np.isnan(X), 0, X), axis=1)             np.nanquantile(X, 0.25, axis=1)
np.argsort(X, axis=1, kind="stable")            np.take_along_axis(X, np.argsort(X, axis=1, kind="stable"), axis=1)
np.append(X, X[:, :1], axis=1)   np.insert(X, 1, 7, axis=1)         np.insert(X, 1, X[:, 0], axis=1)                          np.delete(X, [1, -1], axis=1)
np.tile(X, (1, 2))               np.pad(X, ((0, 0), (1, 2)))        np.pad(X, ((0, 0), (2, 0)), mode="edge")                  np.compress([True, False, True], X, axis=1)
np.diff(X, axis=1, prepend=0)    np.diff(X, axis=1, prepend=X[:, :1])           np.maximum.accumulate(X, axis=1)                  np.add.accumulate(X, axis=1)
np.piecewise(X * 1.0, [X < 0, X > 2], [-1, lambda v: v * 2, 0])     np.choose(np.digitize(X[:, 0], [0, 1]), [X[:, 1], X[:, 2], 5])
np.take(np.array([10.0, 20.0, 30.0]), np.digitize(X[:, 0], [0, 1]))             np.digitize(X, [2.5, 1, 0])
np.zeros((X.shape[0], 2))        np.ones(len(X))                    np.full((len(X), 3), 2.5)      np.c_[np.ones(len(X)), X]
np.divide(X[:, 0], X[:, 1], out=np.zeros(len(X)), where=X[:, 1] != 0)           np.isposinf(X * 1.0)
np.linalg.norm(X, 0, axis=1)     np.linalg.norm(X / 1e3, 3, axis=1)             np.vander(X[:, 0], 3)          np.cross(X[:, :3], [1, 2, 3])
np.gradient(X, axis=1)           np.trapezoid(X * 1.0, axis=1)      np.einsum("ij,jk", X * 1.0, np.ones((4, 2)))              (np.ones((2, 4)) @ (X * 1.0).T).T
np.sinc(X)                       np.unstack(X, axis=1)[1]           np.inner(np.clip(X, -9, 9), [1.0, 2, 3, 4])
X.clip(min=0)                    X + np.float32(1)                  X[:, :1] * np.arange(3)   np.einsum('ij,ik->ijk', X, X)
X.__array_namespace__().concat([X, X], axis=1)                      X.__array_namespace__().max(X, axis=1)
"""  # noqa: E501
EXPRESSIONS = [e.strip() for line in ONE_BY_ONE.splitlines() for e in line.split("   ") if e.strip()]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_functions(expression: str) -> None:
    function = eval(f"lambda X: {expression}", {"np": np})
    assert same(function, rows("float64"))
    assert same(function, rows(("float32", "int64")[EXPRESSIONS.index(expression) % 2]))


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (np.clip, {"a_min": -1, "a_max": 1}),
        (np.round, {"decimals": 1}),
        (np.nan_to_num, {}),
        (np.sort, {"axis": 1}),
        (np.mean, {"axis": 1, "keepdims": True}),
        (np.take, {"indices": [2, 0], "axis": 1}),
        (np.linalg.norm, {"axis": 1, "keepdims": True}),
        (np.digitize, {"bins": [0.0, 0.5]}),
        (np.asarray, {"dtype": np.float32}),
        (np.array, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_functions_of_numpy_themselves(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """What they catch inside is no user's, and what is replaced in a user's function is replaced here too."""
    X = np.random.default_rng(0).normal(size=(20, 3))
    estimator = FunctionTransformer(function, kw_args=arguments).fit(X)
    actual, expected = sardonyx.compile(estimator, X).transform(X), estimator.transform(X)
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_products() -> None:
    weights, X = np.arange(12.0).reshape(4, 3), np.random.default_rng(0).normal(size=(50, 4))
    assert same(lambda X: X @ weights, X)
    assert same(lambda X: X.dot(weights[:, 0]), X)
    assert same(lambda X: np.einsum("ij,jk->ik", X, weights), X)
    assert same(lambda X: np.einsum("ij,ij->i", X, X), X)
    assert same(lambda X: np.linalg.norm(X[:, None, :] - weights.T, axis=-1), X)
    assert same(lambda X: X @ np.arange(4), rows("int64"))


def masked(X: Any) -> Any:
    X = X.copy()
    X[X > 2] = X[X > 2] * 2 + 1
    X[X[:, 0] < 0, 1] = 0
    X[X[:, 1] == 0] = 3
    X[:, 2][X[:, 2] > 5] = 5
    chosen = X == 1
    X[chosen] -= 1
    X[:, :2] = X[:, 2:]
    np.putmask(X, X == 8, 9)
    return X


def filled(X: Any) -> Any:
    out = np.zeros((len(X), 3))
    out[:, 0] = X[:, 0]
    out[X[:, 0] > 0, 1] = 1
    label = np.zeros(X.shape[0], dtype=int)
    label[X[:, 1] > 0] = 2
    label += X[:, 2] > 0
    out[:, 2] = label
    other = np.empty_like(out)
    other.fill(4)
    np.copyto(other, 0.5, where=np.isnan(out))
    return np.hstack([out, other])


@pytest.mark.parametrize("function", [masked, filled])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_writing_by_masks(function: Callable[[Any], Any], dtype: str) -> None:
    assert same(function, rows(dtype))


def test_choices_of_text() -> None:
    session = sardonyx.compile(FunctionTransformer(lambda X: np.where(X > 0, "ü", "no")), np.eye(2))
    assert session.transform(np.eye(2)).tolist() == [["ü", "no"], ["no", "ü"]]


# ---- random expressions


def grown(data: st.DataObject, depth: int) -> str:
    """A random expression of X."""
    leaf = ["X", "X[:, ::-1]", "X[:, :1]", "2", "0.5", "np.arange(4)"]
    if depth == 0:
        return str(data.draw(st.sampled_from(leaf)))
    a, b = grown(data, depth - 1), grown(data, depth - 1)
    forms = [
        f"({a} + {b})", f"({a} * {b})", f"({a} - {b})", f"np.maximum({a}, {b})", f"np.where({a} > {b}, {a}, {b})",
        f"np.abs({a})", f"np.sign({a})", f"np.floor({a})", f"({a} / (np.abs({b}) + 1))", f"np.minimum({a}, {b})",
        f"np.isnan({a} * 1.0)", f"({a} <= {b})", f"np.fmax({a}, {b})", f"np.rint({a} * 1.5)", f"(-({a} * 1))",
    ]  # fmt: skip
    return str(data.draw(st.sampled_from(forms)))


@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_expressions(data: st.DataObject) -> None:
    expression = grown(data, 3)
    dtype = data.draw(st.sampled_from(["float64", "float32", "int64", "int32"]))
    X = rows(dtype, 40, data.draw(st.integers(0, 100)))
    function = eval(f"lambda X: {expression} + np.zeros_like(X)", {"np": np})
    same(function, X)
