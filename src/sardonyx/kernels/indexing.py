"""Elements found and replaced by computed indices (native/kernels/tensor/index.cpp)."""

from __future__ import annotations

import math

import numpy as np

from ..lowering.program import Param
from ..lowering.rules import ROWLESS, Builder, Const, NodeView, Operand, Row, Shape, Values, decline, lowers
from .elementwise import NUMBERS, cast
from .shape import LARGEST_TABLE, slice_axis
from .whole import as_row

REDUCTIONS = {"none": 0, "add": 1, "mul": 2, "max": 3, "min": 4}


def _indices(b: Builder, x: Operand) -> Operand:
    return cast(b, x, "int64") if x.dtype in ("int64", "int32") else decline("indices are not integers")


@lowers("GatherND", whole=None)
def gather_nd(b: Builder, node: NodeView) -> Values:
    """Rows are the first batch dimension of both, or the indices' alone, of a table."""
    data, indices = node.operand(0), _indices(b, node.operand(1))
    batch = node.integer("batch_dims", 0)
    if b.lead != ROWLESS and isinstance(data, Row):
        if batch < 1 or not isinstance(indices, Row):
            decline("indices name rows")
        batch -= 1
    elif b.lead != ROWLESS and batch:
        decline("rows meet another dimension")
    depth = indices.shape[-1] if indices.shape else decline("indices are a scalar")
    if not 0 <= batch <= min(len(data.shape), len(indices.shape) - 1) or depth > len(data.shape) - batch:
        decline("indices of more dimensions than the data")
    if data.shape[:batch] != indices.shape[:batch]:
        decline("batches of different sizes")
    dims, rest = data.shape[batch : batch + depth], data.shape[batch + depth :]
    places = indices.shape[batch:-1]
    shape = (*data.shape[:batch], *places, *rest)
    params = (math.prod(data.shape[:batch]), math.prod(places), depth, math.prod(rest), *dims)
    return b.step("GatherND", [data, indices], [(data.dtype, shape)], params)


@lowers("GatherElements", whole=None)
def gather_elements_of_a_part(b: Builder, node: NodeView) -> Values:
    """Ask only the part of the other dimensions that there are indices for."""
    data, indices = node.operand(0), _indices(b, node.operand(1))
    if b.lead != ROWLESS and (isinstance(data, Const) or isinstance(indices, Const)):
        decline("rows meet a constant")
    x, at = as_row(b, data), as_row(b, indices)
    axis = node.row_axis(x, node.integer("axis", 0))
    if len(x.shape) != len(at.shape):
        decline("indices of another rank")
    for d, n in enumerate(at.shape):
        if d != axis:
            x = slice_axis(b, x, d, 0, 1, n) if n <= x.shape[d] else decline("indices go beyond the data")
    params = (math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :]), at.shape[axis])
    return b.step("GatherElements", [x, at], [(x.dtype, at.shape)], params)


def _reduction(node: NodeView, x: Operand) -> int:
    name = node.text("reduction", "none")
    code = REDUCTIONS.get(name)
    if code is None or (code and x.dtype not in NUMBERS):
        decline(f"reduction {name!r} of {x.dtype}")
    return code


@lowers("ScatterElements", "Scatter", whole=None)
def scatter_elements(b: Builder, node: NodeView) -> Values:
    data, indices, updates = node.operand(0), _indices(b, node.operand(1)), node.operand(2)
    if b.lead != ROWLESS and any(isinstance(operand, Const) for operand in (data, indices, updates)):
        decline("rows meet a constant")
    x = as_row(b, data)
    axis = node.row_axis(x, node.integer("axis", 0))
    if len(indices.shape) != len(x.shape) or indices.shape != updates.shape or updates.dtype != x.dtype:
        decline("indices or updates that do not fit")
    if any(n > x.shape[d] for d, n in enumerate(indices.shape) if d != axis):
        decline("indices go beyond the data")
    params: tuple[Param, ...] = (len(x.shape), axis, _reduction(node, x), *x.shape, *indices.shape)
    return b.step("ScatterElements", [x, indices, updates], [(x.dtype, x.shape)], params)


@lowers("ScatterND", whole=True)
def scatter_nd(b: Builder, node: NodeView) -> Values:
    data, indices, updates = node.operand(0), _indices(b, node.operand(1)), node.operand(2)
    depth = indices.shape[-1] if indices.shape else decline("indices are a scalar")
    if depth > len(data.shape) or updates.dtype != data.dtype:
        decline("indices of more dimensions than the data")
    dims, rest = data.shape[:depth], data.shape[depth:]
    expected: Shape = (*indices.shape[:-1], *rest)
    if updates.shape != expected:
        decline("updates that do not fit")
    params = (math.prod(indices.shape[:-1]), depth, math.prod(rest), _reduction(node, data), *dims)
    return b.step("ScatterND", [data, indices, updates], [(data.dtype, data.shape)], params)


@lowers("Trilu", whole=None)
def triangle(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    if len(x.shape) < 2 or x.dtype == "str" or math.prod(x.shape[-2:]) > LARGEST_TABLE:
        decline("not matrices of numbers, or too large")
    k = int(node.const(1).reshape(-1)[0]) if node.has(1) else 0
    ones = np.ones(x.shape[-2:], bool)
    mask = np.triu(ones, k) if node.integer("upper", 1) else np.tril(ones, k)
    return b.step("Where", [Const(mask), x, Const(np.zeros((), x.dtype))], [(x.dtype, x.shape)])
