"""Arrays in a description, as JSON: numbers in base64, text and objects as lists. What comes from a file is checked."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError

Array: TypeAlias = NDArray[Any]

#: arrays of more elements are written by what is not zero in them, where that is shorter
SPARSE_FROM: Final = 1024
#: an array that a description holds is at most this large
MAX_BYTES: Final = 1 << 28


def write_array(array: Array) -> dict[str, Any]:
    """Return an array as JSON, exactly."""
    shape = list(array.shape)
    if array.dtype.kind in "biuf":
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        if array.size > SPARSE_FROM:
            octets = little.reshape(-1, 1).view(np.uint8).any(axis=1)  # a negative zero is not nothing
            at = np.flatnonzero(octets).astype("<i8")
            if len(at) * 4 < array.size:
                return {"dtype": little.dtype.str, "shape": shape, "at": _base64(at), "data": _base64(little.flat[at])}
        return {"dtype": little.dtype.str, "shape": shape, "data": base64.b64encode(little.tobytes()).decode()}
    items = [v.item() if isinstance(v, np.generic) else v for v in array.ravel().tolist()]
    return {"dtype": array.dtype.str, "shape": shape, "items": items}


def read_array(written: Any) -> Array:
    """Return the array that `write_array` wrote.

    Raises
    ------
    ModelError
        If it is malformed, or its size is not what its shape says.
    """
    fields = expect(written, dict)
    dtype = np.dtype(expect(fields.get("dtype"), str))
    shape = tuple(expect(n, int) for n in expect(fields.get("shape"), list))
    if dtype.kind not in "biufUO" or dtype.names or min(shape, default=0) < 0:
        refuse(f"an array of dtype {dtype} and shape {shape}")
    if math.prod(shape) * dtype.itemsize > MAX_BYTES:
        refuse(f"an array of dtype {dtype} and shape {shape}")
    return (_read_items if dtype.kind in "UO" else _read_bytes)(fields, dtype, shape)


def _base64(array: Array) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _read_base64(written: Any) -> bytes:
    try:
        return base64.b64decode(expect(written, str), validate=True)
    except binascii.Error as error:
        refuse(str(error))


def _read_bytes(fields: dict[str, Any], dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    data, size = _read_base64(fields.get("data")), math.prod(shape)
    at = _read_places(fields["at"], size) if "at" in fields else None
    if len(data) != (size if at is None else len(at)) * dtype.itemsize:
        refuse(f"an array of shape {shape} with {len(data)} bytes")
    array = np.frombuffer(data, np.uint8 if dtype.kind == "b" else dtype)
    array = array != 0 if dtype.kind == "b" else array.astype(dtype.newbyteorder("="))
    if at is not None:
        whole = np.zeros(size, array.dtype)
        whole[at] = array
        array = whole
    return array.reshape(shape)


def _read_places(written: Any, size: int) -> Array:
    octets = _read_base64(written)
    if len(octets) % 8:
        refuse(f"places of {len(octets)} bytes")
    at = np.frombuffer(octets, "<i8")
    if ((at < 0) | (at >= size)).any():
        refuse("a place outside of its array")
    return at


def _read_items(fields: dict[str, Any], dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    items = expect(fields.get("items"), list)
    kinds = str if dtype.kind == "U" else str | bool | int | float | None
    if len(items) != math.prod(shape) or not all(isinstance(item, kinds) for item in items):
        refuse(f"an array of shape {shape} with {len(items)} items")
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape) if dtype.kind == "O" else array.astype(dtype).reshape(shape)


# ---- checks ----------------------------------------------------------------------------------------------------------


def refuse(what: str) -> NoReturn:
    """Refuse a file for what it says of itself."""
    raise ModelError(f"the file's description of itself is not legal: {what}. Convert the model again.")


def expect(value: Any, kind: type) -> Any:
    """Return a value that is of the kind; refuse the file if it is not."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        refuse(f"{kind.__name__} expected, {type(value).__name__} found")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts; refuse the file if it is none."""
    return tuple(expect(item, str) for item in expect(value, list))
