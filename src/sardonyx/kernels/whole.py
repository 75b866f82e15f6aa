"""Tensors of known shapes without rows (`rules.ROWLESS`): what the rules of rows cannot say of them.

::

    x 3 x 4 ─▶ Transpose ─▶ 4 x 3 ─▶ Reshape ─▶ 12        every dimension may be moved, joined and reduced

All of a tensor is one row of the program, so the same kernels run; only what the row dimension stood in the way of is
told anew here. Rules that take either kind of tensor stand with the others (``whole=None``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..lowering.program import DTYPE_CODES
from ..lowering.rules import Builder, Const, NodeView, Operand, Row, Shape, Values, decline, lowers, split_at
from .elementwise import FLOATS, NUMBERS, cast_row, elementwise, one_type
from .select import expand_to
from .shape import LARGEST_TABLE, concat_rows, gather_axis, look_up, repeated


def as_row(b: Builder, x: Operand) -> Row:
    """Return a constant as a tensor of the program."""
    return x if isinstance(x, Row) else b.step("Expand", [x], [(x.dtype, x.shape)])[0]


# ---- shapes ----------------------------------------------------------------------------------------------------------


@lowers("Shape", whole=True)
def shape_of(b: Builder, node: NodeView) -> Values:
    shape = node.row(0).shape
    return (Const(np.array(shape[node.integer("start", 0) : node.integer("end", len(shape))], np.int64)),)


@lowers("Size", whole=True)
def size_of(b: Builder, node: NodeView) -> Values:
    return (Const(np.array(node.row(0).width, np.int64)),)


@lowers("Reshape", whole=True)
def reshape(b: Builder, node: NodeView) -> Values:
    x, target = node.row(0), [int(n) for n in node.integers("shape", 1) or ()]
    if not node.integer("allowzero", 0):
        if any(n == 0 and i >= len(x.shape) for i, n in enumerate(target)):
            decline("the shape does not fit")
        target = [x.shape[i] if n == 0 else n for i, n in enumerate(target)]
    known = math.prod(n for n in target if n != -1)
    if target.count(-1) == 1 and known > 0:
        target = [x.width // known if n == -1 else n for n in target]
    return (_reshaped(b, x, tuple(target)),)


def _reshaped(b: Builder, x: Row, shape: Shape) -> Row:
    if min(shape, default=0) < 0 or math.prod(shape) != x.width:
        decline("the shape does not fit")
    return b.reshape(x, shape)


@lowers("Flatten", whole=True)
def flatten(b: Builder, node: NodeView) -> Values:
    x, axis = node.row(0), node.integer("axis", 1)
    axis = axis + x.rank if axis < 0 else axis
    return (_reshaped(b, x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))),)


@lowers("Squeeze", whole=True)
def squeeze(b: Builder, node: NodeView) -> Values:
    x, axes = node.row(0), node.integers("axes", 1)
    drop = {a % x.rank for a in axes} if axes and x.rank else {i for i, n in enumerate(x.shape) if n == 1}
    return (_reshaped(b, x, tuple(n for i, n in enumerate(x.shape) if i not in drop)),)


@lowers("Unsqueeze", whole=True)
def unsqueeze(b: Builder, node: NodeView) -> Values:
    x, axes = node.row(0), node.integers("axes", 1) or ()
    rank = x.rank + len(axes)
    new, old = {axis % rank for axis in axes}, iter(x.shape)
    if len(new) != len(axes):
        decline("an axis is given twice")
    return (b.reshape(x, tuple(1 if i in new else next(old) for i in range(rank))),)


@lowers("Transpose", whole=True)
def transpose(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    return (transposed(b, x, node.integers("perm") or tuple(reversed(range(x.rank)))),)


def transposed(b: Builder, x: Row, order: Sequence[int]) -> Row:
    """Return a tensor with its dimensions in another order."""
    if sorted(order) != list(range(x.rank)):
        decline("not an order of the dimensions")
    shape = tuple(x.shape[axis] for axis in order)
    moved = [axis for axis in order if x.shape[axis] != 1]
    if moved == sorted(moved):
        return b.reshape(x, shape)
    return b.step("Transpose", [x], [(x.dtype, shape)], order)[0]


@lowers("Expand", whole=True)
def expand(b: Builder, node: NodeView) -> Values:
    x, target = node.row(0), node.integers("shape", 1) or ()
    try:
        return (expand_to(b, x, np.broadcast_shapes(x.shape, target)),)
    except ValueError:
        decline("the shape does not broadcast")


@lowers("Tile", whole=True)
def tile(b: Builder, node: NodeView) -> Values:
    x, repeats = node.row(0), node.integers("repeats", 1) or ()
    if len(repeats) != x.rank or min(repeats, default=0) < 0:
        decline("not one number of repeats for each dimension")
    for axis, times in enumerate(repeats):
        if times != 1:
            x = gather_axis(b, x, axis, repeated(x.shape[axis], times))
    return (x,)


@lowers("EyeLike", whole=True)
def eye_like(b: Builder, node: NodeView) -> Values:
    from ..lowering.reference.graphs import dtype_of

    x = node.row(0)
    dtype = dtype_of(node.integer("dtype", 0)) or x.dtype
    if len(x.shape) != 2 or dtype not in DTYPE_CODES or dtype == "str" or x.width > LARGEST_TABLE:
        decline("not a matrix of numbers")
    return (Const(np.eye(*x.shape, k=node.integer("k", 0), dtype=dtype)),)


# ---- elements moved --------------------------------------------------------------------------------------------------


@lowers("Concat", whole=True)
def concat(b: Builder, node: NodeView) -> Values:
    operands = node.operands()
    if len({len(o.shape) for o in operands}) != 1 or len({o.dtype for o in operands}) != 1:
        decline("pieces of different ranks or types")
    rows = [as_row(b, operand) for operand in operands]
    return (concat_rows(b, rows, node.row_axis(rows[0], node.integer("axis", 0))),)


@lowers("Gather", whole=True)
def gather(b: Builder, node: NodeView) -> Values:
    """Choose by indices that are computed: the axis is brought to the front, and back."""
    data, indices = node.operand(0), node.row(1)
    if indices.dtype not in ("int64", "int32"):
        decline("indices are not integers")
    axis = node.integer("axis", 0)
    axis = axis + len(data.shape) if axis < 0 else axis
    if isinstance(data, Const) and axis == 0:
        return (look_up(b, data.array, indices),)
    return (_gathered(b, as_row(b, data), indices, axis),)


def _gathered(b: Builder, data: Row, indices: Row, axis: int) -> Row:
    outer, n, inner = split_at(data.shape, axis)
    at = cast_row(b, indices, "int64")
    each = expand_to(b, b.reshape(at, (1, at.width)), (outer, at.width))
    params = (outer, at.width, 1, inner, n)
    shape = (*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])
    return b.step("GatherND", [data, each], [(data.dtype, shape)], params)[0]


@lowers("ArrayFeatureExtractor", domain="ai.onnx.ml", whole=True)
def columns_at(b: Builder, node: NodeView) -> Values:
    """Choose along the last axis; a list is a matrix of one row."""
    data, indices = node.operand(0), node.operand(1)
    if not data.shape or indices.dtype not in ("int64", "int32"):
        decline("no columns, or indices that are no integers")
    shape = data.shape if len(data.shape) > 1 else (1, *data.shape)
    flat = b.reshape(as_row(b, indices), (math.prod(indices.shape),))
    return (_gathered(b, b.reshape(as_row(b, data), shape), flat, len(shape) - 1),)


@lowers("Compress", whole=True)
def compress_flat(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    if "axis" in node.attributes:
        decline("an axis that is not there")
    return (gather_axis(b, b.reshape(x, (x.width,)), 0, np.flatnonzero(node.const(1))),)


# ---- matrix products -------------------------------------------------------------------------------------------------


def product(b: Builder, x: Operand, y: Operand) -> Row:
    """Return ``numpy.matmul`` of two tensors, one of which may be a constant."""
    dtype = one_type([x, y], NUMBERS)
    left, right = x.shape, y.shape
    if not left or not right:
        decline("a scalar is no matrix")
    own = [n for n, vector in ((left[-2:-1], len(left) == 1), (right[-1:], len(right) == 1)) if not vector]
    left, right = left if len(left) > 1 else (1, *left), right if len(right) > 1 else (*right, 1)
    (m, k), (k2, n) = left[-2:], right[-2:]
    if k != k2:
        decline("matrices do not fit")
    try:
        stack = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        decline("stacks of matrices do not broadcast")
    count = math.prod(stack)
    x, y = _stacked(b, x, left, stack), _stacked(b, y, right, stack)
    params = (count, m, k, n, int(math.prod(x.shape) != m * k), int(math.prod(y.shape) != k * n))
    return b.step("MatMul", [x, y], [(dtype, (*stack, *(size for sizes in own for size in sizes)))], params)[0]


def _stacked(b: Builder, x: Operand, shape: Shape, stack: Shape) -> Operand:
    """Return matrices as the kernel takes them: one, or as many as there are products."""
    if math.prod(shape[:-2]) in (1, math.prod(stack)):
        return x
    wide = b.reshape(as_row(b, x), shape)
    return expand_to(b, wide, (*stack, *shape[-2:]))


@lowers("MatMul", whole=True)
def matmul(b: Builder, node: NodeView) -> Values:
    return (product(b, node.operand(0), node.operand(1)),)


@lowers("Gemm", whole=True)
def gemm(b: Builder, node: NodeView) -> Values:
    sides = [_turned(b, node.operand(i), bool(node.integer(name, 0))) for i, name in ((0, "transA"), (1, "transB"))]
    one_type(sides, NUMBERS)
    y = _scaled(b, product(b, *sides), node.real("alpha", 1.0))
    if not node.has(2):
        return (y,)
    bias = _scaled(b, as_row(b, node.operand(2)), node.real("beta", 1.0))
    return (elementwise(b, "Add", [y, bias], NUMBERS),)


def _scaled(b: Builder, x: Row, factor: float) -> Row:
    if x.dtype not in FLOATS and not factor.is_integer():
        decline("integers times a fraction")
    return x if factor == 1.0 else elementwise(b, "Mul", [x, Const(np.array(factor).astype(x.dtype))], NUMBERS)


def _turned(b: Builder, x: Operand, turn: bool) -> Operand:
    if len(x.shape) != 2:
        decline("not a matrix")
    if not turn:
        return x
    return Const(np.ascontiguousarray(x.array.T)) if isinstance(x, Const) else transposed(b, x, (1, 0))
