"""Rows behind any number of other dimensions (`rules.Across`, form "behind"), as recurrent networks have them.

::

    X  N x T x in ─▶ Transpose ─▶ T x N x in ─▶ LSTM ─▶ Y  T x D x N x H ─▶ Transpose, Reshape, Gather, Slice ... ─▶
                                                   └──▶ Y_h    D x N x H ─▶ Squeeze, Concat ... ─▶

An axis of the tensor is one of each row's, or the rows themselves::

    tensor  k0 x k1 x N x rest      axis 0 1 2 3
    row     k0 x k1 x rest               0 1 - 2      `_own`

Where only dimensions of 1 come before the rows they are `Row.lead`, which more rules know (`settled`).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import onnx

from ..lowering.rules import (
    Across,
    Builder,
    Const,
    Declined,
    Dims,
    NodeView,
    Operand,
    Row,
    Shape,
    Value,
    Values,
    decline,
    lowers,
    rules_for,
)
from .dims import slice_of
from .elementwise import BINARY, COMPARISONS, UNARY, elementwise
from .reduce import REDUCTIONS, reduce_axes
from .select import expand_to, fill_of
from .shape import concat_rows, gather_axis, slice_axis

#: no reason of its own: the operator's first rules say why they declined
ELSEWHERE = ""


def as_across(b: Builder, value: Value | None) -> Across:
    """Return rows behind other dimensions, of which all may be 1."""
    if isinstance(value, Across) and value.form == "behind":
        return value
    if isinstance(value, Row) and value.lead > 0:
        return Across(b.reshape(value, (*[1] * value.lead, *value.shape), lead=0), depth=value.lead)
    return decline(ELSEWHERE)


def settled(b: Builder, row: Row, depth: int) -> Value:
    """Return rows behind the first `depth` of their dimensions in the simplest form there is."""
    if all(n == 1 for n in row.shape[:depth]):
        return b.reshape(row, row.shape[depth:], lead=depth)
    return Across(row, depth=depth)


def _first(b: Builder, node: NodeView) -> Across:
    return as_across(b, node.inputs[0] if node.inputs else None)


def _own(x: Across, axis: int) -> int:
    """Return the dimension of each row that is this axis of the tensor."""
    axis = axis + x.row.rank if axis < 0 else axis
    if axis == x.depth or not 0 <= axis < x.row.rank:
        decline("the rows are the axis, or there is none")
    return axis - (axis > x.depth)


# ---- shapes ----------------------------------------------------------------------------------------------------------


@lowers("Shape")
def shape_of(b: Builder, node: NodeView) -> Values:
    items = _first(b, node).dims
    return (Dims(items[node.integer("start", 0) : node.integer("end", len(items))]),)


@lowers("Transpose")
def transpose(b: Builder, node: NodeView) -> Values:
    """Move any dimension anywhere: the rows stay first in memory."""
    value = node.inputs[0]
    x = Across(value, depth=0) if isinstance(value, Row) and value.lead == 0 else as_across(b, value)
    order = node.integers("perm") or tuple(reversed(range(x.row.rank)))
    if sorted(order) != list(range(x.row.rank)):
        decline("not an order of the dimensions")
    own = [_own(x, axis) for axis in order if axis != x.depth]
    row, moved = x.row, [axis for axis in own if x.row.shape[axis] != 1]
    shape = tuple(row.shape[axis] for axis in own)
    if moved != sorted(moved):
        (row,) = b.step("Transpose", [row], [(row.dtype, shape)], own)
    return (settled(b, b.reshape(row, shape), order.index(x.depth)),)


@lowers("Squeeze")
def squeeze(b: Builder, node: NodeView) -> Values:
    x = _first(b, node)
    drop = {_own(x, axis) for axis in node.integers("axes", 1) or decline("without axes, the rows decide")}
    if any(x.row.shape[axis] != 1 for axis in drop):
        decline("a dimension that is not 1 is squeezed")
    shape = tuple(n for i, n in enumerate(x.row.shape) if i not in drop)
    return (settled(b, b.reshape(x.row, shape), x.depth - sum(axis < x.depth for axis in drop)),)


@lowers("Unsqueeze")
def unsqueeze(b: Builder, node: NodeView) -> Values:
    x, axes = _first(b, node), node.integers("axes", 1) or ()
    rank = x.row.rank + len(axes)
    new, old = {axis % rank for axis in axes}, iter(x.dims)
    if len(new) != len(axes):
        decline("an axis is given twice")
    full = [1 if i in new else next(old) for i in range(rank)]
    return (settled(b, b.reshape(x.row, tuple(n for n in full if n is not None)), full.index(None)),)


@lowers("Reshape")
def reshape(b: Builder, node: NodeView) -> Values:
    """Change dimensions on either side of the rows."""
    x, target = _first(b, node), list(node.dims(1))
    if 0 in target and not node.integer("allowzero", 0):
        target = [x.dims[i] if n == 0 and i < x.row.rank else n for i, n in enumerate(target)]
    rows = None if None in target else -1
    if target.count(rows) != 1:
        decline("the shape does not keep the rows")
    at = target.index(rows)
    before = _solved(target[:at], math.prod(x.row.shape[: x.depth]))
    after = _solved(target[at + 1 :], math.prod(x.row.shape[x.depth :]))
    return (settled(b, b.reshape(x.row, (*before, *after)), at),)


def _solved(target: list[int | None], width: int) -> Shape:
    """Return dimensions that come to `width`, one of which may be -1."""
    sizes = [n for n in target if n is not None]
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) == 1 and known > 0:
        sizes = [width // known if n == -1 else n for n in sizes]
    if len(sizes) != len(target) or min(sizes, default=1) < 1 or math.prod(sizes) != width:
        decline("the shape does not keep the rows")
    return tuple(sizes)


@lowers("ConstantOfShape")
def constant_behind(b: Builder, node: NodeView) -> Values:
    own, depth = _known(node.dims(0))
    return (settled(b, expand_to(b, Const(fill_of(node)), own), depth),)


@lowers("Expand")
def expand_behind(b: Builder, node: NodeView) -> Values:
    """Expand a constant of one row, as first states are given."""
    x, (own, depth) = node.const(0), _known(node.dims(1))
    x = x.reshape((1,) * (len(own) + 1 - x.ndim) + x.shape)
    if x.ndim != len(own) + 1 or x.shape[depth] != 1:
        decline("the constant meets the row dimension")
    own_part = np.ascontiguousarray(np.moveaxis(x, depth, 0)[0])
    try:
        return (settled(b, expand_to(b, Const(own_part), np.broadcast_shapes(own_part.shape, own)), depth),)
    except ValueError:
        decline("the shape does not broadcast")


def _known(items: tuple[int | None, ...]) -> tuple[Shape, int]:
    """Return the numbers of a shape, and how many of them come before the rows."""
    if items.count(None) != 1:
        decline(ELSEWHERE)
    return tuple(n for n in items if n is not None), items.index(None)


# ---- elements moved --------------------------------------------------------------------------------------------------


@lowers("Slice")
def slices(b: Builder, node: NodeView) -> Values:
    x = _first(b, node)
    starts, ends = node.integers("starts", 1), node.integers("ends", 2)
    if starts is None or ends is None:
        decline("the bounds are not constants")
    axes, steps = node.integers("axes", 3) or range(len(starts)), node.integers("steps", 4) or (1,) * len(starts)
    row = x.row
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis in (x.depth, x.depth - row.rank) and start == 0 and step == 1 and end >= np.iinfo(np.int32).max:
            continue  # all rows
        own = _own(x, axis)
        row = slice_axis(b, row, own, *slice_of(row.shape[own], start, end, step))
    return (settled(b, row, x.depth),)


@lowers("Gather")
def gather(b: Builder, node: NodeView) -> Values:
    x, indices = _first(b, node), node.const(1)
    own = _own(x, node.integer("axis", 0))
    row = gather_axis(b, x.row, own, indices)
    return (settled(b, row, x.depth + (indices.ndim - 1) * (own < x.depth)),)


@lowers("Split")
def split(b: Builder, node: NodeView) -> Values:
    x = _first(b, node)
    own, parts = _own(x, node.integer("axis", 0)), node.n_outputs
    n, sizes = x.row.shape[own], node.integers("split", 1)
    if sizes is None:
        sizes = (n // parts,) * parts if n % parts == 0 else decline("the parts are not equal")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    pieces = [slice_axis(b, x.row, own, start, 1, size) for start, size in zip(starts, sizes, strict=True)]
    return tuple(settled(b, piece, x.depth) for piece in pieces)


@lowers("Concat")
def concat(b: Builder, node: NodeView) -> Values:
    pieces = [as_across(b, value) for value in node.inputs]
    first = pieces[0]
    if len({(p.depth, p.row.rank, p.row.dtype) for p in pieces}) != 1:
        decline("pieces of different ranks or types")
    row = concat_rows(b, [p.row for p in pieces], _own(first, node.integer("axis", 0)))
    return (settled(b, row, first.depth),)


# ---- computed --------------------------------------------------------------------------------------------------------


@lowers(*UNARY, "LeakyRelu", "Dropout", "IsNaN", "IsInf", "Clip")
def each_element(b: Builder, node: NodeView) -> Values:
    return _as_rows(b, node)


@lowers("MatMul")
def times_a_matrix(b: Builder, node: NodeView) -> Values:
    """Multiply the last dimension, which is not the rows."""
    if node.const(1).ndim != 2 or _first(b, node).depth == len(_first(b, node).row.shape):
        decline("the rows are multiplied")
    return _as_rows(b, node)


@lowers("Softmax", "LogSoftmax")
def softmax(b: Builder, node: NodeView) -> Values:
    if node.version < 13 or _own(_first(b, node), node.integer("axis", -1)) != len(_first(b, node).row.shape) - 1:
        decline("not along the last axis")
    return _as_rows(b, node, axis=-1)


def _as_rows(b: Builder, node: NodeView, **attributes: int) -> Values:
    """Return what an operator makes of the rows, wherever they are: it keeps each where it was."""
    x, proto = _first(b, node), onnx.NodeProto()
    proto.CopyFrom(node.proto)
    proto.attribute.extend(onnx.helper.make_attribute(*item) for item in attributes.items())
    view = replace(node, proto=proto, inputs=(x.row, *node.inputs[1:]))
    for rule in rules_for(node.proto.domain, node.op_type):
        try:
            values = rule(b, view)
        except Declined:
            continue
        if values is not None and all(isinstance(value, Row) and value.lead == 0 for value in values):
            return tuple(settled(b, value, x.depth) for value in values if isinstance(value, Row))
    return decline(ELSEWHERE)


@lowers(*BINARY, *COMPARISONS)
def beside_others(b: Builder, node: NodeView) -> Values:
    """Compute with rows behind the same dimensions, with rows that are behind none, or with a constant."""
    deep = [value for value in node.inputs if isinstance(value, Across) or (isinstance(value, Row) and value.lead > 0)]
    x = as_across(b, max(deep, key=_depth, default=None))
    accepted = BINARY.get(node.op_type) or COMPARISONS[node.op_type]
    result = "bool" if node.op_type in COMPARISONS else None
    row = elementwise(b, node.op_type, [_beside(b, x, value) for value in node.inputs], accepted, result)
    return (settled(b, row, x.depth),)


def _depth(value: Across | Row) -> int:
    return value.depth if isinstance(value, Across) else value.lead


def _beside(b: Builder, x: Across, value: Value | None) -> Operand:
    """Return an operand that broadcasts to the rows as it broadcasts to the tensor."""
    behind = x.row.rank - x.depth  # dimensions from the rows on
    if isinstance(value, Row) and not value.lead and value.rank == behind:
        return b.reshape(value, (*[1] * x.depth, *value.shape))
    if not isinstance(value, Const):
        other = as_across(b, value)
        fits = (other.depth, other.row.rank) == (x.depth, x.row.rank)
        return other.row if fits else decline("rows behind different dimensions")
    if value.array.ndim < behind:
        return value
    wide = value.array.reshape((1,) * (x.row.rank - value.array.ndim) + value.array.shape)
    if wide.ndim > x.row.rank or wide.shape[x.depth] != 1:
        decline("a constant meets the row dimension")
    return Const(np.ascontiguousarray(np.moveaxis(wide, x.depth, 0)))


@lowers(*REDUCTIONS)
def reduce(b: Builder, node: NodeView) -> Values:
    x, keep = _first(b, node), bool(node.integer("keepdims", 1))
    if x.row.dtype not in REDUCTIONS[node.op_type]:
        decline(ELSEWHERE)
    axes = sorted({_own(x, axis) for axis in node.integers("axes", 1) or decline("the rows are reduced")})
    row = reduce_axes(b, node.op_type, x.row, axes, keep=keep)
    return (settled(b, row, x.depth - (0 if keep else sum(axis < x.depth for axis in axes))),)
