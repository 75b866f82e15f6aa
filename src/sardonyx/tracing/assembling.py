"""Columns put in, left out, repeated, padded: ``np.append``, ``np.insert``, ``np.delete``, ``np.tile``, ``np.pad``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .array import Array, is_array, refuse
from .functions import implements
from .joining import concatenate, expand_dims, full
from .loops import broadcast_like


def _place(a: Array, axis: Any, name: str) -> int:
    if axis is None:
        refuse(f"np.{name} without an axis puts rows after rows; name the axis: axis=1")
    a.axis(axis)
    return int(axis) % a.ndim


@implements(np.append)
def append(arr: Array, values: Any, axis: Any = None) -> Array:
    return concatenate([arr, values], _place(arr, axis, "append"))


@implements(np.insert)
def insert(arr: Array, obj: Any, values: Any, axis: Any = None) -> Array:
    """Put one column, or equal ones, before each of some places."""
    place = _place(arr, axis, "insert")
    size, before = arr.value.dim(arr.axis(axis)), (slice(None),) * place
    if is_array(obj) or np.ndim(obj) > 1 or isinstance(obj, slice):
        refuse("np.insert at other than constant places")
    order = np.insert(np.arange(size), obj, size + np.arange(np.size(obj)), axis=0)
    edge = arr[(*before, slice(0, 1))]
    if not is_array(values) and np.ndim(values) == 0:
        column = full(edge, values, arr.dtype)
    elif is_array(values) and np.size(obj) == 1:
        column = broadcast_like(values if values.ndim == arr.ndim else expand_dims(values, place), edge)
    else:
        refuse("np.insert of other than one column or one number")
    both = concatenate([arr, *[column.astype(arr.dtype)] * np.size(obj)], place)
    return both[(*before, order)]


@implements(np.delete)
def delete(arr: Array, obj: Any, axis: Any = None) -> Array:
    place = _place(arr, axis, "delete")
    kept = np.delete(np.arange(arr.value.dim(arr.axis(axis))), obj)
    return arr[(*(slice(None),) * place, kept)]


@implements(np.compress)
def compress(condition: Any, a: Array, axis: Any = None) -> Array:
    place = _place(a, axis, "compress")
    if is_array(condition):
        refuse("np.compress by a condition that differs from row to row")
    return a[(*(slice(None),) * place, np.flatnonzero(condition))]


@implements(np.tile)
def tile(A: Array, reps: Any) -> Array:
    times = [int(n) for n in np.atleast_1d(reps)]
    times = [1] * (A.ndim - len(times)) + times
    if len(times) != A.ndim or times[A.row_axis] != 1 or min(times) < 1:
        refuse("np.tile of rows; repeat columns: np.tile(X, (1, 2))")
    for axis, n in enumerate(times):
        A = concatenate([A] * n, axis) if n > 1 else A
    return A


@implements(np.pad)
def pad(array: Array, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Array:
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))
    if mode not in ("constant", "edge") or np.ndim(constant_values) or widths[array.row_axis].any():
        refuse("np.pad of rows, or with other than one constant or the edge; pad columns: ((0, 0), (1, 1))")
    for axis, (before, after) in enumerate(widths.tolist()):
        array = _padded(array, axis, int(before), int(after), mode, constant_values)
    return array


def _padded(array: Array, axis: int, before: int, after: int, mode: str, number: Any) -> Array:
    if not before and not after:
        return array
    skip = (slice(None),) * axis
    first, last = array[(*skip, slice(0, 1))], array[(*skip, slice(-1, None))]
    if mode == "constant":
        first = last = full(first, number, array.dtype)
    return concatenate([*[first] * before, array, *[last] * after], axis)


@implements(np.unstack)
def unstack(x: Array, /, *, axis: int = 0) -> Sequence[Array]:
    place = _place(x, axis, "unstack")
    return tuple(x[(*(slice(None),) * place, i)] for i in range(x.value.dim(x.axis(axis))))


@implements(np.rot90, np.flipud)
def _turned(*_: Any, **__: Any) -> Array:
    refuse("a function that turns the rows around")
