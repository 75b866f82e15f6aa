"""Reductions over columns, and what goes along them: sums, extremes, order statistics, differences."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, op, where
from .array import Array, Axes, cast, constant, is_array, join, refuse
from .functions import Rule, implements
from .functions import apply_ufunc as _u
from .functions import numeric as _numeric
from .functions import wide as _wide

# ---- reductions ------------------------------------------------------------------------------------------------------


def _reduced(x: Array, axis: Axes, keepdims: bool, kernel: Callable[[list[int]], Value]) -> Array:
    """Return a reduction that keeps its axes, without them unless they are to stay."""
    axes = x.axes(axis)
    value = kernel(axes)
    if keepdims:
        return x.like(value)
    gone = sum(a <= x.row_axis for a in axes)
    return x.like(op.Squeeze(value, np.array(axes)), x.row_axis - gone)


def _sum_dtype(x: Array, dtype: Any) -> np.dtype[Any]:
    if dtype is not None:
        return np.dtype(dtype)
    return np.dtype(np.int64) if x.dtype.kind in "ib" else np.dtype(np.uint64) if x.dtype.kind == "u" else x.dtype


@implements(np.sum)
def sum_(a: Array, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _folded(a, axis, dtype, keepdims, "ReduceSum", np.add)


@implements(np.prod)
def prod(a: Array, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _folded(a, axis, dtype, keepdims, "ReduceProd", np.multiply)


def _folded(a: Array, axis: Axes, dtype: Any, keepdims: bool, op_type: str, ufunc: np.ufunc) -> Array:
    result = _sum_dtype(a, dtype)
    given = _numeric(a).astype(result if result.kind == "f" else np.int64)
    fold = getattr(op, op_type)

    def kernel(axes: list[int]) -> Value:
        if result.kind == "f":
            folded: Value = fold(given, np.array(axes), keepdims=1)
            return folded
        return cast(_exactly(given, axes, ufunc), result)

    return _reduced(a, axis, keepdims, kernel)


def _exactly(value: Value, axes: list[int], ufunc: np.ufunc) -> Value:
    """Fold integers column by column: ONNX Runtime's reductions round those beyond 2**53."""
    for axis in axes:
        before = (slice(None),) * axis
        if ufunc is np.add and value.dim(axis):
            value = op.CumSum(value, np.int64(axis))[(*before, slice(-1, None))]
            continue
        parts = [value[(*before, slice(i, i + 1))] for i in range(value.dim(axis))]
        value = functools.reduce(ufunc, parts) if parts else op.ReduceProd(value, np.array([axis]), keepdims=1)
    return value


def _any_nan(value: Value, axes: list[int]) -> Value:
    flags: Value = op.ReduceMax(op.IsNaN(value).astype(np.int64), np.array(axes), keepdims=1)
    return flags > 0


def _extreme(op_type: str) -> Rule:
    def rule(a: Array, axis: Axes = None, keepdims: bool = False) -> Array:
        value = _numeric(a)

        def kernel(axes: list[int]) -> Value:
            if 0 in [value.dim(x) for x in axes]:
                refuse("an extreme of no columns")
            found: Value = getattr(op, op_type)(_wide(value), np.array(axes), keepdims=1)
            if value.dtype.kind != "f":
                return cast(found, value.dtype)
            return where(_any_nan(value, axes), value.dtype.type(np.nan), found)

        return _reduced(a, axis, keepdims, kernel)

    return rule


max_ = implements(np.max, np.amax)(_extreme("ReduceMax"))
min_ = implements(np.min, np.amin)(_extreme("ReduceMin"))


@implements(np.ptp)
def ptp(a: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    return _u(np.subtract, max_(a, axis, keepdims), min_(a, axis, keepdims))


def _count(a: Array, axis: Axes) -> int:
    return int(np.prod([a.value.dim(x) for x in a.axes(axis)]))


def _floating(a: Array, dtype: Any = None) -> Array:
    target = np.dtype(dtype) if dtype is not None else a.dtype if a.dtype.kind == "f" else np.dtype(np.float64)
    return a.like(cast(_numeric(a), target))


@implements(np.mean)
def mean(a: Array, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _u(np.true_divide, sum_(_floating(a, dtype), axis, None, keepdims), _count(a, axis))


@implements(np.var)
def var(a: Array, axis: Axes = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Array:
    given = _floating(a, dtype)
    gaps = _u(np.subtract, given, mean(given, axis, keepdims=True))
    total = sum_(_u(np.multiply, gaps, gaps), axis, None, keepdims)
    return _u(np.true_divide, total, max(_count(a, axis) - ddof, 0))


@implements(np.std)
def std(a: Array, axis: Axes = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Array:
    return _u(np.sqrt, var(a, axis, dtype, ddof, keepdims))


@implements(np.average)
def average(a: Array, axis: Axes = None, weights: Any = None, keepdims: bool = False) -> Array:
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    w = np.asarray(weights)
    if (
        w.ndim != 1
        or not isinstance(axis, int | np.integer)
        or (len(w),) != tuple(a.value.dim(x) for x in a.axes(axis))
    ):
        refuse("np.average with weights of other than one constant number a column")
    shape = [1] * a.ndim
    shape[int(axis)] = len(w)
    dtype = np.result_type(a.dtype, w.dtype, np.float64 if a.dtype.kind in "iub" else a.dtype)
    total = sum_(_u(np.multiply, a.astype(dtype), w.reshape(shape).astype(dtype)), axis, None, keepdims)
    return _u(np.true_divide, total, w.sum(dtype=dtype))


def _truths(op_type: str) -> Rule:
    def rule(a: Array, axis: Axes = None, keepdims: bool = False) -> Array:
        truth = cast(_numeric(a), np.dtype(np.bool_)).astype(np.int64)
        fold = getattr(op, op_type)
        return _reduced(a, axis, keepdims, lambda axes: fold(truth, np.array(axes), keepdims=1) > 0)

    return rule


any_ = implements(np.any)(_truths("ReduceMax"))
all_ = implements(np.all)(_truths("ReduceMin"))


@implements(np.count_nonzero)
def count_nonzero(a: Array, axis: Axes = None, *, keepdims: bool = False) -> Array:
    return sum_(a.astype(np.bool_), axis, None, keepdims)


def _position(op_type: str) -> Rule:
    def rule(a: Array, axis: Any = None, *, keepdims: bool = False) -> Array:
        value, (inner,) = _wide(_numeric(a)), a.axes(axis)
        find = getattr(op, op_type)
        found: Value = find(value, axis=inner, keepdims=1)
        if value.dtype.kind == "f":  # the first NaN, as NumPy; elsewhere NaN is what comparisons make of it
            nan = op.IsNaN(value)
            clean = where(nan, value.dtype.type(0), value)
            first = op.ArgMax(nan.astype(np.int64), axis=inner, keepdims=1)
            found = where(_any_nan(value, [inner]), first, find(clean, axis=inner, keepdims=1))
        return _reduced(a, axis, keepdims, lambda _: found)

    return rule


implements(np.argmax)(_position("ArgMax"))
implements(np.argmin)(_position("ArgMin"))


@implements(np.nansum)
def nansum(a: Array, axis: Axes = None, *, keepdims: bool = False) -> Array:
    return sum_(_filled(a, 0), axis, None, keepdims)


def _filled(a: Array, number: float) -> Array:
    return a if a.dtype.kind != "f" else a.like(where(op.IsNaN(a.value), a.dtype.type(number), a.value))


@implements(np.nanmean)
def nanmean(a: Array, axis: Axes = None, *, keepdims: bool = False) -> Array:
    known = sum_(_u(np.logical_not, _u(np.isnan, a)), axis, None, keepdims)
    total = nansum(_floating(a), axis, keepdims=keepdims)
    return _u(np.true_divide, total, known.astype(total.dtype))


def _nan_extreme(rule: Rule, filler: float) -> Rule:
    def call(a: Array, axis: Axes = None, *, keepdims: bool = False) -> Array:
        if a.dtype.kind != "f":
            return rule(a, axis, keepdims)
        missing = all_(_u(np.isnan, a), axis, keepdims)
        found = rule(_filled(a, filler), axis, keepdims)
        return found.like(where(missing.value, a.dtype.type(np.nan), found.value))

    return call


implements(np.nanmax)(_nan_extreme(max_, -np.inf))
implements(np.nanmin)(_nan_extreme(min_, np.inf))


@implements(np.linalg.norm)
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    if not isinstance(axis, int | np.integer) or ord not in (None, 1, 2, np.inf, -np.inf):
        refuse("np.linalg.norm of other than vectors (axis=1) with ord None, 1, 2 or inf")
    given = _floating(x)
    if ord in (np.inf, -np.inf):
        return (max_ if ord > 0 else min_)(_u(np.absolute, given), axis, keepdims)
    if ord == 1:
        return sum_(_u(np.absolute, given), axis, None, keepdims)
    return _u(np.sqrt, sum_(_u(np.multiply, given, given), axis, None, keepdims))


# ---- along an axis ---------------------------------------------------------------------------------------------------


@implements(np.cumsum)
def cumsum(a: Array, axis: Any = None, dtype: Any = None) -> Array:
    result, (inner,) = _sum_dtype(a, dtype), a.axes(axis)
    value = _numeric(a).astype(result if result.kind == "f" else np.int64)
    return a.like(cast(op.CumSum(value, np.int64(inner)), result))


@implements(np.cumprod)
def cumprod(a: Array, axis: Any = None, dtype: Any = None) -> Array:
    result, (inner,) = _sum_dtype(a, dtype), a.axes(axis)
    value = _numeric(a).astype(result if result.kind == "f" else np.int64)
    before = (slice(None),) * inner
    parts = [value[(*before, slice(0, 1))]]
    for i in range(1, value.dim(inner)):
        parts.append(parts[-1] * value[(*before, slice(i, i + 1))])
    return a.like(cast(join(parts, inner), result))


@implements(np.diff)
def diff(a: Array, n: int = 1, axis: Any = -1) -> Array:
    for _ in range(n):
        before = (slice(None),) * a.axis(axis)
        inner = before[:0] + (slice(None),) * a.axis(axis)
        late, early = a.value[(*inner, slice(1, None))], a.value[(*inner, slice(None, -1))]
        ufunc = np.not_equal if a.dtype == np.bool_ else np.subtract
        a = _u(ufunc, a.like(late), a.like(early))
    return a


def _ordered(a: Array, axis: Any) -> tuple[Value, int, int]:
    """Return values in ascending order along an axis, NaN last."""
    value, inner = _wide(_numeric(a)), a.axis(axis)
    n = value.dim(inner)
    nan = op.IsNaN(value) if value.dtype.kind == "f" else None
    clean = value if nan is None else where(nan, value.dtype.type(np.inf), value)
    ordered, _ = op.TopK(clean, np.array([n]), axis=inner, largest=0, sorted=1)
    if nan is not None:
        known = op.ReduceSum((~nan).astype(np.int64), np.array([inner]), keepdims=1)
        numbers = np.arange(n).reshape([n if i == inner else 1 for i in range(value.ndim)])
        ordered = where(known <= numbers, value.dtype.type(np.nan), ordered)
    return ordered, inner, n


@implements(np.sort)
def sort(a: Array, axis: Any = -1, kind: Any = None) -> Array:
    return a.like(cast(_ordered(a, axis)[0], a.dtype))


@implements(np.median)
def median(a: Array, axis: Any = None, keepdims: bool = False) -> Array:
    if not isinstance(axis, int | np.integer):
        refuse("np.median over several axes, or over all; name one: axis=1")
    given = _floating(a)
    ordered, inner, n = _ordered(given, axis)
    before = (slice(None),) * inner
    middle = [ordered[(*before, slice(k, k + 1))] for k in sorted({(n - 1) // 2, n // 2})]
    found = middle[0] if len(middle) == 1 else (middle[0] + middle[1]) / given.dtype.type(2)
    found = where(_any_nan(given.value, [inner]), given.dtype.type(np.nan), found)
    return _reduced(given, int(axis), keepdims, lambda _: found)


@implements(np.flip)
def flip(m: Array, axis: Any = None) -> Array:
    value = m.value
    for inner in m.axes(axis):
        value = value[(slice(None),) * inner + (slice(None, None, -1),)]
    return m.view(value, m.row_axis)


@implements(np.fliplr)
def fliplr(m: Array) -> Array:
    return flip(m, 1)


@implements(np.take)
def take(a: Array, indices: Any, axis: Any = None, mode: str = "raise") -> Array:
    if not is_array(a):
        return _from_table(np.asarray(a), indices, axis)
    inner = a.axis(axis) if axis is not None else a.axes(axis)[0]
    user = inner - 1 if inner - 1 < a.row_axis else inner
    if mode != "raise" or np.ndim(indices) > 1:
        refuse("np.take of other than one list of columns")
    return a[(slice(None),) * user + (np.asarray(indices),)].copy()


def _from_table(table: Any, indices: Array, axis: Any) -> Array:
    if axis not in (None, 0) or table.ndim != 1 or indices.dtype.kind not in "iu":
        refuse("np.take from a constant of more than one dimension, or at other than integers")
    from ..operators.checks import require

    value = indices.value.astype(np.int64)
    inside = (value >= -len(table)) & (value < len(table))
    value = require(value, inside, message=f"np.take: index out of bounds for a table of {len(table)}")
    safe = op.Clip(value, np.int64(-len(table)), np.int64(len(table) - 1))
    return indices.like(op.Gather(constant(table, table.dtype), where(safe < 0, safe + len(table), safe), axis=0))


@implements(np.repeat)
def repeat(a: Array, repeats: Any, axis: Any = None) -> Array:
    inner = a.axes(axis)[0]
    places = np.repeat(np.arange(a.value.dim(inner)), repeats)
    return a.like(a.value[(slice(None),) * inner + (places,)])


@implements(np.roll)
def roll(a: Array, shift: Any, axis: Any = None) -> Array:
    inner = a.axes(axis)[0]
    places = np.roll(np.arange(a.value.dim(inner)), shift)
    return a.like(a.value[(slice(None),) * inner + (places,)])
