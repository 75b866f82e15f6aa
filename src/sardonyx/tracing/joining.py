"""Joining arrays, taking them apart, shaping them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..graph import concat, op, per_row, where
from ..protos import STRING
from .array import Array, cast, constant, is_array, refuse
from .functions import implements
from .loops import always, broadcast_like
from .shapes import reshaped, transposed

# ---- joining and shaping ---------------------------------------------------------------------------------------------


def _joined(arrays: Sequence[Any], axis: Any, dtype: Any = None) -> Array:
    """Concatenate along an axis that the user sees; all must be arrays of rows."""
    items = list(arrays)
    first = next(x for x in items if is_array(x))
    if not all(is_array(x) for x in items):
        refuse("constants beside arrays of rows; a constant column is np.full((len(X), 1), value)")
    if len({(x.ndim, x.row_axis) for x in items}) > 1:
        refuse(f"arrays of different forms: {', '.join(map(repr, items))}")
    text = [x.value.dtype == STRING for x in items]
    if any(text) and not all(text):
        refuse("text beside numbers in one array; keep them in columns of a frame")
    target = first.value.dtype if all(text) else np.result_type(*(x.dtype for x in items))
    inner = first.axis(axis)
    values = [x.value if all(text) else cast(x.value, target) for x in items]
    joined = first.like(concat(values, inner))
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
    return a[tuple(key)]


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
    return [ary[(*before, slice(int(a), int(b)))] for a, b in pairwise(stops)]


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
    return a[None, :] if a.ndim == 1 else a


def full(a: Array, number: Any, dtype: Any = None, order: str = "K", subok: bool = True) -> Array:
    """Return an array like another, of one number."""
    if is_array(number) or np.ndim(number):
        return broadcast_like(number, a).astype(a.dtype if dtype is None else dtype)
    target = np.dtype(dtype) if dtype is not None else a.dtype
    value = constant(number, target)
    return a.like(where(always(a.value), value, value))


implements(np.zeros_like)(lambda a, dtype=None, order="K", subok=True: full(a, 0, dtype))
implements(np.ones_like)(lambda a, dtype=None, order="K", subok=True: full(a, 1, dtype))
implements(np.empty_like)(lambda prototype, dtype=None, order="K", subok=True: full(prototype, 0, dtype))
implements(np.full_like)(lambda a, fill_value, dtype=None, order="K", subok=True: full(a, fill_value, dtype))


@implements(np.broadcast_to)
def broadcast_to(array: Array, shape: tuple[Any, ...]) -> Array:
    sizes = tuple(shape)
    if array.row_axis or len(sizes) != array.ndim:
        refuse("np.broadcast_to of other than columns to more columns")
    return broadcast_like(array, array.like(per_row(np.zeros([int(n) for n in sizes[1:]]), array.value)))
