"""Operators that refuse input as scikit-learn does."""

from __future__ import annotations

from typing import Any

from ..graph import Value, op
from . import operator


@operator("CheckFinite")
def check_finite(X: Value, *, allow_nan: int, estimator: str) -> Any:
    """Return X; our runtime refuses infinity, and NaN unless `allow_nan`, naming the estimator.

    The body cannot refuse anything: elsewhere NaN and infinity go through, as the standard has no assertion.
    """
    return op.Identity(X)


@operator("Require")
def require(X: Value, condition: Value, *, message: str) -> Any:
    """Return X; our runtime refuses rows for which a condition is false, with `message`.

    The body cannot refuse anything: elsewhere such rows go through, and what they give means nothing.
    """
    return op.Identity(X)


@operator("Refuse")
def refuse(X: Value, condition: Value, *, message: str) -> Any:
    """Return X; our runtime refuses rows for which a condition is true, with `message`.

    Where zeros do not meet the condition, sparse rows stay sparse, which they do not beside `require`. The body is like
    that of `require`.
    """
    return op.Identity(X)
