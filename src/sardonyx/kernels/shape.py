"""What moves elements (native/kernels/tensor/shape.cpp), and what only gives them another shape.

Rules keep the row dimension first, or see that only dimensions of size 1 come before it (`Row.lead`). Computing with
shapes themselves is in dims.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from ..lowering.rules import (
    Array,
    Builder,
    Const,
    NodeView,
    Operand,
    Row,
    Shape,
    Values,
    decline,
    lowers,
    split_at,
)
from . import sparse
from .dims import slice_of

#: elements of a table that a rule makes for the places of an axis
LARGEST_TABLE = 1 << 22


# ---- the same elements under another shape ---------------------------------------------------------------------------


@lowers("Reshape")
def reshape(b: Builder, node: NodeView) -> Values:
    x = node.any_row(0)
    target = _filled(node, x)
    lead = next((i for i, n in enumerate(target) if n != 1), len(target))
    if lead == len(target) or target[lead] not in (None, -1):
        decline("the shape does not keep the rows")
    own = target[lead + 1 :]
    if any(n is None for n in own):
        decline("the shape does not keep the rows")
    shape = _solved(tuple(n for n in own if n is not None), x.width, rows_are_known=target[lead] is None)
    return (b.reshape(x, shape, lead),)


def _filled(node: NodeView, x: Row) -> tuple[int | None, ...]:
    """Return the shape asked for, with zeros replaced by the dimensions they stand for."""
    given = x.dims
    target = node.dims(1)
    if node.integer("allowzero", 0) or 0 not in target:
        return target
    if any(n == 0 and i >= len(given) for i, n in enumerate(target)):
        decline("the shape does not fit")
    return tuple(given[i] if n == 0 else n for i, n in enumerate(target))


def _solved(shape: Shape, width: int, *, rows_are_known: bool) -> Shape:
    """Return the shape of a row with its -1 replaced; a -1 for the rows is right if one row fills the rest."""
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape:
        if not rows_are_known or known <= 0 or width % known or shape.count(-1) > 1:
            decline("the shape does not keep the rows")
        return tuple(width // known if n == -1 else n for n in shape)
    if known != width or width == 0:
        decline("the shape does not keep the rows")
    return shape


@lowers("Flatten")
def flatten(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    axis = node.integer("axis", 1)
    if (axis + x.rank if axis < 0 else axis) != 1:
        decline("the shape does not keep the rows")
    return (b.reshape(x, (x.width,)),)


@lowers("Squeeze")
def squeeze(b: Builder, node: NodeView) -> Values:
    x = node.any_row(0)
    axes = node.integers("axes", 1)
    if not axes:
        decline("without axes, the number of rows decides")
    drop = {axis % x.rank for axis in axes}
    if x.lead in drop or any(axis > x.lead and x.shape[axis - x.lead - 1] != 1 for axis in drop):
        decline("the rows are squeezed, or a dimension that is not 1")
    shape = tuple(n for i, n in enumerate(x.shape) if i + x.lead + 1 not in drop)
    return (b.reshape(x, shape, x.lead - sum(axis < x.lead for axis in drop)),)


@lowers("Unsqueeze")
def unsqueeze(b: Builder, node: NodeView) -> Values:
    x = node.any_row(0)
    axes = node.integers("axes", 1) or ()
    rank = x.rank + len(axes)
    new = {axis % rank for axis in axes}
    if len(new) != len(axes):
        decline("an axis is given twice")
    old = iter(x.dims)
    full = [1 if i in new else next(old) for i in range(rank)]
    lead = full.index(None)
    return (b.reshape(x, tuple(n for n in full[lead + 1 :] if n is not None), lead),)


@lowers("Transpose")
def transpose(b: Builder, node: NodeView) -> Values:
    x = node.any_row(0)
    order = node.integers("perm") or tuple(reversed(range(x.rank)))
    given = x.dims
    lead = order.index(x.lead)
    if any(given[axis] != 1 for axis in order[:lead]):
        decline("rows are moved behind another dimension")
    shape = tuple(n for n in (given[axis] for axis in order[lead + 1 :]) if n is not None)
    kept = [axis - x.lead - 1 for axis in order if axis > x.lead and given[axis] != 1]
    if kept == sorted(kept):
        return (b.reshape(x, shape, lead),)
    if lead or x.lead:
        decline("rows are not the first dimension")
    return b.step("Transpose", [x], [(x.dtype, shape)], [axis - 1 for axis in order[1:]])


# ---- elements moved --------------------------------------------------------------------------------------------------


@lowers("Concat")
def concat(b: Builder, node: NodeView) -> Values:
    rows = [node.row(i) for i in range(len(node.inputs))]
    if len({row.rank for row in rows}) != 1 or len({row.dtype for row in rows}) != 1:
        decline("pieces of different ranks or types")
    axis = node.row_axis(rows[0], node.integer("axis", 0))
    return (concat_rows(b, rows, axis),)


def concat_rows(b: Builder, rows: list[Row], axis: int) -> Row:
    """Return rows joined along an axis of theirs."""
    first = rows[0].shape
    if len({row.shape[:axis] + row.shape[axis + 1 :] for row in rows}) != 1:
        decline("pieces do not fit")
    shape = (*first[:axis], sum(row.shape[axis] for row in rows), *first[axis + 1 :])
    pieces = [row for row in rows if row.width]
    if len(pieces) < 2:  # pieces without elements still have a width
        only = pieces[0] if pieces else rows[0]
        return b.reshape(only, shape, only.lead)
    if len(first) == 1 and (row := sparse.joined(b, pieces)) is not None:
        return row
    (result,) = b.step("Concat", pieces, [(rows[0].dtype, shape)], [math.prod(first[:axis])])
    return result


def slice_axis(b: Builder, x: Row, axis: int, start: int, step: int, count: int) -> Row:
    """Return `count` elements of an axis, from `start` on, `step` apart."""
    if (start, step, count) == (0, 1, x.shape[axis]):
        return x
    if x.sparse and (row := sparse.chosen(b, x, start + step * np.arange(count))) is not None:
        return row
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    params = (*split_at(x.shape, axis), start, step, count)
    (result,) = b.step("Slice", [x], [(x.dtype, shape)], params)
    return result


@lowers("Slice", whole=None)
def slice_rows(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    starts, ends = node.integers("starts", 1), node.integers("ends", 2)
    if starts is None or ends is None:
        decline("the bounds are not constants")
    axes = node.integers("axes", 3) or tuple(range(len(starts)))
    steps = node.integers("steps", 4) or (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis in (0, -x.rank) and start == 0 and step == 1 and end >= np.iinfo(np.int32).max:
            continue  # all rows
        own = node.row_axis(x, axis)
        x = slice_axis(b, x, own, *slice_of(x.shape[own], start, end, step))
    return (x,)


@lowers("Split", whole=None)
def split(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    axis = node.row_axis(x, node.integer("axis", 0))
    n, parts = x.shape[axis], node.n_outputs
    sizes = node.integers("split", 1)
    if sizes is None:
        size = -(-n // parts)
        sizes = tuple(max(0, min(size, n - i * size)) for i in range(parts))
        if node.version < 18 and n % parts:
            decline("the parts are not equal")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(slice_axis(b, x, axis, start, 1, size) for start, size in zip(starts, sizes, strict=True))


def _positions(indices: Array, n: int) -> Array:
    """Return indices counted from the start, as int64."""
    at = indices.astype(np.int64)
    if ((at < -n) | (at >= n)).any():
        decline("an index is out of range")
    return np.where(at < 0, at + n, at)


def gather_axis(b: Builder, x: Row, axis: int, indices: Array) -> Row:
    """Return the elements of an axis at constant indices (of any shape)."""
    at = _positions(indices, x.shape[axis])
    if (row := sparse.chosen(b, x, at)) is not None:
        return row
    shape = (*x.shape[:axis], *at.shape, *x.shape[axis + 1 :])
    (result,) = b.step("Gather", [x, at], [(x.dtype, shape)], split_at(x.shape, axis))
    return result


@lowers("Gather", whole=None)
def gather_columns(b: Builder, node: NodeView) -> Values:
    x, indices = node.row(0), node.const(1)
    return (gather_axis(b, x, node.row_axis(x, node.integer("axis", 0)), indices),)


@lowers("Gather")
def gather_table(b: Builder, node: NodeView) -> Values:
    table, indices = node.const(0), node.row(1)
    if node.integer("axis", 0) not in (0, -table.ndim) or indices.dtype not in ("int64", "int32"):
        decline("a table is looked up along its first axis")
    return (look_up(b, table, indices),)


def look_up(b: Builder, table: Array, indices: Row) -> Row:
    """Return the slices of a table at indices that the rows hold."""
    from .elementwise import cast

    at = cast(b, indices, "int64")
    shape = (*indices.shape, *table.shape[1:])
    along = (1, table.shape[0], math.prod(table.shape[1:]))
    (result,) = b.step("Gather", [Const(table), at], [(Const(table).dtype, shape)], along)
    return result


@lowers("ArrayFeatureExtractor", domain="ai.onnx.ml")
def array_feature_extractor(b: Builder, node: NodeView) -> Values:
    x, indices = node.row(0), node.const(1).reshape(-1)
    if not x.shape:
        decline("the rows are the last axis")
    return (gather_axis(b, x, len(x.shape) - 1, indices),)


@lowers("ArrayFeatureExtractor", domain="ai.onnx.ml")
def array_feature_table(b: Builder, node: NodeView) -> Values:
    """Classes at the rows' indices: the result is 1 x N, whatever the shape of the indices."""
    table, indices = node.const(0), node.any_row(1)
    if table.size != table.shape[-1] or table.ndim > 2 or indices.width != 1 or indices.dtype != "int64":
        decline("not a look-up of one class a row")
    flat = b.reshape(indices, ())
    row = look_up(b, table.reshape(-1), replace(flat, lead=0))
    return (replace(row, lead=1),)


@lowers("GatherElements", whole=None)
def gather_elements(b: Builder, node: NodeView) -> Values:
    x, indices = node.row(0), node.row(1)
    axis = node.row_axis(x, node.integer("axis", 0))
    if indices.dtype != "int64" or len(indices.shape) != len(x.shape):
        decline("indices are not int64, or of another rank")
    if x.shape[:axis] + x.shape[axis + 1 :] != indices.shape[:axis] + indices.shape[axis + 1 :]:
        decline("indices for a part of the other dimensions")
    params = (*split_at(x.shape, axis), indices.shape[axis])
    return b.step("GatherElements", [x, indices], [(x.dtype, indices.shape)], params)


@lowers("Compress", whole=None)
def compress(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    axis = node.row_axis(x, node.integer("axis", 0)) if "axis" in node.attributes else decline("all rows are flattened")
    return (gather_axis(b, x, axis, np.flatnonzero(node.const(1))),)


@lowers("Tile")
def tile(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    rows, *repeats = node.integers("repeats", 1) or decline("the repeats are not given")
    if rows != 1 or len(repeats) != len(x.shape):
        decline("rows are repeated")
    for axis, times in enumerate(repeats):
        if times != 1:
            x = gather_axis(b, x, axis, repeated(x.shape[axis], times))
    return (x,)


def repeated(n: int, times: int) -> Array:
    """Return the places of an axis, several times over."""
    if n * times > LARGEST_TABLE:
        decline("repeated more often than a table of places holds")
    return np.tile(np.arange(n), times)


#: modes of Pad, which numpy.pad calls the same
PAD_MODES: Final[dict[str, Literal["edge", "reflect", "wrap"]]] = {"edge": "edge", "reflect": "reflect", "wrap": "wrap"}


@lowers("Pad", whole=None)
def pad(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    pads, mode = node.integers("pads", 1), node.text("mode", "constant")
    if pads is None or len(pads) % 2 or mode not in ("constant", *PAD_MODES):
        decline("no pads, or a mode that there is not")
    count = len(pads) // 2
    axes: Sequence[int] = node.integers("axes", 3) or range(count)
    fill = node.const(2) if node.has(2) else np.array(node.attributes.get("value", "" if x.dtype == "str" else 0))
    fill = fill.astype(object if x.dtype == "str" else x.dtype).reshape(-1)[:1]
    for axis, before, after in zip(axes, pads[:count], pads[count:], strict=True):
        if before or after:
            own = node.row_axis(x, axis)
            x = _pad_axis(b, _cut_axis(b, x, own, before, after), own, max(before, 0), max(after, 0), fill, mode)
    return (x,)


def _cut_axis(b: Builder, x: Row, axis: int, before: int, after: int) -> Row:
    """Return x without what negative pads take away."""
    start, end = max(-before, 0), x.shape[axis] - max(-after, 0)
    return (
        slice_axis(b, x, axis, start, 1, end - start) if start <= end else decline("padding that takes away too much")
    )


def _pad_axis(b: Builder, x: Row, axis: int, before: int, after: int, fill: Array, mode: str) -> Row:
    if not before and not after:
        return x
    n = x.shape[axis]
    if mode != "constant":
        if n == 0 or n + before + after > LARGEST_TABLE:
            decline("nothing to pad with, or too much")
        places: Array = np.pad(np.arange(n), (before, after), PAD_MODES[mode])
        return gather_axis(b, x, axis, places)
    shape = (*x.shape[:axis], n + before + after, *x.shape[axis + 1 :])
    operands: list[Operand | Array] = [x, fill]
    (result,) = b.step("Pad", operands, [(x.dtype, shape)], (*split_at(x.shape, axis), before, after))
    return result


@lowers("OneHot", whole=None)
def one_hot(b: Builder, node: NodeView) -> Values:
    from .elementwise import cast

    indices, values = node.row(0), node.const(2)
    depth = int(node.const(1).reshape(-1)[0])
    axis = node.integer("axis", -1)
    own = (axis if axis >= 0 else axis + indices.rank + 1) - 1 - indices.lead
    if own < 0 or indices.dtype in ("str", "bool") or depth < 0:
        decline("the new axis comes before the rows, or the indices are not numbers")
    shape = (*indices.shape[:own], depth, *indices.shape[own:])
    along = (math.prod(indices.shape[:own]), depth, math.prod(indices.shape[own:]))
    at = cast(b, indices, "int64")
    return b.step("OneHot", [at, values.reshape(-1)], [(Const(values).dtype, shape)], along)
