"""Inputs of a model that are no rows, as its file declares them: tensors of a type and shape, sequences of such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..lowering.program import DTYPE_CODES

if TYPE_CHECKING:
    import onnx


def whole(value: Any, dtype: str) -> Any:
    """Return an input that is not rows, in its type if that changes no value; other than tensors as they are."""
    if not dtype or isinstance(value, dict) or value is None:
        return value
    numbers = dtype in DTYPE_CODES and dtype != "str"
    if numbers and isinstance(value, list | tuple | int | float):
        return np.asarray(value, dtype)
    array = np.asarray(value)
    if not numbers or array.dtype.kind not in "biuf" or array.dtype.name == dtype:
        return array
    with np.errstate(all="ignore"):
        exact = array.astype(dtype)
    return exact if np.array_equal(exact, array, equal_nan=array.dtype.kind == "f") else array


def check_shape(name: str, value: Any, dtype: str, shape: tuple[int | None, ...] | None) -> None:
    """Refuse an array of another shape than the file says; of a scalar ONNX Runtime takes any."""
    if not shape or not isinstance(value, np.ndarray):
        return
    if value.ndim != len(shape) or any(m not in (None, n) for n, m in zip(value.shape, shape, strict=True)):
        said = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(
            f"input {name!r} is {value.dtype} of shape {list(value.shape)}; the model takes {dtype} of shape [{said}]."
        )


def element_types(model: onnx.ModelProto) -> dict[str, str]:
    """Return the types of the tensors that inputs are sequences of."""
    from ..lowering.reference.graphs import dtype_of

    kinds = {v.name: v.type.sequence_type.elem_type.tensor_type.elem_type for v in model.graph.input}
    names = {name: dtype_of(kind) for name, kind in kinds.items() if kind}
    return {name: dtype for name, dtype in names.items() if dtype in DTYPE_CODES and dtype != "str"}


def sequence(name: str, values: Any, dtype: str) -> Any:
    """Return a sequence of tensors of one type, cast where that changes no value."""
    if not isinstance(values, list | tuple):
        return values
    arrays = [whole(value, dtype) for value in values]
    for array in arrays:
        if not isinstance(array, np.ndarray) or array.dtype.name != dtype:
            raise InputError(f"input {name!r} is a sequence of {dtype}; {array!r} is none.")
    return arrays
