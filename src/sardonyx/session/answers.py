"""A program's outputs as the estimator's method returns them: its form, its dtypes, sparse where it is sparse.

Nothing is computed here, and nothing run: session.py asks the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..description import Method
from ..inputs.values import restore_missing

Array: TypeAlias = NDArray[Any]


def plain_dtypes(methods: Mapping[str, Method]) -> dict[str, np.dtype[Any]]:
    """Return the dtypes of methods that answer with their one output itself, if it has that dtype.

    What `in_form` finds out of such an answer, it would find out anew for every row asked for.
    """
    return {
        name: np.dtype(method.dtypes[0])
        for name, method in methods.items()
        if method.form in ("array", "stacked") and len(method.dtypes) == 1 and np.dtype(method.dtypes[0]).kind != "O"
    }


def in_form(name: str, method: Method, arrays: list[Array]) -> Any:
    """Return a method's outputs as it returns them: an array, a list, a tuple, or columns side by side."""
    arrays = in_dtypes(name, method, arrays)
    if method.form in ("array", "stacked", "sparse"):
        return arrays[0]
    if method.form == "columns":
        return np.concatenate([a.astype(object) for a in arrays], axis=1)
    return arrays if method.form == "list" else tuple(arrays)


def in_dtypes(name: str, method: Method, arrays: list[Array]) -> list[Array]:
    """Return a method's outputs in the estimator's dtypes."""
    if not method.dtypes:
        return arrays
    return [_in_dtype(a, d, name == "predict") for a, d in zip(arrays, method.dtypes, strict=True)]


def as_csr(result: Any, dtype: str) -> Any:
    """Return an output as a CSR matrix, whichever way the program gives it."""
    from scipy.sparse import csr_matrix

    matrix = csr_matrix(result) if isinstance(result, np.ndarray) else result
    return matrix if matrix.dtype.str == dtype else matrix.astype(dtype)


def _in_dtype(array: Array, dtype: str, labels: bool) -> Array:
    """Return an output in the estimator's dtype. Text other than labels may be longer than the sample's, or missing."""
    if array.dtype == object and not labels:
        array = restore_missing(array)
    if array.dtype.str == dtype:
        return array
    if dtype[1] != "U":
        return array.astype(dtype, copy=False)
    text = array.astype(np.str_)
    return array.astype(dtype) if labels or text.itemsize <= np.dtype(dtype).itemsize else text
