"""Matrices that are mostly zeros, given by their entries.

The standard has sparse tensors; ONNX Runtime 1.32 reads freed memory, now and then, where one stands in a function.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Value, as_value, op
from . import operator

#: matrices are given by their entries where at most one element in so many is not zero
SPARSE_RATIO = 8


@operator("SparseMatrix")
def _scattered(values: Value, places: Value, *, rows: int, columns: int) -> Value:
    """Return the matrix of `rows` and `columns` that is zero but for the `values` at `places`.

    Our runtime keeps the entries alone; the body makes the matrix dense.

    Parameters
    ----------
    values : Value of shape (n_entries,)
    places : int64 Value of shape (n_entries,)
        The row times `columns`, plus the column; strictly ascending.
    """
    zeros = op.ConstantOfShape(np.array([rows * columns], np.int64), value=np.zeros(1, values.dtype))
    flat = op.ScatterElements(zeros, places, values, axis=0)
    return op.Reshape(flat, np.array([rows, columns], np.int64))


def sparse_matrix(matrix: Any) -> Value:
    """Return a constant matrix from a SciPy sparse one: a dense one if it has many entries."""
    rows = matrix.tocsr().copy()
    rows.sum_duplicates()
    rows.eliminate_zeros()
    if not 0 < rows.nnz * SPARSE_RATIO < rows.shape[0] * rows.shape[1]:
        return as_value(rows.toarray())
    begins = np.repeat(np.arange(rows.shape[0], dtype=np.int64) * rows.shape[1], np.diff(rows.indptr))
    result: Value = _scattered(rows.data, begins + rows.indices, rows=rows.shape[0], columns=rows.shape[1])
    return result
