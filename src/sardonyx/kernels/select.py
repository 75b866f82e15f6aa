"""Where and Expand (native/kernels/tensor/select.cpp), and the constant rows that ConstantOfShape makes."""

from __future__ import annotations

import numpy as np

from ..lowering.program import DTYPE_CODES
from ..lowering.rules import Array, Builder, Const, NodeView, Row, Shape, Values, decline, lowers
from . import sparse
from .elementwise import aligned, one_type


@lowers("Where", whole=None)
def where(b: Builder, node: NodeView) -> Values:
    condition, *branches = node.operands()
    one_type([condition], frozenset({"bool"}))
    dtype = one_type(branches, frozenset(DTYPE_CODES))
    own, shape = aligned([condition, *branches])
    row = sparse.on_entries(b, "Where", own, shape, dtype)
    return (row,) if row is not None else b.step("Where", own, [(dtype, shape)])


def expand_to(b: Builder, x: Row | Const, shape: Shape) -> Row:
    """Return x broadcast to `shape` for every row."""
    if isinstance(x, Row) and x.shape == shape:
        return x
    (row,) = b.step("Expand", [x], [(x.dtype, shape)])
    return row


def _known(items: tuple[int | None, ...]) -> Shape:
    """Return the numbers after the rows."""
    if not items or items[0] is not None or None in items[1:]:
        decline("the rows are not the first dimension of the shape")
    return tuple(n for n in items[1:] if n is not None)


@lowers("Expand")
def expand(b: Builder, node: NodeView) -> Values:
    x, items = node.row(0), node.dims(1)
    if len(items) > x.rank or (len(items) == x.rank and items[0] not in (1, None)) or None in items[1:]:
        decline("the shape meets the row dimension")
    own = tuple(n for n in (items[1:] if len(items) == x.rank else items) if n is not None)
    try:
        return (expand_to(b, x, np.broadcast_shapes(x.shape, own)),)
    except ValueError:
        decline("the shape does not broadcast")


@lowers("Expand")
def expand_constant(b: Builder, node: NodeView) -> Values:
    x, shape = node.const(0), _known(node.dims(1))
    own = x.reshape(x.shape[1:]) if x.ndim == len(shape) + 1 and x.shape[0] == 1 else x
    if own.ndim > len(shape):
        decline("the constant meets the row dimension")
    try:
        return (expand_to(b, Const(own), np.broadcast_shapes(own.shape, shape)),)
    except ValueError:
        decline("the shape does not broadcast")


@lowers("ConstantOfShape")
def constant_of_shape(b: Builder, node: NodeView) -> Values:
    return (expand_to(b, Const(fill_of(node)), _known(node.dims(0))),)


def fill_of(node: NodeView) -> Array:
    """Return the number that ConstantOfShape fills with."""
    from ..lowering.reference.graphs import to_array

    value = node.attributes.get("value")
    return np.zeros((), dtype=np.float32) if value is None else to_array(value).reshape(())
