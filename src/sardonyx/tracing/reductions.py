"""Reductions over columns, and what goes along them: sums, extremes, order statistics, differences."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, concat, op, where
from .array import Array, Axes, cast, constant, is_array, refuse
from .functions import Rule, implements
from .functions import apply_ufunc as _u
from .functions import numeric as _numeric
from .functions import wide as _wide
from .joining import concatenate, full

# ---- reductions ------------------------------------------------------------------------------------------------------


def reduced(x: Array, axis: Axes, keepdims: bool, kernel: Callable[[list[int]], Value]) -> Array:
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

    return reduced(a, axis, keepdims, kernel)


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


def any_nan(value: Value, axes: list[int]) -> Value:
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
            return where(any_nan(value, axes), value.dtype.type(np.nan), found)

        return reduced(a, axis, keepdims, kernel)

    return rule


max_ = implements(np.max, np.amax)(_extreme("ReduceMax"))
min_ = implements(np.min, np.amin)(_extreme("ReduceMin"))


@implements(np.ptp)
def ptp(a: Array, axis: Axes = None, keepdims: bool = False) -> Array:
    return _u(np.subtract, max_(a, axis, keepdims), min_(a, axis, keepdims))


def _count(a: Array, axis: Axes) -> int:
    return int(np.prod([a.value.dim(x) for x in a.axes(axis)]))


def floating(a: Array, dtype: Any = None) -> Array:
    target = np.dtype(dtype) if dtype is not None else a.dtype if a.dtype.kind == "f" else np.dtype(np.float64)
    return a.like(cast(_numeric(a), target))


@implements(np.mean)
def mean(a: Array, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _u(np.true_divide, sum_(floating(a, dtype), axis, None, keepdims), _count(a, axis))


@implements(np.var)
def var(a: Array, axis: Axes = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Array:
    given = floating(a, dtype)
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
    def rule(a: Array, axis: Axes = None, keepdims: bool = False) -> Any:
        if axis is None or (a.row_axis == 0 and a.ndim == 1 and axis == 0):
            from .guards import asked_of_all

            return asked_of_all(a.like(_numeric(a)), of_all=op_type == "ReduceMin")
        truth = cast(_numeric(a), np.dtype(np.bool_)).astype(np.int64)
        fold = getattr(op, op_type)
        return reduced(a, axis, keepdims, lambda axes: fold(truth, np.array(axes), keepdims=1) > 0)

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
            found = where(any_nan(value, [inner]), first, find(clean, axis=inner, keepdims=1))
        return reduced(a, axis, keepdims, lambda _: found)

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
    total = nansum(floating(a), axis, keepdims=keepdims)
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
    matrices = isinstance(axis, tuple | list) and len(axis) == 2
    if axis is None or (matrices and ord not in (None, "fro")) or (isinstance(ord, str) and not matrices):
        refuse("np.linalg.norm of other than vectors (axis=1), or of matrices by Frobenius' norm (axis=(1, 2))")
    given = floating(x)
    size: Any = _u(np.absolute, given)
    if matrices or ord in (None, 2):
        return _u(np.sqrt, sum_(_u(np.multiply, given, given), axis, None, keepdims))
    if ord in (np.inf, -np.inf):
        return (max_ if ord > 0 else min_)(size, axis, keepdims)
    if ord == 0:
        return sum_(_u(np.not_equal, given, 0), axis, None, keepdims).astype(given.dtype)
    if ord == 1:
        return sum_(size, axis, None, keepdims)
    return _u(np.power, sum_(_u(np.power, size, ord), axis, None, keepdims), given.dtype.type(1 / ord))


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
    return a.like(cast(concat(parts, inner), result))


def _extended(a: Array, axis: Any, before: Any, after: Any) -> Array:
    """Return an array with arrays or numbers put before and after it along an axis."""
    a.axis(axis)
    place = int(axis) % a.ndim
    edge = a[(slice(None),) * place + (slice(0, 1),)]
    parts = [x if is_array(x) else full(edge, x, np.asarray(x).dtype) for x in (before, after) if x is not None]
    ordered = [*parts[: before is not None], a, *parts[before is not None :]]
    return concatenate(ordered, place) if parts else a


@implements(np.diff)
def diff(a: Array, n: int = 1, axis: Any = -1, prepend: Any = None, append: Any = None) -> Array:
    a = _extended(a, axis, prepend, append)
    for _ in range(n):
        before = (slice(None),) * a.axis(axis)
        inner = before[:0] + (slice(None),) * a.axis(axis)
        late, early = a.value[(*inner, slice(1, None))], a.value[(*inner, slice(None, -1))]
        ufunc = np.not_equal if a.dtype == np.bool_ else np.subtract
        a = _u(ufunc, a.like(late), a.like(early))
    return a


def accumulated(ufunc: np.ufunc) -> Rule:
    """Return ``ufunc.accumulate``: each column and what came of those before it."""

    def rule(a: Array, axis: Any = 0, dtype: Any = None) -> Array:
        inner = a.axis(axis)
        before = (slice(None),) * inner
        columns = [a.like(a.value[(*before, slice(i, i + 1))]) for i in range(a.value.dim(inner))]
        return a.like(concat([c.value for c in itertools.accumulate(columns, functools.partial(_u, ufunc))], inner))

    return rule


ACCUMULATED: dict[np.ufunc, Rule] = {
    np.add: cumsum, np.multiply: cumprod,
    **{u: accumulated(u) for u in (np.maximum, np.minimum, np.fmax, np.fmin, np.logical_and, np.logical_or)},
}  # fmt: skip


#: ufuncs whose ``reduce`` is a function of its own
REDUCED: dict[np.ufunc, Rule] = {
    np.add: sum_, np.multiply: prod, np.maximum: max_, np.minimum: min_, np.logical_or: any_, np.logical_and: all_,
}  # fmt: skip


def along(ufunc: np.ufunc, method: str, a: Array, axis: Any = 0, **options: Any) -> Array:
    """``ufunc.reduce`` and ``ufunc.accumulate``."""
    table = REDUCED if method == "reduce" else ACCUMULATED
    if ufunc not in table or not is_array(a):
        refuse(f"numpy.{ufunc.__name__}.{method} has no ONNX form here; combine columns one by one")
    return table[ufunc](a, axis, **options)


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
        return _from_table(np.asarray(a), indices, axis, mode)
    inner = a.axis(axis) if axis is not None else a.axes(axis)[0]
    user = inner - 1 if inner - 1 < a.row_axis else inner
    if mode != "raise" or np.ndim(indices) > 1:
        refuse("np.take of other than one list of columns")
    return a[(slice(None),) * user + (np.asarray(indices),)].copy()


def _from_table(table: Any, indices: Array, axis: Any, mode: str) -> Array:
    """Return rows of a constant table, one for each index."""
    if (axis not in (0, -table.ndim) and table.ndim > 1) or indices.dtype.kind not in "iu" or indices.row_axis:
        refuse("np.take from a constant along other than its first axis (axis=0), or at other than integers")
    if table.dtype.kind in "OUT":
        table = table.astype(object)
    found = places(indices.value.astype(np.int64), len(table), mode)
    return Array(op.Gather(constant(table, table.dtype), found, axis=0))


def places(value: Value, n: int, mode: str) -> Value:
    """Return indices from 0 to n - 1."""
    if mode == "wrap":
        return op.Mod(value, np.int64(n))
    if mode == "clip":
        return op.Clip(value, np.int64(0), np.int64(n - 1))
    from ..operators.checks import require

    inside = (value >= -n) & (value < n)
    value = require(value, inside, message=f"np.take: index out of bounds for a table of {n}")
    safe = op.Clip(value, np.int64(-n), np.int64(n - 1))
    return where(safe < 0, safe + n, safe)


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
