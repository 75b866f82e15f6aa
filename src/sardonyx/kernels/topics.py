"""Latent Dirichlet allocation (native/kernels/decomposition/topics.cpp)."""

from __future__ import annotations

from ..lowering.rules import Builder, Const, NodeView, Values, lowers
from .elementwise import FLOATS, one_type


@lowers("Digamma", domain="sardonyx")
def digamma(b: Builder, node: NodeView) -> Values:
    """Add one step."""
    x = node.row(0)
    one_type([x], FLOATS)
    return b.step("Digamma", [x], [(x.dtype, x.shape)])


@lowers("DocumentTopics", domain="sardonyx")
def document_topics(b: Builder, node: NodeView) -> Values:
    """Add one step; the prior and the tolerance become its params."""
    x, words, start = node.row(0), node.const(1), node.const(2)
    one_type([x, Const(words), Const(start)], FLOATS)
    params = (node.integer("max_iter", 0), float(node.const(3)), float(node.const(4)))
    return b.step("DocumentTopics", [x, words, start], [(x.dtype, start.shape)], params, takes_sparse=True)
