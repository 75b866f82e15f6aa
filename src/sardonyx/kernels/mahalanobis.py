"""Distances by the inverse of a covariance (native/kernels/neighbors/mahalanobis.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Builder, NodeView, Values, decline, lowers


@lowers("Mahalanobis", domain="sardonyx")
def mahalanobis(b: Builder, node: NodeView) -> Values:
    """Add one step, which is given the inverse turned over."""
    x, center, inverse = node.row(0), node.const(1), node.const(2)
    if x.dtype != "float64" or inverse.dtype != np.float64 or inverse.shape != (*x.shape, *x.shape):
        decline("a matrix that does not fit the rows")
    return b.step("Mahalanobis", [x, center, np.ascontiguousarray(inverse.T)], [(x.dtype, (1,))])
