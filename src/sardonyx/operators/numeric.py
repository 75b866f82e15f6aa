"""Functions of one number that the standard lacks, or does not have as exactly as SciPy.

The bodies of Log1p and Expm1 follow W. Kahan: the error that rounding makes in ``1 + x`` is divided out again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import UFUNCS, Value, where
from . import operator


@operator("Expit")
def expit(X: Value) -> Any:
    """Return 1 / (1 + exp(-X)), elementwise, as ``scipy.special.expit`` computes it.

    Our runtime gives SciPy's bits (both use the C library's exp), so that probabilities of boosted trees are identical
    as their sums are. ONNX Runtime's Sigmoid loses the small tail in float64.
    """
    return 1.0 / (1.0 + np.exp(-X))


@operator("Log1p")
def log1p(X: Value) -> Any:
    """Return log(1 + X), elementwise."""
    one = X.dtype.type(1)
    u = X + one
    return where((u == one) | (u == X.dtype.type(np.inf)), X, np.log(u) * (X / (u - one)))


@operator("Expm1")
def expm1(X: Value) -> Any:
    """Return exp(X) - 1, elementwise."""
    one = X.dtype.type(1)
    u: Value = np.exp(X)
    corrected = where(u - one == -one, -one, (u - one) * (X / np.log(u)))
    return where(u == one, X, where(np.isinf(u), u, corrected))


#: with them, functions written with NumPy trace to these operators
UFUNCS[np.log1p] = lambda x: log1p(x if x.dtype.kind == "f" else x.astype(np.float64))
UFUNCS[np.expm1] = lambda x: expm1(x if x.dtype.kind == "f" else x.astype(np.float64))
