"""NumPy's functions on traced arrays: reductions over columns, joining, choosing, tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Value, op, per_row, where
from ..protos import STRING
from .array import (
    FUNCTIONS,
    KNOWN,
    UFUNCS,
    Array,
    Axes,
    aligned,
    cast,
    constant,
    is_array,
    join,
    refuse,
    reshaped,
    transposed,
)
from .ufuncs import always, broadcast_like

Rule = Callable[..., Any]


def implements(*functions: Any) -> Callable[[Rule], Rule]:
    """Register a rule for functions of NumPy."""

    def declare(rule: Rule) -> Rule:
        FUNCTIONS.update(dict.fromkeys(functions, rule))
        return rule

    return declare


def _u(ufunc: np.ufunc, *inputs: Any) -> Any:
    return UFUNCS[ufunc](*inputs)


def _numeric(x: Array) -> Value:
    if x.value.dtype == STRING or x.value.dtype not in KNOWN:
        refuse(f"this function of {'text' if x.value.dtype == STRING else x.dtype}")
    return x.value


def _wide(value: Value) -> Value:
    return value.astype(np.int64) if value.dtype.kind in "iub" else value


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


def _folding(op_type: str) -> Rule:
    def rule(a: Array, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Array:
        result = _sum_dtype(a, dtype)
        value = _numeric(a)
        given = value.astype(result if result.kind == "f" else np.int64)
        fold = getattr(op, op_type)
        return _reduced(a, axis, keepdims, lambda axes: cast(fold(given, np.array(axes), keepdims=1), result))

    return rule


sum_ = implements(np.sum)(_folding("ReduceSum"))
prod = implements(np.prod)(_folding("ReduceProd"))


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
    return _u(np.subtract, max_(a, axis, keepdims), min_(a, axis, keepdims))  # type: ignore[no-any-return]


def _count(a: Array, axis: Axes) -> int:
    return int(np.prod([a.value.dim(x) for x in a.axes(axis)]))


def _floating(a: Array, dtype: Any = None) -> Array:
    target = np.dtype(dtype) if dtype is not None else a.dtype if a.dtype.kind == "f" else np.dtype(np.float64)
    return a.like(cast(_numeric(a), target))


@implements(np.mean)
def mean(a: Array, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _u(np.true_divide, sum_(_floating(a, dtype), axis, None, keepdims), _count(a, axis))  # type: ignore[no-any-return]


@implements(np.var)
def var(a: Array, axis: Axes = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Array:
    given = _floating(a, dtype)
    gaps = _u(np.subtract, given, mean(given, axis, keepdims=True))
    total = sum_(_u(np.multiply, gaps, gaps), axis, None, keepdims)
    return _u(np.true_divide, total, max(_count(a, axis) - ddof, 0))  # type: ignore[no-any-return]


@implements(np.std)
def std(a: Array, axis: Axes = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False) -> Array:
    return _u(np.sqrt, var(a, axis, dtype, ddof, keepdims))  # type: ignore[no-any-return]


@implements(np.average)
def average(a: Array, axis: Axes = None, weights: Any = None, keepdims: bool = False) -> Array:
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    w = np.asarray(weights)
    if w.ndim != 1 or not isinstance(axis, int | np.integer) or (len(w),) != tuple(a.value.dim(x) for x in a.axes(axis)):
        refuse("np.average with weights of other than one constant number a column")
    shape = [1] * a.ndim
    shape[int(axis)] = len(w)
    dtype = np.result_type(a.dtype, w.dtype, np.float64 if a.dtype.kind in "iub" else a.dtype)
    total = sum_(_u(np.multiply, a.astype(dtype), w.reshape(shape).astype(dtype)), axis, None, keepdims)
    return _u(np.true_divide, total, w.sum(dtype=dtype))  # type: ignore[no-any-return]


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
    return _u(np.true_divide, total, known.astype(total.dtype))  # type: ignore[no-any-return]


def _nan_extreme(rule: Rule, filler: float) -> Rule:
    def call(a: Array, axis: Axes = None, *, keepdims: bool = False) -> Array:
        if a.dtype.kind != "f":
            return rule(a, axis, keepdims)  # type: ignore[no-any-return]
        missing = all_(_u(np.isnan, a), axis, keepdims)
        found = rule(_filled(a, filler), axis, keepdims)
        return found.like(where(missing.value, a.dtype.type(np.nan), found.value))  # type: ignore[no-any-return]

    return call


implements(np.nanmax)(_nan_extreme(max_, -np.inf))
implements(np.nanmin)(_nan_extreme(min_, np.inf))


@implements(np.linalg.norm)
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    if not isinstance(axis, int | np.integer) or ord not in (None, 1, 2, np.inf, -np.inf):
        refuse("np.linalg.norm of other than vectors (axis=1) with ord None, 1, 2 or inf")
    given = _floating(x)
    if ord in (np.inf, -np.inf):
        return (max_ if ord > 0 else min_)(_u(np.absolute, given), axis, keepdims)  # type: ignore[no-any-return]
    if ord == 1:
        return sum_(_u(np.absolute, given), axis, None, keepdims)  # type: ignore[no-any-return]
    return _u(np.sqrt, sum_(_u(np.multiply, given, given), axis, None, keepdims))  # type: ignore[no-any-return]


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
    return _reduced(given, axis, keepdims, lambda _: found)


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
    return a[(slice(None),) * user + (np.asarray(indices),)].copy()  # type: ignore[no-any-return]


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


# ---- joining and shaping ---------------------------------------------------------------------------------------------


def _joined(arrays: Sequence[Any], axis: Any, dtype: Any = None) -> Array:
    """Concatenate along an axis that the user sees; all must be arrays of rows."""
    items = list(arrays)
    first = next(x for x in items if is_array(x))
    if not all(is_array(x) for x in items):
        refuse("constants beside arrays of rows; a constant column is np.full_like(X[:, :1], value)")
    if len({(x.ndim, x.row_axis) for x in items}) > 1:
        refuse(f"arrays of different forms: {', '.join(map(repr, items))}")
    text = [x.value.dtype == STRING for x in items]
    if any(text) and not all(text):
        refuse("text beside numbers in one array; keep them in columns of a frame")
    target = first.value.dtype if all(text) else np.result_type(*(x.dtype for x in items))
    inner = first.axis(axis)
    values = [x.value if all(text) else cast(x.value, target) for x in items]
    joined = first.like(join(values, inner) if len(values) > 1 else values[0])
    return joined if dtype is None else joined.astype(dtype)


@implements(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: Any = 0, *, dtype: Any = None) -> Array:
    if axis is None:
        refuse("np.concatenate(axis=None) puts rows after rows; use axis=1")
    return _joined(arrays, axis, dtype)


@implements(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0) -> Array:
    items = list(arrays)
    if not all(is_array(x) for x in items):
        refuse("constants beside arrays of rows; a constant column is np.full_like(x, value)")
    ndim = items[0].ndim + 1
    place = axis % ndim
    return _joined([expand_dims(x, place) for x in items], place)


@implements(np.expand_dims)
def expand_dims(a: Array, axis: Any) -> Array:
    if not isinstance(axis, int | np.integer):
        refuse("np.expand_dims with several axes; add one at a time")
    place = int(axis) % (a.ndim + 1)
    key: list[Any] = [slice(None)] * a.ndim
    key.insert(place, None)
    return a[tuple(key)]  # type: ignore[no-any-return]


@implements(np.squeeze)
def squeeze(a: Array, axis: Any = None) -> Array:
    if axis is None:
        refuse("squeeze() without an axis takes away the rows where there is one; name the axis: squeeze(axis=1)")
    axes = a.axes(axis)
    if any(a.value.dim(x) != 1 for x in axes):
        refuse(f"squeeze of an axis of {a!r} that is not 1")
    return a.view(op.Squeeze(a.value, np.array(axes)), a.row_axis - sum(x <= a.row_axis for x in axes))


def _columns(x: Any) -> Any:
    return x[:, None] if is_array(x) and x.ndim == 1 else x


@implements(np.hstack)
def hstack(tup: Sequence[Any], *, dtype: Any = None) -> Array:
    items = list(tup)
    if any(is_array(x) and x.ndim == 1 for x in items):
        refuse("np.hstack of flat arrays puts rows after rows; use np.column_stack")
    return _joined(items, 1, dtype)


@implements(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Array:
    return _joined([_columns(x) for x in tup], 1)


@implements(np.vstack)
def vstack(tup: Sequence[Any], *, dtype: Any = None) -> Array:
    return _joined([x[None, :] if is_array(x) and x.ndim == 1 else x for x in tup], 0, dtype)


@implements(np.dstack)
def dstack(tup: Sequence[Any]) -> Array:
    return _joined([x[:, :, None] if is_array(x) and x.ndim == 2 else x for x in tup], 2)


@implements(np.split, np.array_split)
def split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    n = ary.value.dim(ary.axis(axis))
    before = (slice(None),) * (axis % ary.ndim)
    places = np.array_split(np.arange(n), indices_or_sections)
    stops = np.cumsum([0, *map(len, places)])
    return [ary[(*before, slice(int(a), int(b)))] for a, b in zip(stops[:-1], stops[1:], strict=True)]


@implements(np.hsplit)
def hsplit(ary: Array, indices_or_sections: Any) -> list[Array]:
    return split(ary, indices_or_sections, 1)


implements(np.transpose)(lambda a, axes=None: transposed(a, tuple(axes or reversed(range(a.ndim)))))
implements(np.reshape)(lambda a, shape, order="C", **kw: reshaped(a, shape if isinstance(shape, tuple) else (shape,)))
implements(np.ravel)(lambda a, order="C": reshaped(a, (-1,), order))
implements(np.copy)(lambda a, order="K", subok=False: a.copy())
implements(np.shape)(lambda a: a.shape)
implements(np.ndim)(lambda a: a.ndim)
implements(np.size)(lambda a, axis=None: a.size if axis is None else a.shape[axis])
implements(np.real)(lambda val: val)
implements(np.iscomplexobj)(lambda x: False)
implements(np.isrealobj)(lambda x: True)
implements(np.result_type)(lambda *args: np.result_type(*(a.dtype if is_array(a) else a for a in args)))


@implements(np.swapaxes)
def swapaxes(a: Array, axis1: int, axis2: int) -> Array:
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transposed(a, tuple(order))


@implements(np.moveaxis)
def moveaxis(a: Array, source: int, destination: int) -> Array:
    order = [i for i in range(a.ndim) if i != source % a.ndim]
    order.insert(destination % a.ndim, source % a.ndim)
    return transposed(a, tuple(order))


@implements(np.atleast_1d)
def atleast_1d(*arys: Array) -> Array:
    return arys[0] if len(arys) == 1 else refuse("np.atleast_1d of several arrays")


@implements(np.atleast_2d)
def atleast_2d(*arys: Array) -> Array:
    (a,) = arys if len(arys) == 1 else refuse("np.atleast_2d of several arrays")
    return a[None, :] if a.ndim == 1 else a  # type: ignore[no-any-return]


def _full(a: Array, number: Any, dtype: Any = None, **_: Any) -> Array:
    target = np.dtype(dtype) if dtype is not None else a.dtype
    value = constant(number, target)
    return a.like(where(always(a.value), value, value))


implements(np.zeros_like)(lambda a, dtype=None, **kw: _full(a, 0, dtype))
implements(np.ones_like)(lambda a, dtype=None, **kw: _full(a, 1, dtype))
implements(np.empty_like)(lambda prototype, dtype=None, **kw: _full(prototype, 0, dtype))
implements(np.full_like)(lambda a, fill_value, dtype=None, **kw: _full(a, fill_value, dtype))


@implements(np.broadcast_to)
def broadcast_to(array: Array, shape: tuple[Any, ...]) -> Array:
    sizes = tuple(shape)
    if array.row_axis or len(sizes) != array.ndim:
        refuse("np.broadcast_to of other than columns to more columns")
    return broadcast_like(array, array.like(per_row(np.zeros([int(n) for n in sizes[1:]]), array.value)))


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
        dtype = np.dtype(object)
        if not all(isinstance(k, np.dtype) and k.kind in "OUT" for k in kinds):
            refuse("np.where with text in one branch and numbers in the other")
    else:
        dtype = np.result_type(*kinds) if not all(type(k) in (int, float) for k in kinds) else _weak(a, b)
    test = condition.astype(np.bool_) if is_array(condition) else np.asarray(condition, bool)
    (c, x, y), row_axis = aligned([test, *(v if is_array(v) else np.asarray(v) for v in (a, b))])
    parts = [v if isinstance(v, Value) and dtype == object else _as(v, dtype) for v in (x, y)]
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
    return result  # type: ignore[no-any-return]


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
        return _u(np.rint, a)  # type: ignore[no-any-return]
    power = float(10 ** abs(decimals))
    up, down = (np.multiply, np.true_divide) if decimals > 0 else (np.true_divide, np.multiply)
    return _u(down, _u(np.rint, _u(up, a, power)), power)  # type: ignore[no-any-return]


@implements(np.fix)
def fix(x: Array) -> Array:
    return _u(np.trunc, x)  # type: ignore[no-any-return]


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
    gap = _u(np.absolute, _u(np.subtract, a, b))
    near = _u(np.less_equal, gap, _u(np.add, atol, _u(np.multiply, rtol, _u(np.absolute, b) if is_array(b) else abs(b))))
    finite = _u(np.isfinite, b) if is_array(b) else np.isfinite(b)
    result = _u(np.logical_or, _u(np.logical_and, near, finite), _u(np.equal, a, b))
    if equal_nan:
        missing = [_u(np.isnan, x) if is_array(x) else np.isnan(x) for x in (a, b)]
        result = _u(np.logical_or, result, _u(np.logical_and, *missing))
    return result  # type: ignore[no-any-return]


@implements(np.isin)
def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None) -> Array:
    if not is_array(element) or is_array(test_elements):
        refuse("np.isin of other than an array and constants")
    values = np.asarray(list(test_elements) if isinstance(test_elements, set | frozenset) else test_elements).ravel()
    if values.dtype.kind == "f" and np.isnan(values).any():
        refuse("np.isin with NaN among the constants; ask np.isnan")
    hits = [_u(np.equal, element, v if values.dtype.kind in "OUT" else values.dtype.type(v)) for v in values.tolist()]
    result = hits[0] if hits else _full(element, False, bool)
    for hit in hits[1:]:
        result = _u(np.logical_or, result, hit)
    return _u(np.logical_not, result) if invert else result  # type: ignore[no-any-return]


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
    return _counted(v, a, np.less_equal if side == "left" else np.less)


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Array:
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
    return result  # type: ignore[no-any-return]


# ---- products --------------------------------------------------------------------------------------------------------


@implements(np.dot)
def dot(a: Any, b: Any) -> Any:
    if not is_array(b) and np.ndim(b) == 0:
        return _u(np.multiply, a, b)
    return _u(np.matmul, a, b)


@implements(np.einsum)
def einsum(subscripts: str, *operands: Any, **options: Any) -> Array:
    """Products summed over the letters that the result lacks; the rows' letter must be in it."""
    if not isinstance(subscripts, str) or "->" not in subscripts or "." in subscripts or options:
        refuse("np.einsum without the form 'ij,jk->ik'")
    left, result = subscripts.replace(" ", "").split("->")
    labels = left.split(",")
    rows = {text[x.row_axis] for text, x in zip(labels, operands, strict=True) if is_array(x)}
    if len(rows) != 1 or not rows <= set(result) or any(len(set(t)) < len(t) for t in (*labels, result)):
        refuse(f"np.einsum({subscripts!r}) sums over the rows, or takes a diagonal")
    row = rows.pop()
    if any(row in text and not is_array(x) for text, x in zip(labels, operands, strict=True)):
        refuse(f"np.einsum({subscripts!r}) with a constant for each row")
    rest = [c for c in dict.fromkeys(result.replace(row, "") + left.replace(",", "")) if c != row]
    total: Any = None
    for text, x in zip(labels, operands, strict=True):
        spread = _spread(x, text, row, rest)
        total = spread if total is None else _u(np.multiply, total, spread)
    summed = [1 + i for i, c in enumerate(rest) if c not in result]
    total = sum_(total, tuple(summed)) if summed else total
    kept = [c for c in result if c != row]
    return transposed(total, tuple([row, *kept].index(c) for c in result))


def _spread(x: Any, text: str, row: str, rest: list[str]) -> Any:
    """Return an operand with the rows first and an axis for each other letter, of size 1 where it has none."""
    order = [c for c in [row, *rest] if c in text]
    key = tuple(slice(None) if c in text else None for c in ([row, *rest] if row in text else rest))
    moved = transposed(x, tuple(text.index(c) for c in order)) if is_array(x) else np.transpose(x, [text.index(c) for c in order])
    return moved[key]
