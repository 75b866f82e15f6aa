"""Values in a dtype: every one stays exactly what it is, or is refused with its column, itself and the way out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Array: TypeAlias = NDArray[Any]

#: a missing value in a string tensor, which has no null: Unicode noncharacters cannot occur in exchanged text
MISSING_NAN, MISSING_NONE = "\ufdd0NaN", "\ufdd0None"

#: NumPy has it from another package, and of no kind that it knows
BFLOAT16 = "bfloat16"


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, pd.NA or NaT."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(np.isscalar(value) and value != value)


def coerce(array: Array, dtype: str, name: str) -> Array:
    """Return an array in an input's dtype, C-contiguous; every value stays exactly what it is.

    Parameters
    ----------
    array : ndarray
        Numbers, bools, text or objects.
    dtype : str
        NumPy's name of a dtype, or ``str`` for text.
    name : str
        Of the column, for errors.

    Raises
    ------
    InputError
        If a value is not of that kind or would change.
    """
    if dtype == "str":
        return _as_text(array, name)
    if array.dtype == object:
        array = _numbers_of_objects(array, dtype, name)
    if array.dtype.kind not in "biuf" and array.dtype.name != BFLOAT16:
        _refuse_kind(array, dtype, name)
    target = np.dtype(dtype)
    if array.dtype != target:
        array = _cast_exactly(array, target, name)
    return np.require(array, target.newbyteorder("="), ["C", "A"])


def restore_missing(array: Array) -> Array:
    """Return an object array of text with None and NaN in place of the texts that stand for them in tensors."""
    known = {MISSING_NAN: np.nan, MISSING_NONE: None}
    values = array.ravel().tolist()
    if known.keys().isdisjoint(values):
        return array
    result = np.empty(len(values), dtype=object)
    result[:] = [known.get(value, value) for value in values]
    return result.reshape(array.shape)


#: what to do with arrays of bytes; their encoding is known to nobody here
DECODE: Final = "decode the bytes, in UTF-8 with np.char.decode(X, 'utf-8')"


def column_named(name: str) -> str:
    """Return what a column is called in errors."""
    return "X" if name == "X" else f"column {name!r}"


def _as_text(array: Array, name: str) -> Array:
    if array.dtype.kind == "f" and np.isnan(array).all():
        return np.full(array.shape, MISSING_NAN, dtype=object)  # a text column of a frame in which nothing is present
    if array.dtype.kind not in "UTO":
        way = DECODE if array.dtype.kind == "S" else "use .astype(str) if meant"
        raise InputError(f"{column_named(name)} holds {array.dtype}, and the model takes text; {way}.")
    result = np.empty(array.size, dtype=object)
    result[:] = [v if type(v) is str else _text(v, name) for v in array.ravel().tolist()]
    return result.reshape(array.shape)


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return MISSING_NONE if value is None else MISSING_NAN
    way = "decode it first: value.decode('utf-8')" if isinstance(value, bytes) else "convert it with str() if meant"
    raise InputError(f"{column_named(name)} holds {value!r}, and the model takes text; {way}.")


def _numbers_of_objects(array: Array, dtype: str, name: str) -> Array:
    """Return objects as numbers of their own kind: bools, integers, or floats with NaN for what is missing."""
    values = array.ravel().tolist()
    for value in values:
        if isinstance(value, str | bytes):
            raise InputError(
                f"{column_named(name)} holds the text {value!r}, and the model takes {dtype}; convert it first."
            )
    missing = np.array([is_missing(v) for v in values], dtype=bool)
    present = [float(v) if isinstance(v, Decimal) else v for v, gone in zip(values, missing, strict=True) if not gone]
    for value in present:
        if not isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
            raise InputError(f"{column_named(name)} holds {value!r}, and the model takes {dtype}; convert it first.")
    numbers = np.array(present) if present else np.zeros(0)
    if numbers.dtype == object:
        raise InputError(
            f"{column_named(name)} holds integers beyond 64 bits, and the model takes {dtype}; convert them."
        )
    if any(isinstance(v, int) and v != float(v) for v in present) and numbers.dtype.kind == "f":
        raise InputError(f"{column_named(name)} holds integers that float64 cannot hold exactly; give integers only.")
    if not missing.any():
        return numbers.reshape(array.shape)
    result = np.full(len(values), np.nan)
    result[~missing] = _cast_exactly(numbers, np.dtype(np.float64), name)
    return result.reshape(array.shape)


def _refuse_kind(array: Array, dtype: str, name: str) -> NoReturn:
    given = "text" if array.dtype.kind in "UT" else str(array.dtype)
    raise InputError(f"{column_named(name)} holds {given}, and the model takes {dtype}; convert it to numbers first.")


def _cast_exactly(array: Array, target: np.dtype[Any], name: str) -> Array:
    with np.errstate(all="ignore"):
        result = array.astype(target)
        same = _same(array, result)
    if not same.all():
        _refuse_value(array, same, target, name)
    return result


def _same(given: Array, cast: Array) -> NDArray[np.bool_]:
    """Return where a cast kept the value. Comparisons are chosen so that they are exact themselves."""
    before, after = ("f" if array.dtype.name == BFLOAT16 else array.dtype.kind for array in (given, cast))
    if after == "b":
        return np.asarray((given == 0) | (given == 1))
    if before == "b":
        return np.ones(given.shape, dtype=bool)
    if before == "f" and after == "f":
        return np.asarray((given == cast) | np.isnan(given))
    if before == "f":
        lowest, highest = np.iinfo(cast.dtype).min, np.iinfo(cast.dtype).max
        return np.asarray((given >= float(lowest)) & (given < float(highest + 1)) & (np.floor(given) == given))
    if after == "f":
        highest = np.iinfo(given.dtype).max
        inside = np.abs(cast) < float(highest + 1)
        return np.asarray(inside & (np.where(inside, cast, 0).astype(given.dtype) == given))
    lowest, highest = np.iinfo(cast.dtype).min, np.iinfo(cast.dtype).max
    return np.asarray((given >= lowest) & (given <= highest))


def _refuse_value(array: Array, same: NDArray[np.bool_], target: np.dtype[Any], name: str) -> NoReturn:
    at = np.argwhere(~same)[0]
    value, row = array[tuple(at)], int(at[0])
    where = f"{column_named(name)} holds {value} in row {row}" + (
        f", column {int(at[1])}" if name == "X" and len(at) > 1 else ""
    )
    if target.kind == "f" or target.name == BFLOAT16:
        hint = f"use .astype(numpy.{target}) if the loss is meant, or convert the model with a sample of {array.dtype}"
        raise InputError(f"{where}, which {target} cannot hold exactly; {hint}.")
    if array.dtype.kind == "f" and np.isnan(value):
        raise InputError(
            f"{where}, and the model takes {target}, as the sample had nothing missing; "
            "convert it with one that has, or with these columns as float64."
        )
    raise InputError(
        f"{where}, and the model takes {target}; convert the model with a sample of {array.dtype} to allow it."
    )
