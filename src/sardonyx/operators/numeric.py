"""Functions of one number that the standard lacks, accurate near zero.

The bodies follow W. Kahan: the error that rounding makes in ``1 + x`` is divided out again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import UFUNCS, Value, where
from . import operator


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
