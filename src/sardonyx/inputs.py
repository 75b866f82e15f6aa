"""What a model takes in: the sample's columns become named, typed tensors, at conversion and at every call.

::

    array, list of rows                         one input ``X`` of shape (N, features)
    sparse matrix                               the same, remembered to be sparse: our runtime takes its entries only
    frame (pandas, polars, Arrow), dict of
      columns, object array of mixed columns    one input a column, of shape (N, 1)
    1-D array, for estimators that take one     one input ``X`` of shape (N,)

`describe` reads that from the sample, once; `tensors` brings later data into the same form. Values are never changed:
what does not fit its input's dtype exactly is refused with an error that names the column, the value and the way out.
Moments and durations (datetime64, timedelta64) are the float64 numbers that scikit-learn makes of them; what no model
takes (moments with a time zone, bytes, ...) is refused only if the model reads that column.
Only numpy is needed here; frames and sparse matrices are known by their behaviour, their libraries are not imported.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .bags import HashedFeatures, LabelSets
from .containers import (
    Csr,
    as_array,
    as_csr,
    check_matrix,
    columns_of,
    features_message,
    is_frame,
    is_sparse,
    opened,
    plain,
)
from .errors import InputError
from .records import Records
from .values import MISSING_NAN, MISSING_NONE, coerce, column_named, is_missing

Array: TypeAlias = NDArray[Any]

#: dtypes that are computed in another one, which holds all their values: scikit-learn converts them likewise
_WIDENED: Final = {"float16": "float64", "longdouble": "float64", "float128": "float64"}


#: pandas' dtypes that scikit-learn does not convert early (``_pandas_dtype_needs_early_conversion``)
_COMPUTED_AS_THEY_ARE: Final = ("CategoricalDtype", "SparseDtype")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a model: name, dtype (NumPy's name; ``str`` for text), and number of columns (None: it is 1-D).

    `missing` is what the sample had where text was missing, ``NaN`` or ``None``. A null of Arrow data and a None in a
    dict become that; a pandas frame and an array say themselves which of the two is meant.
    `sparse`: the sample was; in ONNX the input is dense all the same.
    `moment`: the dtype of moments or durations (``datetime64[us]``), of which the input holds the numbers.
    `refused`: why a model that reads this column of the sample cannot be converted.
    """

    name: str
    dtype: str
    width: int | None
    missing: str = "None"
    sparse: bool = False
    moment: str = ""
    refused: str = ""

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return () if self.width is None else (self.width,)


@dataclass(frozen=True, slots=True)
class Signature:
    """All inputs of a model. `by_column`: one input for each column of a frame, instead of one matrix.

    `records`: rows are dicts, or bags, and how these become the inputs.
    `columns`: names of all columns of the sample, in order, where the model reads only some of them.
    """

    inputs: tuple[InputSpec, ...]
    by_column: bool
    records: Records | LabelSets | HashedFeatures | None = None
    columns: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(spec.name for spec in self.inputs)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all columns of the sample."""
        return self.columns or self.names

    def reading(self, names: Collection[str]) -> Signature:
        """Return the signature with those inputs only."""
        kept = tuple(spec for spec in self.inputs if spec.name in names)
        return self if len(kept) == len(self.inputs) else replace(self, inputs=kept, columns=self.features)


# ---- the sample ------------------------------------------------------------------------------------------------------


def describe(X: Any, *, vector: bool = False) -> Signature:
    """Return the inputs that a model for data like `X` has.

    Parameters
    ----------
    X : array-like, DataFrame, dict of columns or sparse matrix of shape (n_samples, n_features)
        A sample.
    vector : bool, default False
        Accept one-dimensional data too: labels, documents.

    Raises
    ------
    InputError
        If X is not two-dimensional, or a column holds what is neither number, bool nor text.
    """
    X = _columns_of_records(opened(X))
    if is_frame(X) or isinstance(X, Mapping):
        return _describe_columns(columns_of(X), "NaN" if _says_missing(X) else "None")
    if is_sparse(X):
        spec = InputSpec("X", dtype_of(np.empty(0, X.dtype), "X"), int(X.shape[1]), sparse=True)
        return Signature((spec,), by_column=False)
    array = as_array(X)
    if array.ndim == 1 and vector:
        return Signature((_spec(array, "X", None),), by_column=False)
    check_matrix(array)
    if array.dtype == object and array.shape[1] > 1 and not _is_uniform(array):
        return _describe_columns({f"x{i}": array[:, i] for i in range(array.shape[1])})
    return Signature((_spec(array, "X", array.shape[1]),), by_column=False)


def signature_of_records(records: Records, dtype: str) -> Signature:
    """Return the inputs of a model whose rows are dicts; their numbers are all of one dtype."""
    specs = [InputSpec(f.name, "str" if f.text else dtype, f.width) for f in records.fields]
    if not specs:
        raise InputError("the fit saw no keys; fit the vectorizer on rows that have some.")
    return Signature(tuple(specs), by_column=True, records=records)


def signature_of_bags(bags: LabelSets | HashedFeatures, dtype: str, *, sparse: bool) -> Signature:
    """Return the input of a model whose rows are bags: the matrix that they stand for."""
    return Signature((InputSpec("X", dtype, bags.width, sparse=sparse),), by_column=True, records=bags)


def dtype_of(array: Array, name: str) -> str:
    """Return the dtype of the input for a sample's column: NumPy's name, or ``str``."""
    if array.dtype.kind in "fiub":
        return _WIDENED.get(array.dtype.name, array.dtype.name)
    if array.dtype.kind in "UT":
        return "str"
    if array.dtype == object:
        return _dtype_of_objects(array, name)
    raise InputError(
        f"{column_named(name)} has dtype {array.dtype}; models take numbers, bools and text. "
        "Convert it, or leave it out."
    )


def _spec(array: Array, name: str, width: int | None) -> InputSpec:
    if array.dtype.kind in "mM":
        return InputSpec(name, "float64", width, moment=array.dtype.name)
    return InputSpec(name, dtype_of(array, name), width)


def _is_uniform(array: Array) -> bool:
    kinds = {dtype_of(array[:, i], f"x{i}") for i in range(array.shape[1])}
    return len(kinds) == 1 or "str" not in kinds


def _describe_columns(columns: Mapping[str, Any], missing: str = "None") -> Signature:
    specs = []
    for name, column in columns.items():
        try:
            array = plain(column)
            spec = _spec(array, name, 1)
        except InputError as error:
            specs.append(InputSpec(name, "float64", 1, refused=str(error)))
            continue
        array = _one_column(array, name)
        missed = _missing_of(array, missing) if spec.dtype == "str" else "None"
        specs.append(replace(spec, dtype=_early(column, spec.dtype), missing=missed))
    if not specs:
        raise InputError("the sample has no columns; give at least one.")
    if "" in columns:
        raise InputError("a column has no name; give every column one.")
    return Signature(tuple(specs), by_column=True)


def _early(column: Any, dtype: str) -> str:
    """Return the dtype in which scikit-learn computes with pandas' own numbers (Float32, int8[pyarrow]): the widest."""
    own = getattr(column, "dtype", None)
    if isinstance(own, np.dtype) or not hasattr(column, "iloc") or type(own).__name__ in _COMPUTED_AS_THEY_ARE:
        return dtype
    return {"float32": "float64", "int8": "int64", "int16": "int64", "int32": "int64"}.get(dtype, dtype)


def _says_missing(X: Any) -> bool:
    """Whether X tells None from NaN where text is missing: pandas and arrays do; Arrow and JSON have one null."""
    return hasattr(X, "iloc") or isinstance(X, np.ndarray)


def _missing_of(array: Array, default: str) -> str:
    """Return what stands for missing text in a sample's column; the default where nothing is missing, or both do."""
    values = array.tolist() if array.dtype == object else []
    kinds = {"None" if value is None else "NaN" for value in values if is_missing(value)}
    return kinds.pop() if len(kinds) == 1 else default


def _one_column(array: Array, name: str) -> Array:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 0:
        raise InputError(
            f"{column_named(name)} is one value, {array.item()!r}; give a list of one value for every row."
        )
    if array.ndim != 1:
        raise InputError(f"{column_named(name)} has shape {array.shape}; a column is one-dimensional.")
    return array


def _dtype_of_objects(array: Array, name: str) -> str:
    values = array.ravel().tolist()
    present = {type(v) for v in values if not is_missing(v)}
    if all(issubclass(t, str) for t in present):
        return "str"
    missing = any(is_missing(v) for v in values)
    if all(issubclass(t, bool | np.bool_) for t in present):
        return "float64" if missing else "bool"
    if all(issubclass(t, int | np.integer | np.bool_) for t in present):
        if any(not -(2**63) <= int(v) < 2**64 for v in values if not is_missing(v)):
            raise InputError(f"{column_named(name)} holds integers beyond 64 bits; convert them to floats, or to text.")
        return "float64" if missing else "int64"
    if all(issubclass(t, int | float | np.integer | np.floating | np.bool_ | Decimal) for t in present):
        return "float64"
    kinds = ", ".join(sorted(t.__name__ for t in present))
    raise InputError(
        f"{column_named(name)} holds {kinds}; a column is either text or numbers. Convert it to one of them."
    )


# ---- data for a model ------------------------------------------------------------------------------------------------


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
    if isinstance(signature.records, LabelSets | HashedFeatures):
        return {name: csr.toarray() for name, csr in entries_of_bags(X, signature, signature.records).items()}
    if signature.records is not None:
        numbers = next((spec.dtype for spec in signature.inputs if spec.dtype != "str"), "float64")
        return dict(signature.records.arrays(X, np.dtype(numbers)))
    X = _columns_of_records(opened(X))
    if signature.by_column:
        return _tensors_by_column(X, signature)
    (spec,) = signature.inputs if len(signature.inputs) == 1 else (None,)
    if isinstance(X, Mapping) and (spec is None or set(X) == {spec.name}):
        return coerce_feeds(X, [(s.name, s.dtype, s.row_shape) for s in signature.inputs])
    if spec is None:
        raise InputError(f"the model takes the inputs {_list(signature.names)}; give a dict of them.")
    named = is_frame(X) or isinstance(X, Mapping)
    return {spec.name: _matrix_of_columns(X, spec, feature_names) if named else _matrix(X, spec)}


def entries_of_bags(X: Any, signature: Signature, bags: LabelSets | HashedFeatures) -> dict[str, Csr]:
    """Return rows that are bags as the sparse matrix that a model takes.

    Raises
    ------
    InputError
        If a row is no such bag.
    """
    (spec,) = signature.inputs
    indptr, indices, data = bags.entries(X, np.dtype(spec.dtype))
    return {spec.name: Csr((len(indptr) - 1, bags.width), indptr, indices, data)}


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


def _columns_of_records(X: Any) -> Any:
    if isinstance(X, list) and X and all(isinstance(row, Mapping) for row in X):
        names = dict.fromkeys(name for row in X for name in row)
        return {name: np.array([row.get(name) for row in X], dtype=object) for name in names}
    return X


def _tensors_by_column(X: Any, signature: Signature) -> dict[str, Array]:
    columns = columns_of(X) if is_frame(X) or isinstance(X, Mapping) else _columns_by_position(X, signature)
    _check_names(columns, signature.names, "column")
    result = {s.name: _column_tensor(columns[s.name], s, _says_missing(X)) for s in signature.inputs}
    _check_rows(result)
    return result


def _column_tensor(column: Any, spec: InputSpec, says_missing: bool) -> Array:
    array = _counts(_one_column(plain(column), spec.name), spec)
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
    arrays_of = {name: _counts(_one_column(plain(columns[name]), name), replace(spec, name=name)) for name in names}
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
