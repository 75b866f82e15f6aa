"""Triangular systems (native/kernels/linear/triangular.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Builder, NodeView, Values, decline, lowers


@lowers("SolveTriangular", domain="sardonyx")
def solve_triangular(b: Builder, node: NodeView) -> Values:
    rows, lower = node.row(0), node.const(1)
    if rows.dtype != "float64" or lower.dtype != np.float64 or lower.shape != (*rows.shape, *rows.shape):
        decline("a matrix that does not fit the rows")
    b.want_block_rows(64)
    return b.step("SolveTriangular", [rows, lower], [(rows.dtype, rows.shape)])
