"""Order along an axis: sorting, positions, medians, quantiles. NaN comes last; equals keep their order.

::

    X (N, k) ──▶ TopK of all k ──▶ ascending, NaN last ──▶ neighbours of a virtual index ──▶ between the two

NumPy leaves the order of equals in ``np.argsort`` open unless ``kind="stable"``; here it is always the stable one.

Source: numpy/lib/_function_base_impl.py (_quantile, _lerp), numpy/lib/_nanfunctions_impl.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, op, where
from .array import Array, cast, constant, is_array, refuse
from .functions import Rule, implements
from .functions import apply_ufunc as _u
from .functions import numeric as _numeric
from .functions import wide as _wide
from .joining import expand_dims, full, stack
from .reductions import any_nan, floating, mean, reduced, sum_


def _ranked(a: Array, axis: Any) -> tuple[Value, Value, int]:
    """Return values in ascending order, NaN last, their positions, and the tensor's axis."""
    value, inner = _wide(_numeric(a)), a.axis(axis)
    n = np.array([value.dim(inner)])
    if value.dtype.kind != "f":
        ordered, places = op.TopK(value, n, axis=inner, largest=0, sorted=1)
        return ordered, places, inner
    clean = where(op.IsNaN(value), value.dtype.type(np.inf), value)
    _, places = op.TopK(clean, n, axis=inner, largest=0, sorted=1)
    missing = op.GatherElements(op.IsNaN(value).astype(np.int64), places, axis=inner)
    _, behind = op.TopK(missing, n, axis=inner, largest=0, sorted=1)  # equals keep their order: NaN behind infinity
    places = op.GatherElements(places, behind, axis=inner)
    return op.GatherElements(value, places, axis=inner), places, inner


@implements(np.sort)
def sort(a: Array, axis: Any = -1, kind: Any = None, *, stable: Any = None) -> Array:
    return a.like(cast(_ranked(a, axis)[0], a.dtype))


@implements(np.argsort)
def argsort(a: Array, axis: Any = -1, kind: Any = None, *, stable: Any = None) -> Array:
    return a.like(_ranked(a, axis)[1])


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Array:
    if not (is_array(arr) and is_array(indices)) or indices.dtype.kind not in "iu" or arr.row_axis or indices.row_axis:
        refuse("np.take_along_axis of other than an array's rows and integers for each of them")
    if (arr.ndim, len(arr.dims)) != (indices.ndim, len(indices.dims)):
        refuse(f"np.take_along_axis of {arr!r} and {indices!r}")
    return arr.like(op.GatherElements(arr.value, indices.value.astype(np.int64), axis=arr.axis(axis)))


# ---- quantiles -------------------------------------------------------------------------------------------------------


def _ascending(a: Array, axis: Any) -> tuple[Array, int]:
    """Return the values in order, what they are ordered along last, and how many there are."""
    ordered, _, inner = _ranked(a, axis)
    order = [i for i in range(ordered.ndim) if i != inner] + [inner]
    moved = ordered if order == sorted(order) else op.Transpose(ordered, perm=order)
    return Array(cast(moved, a.dtype)), ordered.dim(inner)


def _between(low: Array, high: Array, share: Any) -> Array:
    """``_lerp``: from the nearer of two values."""
    gap = _u(np.subtract, high, low)
    up = _u(np.add, low, _u(np.multiply, gap, share))
    down = _u(np.subtract, high, _u(np.multiply, gap, 1 - share))
    near: Any = share >= 0.5
    if not is_array(near):
        return down if near else up
    return up.like(where(near.value, down.value.astype(up.dtype), up.value))


def _virtual(count: Any, q: Any) -> Any:
    return (count - 1) * q


def _quantile_of(a: Array, q: float, axis: Any, weak: bool) -> Array:
    ordered, n = _ascending(a, axis)
    place = _virtual(n, q)
    low = int(np.floor(place))
    last = place >= n - 1
    share = place - (-1 if last else low)
    both = [ordered[..., k] for k in ((n - 1, n - 1) if last else (low, low + 1))]
    result = _between(both[0], both[1], float(share) if weak else np.float64(share))
    if a.dtype.kind != "f":
        return result
    return result.like(where(op.IsNaN(ordered.value[..., n - 1]), result.dtype.type(np.nan), result.value))


def _known_quantile_of(a: Array, q: float, axis: Any, weak: bool) -> Array:
    """Return the quantile of what is not NaN: a virtual index for each row."""
    ordered, _ = _ascending(a, axis)
    known = _u(np.logical_not, _u(np.isnan, ordered)).value.astype(np.int64).sum(-1, keepdims=True)
    place = _virtual(known.astype(np.float64), q)
    last = place >= known.astype(np.float64) - 1.0
    low = op.Floor(place)
    end = op.Max(known - 1, np.int64(0))
    start = op.Max(op.Min(low.astype(np.int64), end), np.int64(0))
    follow = op.Min(start + 1, end)
    places = [where(last, end, start), where(last, end, follow)]
    both = [ordered.like(op.GatherElements(ordered.value, p, axis=ordered.ndim - 1))[..., 0] for p in places]
    share = where(last, place + 1.0, place - low)[..., 0]
    shares = Array(share.astype(a.dtype) if weak and a.dtype.kind == "f" else share)
    result = _between(both[0], both[1], shares)
    return result.like(where((known == 0)[..., 0], result.dtype.type(np.nan), result.value))


def _quantiles(of: Callable[..., Array], scale: float) -> Rule:
    def rule(
        a: Array,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
    ) -> Array:
        if is_array(q) or method != "linear" or not isinstance(axis, int | np.integer) or a.row_axis:
            refuse("quantiles of other than a row's columns (axis=1), with constant q and method='linear'")
        wanted = np.true_divide(q, scale) if scale != 1 else np.asarray(q)
        if wanted.ndim > 1 or not ((wanted >= 0) & (wanted <= 1)).all():
            refuse(f"quantiles {q!r}, of which each is from 0 to {scale:g}")
        if a.dtype == np.bool_:
            refuse("quantiles of booleans")
        found = [of(a, float(v), axis, type(q) in (int, float)) for v in np.atleast_1d(wanted)]
        place = a.axis(axis)
        found = [expand_dims(f, place) for f in found] if keepdims else found
        return stack(found) if wanted.ndim else found[0]

    return rule


implements(np.quantile)(_quantiles(_quantile_of, 1))
implements(np.percentile)(_quantiles(_quantile_of, 100))
implements(np.nanquantile)(_quantiles(_known_quantile_of, 1))
implements(np.nanpercentile)(_quantiles(_known_quantile_of, 100))


@implements(np.median)
def median(a: Array, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Array:
    if not isinstance(axis, int | np.integer):
        refuse("np.median over several axes, or over all; name one: axis=1")
    given = floating(a)
    ordered, _, inner = _ranked(given, axis)
    n = ordered.dim(inner)
    before = (slice(None),) * inner
    middle = [ordered[(*before, slice(k, k + 1))] for k in sorted({(n - 1) // 2, n // 2})]
    found = middle[0] if len(middle) == 1 else (middle[0] + middle[1]) / given.dtype.type(2)
    found = where(any_nan(given.value, [inner]), given.dtype.type(np.nan), found)
    return reduced(given, int(axis), keepdims, lambda _: found)


@implements(np.nanmedian)
def nanmedian(
    a: Array, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    """Return the mean of the two in the middle of what is not NaN."""
    if not isinstance(axis, int | np.integer):
        refuse("np.nanmedian over several axes, or over all; name one: axis=1")
    given = floating(a)
    ordered, _, inner = _ranked(given, axis)
    known = (~op.IsNaN(ordered)).astype(np.int64).sum(inner, keepdims=True)
    places = (op.Max(op.Div(known - 1, np.int64(2)), np.int64(0)), op.Min(op.Div(known, np.int64(2)), known))
    low, high = (op.GatherElements(ordered, op.Min(p, np.int64(ordered.dim(inner) - 1)), axis=inner) for p in places)
    found = where(low == high, low, (low + high) / given.dtype.type(2))
    found = where(known == 0, given.dtype.type(np.nan), found)
    return reduced(given, int(axis), keepdims, lambda _: found)


# ---- what is not NaN -------------------------------------------------------------------------------------------------


@implements(np.nanvar)
def nanvar(
    a: Array, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    if a.dtype.kind != "f":
        return np.var(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims)
    given = a if dtype is None else a.astype(dtype)
    nan = _u(np.isnan, given)
    count = sum_(_u(np.logical_not, nan), axis, None, True).astype(given.dtype)
    zero = full(given, 0)
    centre = _u(np.true_divide, sum_(given.like(where(nan.value, zero.value, given.value)), axis, None, True), count)
    gap = _u(np.subtract, given, centre)
    gap = given.like(where(nan.value, zero.value, gap.value))
    free = _u(np.subtract, count, given.dtype.type(ddof))
    total = _u(np.true_divide, sum_(_u(np.multiply, gap, gap), axis, None, True), free)
    total = total.like(where((free.value <= 0), given.dtype.type(np.nan), total.value))
    return reduced(given, axis, keepdims, lambda _: total.value)


@implements(np.nanstd)
def nanstd(
    a: Array, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    return _u(np.sqrt, nanvar(a, axis, dtype, None, ddof, keepdims))


def _filling(function: Any, number: float) -> None:
    def rule(a: Array, axis: Any = None, **options: Any) -> Any:
        return function(
            a.like(where(op.IsNaN(a.value), a.dtype.type(number), a.value)) if a.dtype.kind == "f" else a,
            axis=axis,
            **options,
        )

    implements(getattr(np, f"nan{function.__name__}"))(rule)


_filling(np.prod, 1)
_filling(np.cumsum, 0)
_filling(np.cumprod, 1)


def _known_position(function: Any, filler: float) -> Rule:
    def rule(a: Array, axis: Any = None, *, keepdims: bool = False) -> Any:
        if a.dtype.kind == "f":  # rows of NaN alone raise in NumPy
            a = a.like(where(op.IsNaN(a.value), a.dtype.type(filler), a.value))
        return function(a, axis=axis, keepdims=keepdims)

    return rule


implements(np.nanargmax)(_known_position(np.argmax, -np.inf))
implements(np.nanargmin)(_known_position(np.argmin, np.inf))

__all__ = ["argsort", "constant", "mean", "median", "sort"]
