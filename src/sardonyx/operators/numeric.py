"""Functions of one number that the standard lacks, accurate near zero.

The bodies follow W. Kahan: the error that rounding makes in ``1 + x`` is divided out again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Value
from . import operator


@operator("Log1p")
def log1p(X: Value) -> Any:
    """Return log(1 + X), elementwise."""
    one = X.dtype.type(1)
    u = X + one
    return np.where((u == one) | np.isinf(u), X, np.log(u) * X / (u - one))  # type: ignore[call-overload]


@operator("Expm1")
def expm1(X: Value) -> Any:
    """Return exp(X) - 1, elementwise."""
    one = X.dtype.type(1)
    u = np.exp(X)  # type: ignore[call-overload]
    corrected = np.where(u - one == -one, -one, (u - one) * X / np.log(u))
    return np.where(u == one, X, np.where(np.isinf(u), u, corrected))
