"""What holds the data: arrays, lists, sparse matrices, frames of any library, read by their behaviour.

No library of them is imported here; what the values may be is said in values.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .values import coerce, column_named

Array: TypeAlias = NDArray[Any]

#: the way out for a sparse matrix whose parts do not fit each other
_ANEW: Final = "Build it anew: scipy.sparse.csr_matrix(...).check_format() says what is wrong."


@dataclass(frozen=True, slots=True, eq=False)
class Csr:
    """Compressed sparse rows, as the native core takes them: what SciPy's CSR matrices have, without SciPy."""

    shape: tuple[int, int]
    indptr: Array
    indices: Array
    data: Array
    format: str = "csr"

    def __len__(self) -> int:
        return self.shape[0]

    def toarray(self) -> Array:
        """Return the dense array; values of one place are added up."""
        lengths = np.diff(self.indptr)
        self._check(lengths)
        dense = np.zeros(self.shape, self.data.dtype)
        add = np.logical_or if dense.dtype == bool else np.add
        begin, end = int(self.indptr[0]), int(self.indptr[-1])
        rows = np.repeat(np.arange(self.shape[0]), lengths)
        add.at(dense, (rows, self.indices[begin:end]), self.data[begin:end])
        return dense

    def _check(self, lengths: Array) -> None:
        if len(self.indptr) != self.shape[0] + 1 or (lengths < 0).any() or self.indptr[0] < 0:
            raise InputError(f"the sparse matrix is not a legal one: indptr decreases, or is too short. {_ANEW}")
        if self.indptr[-1] > min(len(self.indices), len(self.data)):
            raise InputError(f"the sparse matrix is not a legal one: indptr points outside of indices. {_ANEW}")
        if ((self.indices < 0) | (self.indices >= self.shape[1])).any():
            raise InputError(f"the sparse matrix is not a legal one: a column is out of range. {_ANEW}")


def opened(X: Any) -> Any:
    """Return what has only the Arrow PyCapsule interface as a dict of its columns, iterators as lists; else X.

    Some of these can be read only once: readers of streams, results of databases.

    Raises
    ------
    InputError
        If the Arrow data are not legal, or X is a frame that holds no data yet.
    """
    if hasattr(X, "__array__"):
        return X
    if hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__"):
        from .._native import arrow_columns

        return arrow_columns(X)
    if hasattr(X, "collect_schema"):
        raise InputError(f"a {type(X).__name__} holds no data yet; give X.collect().")
    return list(X) if isinstance(X, Iterator | Set) else X  # scikit-learn takes documents one by one, too


def is_frame(X: Any) -> bool:
    """Whether X has named columns (pandas, polars, Arrow)."""
    return (hasattr(X, "columns") or hasattr(X, "column_names")) and hasattr(X, "__getitem__")


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix of two dimensions, by its behaviour."""
    return hasattr(type(X), "toarray") and len(getattr(X, "shape", ())) == 2  # frames look for names in their columns


def as_csr(X: Any, dtype: str, width: int | None, name: str) -> Csr:
    """Return a sparse matrix as compressed sparse rows of a dtype; every value stays exactly what it is."""
    if X.shape[1] != width:
        raise InputError(features_message(X.shape[1], width or 1, name))
    csr = X if X.format == "csr" else X.tocsr()
    index: np.dtype[Any] = np.dtype(np.int32)
    if csr.indices.dtype != index or csr.indptr.dtype != index:
        index = np.dtype(np.int64)
    indptr, indices = (np.ascontiguousarray(part, dtype=index) for part in (csr.indptr, csr.indices))
    return Csr((int(X.shape[0]), int(X.shape[1])), indptr, indices, coerce(csr.data, dtype, name))


def columns_of(X: Any) -> dict[str, Any]:
    """Return the columns of a frame or dict by name.

    Raises
    ------
    InputError
        If two columns have the same name.
    """
    if isinstance(X, Mapping):
        return {str(name): column for name, column in X.items()}
    names = list(getattr(X, "column_names", None) or X.columns)
    texts = [str(name) for name in names]
    twice = sorted({text for text in texts if texts.count(text) > 1}) if len(set(texts)) < len(texts) else []
    if twice:
        raise InputError(f"several columns are named {', '.join(map(repr, twice))}; give every column its own name.")
    return {text: X[name] for text, name in zip(texts, names, strict=True)}


def as_array(X: Any) -> Array:
    """Return X, which has no named columns, as an array of plain NumPy dtype."""
    if is_sparse(X):
        return as_csr(X, X.dtype.name, X.shape[1], "X").toarray()
    if hasattr(X, "toarray"):
        return np.asarray(X.toarray())
    if isinstance(X, list | tuple) and any(isinstance(v, str) for row in X for v in _items(row)):
        return np.array(X, dtype=object)  # np.asarray would write numbers beside text as text
    try:
        return plain(X)
    except ValueError as error:
        raise InputError(f"{type(X).__name__} is no table: {error} Give rows that all have the same length.") from error


def plain(column: Any, name: str = "X") -> Array:
    """Return a column of any library as an array: of objects, if NumPy's dtype cannot hold its missing values.

    Raises
    ------
    InputError
        If its library makes no array of it (integers of 128 bits); the message names it.
    """
    if isinstance(column, list | tuple) and any(isinstance(value, str) for value in column):
        return np.array(column, dtype=object)  # np.asarray would write a missing value beside text as text
    kind = getattr(column, "type", None)
    if kind is not None and hasattr(kind, "index_type"):
        column = column.cast(kind.value_type)  # np.asarray of pyarrow's dictionaries takes nulls for the last entry
    array = _array_of(column, name)
    whole = "int" in str(getattr(column, "dtype", getattr(column, "type", ""))).lower()
    if array.dtype.kind == "f" and whole and np.nanmax(np.abs(array), initial=0) >= 2**53:
        # integers with a missing value, which some libraries turn into inexact floats
        values = next(getattr(column, m) for m in ("to_pylist", "to_list", "tolist") if hasattr(column, m))()
        return np.array(values, dtype=object)
    return array


def _array_of(column: Any, name: str) -> Array:
    if zone := _zone_of(column):
        # NumPy has none: np.asarray would give the hours of Greenwich, where scikit-learn's functions saw local ones
        raise InputError(
            f"{column_named(name)} holds moments of the time zone {str(zone)!r}; models take moments without one: in "
            "pandas .dt.tz_localize(None), in polars .dt.replace_time_zone(None), in pyarrow pc.local_timestamp(...)."
        )
    try:
        return np.asarray(column)
    except ValueError:
        raise
    except Exception as error:  # of the column's own library
        raise InputError(f"{column_named(name)} cannot be read: {error}; convert it, or leave it out.") from error


def _zone_of(column: Any) -> Any:
    """Return the time zone of a column's moments; None where there is none."""
    dtype = getattr(column, "dtype", None)
    for kind in (dtype, getattr(dtype, "pyarrow_dtype", None), getattr(column, "type", None)):
        for attribute in ("tz", "time_zone"):
            if (zone := getattr(kind, attribute, None)) is not None:
                return zone
    return None


def _items(row: Any) -> Iterable[Any]:
    return row if isinstance(row, list | tuple) else (row,)


def check_matrix(array: Array) -> None:
    """Refuse what is not rows x columns, in scikit-learn's words."""
    if array.ndim == 1:
        raise InputError(
            f"Expected 2D array, got 1D array instead:\narray={np.array2string(array, threshold=6)}.\n"
            "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or "
            "array.reshape(1, -1) if it contains a single sample."
        )
    if array.ndim == 0:
        raise InputError(
            f"Expected 2D array, got 0D array instead (one {type(array.item()).__name__}); "
            "give rows x columns: an array, a list of lists, a DataFrame, a dict of columns or a sparse matrix."
        )
    if array.ndim != 2:
        raise InputError(f"Expected 2D array, got {array.ndim}D array instead; give rows x columns.")


def features_message(given: int, expected: int, name: str = "X") -> str:
    """Return scikit-learn's words for a wrong number of columns."""
    return f"{name} has {given} features, but the model is expecting {expected} features as input."


def columns_of_records(X: Any) -> Any:
    """Return dicts as columns, by all of their keys; anything else as it is."""
    if isinstance(X, list) and X and all(isinstance(row, Mapping) for row in X):
        names = dict.fromkeys(name for row in X for name in row)
        return {name: np.array([row.get(name) for row in X], dtype=object) for name in names}
    return X


def says_missing(X: Any) -> bool:
    """Whether X tells None from NaN where text is missing: pandas and arrays do; Arrow and JSON have one null."""
    return hasattr(X, "iloc") or isinstance(X, np.ndarray)


def one_column(array: Array, name: str) -> Array:
    """Return a column of shape (N,); (N, 1) stands for it."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 0:
        raise InputError(
            f"{column_named(name)} is one value, {array.item()!r}; give a list of one value for every row."
        )
    if array.ndim != 1:
        raise InputError(f"{column_named(name)} has shape {array.shape}; a column is one-dimensional.")
    return array
