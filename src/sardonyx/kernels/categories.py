"""Category lookup, hashes, one-hot blocks (native/kernels/preprocessing/), conditions on rows (guards/require.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.reference.graphs import dtype_of
from ..lowering.rules import Builder, NodeView, Values, decline, dtype_name, lowers
from .sparse import pays_for_one_hot


@lowers("CategoryLookup", domain="sardonyx")
def category_lookup(b: Builder, node: NodeView) -> Values:
    x, categories, codes = node.row(0), node.const(1), node.const(2)
    if dtype_name(categories) != x.dtype or len(codes) != len(categories) + 1:
        decline("categories and codes do not fit")
    label = f"column {node.text('column', '')!r}"
    form = (dtype_name(codes), x.shape)
    return b.step("CategoryLookup", [x, categories, codes], [form], [node.integer("refuse_unknown", 0)], label)


@lowers("HashCategory", domain="sardonyx")
def hash_category(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    if x.dtype not in ("str", "int64"):
        decline("categories are neither text nor int64")
    return b.step("HashCategory", [x], [("int64", x.shape)], label=f"column {node.text('column', '')!r}")


@lowers("OneHotBlocks", domain="sardonyx")
def one_hot_blocks(b: Builder, node: NodeView) -> Values:
    positions, widths = node.row(0), node.integers("widths") or ()
    if positions.dtype != "int64" or positions.shape != (len(widths),):
        decline("positions and widths do not fit")
    starts = np.cumsum([0, *widths], dtype=np.int64)
    form = (dtype_of(node.integer("to", 0)), (int(starts[-1]),))
    return b.step("OneHotBlocks", [positions, starts], [form], gives_sparse=pays_for_one_hot(len(widths), form[1][0]))


@lowers("Require", domain="sardonyx")
def require(b: Builder, node: NodeView) -> Values:
    x, condition = node.row(0), node.row(1)
    if condition.dtype != "bool":
        decline("the condition is not boolean")
    return b.step("Require", [x, condition], [(x.dtype, x.shape)], label=node.text("message", ""))


@lowers("Refuse", domain="sardonyx")
def refuse(b: Builder, node: NodeView) -> Values:
    """Look at the entries alone of sparse rows whose zeros are no reason."""
    x, condition = node.row(0), node.row(1)
    if condition.dtype != "bool" or condition.shape != x.shape:
        decline("the condition is not one bool for each element")
    both = x.sparse and condition.sparse and b.entries(x.slot) == b.entries(condition.slot)
    form, label = [(x.dtype, x.shape)], node.text("message", "")
    return b.step("Refuse", [x, condition], form, label=label, entries_of=x if both else None)
