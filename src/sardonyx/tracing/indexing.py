"""``X[...]`` and ``X[...] = ...`` of an array whose rows are unknown: every index keeps all rows, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Value, concat, op
from .array import Array, is_array, refuse


def get(x: Array, key: Any) -> Array:
    """Return ``x[key]`` as NumPy does."""
    keys = completed(x, key)
    chosen = [k for k in keys if isinstance(k, np.ndarray)]
    if len(chosen) > 1 or (chosen and any(isinstance(k, int) for k in keys)):
        refuse("several index arrays at once; take one after the other: X[:, a][:, :, b]")
    value, user, inner, row_axis = x.value, 0, 1, 0
    for k in keys:
        before = user <= x.row_axis  # what stands before the rows moves them
        if k is None:
            value, kept = op.Unsqueeze(value, np.array([inner])), 1
        elif user == x.row_axis:
            _all_rows(k)
            kept, before = 0, False
        else:
            value, kept = _along(value, inner, k)
        inner, row_axis = inner + kept, row_axis + kept * before
        user += k is not None
    return x.like(value, row_axis) if chosen else x.view(value, row_axis, keys)


def completed(x: Array, key: Any) -> tuple[Any, ...]:
    """Return one index for every axis, and None for every new one; sequences as arrays."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if any(is_array(k) for k in keys):
        refuse("an index that differs from row to row; use np.where, or np.take on a constant table")
    keys = [k if k is None or k is Ellipsis or isinstance(k, slice) else _plain(k) for k in keys]
    if any(k is Ellipsis for k in keys):
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        missing = x.ndim - sum(k is not None for k in keys) + 1
        keys[at : at + 1] = [slice(None)] * missing
    given = sum(k is not None for k in keys)
    if given > x.ndim:
        refuse(f"too many indices for {x!r}")
    return (*keys, *[slice(None)] * (x.ndim - given))


def _plain(k: Any) -> Any:
    if isinstance(k, int | np.integer) and not isinstance(k, bool):
        return int(k)
    array = np.asarray(k)
    if array.ndim == 0 and array.dtype.kind in "iu":
        return int(array)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iub":
        refuse(f"{k!r} is no index of columns: give integers, a slice, or one list of integers or of booleans")
    return array


def _all_rows(k: Any) -> None:
    if not isinstance(k, slice) or k != slice(None):
        refuse(f"the index {k!r} chooses rows, which there is one of at a time; index columns: X[:, ...]")


def _along(value: Value, axis: int, k: Any) -> tuple[Value, int]:
    """Return the tensor with one axis indexed, and how many axes are left of it."""
    size = value.dim(axis)
    if isinstance(k, slice):
        return value[(slice(None),) * axis + (k,)], 1
    positions = _positions(k, size)
    return value[(slice(None),) * axis + (positions,)], int(positions.ndim)


def _positions(k: Any, size: int) -> NDArray[np.int64]:
    """Return non-negative positions, refused where NumPy would raise."""
    array = np.asarray(k)
    if array.dtype == bool:
        if len(array) != size:
            refuse(f"a boolean index of {len(array)} for an axis of size {size}")
        return np.flatnonzero(array)
    if ((array < -size) | (array >= size)).any():
        refuse(f"index {k!r} is out of bounds for an axis of size {size}")
    return np.where(array < 0, array + size, array).astype(np.int64)


def disjoint(x: Array, a: Any, b: Any) -> bool:
    """Whether two indices of an array, complete ones, have no element in common."""
    if len(a) != len(b) or any(k is None for k in (*a, *b)):
        return False
    sizes = [n if isinstance(n, int) else None for n in x.shape]
    places = [
        [set(np.atleast_1d(np.arange(n)[k]).tolist()) for k in pair]
        for n, pair in zip(sizes, zip(a, b, strict=True), strict=True)
        if n is not None
    ]
    return any(not first & second for first, second in places)


def updated(x: Array, key: Any, new: Any) -> Array:
    """Return what x holds after ``x[key] = new``."""
    from .loops import broadcast_like
    from .masks import Chosen, is_mask, written

    if is_mask(key):
        return written(x, key, new)
    if type(new) is Chosen:
        refuse("values chosen by a mask written elsewhere; write them where they were: X[mask] = X[mask] * 2")
    keys = completed(x, key)
    touched = [i for i, k in enumerate(keys) if not (isinstance(k, slice) and k == slice(None))]
    if any(k is None for k in keys) or len(touched) > 1 or x.row_axis in touched:
        refuse("assignment to other than all rows of columns: X[:, columns] = ..., X[mask] = number")
    if not touched:
        return broadcast_like(new, x)
    axis = x.axis(touched[0])
    size = x.value.dim(axis)
    places = np.arange(size)[keys[touched[0]]]
    found = get(x, key)
    target = x.like(found.value, found.row_axis)
    del found  # a view of x, which nobody else is to see
    given = broadcast_like(new, target)
    if given.dtype != x.dtype and not np.can_cast(given.dtype, x.dtype, "unsafe"):
        refuse(f"cannot write {given.dtype} into an array of {x.dtype}")
    part = given.value.astype(x.value.dtype)
    part = op.Unsqueeze(part, np.array([axis])) if np.ndim(places) == 0 else part
    order = np.arange(size)
    order[np.atleast_1d(places)] = size + np.arange(np.size(places))
    both = concat([x.value, part], axis)
    return x.like(both[(slice(None),) * axis + (order,)])
