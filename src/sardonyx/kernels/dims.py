"""Shapes in which the number of rows occurs: what a graph makes of them is known beforehand, but for that number.

::

    Shape(X) ─▶ (N, 3) ─▶ Slice ─▶ (3,)           a constant
                       ─▶ Gather 0 ─▶ N           `Dims`: what Reshape and Expand may be given
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..lowering.rules import Builder, Const, Dims, NodeView, Value, Values, decline, lowers


def _dims(items: Sequence[int | None], *, scalar: bool = False) -> Value:
    """Return a shape: a constant unless the number of rows is in it."""
    if None in items:
        return Dims(tuple(items), scalar)
    array = np.array(items, dtype=np.int64)
    return Const(array.reshape(()) if scalar else array)


def slice_of(n: int, start: int, end: int, step: int) -> tuple[int, int, int]:
    """Return (start, step, count) of a slice of n elements.

    Backwards from before the first element is from the first, as the standard has it: Python takes nothing.
    """
    if step == 0:
        decline("a slice with step 0")
    start = 0 if step < 0 and start < -n else start
    start, stop, step = slice(start, end, step).indices(n)
    return start, step, len(range(start, stop, step))


@lowers("Shape")
def shape_of(b: Builder, node: NodeView) -> Values:
    x = node.any_row(0)
    items = x.dims
    return (_dims(items[node.integer("start", 0) : node.integer("end", len(items))]),)


@lowers("Gather")
def gather_of_dims(b: Builder, node: NodeView) -> Values:
    items, at = node.dims(0), node.const(1)
    if at.ndim > 1 or any(not -len(items) <= int(i) < len(items) for i in at.reshape(-1)):
        decline("not a choice of dimensions")
    return (_dims([items[int(i)] for i in at.reshape(-1)], scalar=at.ndim == 0),)


@lowers("Slice")
def slice_of_dims(b: Builder, node: NodeView) -> Values:
    items = node.dims(0)
    starts, ends = node.integers("starts", 1), node.integers("ends", 2)
    steps = node.integers("steps", 4) or (1,)
    if starts is None or ends is None or len(starts) != 1 or (node.integers("axes", 3) or (0,)) not in ((0,), (-1,)):
        decline("not a slice of dimensions")
    start, step, count = slice_of(len(items), starts[0], ends[0], steps[0])
    return (_dims([items[start + i * step] for i in range(count)]),)


@lowers("Concat")
def concat_of_dims(b: Builder, node: NodeView) -> Values:
    parts = [node.dims(i) for i in range(len(node.inputs))]
    return (_dims([n for part in parts for n in part]),)


@lowers("Unsqueeze", "Squeeze", "Reshape", "Cast", "Identity")
def reshape_of_dims(b: Builder, node: NodeView) -> Values:
    x = node.inputs[0]
    if not isinstance(x, Dims) or len(x.items) != 1:
        decline("input 0 is not one number of a shape")
    if node.op_type in ("Cast", "Identity"):
        return (x,) if node.op_type == "Identity" or node.integer("to", 0) == 7 else decline("not cast to int64")
    to_scalar = node.op_type == "Squeeze" or (node.op_type == "Reshape" and not node.dims(1))
    return (Dims(x.items, to_scalar),)
