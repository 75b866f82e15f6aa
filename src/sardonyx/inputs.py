"""What a model takes in: the sample's columns become named, typed tensors, at conversion and at every call.

Arrays give one input ``X`` of shape (N, features); frames give one input per column, of shape (N, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import InputError

#: a missing value in a string tensor, which has no null: Unicode noncharacters cannot occur in exchanged text
MISSING_NAN, MISSING_NONE = "\ufdd0NaN", "\ufdd0None"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a model: its name, dtype (NumPy's name; ``str`` for text) and number of columns."""

    name: str
    dtype: str
    width: int


def is_frame(X: Any) -> bool:
    """Whether X has named columns (pandas, polars)."""
    return hasattr(X, "columns") and hasattr(X, "__getitem__") and not isinstance(X, dict)


def describe(X: Any) -> tuple[InputSpec, ...]:
    """Return the inputs that a model for data like `X` has."""
    if is_frame(X):
        return tuple(InputSpec(str(c), _column_dtype(np.asarray(X[c]), str(c)), 1) for c in X.columns)
    if hasattr(X, "toarray"):
        return (InputSpec("X", str(X.dtype), X.shape[1]),)
    array = np.asarray(X)
    if array.ndim != 2:
        raise InputError(
            f"the sample has {array.ndim} dimension(s), expected rows x columns. Use X.reshape(-1, 1) for one column."
        )
    return (InputSpec("X", _column_dtype(array, "X"), array.shape[1]),)


def _column_dtype(array: Any, name: str) -> str:
    if array.dtype.kind in "fiub":
        return str(array.dtype)
    if array.dtype.kind in "UOT":
        return "str"
    raise InputError(f"column {name!r} has dtype {array.dtype}; convert it to numbers, bools or strings first.")
