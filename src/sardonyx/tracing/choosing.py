"""Choosing between values, tables of constants, products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Value, op, where
from ..inputs.values import is_missing
from ..protos import STRING
from .array import Array, cast, constant, is_array, refuse
from .functions import apply_ufunc as _u
from .functions import implements
from .joining import full as _full
from .reductions import sum_
from .shapes import aligned

# ---- choosing --------------------------------------------------------------------------------------------------------


@implements(np.where)
def where_(condition: Any, *branches: Any) -> Array:
    if len(branches) != 2:
        refuse("np.where(condition) gives positions of rows; give both branches")
    return _chosen(condition, *branches)


def _dtype_of(x: Any) -> Any:
    if is_array(x):
        return np.dtype(object) if x.value.dtype == STRING else x.dtype
    return x if type(x) in (int, float) else np.asarray(x).dtype


def _chosen(condition: Any, a: Any, b: Any) -> Array:
    kinds = [_dtype_of(x) for x in (a, b)]
    if any(isinstance(k, np.dtype) and k.kind in "OUT" for k in kinds):
        text, dtype = True, np.dtype(object)
        if not all(isinstance(k, np.dtype) and k.kind in "OUT" for k in kinds):
            refuse("np.where with text in one branch and numbers in the other")
    else:
        text = False
        dtype = np.result_type(*kinds) if not all(type(k) in (int, float) for k in kinds) else _weak(a, b)
    test = condition.astype(np.bool_) if is_array(condition) else np.asarray(condition, bool)
    (c, x, y), row_axis = aligned([test, *(v if is_array(v) else np.asarray(v) for v in (a, b))])
    parts = [v if isinstance(v, Value) and text else _as(v, dtype) for v in (x, y)]
    flag = c if isinstance(c, Value) else constant(c, np.dtype(np.bool_))
    return Array(where(flag, *parts), row_axis)


def _weak(a: Any, b: Any) -> np.dtype[Any]:
    return np.dtype(np.float64 if float in (type(a), type(b)) else np.int64)


def _as(v: Any, dtype: np.dtype[Any]) -> Value:
    return cast(v, dtype) if isinstance(v, Value) else constant(v, dtype)


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    if len(condlist) != len(choicelist) or not condlist:
        refuse("np.select takes as many conditions as choices, one at least")
    kinds = [_dtype_of(x) for x in (*choicelist, default)]
    text = any(isinstance(k, np.dtype) and k.kind in "OUT" for k in kinds)
    result: Any = default if text else np.asarray(default, np.result_type(*kinds))
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = _chosen(condition, choice if is_array(choice) or text else np.asarray(choice), result)
    return result


@implements(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = a_min if a_min is not None else min, a_max if a_max is not None else max
    result = a if low is None else _u(np.maximum, a, low)
    return result if high is None else _u(np.minimum, result, high)


@implements(np.round, np.around)
def round_(a: Array, decimals: int = 0) -> Array:
    if a.dtype.kind in "iu" and decimals >= 0:
        return a
    if a.dtype.kind != "f":
        refuse(f"np.round({a.dtype}, decimals={decimals})")
    if decimals == 0:
        return _u(np.rint, a)
    power = float(10 ** abs(decimals))
    up, down = (np.multiply, np.true_divide) if decimals > 0 else (np.true_divide, np.multiply)
    return _u(down, _u(np.rint, _u(up, a, power)), power)


@implements(np.fix)
def fix(x: Array) -> Array:
    return _u(np.trunc, x)


@implements(np.nan_to_num)
def nan_to_num(x: Array, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    if not copy:
        refuse("np.nan_to_num(copy=False) writes into its argument")
    if x.dtype.kind != "f":
        return x.copy()
    kind, limits = x.dtype.type, np.finfo(x.dtype)
    high, low = (limits.max if posinf is None else posinf), (limits.min if neginf is None else neginf)
    value = where(op.IsNaN(x.value), kind(nan), x.value)
    value = where(x.value == kind(np.inf), kind(high), value)
    return x.like(where(x.value == kind(-np.inf), kind(low), value))


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    y: Any = b.astype(np.result_type(b.dtype, 1.0)) if is_array(b) else np.asarray(b, np.result_type(b, 1.0))
    near = np.abs(a - y) <= atol + rtol * np.abs(y)
    result = (near & np.isfinite(y)) | (a == y)
    return result | (np.isnan(a) & np.isnan(y)) if equal_nan else result


@implements(np.isin)
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Array:
    if not is_array(element) or is_array(test_elements):
        refuse("np.isin of other than an array and constants")
    if isinstance(test_elements, set | frozenset):
        refuse("np.isin of a set, which NumPy takes for one object that nothing equals; give a list")
    values = np.asarray(test_elements).ravel()
    if any(is_missing(v) for v in np.asarray(test_elements, object).ravel()):
        refuse("membership in constants of which one is missing; ask for these apart: np.isnan(X), X['a'].isna()")
    hits = [_u(np.equal, element, v if values.dtype.kind in "OUT" else values.dtype.type(v)) for v in values.tolist()]
    result = hits[0] if hits else _full(element, False, bool)
    for hit in hits[1:]:
        result = _u(np.logical_or, result, hit)
    return _u(np.logical_not, result) if invert else result


# ---- tables ----------------------------------------------------------------------------------------------------------


def _counted(x: Any, table: Any, ufunc: np.ufunc) -> Array:
    """Return how many of a table's (ascending) values x is not before, NaN being after all."""
    values = np.asarray(table)
    if not is_array(x) or values.ndim != 1 or values.dtype.kind not in "fiub":
        refuse("a search for other than an array's values in one list of constants")
    before = _u(ufunc, x[(..., None)], values)
    return sum_(_u(np.logical_not, before), axis=-1) if len(values) else _full(x, 0, np.int64)


def _ascending(table: Any, strictly: bool = False) -> None:
    values = np.asarray(table)
    gaps = np.diff(values) if values.ndim == 1 and values.dtype.kind in "fiu" else np.array([-1])
    if not ((gaps > 0) if strictly else (gaps >= 0)).all():
        refuse("a table that is not in ascending order")


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Array:
    _ascending(a)
    if sorter is not None or side not in ("left", "right"):
        refuse("np.searchsorted with a sorter")
    if is_array(a):
        refuse("np.searchsorted in an array that differs from row to row")
    return _counted(v, a, np.less_equal if side == "left" else np.less)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Array:
    edges = np.asarray(bins)
    if edges.ndim == 1 and edges.dtype.kind in "fiu" and len(edges) > 1 and edges[0] > edges[-1]:  # descending
        return _u(np.subtract, len(edges), searchsorted(edges[::-1], x, "left" if right else "right"))
    return searchsorted(bins, x, "left" if right else "right")


@implements(np.interp)
def interp(x: Array, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """NumPy's own order: slope times what is beyond the left knot, plus the value there."""
    knots, values = np.asarray(xp, np.float64), np.asarray(fp, np.float64)
    _ascending(knots, strictly=True)
    if period is not None or len(knots) != len(values) or not np.isfinite([knots, values]).all():
        refuse("np.interp with a period, or with values that are not finite")
    given = x.astype(np.float64)
    place = clip(_u(np.subtract, _counted(given, knots, np.less), 1), 0, max(len(knots) - 2, 0)).value
    slopes = np.append(np.diff(values) / np.diff(knots), 0.0) if len(knots) > 1 else np.zeros(1)
    start, base, slope = (op.Gather(constant(t, t.dtype), place, axis=0) for t in (knots, values, slopes))
    inside = slope * (given.value - start) + base
    found = where(given.value == start, base, inside)
    found = where(given.value >= knots[-1], np.float64(values[-1]), found)
    found = where(given.value > knots[-1], np.float64(values[-1] if right is None else right), found)
    found = where(given.value < knots[0], np.float64(values[0] if left is None else left), found)
    return x.like(where(op.IsNaN(given.value), given.value, found))


@implements(np.polyval)
def polyval(p: Any, x: Array) -> Array:
    if is_array(p):
        refuse("np.polyval with coefficients that differ from row to row")
    result: Any = _full(x, 0)
    for coefficient in np.asarray(p):
        result = _u(np.add, _u(np.multiply, result, x), coefficient)
    return result


implements(np.isposinf)(lambda x: _u(np.equal, x.astype(np.result_type(x.dtype, 0.0)), np.inf))
implements(np.isneginf)(lambda x: _u(np.equal, x.astype(np.result_type(x.dtype, 0.0)), -np.inf))


@implements(np.choose)
def choose_(a: Any, choices: Sequence[Any], mode: str = "raise") -> Array:
    """One of several arrays, by number; numbers that are none are refused when the model runs."""
    if not is_array(a) or a.dtype.kind not in "iu":
        refuse("np.choose by other than integers of each row")
    from .reductions import places

    number = a.like(places(a.value.astype(np.int64), len(choices), mode))
    dtype = np.result_type(*map(_dtype_of, choices))
    result: Any = choices[-1] if is_array(choices[-1]) else np.asarray(choices[-1])
    for i in range(len(choices) - 2, -1, -1):
        result = _chosen(_u(np.equal, number, i), choices[i], result)
    return result.astype(dtype)


@implements(np.sinc)
def sinc(x: Array) -> Array:
    given = x if x.dtype.kind == "f" else x.astype(np.float64)
    y = _u(np.multiply, np.pi, where_(_u(np.equal, given, 0), 1.0e-20, given))
    return _u(np.true_divide, _u(np.sin, y), y)


@implements(np.putmask)
def putmask(a: Array, mask: Any, values: Any) -> None:
    a[mask] = values


@implements(np.copyto)
def copyto(dst: Array, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst[...] = src if where is True else where_(where, src, dst)
