"""Products of rows and constants: ``X @ W``, ``np.dot``, ``np.einsum`` and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import Array, is_array, refuse
from .functions import apply_ufunc as _u
from .functions import implements
from .joining import concatenate, stack
from .reductions import sum_
from .shapes import transposed


@implements(np.dot)
def dot(a: Any, b: Any) -> Any:
    if not is_array(b) and np.ndim(b) == 0:
        return _u(np.multiply, a, np.asarray(b))
    return _u(np.matmul, a, b)


@implements(np.einsum)
def einsum(subscripts: Any, *operands: Any, **options: Any) -> Array:
    """Return products summed over the letters that the result lacks; the rows' letter must be in it."""
    if not isinstance(subscripts, str) or "." in subscripts or not options.keys() <= {"optimize"}:
        refuse("np.einsum without the form 'ij,jk->ik'")
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    if not arrow:
        letters = left.replace(",", "")
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
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
    if total.dtype == np.bool_:
        refuse("np.einsum of booleans")
    total = sum_(total, tuple(summed), total.dtype) if summed else total
    kept = [c for c in result if c != row]
    return transposed(total, tuple([row, *kept].index(c) for c in result))


def _spread(x: Any, text: str, row: str, rest: list[str]) -> Any:
    """Return an operand with the rows first and an axis for each other letter, of size 1 where it has none."""
    order = [c for c in [row, *rest] if c in text]
    key = tuple(slice(None) if c in text else None for c in ([row, *rest] if row in text else rest))
    moved = (
        transposed(x, tuple(text.index(c) for c in order))
        if is_array(x)
        else np.transpose(x, [text.index(c) for c in order])
    )
    return moved[key]


@implements(np.inner)
def inner(a: Any, b: Any) -> Array:
    if not is_array(a) or is_array(b):
        refuse("np.inner of other than rows and a constant")
    matrix = np.asarray(b)
    return _u(np.multiply, a, matrix) if matrix.ndim == 0 else _u(np.matmul, a, matrix.T)


@implements(np.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: Any = -1) -> Array:
    return sum_(_u(np.multiply, x1, x2), axis)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Array:
    """Sum over the columns of rows and one axis of a constant: the other axes would meet rows."""
    matrix = np.asarray(b) if not is_array(b) else refuse("np.tensordot of two arrays of rows; use np.einsum")
    if not is_array(a) or a.row_axis or a.ndim != 2:
        refuse("np.tensordot of other than rows and a constant")
    over = ([1], [0]) if axes == 1 else ([1] if axes == 1 else axes) if not isinstance(axes, int) else None
    if over is None or [int(np.ravel(over[0])[0]) % 2, np.size(over[0]), np.size(over[1])] != [1, 1, 1]:
        refuse("np.tensordot over other than the columns; use np.einsum")
    moved = np.moveaxis(matrix, int(np.ravel(over[1])[0]), 0)
    product: Any = _u(np.matmul, a, moved.reshape(len(moved), -1))
    return product.reshape(-1, *moved.shape[1:])


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Array:
    a, b = (x if is_array(x) else np.asarray(x) for x in (a, b))
    if any(np.shape(x)[-1] != 3 for x in (a, b)) or (axisa, axisb, axisc, axis) != (-1, -1, -1, None):
        refuse("np.cross of other than vectors of three along the last axis")

    def part(i: int, j: int) -> Any:
        return _u(np.subtract, _u(np.multiply, a[..., i], b[..., j]), _u(np.multiply, a[..., j], b[..., i]))

    parts = [part(1, 2), part(2, 0), part(0, 1)]
    return stack(parts, parts[0].ndim)


@implements(np.vander)
def vander(x: Array, N: Any = None, increasing: bool = False) -> Array:
    if N is None or x.ndim != 1:
        refuse("np.vander without a number of columns: np.vander(x, 3)")
    kind = np.promote_types(x.dtype, int)
    powers = [np.ones_like(x, dtype=kind)]
    for _ in range(int(N) - 1):
        powers.append(_u(np.multiply, powers[-1], x))
    columns = [p[:, None] for p in (powers if increasing else powers[::-1])]
    return concatenate(columns, 1)


@implements(np.trapezoid)
def trapezoid(y: Array, x: Any = None, dx: float = 1.0, axis: int = -1) -> Array:
    y.axis(axis)
    before = (slice(None),) * (int(axis) % y.ndim)
    width: Any = dx
    if x is not None:
        width = np.diff(x) if np.ndim(x) == 1 and not is_array(x) else refuse("np.trapezoid of rows x")
        width = width.reshape([-1 if i == len(before) else 1 for i in range(y.ndim)])
    late, early = y[(*before, slice(1, None))], y[(*before, slice(None, -1))]
    return sum_(_u(np.true_divide, _u(np.multiply, width, _u(np.add, late, early)), 2.0), axis)


@implements(np.gradient)
def gradient(f: Array, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Array:
    if varargs or edge_order != 1 or axis is None:
        refuse("np.gradient with spacings, or without an axis; write np.gradient(X, axis=1)")
    f.axis(axis)
    before = (slice(None),) * (int(axis) % f.ndim)
    given: Any = f if f.dtype.kind == "f" else f.astype(np.float64)

    def gap(late: slice, early: slice, by: float) -> Any:
        return _u(np.true_divide, _u(np.subtract, given[(*before, late)], given[(*before, early)]), by)

    first, last = gap(slice(1, 2), slice(0, 1), 1.0), gap(slice(-1, None), slice(-2, -1), 1.0)
    return concatenate([first, gap(slice(2, None), slice(None, -2), 2.0), last], int(axis) % f.ndim)
