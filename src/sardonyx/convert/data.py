"""What converters are given and may return: a matrix, the columns of a frame, answers that no tensor of rows holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..description import Form
from ..errors import ConversionError
from ..graph import Value, concat, current_graph
from ..inputs.rows import Rows
from ..protos import STRING


@dataclass(frozen=True, slots=True)
class Columns:
    """A frame while converting: named (N, 1) Values, each with a dtype of its own.

    `records` says which keys they are where rows are dicts, or that rows are bags, of which there is one matrix.
    """

    names: tuple[str, ...]
    values: tuple[Value, ...]
    records: Rows | None = None

    @property
    def shape(self) -> tuple[str, int]:
        """Like a frame's: rows are ``"N"``."""
        return ("N", len(self.values))

    def matrix(self) -> Value:
        """Return the columns as the matrix that scikit-learn's ``check_array`` makes of them.

        It is ``numpy.asarray``'s, but where a column has a dtype of pandas' own (Int64, boolean): then it is float64.
        """
        matrix = self.array()
        if not self._converted_early() or matrix.objects or matrix.dtype.kind not in "iub":
            return matrix
        return matrix.astype(np.float64).marked_as(matrix)

    def array(self) -> Value:
        """Return the columns as one matrix, in the dtype that ``numpy.asarray`` would give it."""
        kinds = {v.dtype == STRING for v in self.values}
        if len(kinds) > 1:
            text = [n for n, v in zip(self.names, self.values, strict=True) if v.dtype == STRING]
            raise ConversionError(
                f"columns {text} are text while others are numbers, and this step takes one matrix. "
                "Encode the text columns first, e.g. OneHotEncoder inside a ColumnTransformer."
            )
        matrix: Value = concat(self.values)
        matrix.objects = any(v.objects for v in self.values)
        matrix.given = all(v.given for v in self.values)
        return matrix

    def _converted_early(self) -> bool:
        """Whether ``check_array`` asks pandas for one dtype, and leaves it to pandas which: that is float64."""
        early = any(v.own == "early" or v.dtype.kind == "b" for v in self.values)
        return early and any(v.own for v in self.values)

    def take(self, indices: Sequence[int]) -> Columns:
        """Return the columns at these positions."""
        return Columns(tuple(self.names[i] for i in indices), tuple(self.values[i] for i in indices))


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """An answer of another form than a tensor of rows: the Value that stands for it, and how it is read.

    Of the form ``stacked``, the rows are the second axis; of others, no tensor holds them (`ragged.decode`). `dtype` is
    what the estimator's answer has where it is an array.
    """

    form: Form
    value: Value
    tables: tuple[NDArray[Any], ...] = ()
    dtype: np.dtype[Any] | None = None


#: what a converter is given, and what it may return: a list stands for multi-output results, a tuple for several arrays
Data: TypeAlias = Value | Columns
Result: TypeAlias = Value | Columns | Coded | list[Value] | tuple[Value, ...]


def check_width(estimator: Any, X: Data) -> None:
    """Refuse a sample with another number of columns than in the fit; where they have names, those decide."""
    by_name = isinstance(X, Columns) and hasattr(estimator, "feature_names_in_")
    expected = None if by_name else getattr(estimator, "n_features_in_", None)
    given = X.shape[1] if len(X.shape) > 1 else expected
    if given != expected and expected is not None:
        raise ConversionError(
            f"the sample has {given} features, but {type(estimator).__name__} is expecting {expected} features as "
            "input; give rows such as it was fitted on."
        )


def as_matrix(X: Data) -> Value:
    """Return X as one matrix."""
    return X.matrix() if isinstance(X, Columns) else X


def as_columns(X: Data) -> Columns:
    """Return X as columns; those of a matrix are called ``x0``, ``x1``, ... as scikit-learn does."""
    if isinstance(X, Columns):
        return X
    return Columns(tuple(f"x{i}" for i in range(X.dim(1))), tuple(X[:, i : i + 1] for i in range(X.dim(1))))


def take(X: Data, indices: Sequence[int]) -> Data:
    """Return the columns of X at these positions, in that order."""
    chosen = [int(i) for i in indices]
    if isinstance(X, Columns):
        return X.take(chosen)
    consecutive = bool(chosen) and chosen == list(range(chosen[0], chosen[0] + len(chosen)))
    taken = X[:, chosen[0] : chosen[0] + len(chosen)] if consecutive else X[:, np.array(chosen, np.int64)]
    taken.objects, taken.given = X.objects, X.given
    return taken.like(X)


def demand(estimator: Any, X: Value, *what: str) -> Value:
    """Return X; where it is what the model is given, data must be like the sample in these ways too.

    Parameters
    ----------
    estimator : object
        Who answers otherwise.
    X : Value
    *what : {"kind", "wide", "no stored zeros", "no None"}
        Floats where the sample had floats, integers of its dtype where it had those; no bools or narrow integers; no
        zeros among a sparse matrix's entries; NaN for what is missing among numbers in arrays of objects.
    """
    if X.given:
        current_graph().root.demands.update(dict.fromkeys(what, type(estimator).__name__))
    return X


def in_order(estimator: Any, X: Data) -> Data:
    """Return X, refused where its columns are not those of the fit in their order, as scikit-learn refuses it."""
    fitted = getattr(estimator, "feature_names_in_", None)
    if isinstance(X, Columns) and fitted is not None and tuple(map(str, fitted)) != X.names:
        raise ConversionError(
            f"{type(estimator).__name__} was fitted on columns {list(map(str, fitted))}, "
            f"the sample has {list(X.names)}. "
            "Give the sample the columns of the training data, in their order."
        )
    return X


def as_float(X: Value) -> Value:
    """Return X in the float dtype that scikit-learn's ``validate_data(dtype=FLOAT_DTYPES)`` gives it."""
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def refuse_moments(values: Iterable[Value], where: str) -> None:
    """Refuse moments and durations that are handed on as they are: a tensor holds numbers in their place."""
    if any(value.moment is not None for value in values):
        raise ConversionError(
            f"{where} holds moments or durations (datetime64, timedelta64), which tensors do not have. "
            "Convert them to numbers in the data, or leave the column out."
        )


# ---- taken apart and put together ------------------------------------------------------------------------------------


def joined(result: Result) -> Result:
    """Return columns that have a common tensor as that one matrix."""
    if isinstance(result, Columns) and len({v.dtype == STRING for v in result.values}) == 1:
        return as_matrix(result)
    return result


def identity(X: Data) -> tuple[str, ...]:
    """Return what tells X from other data of its graph."""
    return tuple(v.name for v in X.values) if isinstance(X, Columns) else (X.name,)


def flatten(result: Result) -> list[Value]:
    """Return the Values of a method's result, in order."""
    if isinstance(result, Value | Coded):
        return [result if isinstance(result, Value) else result.value]
    return list(result.values) if isinstance(result, Columns) else list(result)


def rebuild(result: Result, values: Any) -> Any:
    """Give a method's result the same form with the values of the calling scope."""
    if isinstance(result, Value):
        return next(values).like(result)
    if isinstance(result, Columns):
        parts = [(next(values), value) for value in result.values]
        for part, value in parts:
            part.own = value.own
        return Columns(result.names, tuple(part for part, _ in parts))
    if isinstance(result, Coded):
        return replace(result, value=next(values).like(result.value))
    return type(result)(next(values) for _ in result)
