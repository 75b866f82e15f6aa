"""Constant matrices given by their entries: kept so, for the rules that ask for entries."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Entries, NodeView, SparseConst, Values, decline, folds

#: kernels count rows and columns in 32 bits
_MOST = np.iinfo(np.int32).max


@folds("SparseMatrix", domain="sardonyx")
def sparse_matrix(node: NodeView) -> Values:
    values, places = node.const(0), node.const(1)
    rows, columns = node.integer("rows", 0), node.integer("columns", 0)
    if not (0 < rows <= _MOST and 0 < columns <= _MOST):
        decline(f"no matrix has {rows} rows of {columns} columns")
    if values.dtype.kind not in "biuf" or values.ndim != 1 or places.shape != values.shape or places.dtype != np.int64:
        decline("entries are a list of numbers, and a list of int64 places")
    if len(places) and not (0 <= places[0] and places[-1] < rows * columns and (places[1:] > places[:-1]).all()):
        decline("places are not in order, or outside of the matrix")
    return (SparseConst(Entries((rows, columns), *np.divmod(places, columns), values)),)
