"""``X.__array_namespace__()``: the array API standard's names, which NumPy has under the same or older ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from .array import is_array, refuse

#: names of the standard, elementwise or along an axis, that NumPy calls the same
_SAME = [
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "any",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "broadcast_to",
    "ceil",
    "clip",
    "concat",
    "copysign",
    "cos",
    "cosh",
    "cumulative_sum",
    "divide",
    "equal",
    "exp",
    "expand_dims",
    "expm1",
    "flip",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "permute_dims",
    "positive",
    "pow",
    "prod",
    "remainder",
    "repeat",
    "reshape",
    "roll",
    "round",
    "searchsorted",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "take",
    "tan",
    "tanh",
    "trunc",
    "var",
    "where",
    "zeros_like",
    "ones_like",
    "full_like",
    "empty_like",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "float32",
    "float64",
    "e",
    "inf",
    "nan",
    "newaxis",
    "pi",
    "matmul",
    "count_nonzero",
    "diff",
    "moveaxis",
    "isdtype",
    "result_type",
    "finfo",
    "iinfo",
    "argsort",
    "cumulative_prod",
    "logical_and",
    "matrix_transpose",
    "nextafter",
    "reciprocal",
    "take_along_axis",
    "tensordot",
    "tile",
    "unstack",
    "vecdot",
]


def _asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Any:
    if not is_array(obj):
        return np.asarray(obj, dtype)
    result = obj.copy() if copy else obj
    return result if dtype is None else result.astype(dtype)


def _astype(x: Any, dtype: Any, *, copy: bool = True, device: Any = None) -> Any:
    return x.astype(dtype)


def _cumulative_sum(x: Any, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
    if include_initial:
        refuse("cumulative_sum(include_initial=True)")
    return np.cumsum(x, axis=axis, dtype=dtype)


def _deviation(function: Any) -> Any:
    return lambda x, *, axis=None, correction=0.0, keepdims=False: function(
        x, axis=axis, ddof=correction, keepdims=keepdims
    )


def _sorted(function: Any, *, descending: bool = False, axis: int = -1) -> Any:
    def call(x: Any, *, axis: int = axis, descending: bool = descending, stable: bool = True) -> Any:
        if descending:
            refuse("descending order")
        return function(x, axis=axis)

    return call


def _vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


def _round(x: Any) -> Any:
    return np.rint(x) if is_array(x) and x.dtype.kind == "f" else x


NAMESPACE = SimpleNamespace(
    **{name: getattr(np, name) for name in _SAME if hasattr(np, name)}
    | {
        "__name__": "sardonyx.tracing",
        "asarray": _asarray,
        "astype": _astype,
        "cumulative_sum": _cumulative_sum,
        "std": _deviation(np.std),
        "var": _deviation(np.var),
        "round": _round,
        "sort": _sorted(np.sort),
        "argsort": _sorted(np.argsort),
        "linalg": SimpleNamespace(vector_norm=_vector_norm, matmul=np.matmul, vecdot=np.vecdot),
    }
)
