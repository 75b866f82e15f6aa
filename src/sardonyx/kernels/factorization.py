"""Non-negative matrix factorisation (native/kernels/decomposition/factorization.cpp, multiplicative_updates.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Row, Values, decline, lowers
from .elementwise import FLOATS, one_type

RULES = {"divergence": 0, "change": 1}


@lowers("NonNegativeDescent", domain="sardonyx")
def non_negative_descent(b: Builder, node: NodeView) -> Values:
    """Add one step."""
    x, hht, order = node.row(0), node.const(1), node.const(2)
    one_type([x, Const(hht)], FLOATS)
    params = (node.integer("max_iter", 0), float(node.const(3)))
    b.want_whole_batch("NonNegativeDescent")
    return b.step("NonNegativeDescent", [x, hht, order], [(x.dtype, x.shape)], params)


@lowers("MultiplicativeUpdates", domain="sardonyx")
def multiplicative_updates(b: Builder, node: NodeView) -> Values:
    """Add one step, which is given the products of the components beside them."""
    x, h, rule = node.row(0), node.const(1), node.text("rule", "")
    one_type([x, Const(h)], FLOATS)
    if rule not in RULES or h.ndim != 2:
        decline("another rule than the operator has")
    l1, l2 = node.const(2).astype(np.float64).tolist()
    params = (node.integer("max_iter", 0), RULES[rule], float(node.text("beta", "2")), float(node.const(3)), l1, l2)
    outputs = [(x.dtype, (len(h),))]
    b.want_whole_batch("MultiplicativeUpdates")
    operands: list[Row | Array] = [
        x,
        h,
        np.ascontiguousarray(h @ h.T),
        *([np.ascontiguousarray(h.T)] if x.sparse else []),
    ]
    return b.step("MultiplicativeUpdates", operands, outputs, params, takes_sparse=True)
