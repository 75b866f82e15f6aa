"""Shapes of traced arrays: transposed, reshaped, aligned with others, where rows stay rows or the user is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Value, op
from .array import ROWS, Array, as_integer, is_array, refuse


def transposed(x: Array, order: tuple[int, ...]) -> Array:
    """Return a view with the axes that the user sees in another order."""
    axes = [as_integer(a) % x.ndim for a in order]
    if sorted(axes) != list(range(x.ndim)):
        refuse(f"axes {order} are no order of the {x.ndim} axes")
    inner = [0, *(a + 1 if a < x.row_axis else a for a in axes if a != x.row_axis)]
    value = x.value if inner == sorted(inner) else op.Transpose(x.value, perm=inner)
    return x.view(value, axes.index(x.row_axis))


def reshaped(x: Array, shape: tuple[Any, ...], order: str = "C") -> Array:
    """Return another shape of the same rows: the rows stay the first axis, what is in one is arranged anew."""
    if x.row_axis or order != "C":
        refuse(f"reshape of {x!r} would mix rows; the rows must be its first axis, in C order")
    total = int(np.prod(x.dims, dtype=np.int64))
    first, *rest = shape or (None,)
    sizes = [as_integer(n) for n in rest]
    if first is ROWS and sizes.count(-1) == 1 and total:
        known = -int(np.prod(sizes, dtype=np.int64))
        sizes = [total // known if n == -1 and known else n for n in sizes]
    if first is not ROWS and first != -1:
        refuse(
            f"reshape{shape} of {x!r} has a fixed number of rows; write reshape(-1, ...) or reshape(X.shape[0], ...)"
        )
    if int(np.prod(sizes, dtype=np.int64)) != total or min(sizes, default=0) < 0:
        refuse(f"reshape{tuple(shape)} of {x!r} would move elements from row to row")
    value = op.Reshape(x.value, np.array([-1 if total else 0, *sizes], np.int64))
    return x.view(Value(value.graph, value.name, value.dtype, ("N", *sizes)), 0)


def aligned(operands: Sequence[Any]) -> tuple[list[Any], int]:
    """Return operands that broadcast as NumPy's do, tensors for arrays, and the row axis of the result.

    Axes are counted from the right. Rows may only stand over rows, or over a constant axis of size 1.
    """
    arrays = [x for x in operands if is_array(x)]
    from_right = {x.ndim - x.row_axis for x in arrays}
    if len(from_right) > 1:
        refuse(
            f"{' and '.join(map(repr, arrays))} are aligned from the right, so that rows would meet columns. "
            "Write x[:, None] or x.reshape(-1, 1) for a column beside a matrix"
        )
    (place,) = from_right
    ndim = max(np.ndim(x) if not is_array(x) else x.ndim for x in operands)
    return [_padded(x, ndim, place) for x in operands], ndim - place


def _padded(x: Any, ndim: int, place: int) -> Any:
    if is_array(x):
        more = ndim - x.ndim
        return op.Unsqueeze(x.value, np.arange(1, 1 + more)) if more else x.value
    if np.ndim(x) < place:
        return x
    array = np.asarray(x)
    array = array.reshape((1,) * (ndim - array.ndim) + array.shape)
    if array.shape[ndim - place] != 1:
        refuse(
            f"a constant of shape {np.shape(x)} has a value for each row, whose number is not known. "
            "A constant may differ from column to column only"
        )
    return np.moveaxis(array, ndim - place, 0)
