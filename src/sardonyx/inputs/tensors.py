"""Data for a model: brought at every call into the form of its signature, as any ONNX runtime takes it.

Values are never changed: what does not fit its input's dtype exactly is refused with an error that names the column,
the value and the way out. Only numpy is needed here; frames and sparse matrices are known by their behaviour, their
libraries are not imported. What the inputs are is told in signature.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .containers import (
    Csr,
    as_array,
    as_csr,
    check_matrix,
    columns_of,
    columns_of_records,
    features_message,
    is_frame,
    is_sparse,
    one_column,
    opened,
    plain,
    says_missing,
)
from .signature import InputSpec, Signature
from .values import MISSING_NAN, MISSING_NONE, coerce, column_named

Array: TypeAlias = NDArray[Any]


def tensors(X: Any, signature: Signature, feature_names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return X as the tensors that a model takes, in any ONNX runtime: text as object arrays, columns of shape (N, 1).

    Parameters
    ----------
    X : array-like, DataFrame, dict of columns, list of dicts or sparse matrix
        Frames are read by column name, in any order, other columns are ignored; arrays by position.
    signature : Signature
        What the model takes.
    feature_names : sequence of str, optional
        Names of a matrix's columns, to read frames by.

    Raises
    ------
    InputError
        If columns are missing, too many or too few, or a value does not fit its dtype exactly.
    """
    if signature.records is not None:
        return dict(signature.records.tensors(X, signature.dtypes))
    X = columns_of_records(opened(X))
    if signature.by_column:
        return _tensors_by_column(X, signature)
    (spec,) = signature.inputs if len(signature.inputs) == 1 else (None,)
    if isinstance(X, Mapping) and (spec is None or set(X) == {spec.name}):
        return coerce_feeds(X, [(s.name, s.dtype, s.row_shape) for s in signature.inputs])
    if spec is None:
        raise InputError(f"the model takes the inputs {_list(signature.names)}; give a dict of them.")
    named = is_frame(X) or isinstance(X, Mapping)
    return {spec.name: _matrix_of_columns(X, spec, feature_names) if named else _matrix(X, spec)}


def coerce_feeds(feeds: Any, ports: Sequence[tuple[str, str, tuple[int, ...]]]) -> dict[str, Any]:
    """Return feeds of a runtime's ``run`` in exactly the dtypes and shapes of its inputs; sparse ones stay sparse.

    Parameters
    ----------
    feeds : mapping of str to array-like
        By input name.
    ports : sequence of (name, dtype, shape of a row)
        The inputs.

    Raises
    ------
    InputError
        Names, shapes, numbers of rows or values do not fit.
    """
    names = [name for name, _, _ in ports]
    if not isinstance(feeds, Mapping):
        raise InputError(f"run takes a dict of the inputs {_list(names)}, not {type(feeds).__name__}.")
    _check_names(feeds, names, "input")
    unknown = [name for name in feeds if name not in names]
    if unknown:
        raise InputError(f"the model has no input {_list(unknown)}; it takes {_list(names)}.")
    result = {name: _feed(feeds[name], dtype, shape, name) for name, dtype, shape in ports}
    _check_rows(result)
    return result


def _feed(X: Any, dtype: str, row_shape: tuple[int, ...], name: str) -> Array | Csr:
    if is_sparse(X) and len(row_shape) == 1 and dtype != "str":
        return as_csr(X, dtype, row_shape[0], name)
    return _shaped(coerce(as_array(X), dtype, name), row_shape, name)


def _tensors_by_column(X: Any, signature: Signature) -> dict[str, Array]:
    columns = columns_of(X) if is_frame(X) or isinstance(X, Mapping) else _columns_by_position(X, signature)
    _check_names(columns, signature.names, "column")
    result = {s.name: _column_tensor(columns[s.name], s, says_missing(X)) for s in signature.inputs}
    _check_rows(result)
    return result


def _column_tensor(column: Any, spec: InputSpec, says_missing: bool) -> Array:
    array = _counts(one_column(plain(column, spec.name), spec.name), spec)
    array = coerce(array, spec.dtype, spec.name).reshape(-1, 1)
    if spec.dtype == "str" and spec.missing == "NaN" and not says_missing:
        array[array == MISSING_NONE] = MISSING_NAN
    return array


def _columns_by_position(X: Any, signature: Signature) -> dict[str, Any]:
    array = as_array(X)
    check_matrix(array)
    names = signature.features
    if array.shape[1] != len(names):
        raise InputError(f"X has {array.shape[1]} columns, but the model takes {len(names)}: {_list(names)}.")
    return {name: array[:, i] for i, name in enumerate(names)}


def _counts(array: Array, spec: InputSpec) -> Array:
    """Return moments and durations as scikit-learn's numbers of them (of NaT, -2**63); all else as it is."""
    if array.dtype == object and spec.moment and array.size:
        raise InputError(
            f"{column_named(spec.name)} holds {array.flat[0]!r}, and the model takes {spec.moment}; "
            f"use .astype({spec.moment!r})."
        )
    if array.dtype.kind not in "mM":
        return array
    if array.dtype.name != spec.moment:
        meant = f"; use .astype({spec.moment!r})" if spec.moment else "; convert it to numbers first"
        raise InputError(
            f"{column_named(spec.name)} holds {array.dtype}, and the model takes {spec.moment or spec.dtype}{meant}."
        )
    return array.astype(np.float64)


def _matrix(X: Any, spec: InputSpec) -> Array:
    array = as_array(X)
    if spec.width is not None:
        check_matrix(array)
    return _shaped(coerce(_counts(array, spec), spec.dtype, spec.name), spec.row_shape, spec.name)


def _matrix_of_columns(X: Any, spec: InputSpec, feature_names: Sequence[str] | None) -> Array:
    columns = columns_of(X)
    if feature_names is None and len(columns) != (spec.width or 1):
        raise InputError(features_message(len(columns), spec.width or 1))
    names = list(columns) if feature_names is None else list(feature_names)
    _check_names(columns, names, "column")
    arrays_of = {
        name: _counts(one_column(plain(columns[name], name), name), replace(spec, name=name)) for name in names
    }
    parts = {name: coerce(array, spec.dtype, name) for name, array in arrays_of.items()}
    _check_rows(parts)
    (*arrays,) = parts.values()
    return arrays[0] if spec.width is None else np.ascontiguousarray(np.stack(arrays, axis=1))


def _shaped(array: Array, row_shape: tuple[int, ...], name: str) -> Array:
    """Return an array as rows of this shape; (N,) and (N, 1) stand for each other."""
    if array.ndim >= 1 and array.shape[1:] == row_shape:
        return array
    if (array.ndim, row_shape) == (1, (1,)) or (array.shape[1:], row_shape) == ((1,), ()):
        return array.reshape(-1, *row_shape)
    if len(row_shape) == 1 and array.ndim == 2:
        raise InputError(features_message(array.shape[1], row_shape[0], name))
    if len(row_shape) == 1:
        check_matrix(array)
    if array.ndim == 0:
        raise InputError(
            f"{column_named(name)} is one value, {array.item()!r}; give a list of one value for every row."
        )
    expected = ", ".join(map(str, ("N", *row_shape)))
    raise InputError(f"input {name!r} has shape {array.shape}; the model takes ({expected}).")


def _check_names(given: Iterable[str], expected: Sequence[str], what: str) -> None:
    have = list(given)
    missing = [name for name in expected if name not in have]
    if not missing:
        return
    hints = [f"{name!r}" + (f" (is it {close!r}?)" if (close := _closest(name, have)) else "") for name in missing]
    plural = "s" if len(missing) > 1 else ""
    shown = _list([str(h) for h in have]) or "nothing"
    raise InputError(f"missing {what}{plural} {', '.join(hints)}; given: {shown}; the model takes {_list(expected)}.")


def _closest(name: str, have: Iterable[Any]) -> str | None:
    plain = {str(h).casefold().strip(): str(h) for h in have}
    matches = difflib.get_close_matches(name.casefold().strip(), list(plain), 1)
    return plain[matches[0]] if matches else None


def _check_rows(arrays: Mapping[str, Array | Csr]) -> None:
    rows = {name: len(array) for name, array in arrays.items()}
    if len(set(rows.values())) > 1:
        raise InputError(f"inputs differ in their number of rows: {rows}; give all of them the same.")


def _list(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(map(repr, names[:20])) + (f", ... ({len(names)} in all)" if len(names) > 20 else "")
