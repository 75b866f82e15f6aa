"""Sparse codes over a dictionary (native/kernels/decomposition/: matching_pursuit.cpp, lasso.cpp, least_angle.cpp)."""

from __future__ import annotations

from ..lowering.rules import Array, Builder, Const, NodeView, Row, Values, lowers
from .elementwise import FLOATS, one_type

LASSO, POSITIVE = 1, 2


def _problem(node: NodeView) -> tuple[Row, Array]:
    xy, gram = node.row(0), node.const(1)
    one_type([xy, Const(gram)], FLOATS)
    return xy, gram


@lowers("OrthogonalMatchingPursuit", domain="sardonyx")
def orthogonal_matching_pursuit(b: Builder, node: NodeView) -> Values:
    """Add one step."""
    xy, gram = _problem(node)
    params = (node.integer("n_nonzero_coefs", 1),)
    return b.step("OrthogonalMatchingPursuit", [xy, gram], [(xy.dtype, xy.shape)], params)


@lowers("LassoDescent", domain="sardonyx")
def lasso_descent(b: Builder, node: NodeView) -> Values:
    """Add one step; the penalty and the tolerance become its params."""
    xy, gram = _problem(node)
    params = (node.integer("max_iter", 0), node.integer("positive", 0), float(node.const(3)), float(node.const(4)))
    return b.step("LassoDescent", [xy, gram, node.row(2)], [(xy.dtype, xy.shape)], params)


@lowers("LeastAngle", domain="sardonyx")
def least_angle(b: Builder, node: NodeView) -> Values:
    """Add one step; the penalty becomes one of its params."""
    xy, gram = _problem(node)
    flags = LASSO * (node.text("method", "") == "lasso") + POSITIVE * node.integer("positive", 0)
    params = (node.integer("max_iter", 0), flags, node.integer("n_features", 1), float(node.const(2)))
    return b.step("LeastAngle", [xy, gram], [(xy.dtype, xy.shape)], params)
