"""Interpolation and splines (native/kernels/preprocessing/interpolation.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Builder, NodeView, Values, decline, dtype_name, lowers


@lowers("Interp", domain="sardonyx")
def interp(b: Builder, node: NodeView) -> Values:
    """Add one step, without the knots that only fill up to a power of two."""
    x, tables = node.row(0), [node.const(i) for i in range(1, 4)]
    if len(x.shape) != 1 or any(dtype_name(t) != x.dtype or t.shape != tables[0].shape for t in tables):
        decline("knots that do not fit the columns")
    used = max(1, int(np.isfinite(tables[0]).sum(axis=1).max(initial=1)))
    return b.step("Interp", [x, *(np.ascontiguousarray(t[:, :used]) for t in tables)], [(x.dtype, x.shape)])


@lowers("BSplineBasis", domain="sardonyx")
def b_spline_basis(b: Builder, node: NodeView) -> Values:
    x, knots, degree = node.row(0), node.const(1), node.integer("degree", 3)
    if x.dtype != "float64" or x.shape != knots.shape[:1]:
        decline("knots that do not fit the columns")
    return b.step("BSplineBasis", [x, knots], [(x.dtype, (len(knots) * (knots.shape[1] - degree - 1),))], [degree])
