"""Systems of linear equations with a triangular matrix."""

from __future__ import annotations

import numpy as np

from ..graph import Value, loop, op, where
from . import operator


@operator("SolveTriangular", outputs=("V",))
def solve_triangular(B: Value, lower: Value) -> Value:
    """Return V with ``lower @ V.T == B.T``, by forward substitution.

    A product with the inverse would lose what differs little: the variances that Gaussian processes make of V.

    Parameters
    ----------
    B : float64 Value of shape (N, n)
    lower : float64 Value of shape (n, n)
        Lower triangular; what is above its diagonal must be zero.
    """
    n = B.dim(1)
    columns = np.arange(n, dtype=np.int64)

    def solve(i: Value, solved: Value) -> tuple[Value, Value]:
        at = i.reshape(1)
        row = op.Gather(lower, at, axis=0)
        known = solved @ op.Transpose(row, perm=[1, 0])  # what is not solved yet is zero
        column = (op.Gather(B, at, axis=1) - known) / op.Gather(row, at, axis=1)
        return (i >= 0), where(i == columns, column, solved)

    return loop(solve, n, B * 0.0)[0]
