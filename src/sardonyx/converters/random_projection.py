"""sklearn.random_projection."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

from sklearn.random_projection import BaseRandomProjection, GaussianRandomProjection, SparseRandomProjection

from ..convert import as_float
from ..graph import Value
from ..registry import converter
from .base import dense


@converter(GaussianRandomProjection, SparseRandomProjection)
def random_projection(est: Any, X: Value) -> Value:
    result = as_float(X) @ dense(est.components_).T
    result.layout = X.layout.taken_as("csr", "csc", matrix=True)
    result.sparse = X.sparse and isinstance(est, SparseRandomProjection) and not est.dense_output
    return result


@converter(BaseRandomProjection, method="inverse_transform")
def random_projection_inverse(est: Any, X: Value) -> Value:
    known = est.compute_inverse_components
    return as_float(X) @ (est.inverse_components_ if known else est._compute_inverse_components()).T
