"""What a model takes in, read from the sample, once: its columns become named, typed inputs.

::

    array, list of rows                         one input ``X`` of shape (N, features)
    sparse matrix                               the same, remembered to be sparse: our runtime takes its entries only
    frame (pandas, polars, Arrow), dict of
      columns, object array of mixed columns    one input a column, of shape (N, 1)
    1-D array, for estimators that take one     one input ``X`` of shape (N,)

Moments and durations (datetime64, timedelta64) are the float64 numbers that scikit-learn makes of them; what no model
takes (moments with a time zone, bytes, ...) is refused only if the model reads that column. What later data become is
told in tensors.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .bags import Bags
from .containers import (
    as_array,
    check_matrix,
    columns_of,
    columns_of_records,
    is_frame,
    is_sparse,
    one_column,
    opened,
    plain,
    says_missing,
)
from .records import Records
from .rows import Rows
from .values import DECODE, column_named, is_missing

Array: TypeAlias = NDArray[Any]

#: dtypes that are computed in another one, which holds all their values: scikit-learn converts them likewise
_WIDENED: Final = {"float16": "float64", "longdouble": "float64", "float128": "float64"}


#: pandas' dtypes that scikit-learn does not convert early, but for bools (``_pandas_dtype_needs_early_conversion``)
_COMPUTED_AS_THEY_ARE: Final = ("CategoricalDtype", "SparseDtype")

#: what it computes with instead of numbers that it converts early
_WIDEST: Final = {"float32": "float64", "int8": "int64", "int16": "int64", "int32": "int64"}


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a model: name, dtype (NumPy's name; ``str`` for text), and number of columns (None: it is 1-D).

    `missing` is what the sample had where text was missing, ``NaN`` or ``None``. A null of Arrow data and a None in a
    dict become that; a pandas frame and an array say themselves which of the two is meant.
    `sparse`: the sample was; in ONNX the input is dense all the same.
    `moment`: the dtype of moments or durations (``datetime64[us]``), of which the input holds the numbers; `missing` is
    ``NaN`` if the sample had NaT among them.
    `objects`: the sample had numbers in an array of objects, whose infinity some estimators let through.
    `own`: the column has a dtype of pandas' own, and scikit-learn converts its frame ``early`` or only has it ``read``.
    `refused`: why a model that reads this column of the sample cannot be converted.
    """

    name: str
    dtype: str
    width: int | None
    missing: str = "None"
    sparse: bool = False
    moment: str = ""
    objects: bool = False
    own: str = ""
    refused: str = ""

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return () if self.width is None else (self.width,)


@dataclass(frozen=True, slots=True)
class Signature:
    """All inputs of a model. `by_column`: one input for each column of a frame, instead of one matrix.

    `records`: rows are of a kind of their own (dicts, bags), and how these become the inputs.
    `columns`: names of all columns of the sample, in order, where the model reads only some of them.
    `demands`: what data must be like beyond that, and the estimator that would answer otherwise (demands.py).
    """

    inputs: tuple[InputSpec, ...]
    by_column: bool
    records: Rows | None = None
    columns: tuple[str, ...] = ()
    demands: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(spec.name for spec in self.inputs)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all columns of the sample."""
        return self.columns or self.names

    @property
    def dtypes(self) -> dict[str, str]:
        """Dtypes of the inputs by name."""
        return {spec.name: spec.dtype for spec in self.inputs}

    def reading(self, names: Collection[str]) -> Signature:
        """Return the signature with those inputs only."""
        kept = tuple(spec for spec in self.inputs if spec.name in names)
        return self if len(kept) == len(self.inputs) else replace(self, inputs=kept, columns=self.features)


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
    X = columns_of_records(opened(X))
    if is_frame(X) or isinstance(X, Mapping):
        return _describe_columns(columns_of(X), "NaN" if says_missing(X) else "None")
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


def signature_of_bags(bags: Bags, dtype: str, *, sparse: bool) -> Signature:
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
    way = f"For text, {DECODE}." if array.dtype.kind == "S" else "Convert it, or leave it out."
    raise InputError(f"{column_named(name)} has dtype {array.dtype}; models take numbers, bools and text. {way}")


def _spec(array: Array, name: str, width: int | None) -> InputSpec:
    if array.dtype.kind in "mM":
        missing = "NaN" if np.isnat(array).any() else "None"
        return InputSpec(name, "float64", width, missing, moment=array.dtype.name)
    dtype = dtype_of(array, name)
    return InputSpec(name, dtype, width, objects=array.dtype == object and dtype != "str")


def _is_uniform(array: Array) -> bool:
    kinds = {dtype_of(array[:, i], f"x{i}") for i in range(array.shape[1])}
    return len(kinds) == 1 or "str" not in kinds


def _describe_columns(columns: Mapping[str, Any], missing: str = "None") -> Signature:
    specs = []
    for name, column in columns.items():
        try:
            array = plain(column, name)
            spec = _spec(array, name, 1)
        except InputError as error:
            specs.append(InputSpec(name, "float64", 1, refused=str(error)))
            continue
        array = one_column(array, name)
        missed = _missing_of(array, missing) if spec.dtype == "str" else spec.missing
        objects = spec.objects and getattr(column, "dtype", None) == np.dtype(object)
        own = _own(column, spec.dtype)
        dtype = _WIDEST.get(spec.dtype, spec.dtype) if own == "early" else spec.dtype
        specs.append(replace(spec, dtype=dtype, missing=missed, objects=objects, own=own))
    if not specs:
        raise InputError("the sample has no columns; give at least one.")
    if "" in columns:
        raise InputError("a column has no name; give every column one.")
    return Signature(tuple(specs), by_column=True)


def _own(column: Any, dtype: str) -> str:
    """Return how scikit-learn takes a column of a dtype of pandas' own, as `InputSpec` has it; NumPy's are others."""
    own = getattr(column, "dtype", None)
    if isinstance(own, np.dtype) or not hasattr(column, "iloc"):
        return ""
    return "read" if type(own).__name__ in _COMPUTED_AS_THEY_ARE and dtype != "bool" else "early"


def _missing_of(array: Array, default: str) -> str:
    """Return what stands for missing text in a sample's column; the default where nothing is missing, or both do."""
    values = array.tolist() if array.dtype == object else []
    kinds = {"None" if value is None else "NaN" for value in values if is_missing(value)}
    return kinds.pop() if len(kinds) == 1 else default


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
    way = f"For text, {DECODE}." if present == {bytes} else "Convert it to one of them."
    raise InputError(f"{column_named(name)} holds {kinds}; a column is either text or numbers. {way}")
