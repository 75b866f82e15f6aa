"""NumPy's functions on traced arrays: how a rule is registered, and what rules share. Importing it registers none.

The rules are in reductions.py, joining.py and choosing.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value
from ..protos import STRING
from .array import FUNCTIONS, KNOWN, UFUNCS, Array, refuse

Rule = Callable[..., Any]


def implements(*functions: Any) -> Callable[[Rule], Rule]:
    """Register a rule for functions of NumPy."""

    def declare(rule: Rule) -> Rule:
        FUNCTIONS.update(dict.fromkeys(functions, rule))
        return rule

    return declare


def apply_ufunc(ufunc: np.ufunc, *inputs: Any) -> Any:
    """Return a ufunc of arrays and constants."""
    return UFUNCS[ufunc](*inputs)


def numeric(x: Array) -> Value:
    """Return the tensor of numbers or booleans."""
    if x.value.dtype == STRING or x.value.dtype not in KNOWN:
        refuse(f"this function of {'text' if x.value.dtype == STRING else x.dtype}")
    return x.value


def wide(value: Value) -> Value:
    """Return integers and booleans as int64, which every operator takes."""
    return value.astype(np.int64) if value.dtype.kind in "iub" else value
