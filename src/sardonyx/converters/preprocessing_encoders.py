"""sklearn.preprocessing._encoders: OneHotEncoder and OrdinalEncoder, both ways.

What each category becomes is decided here, once, in a table (`_encoders.py` of scikit-learn decides it row by row), so
that grouping of infrequent categories and dropping cost nothing later.

::

    column "city"          lookup: categories          table: codes            position in the output, or -1 for none
    "Oslo"  ───────────▶   ["", "Köln", "Oslo"]  ───▶  [0, 1, 2 | -1]  ───▶    first column of the feature + code
    "Rome" (unknown)  ─────────────────────────────────────────── ^ last

On the way back a column that has numbers beside None or 'infrequent_sklearn' is no tensor: codes stand for its values.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from ..convert import Coded, Columns, Data, as_columns, checked, in_order
from ..errors import ConversionError
from ..graph import Value, concat, where
from ..operators.categories import category_lookup, one_hot
from ..operators.checks import check_finite, require
from ..protos import STRING
from ..registry import converter
from ._categories import category_table, gather, tensor_of

#: a code that no table has
BEYOND = 2**31 - 1
#: what an inverse takes its answers from: values, None where unknown, and for each row which of them, shape (N, 1)
Choice: TypeAlias = tuple[NDArray[Any], Value]

#: what handle_unknown has OneHotEncoder take unknown categories for infrequent ones; 1.6 and 1.7 encode "warn" as zeros
_UNKNOWN_IS_INFREQUENT = (
    ("infrequent_if_exist", "warn")
    if tuple(int(v) for v in sklearn.__version__.split(".")[:2]) >= (1, 8)
    else ("infrequent_if_exist",)
)


def _feature_name(est: Any, i: int) -> str:
    names = getattr(est, "feature_names_in_", None)
    return str(i) if names is None else str(names[i])


def features_of(est: Any, X: Data) -> tuple[Value, ...]:
    """Return the columns; numbers are never infinite, known category or not, but in arrays of objects."""
    if isinstance(X, Value):
        return as_columns(checked(est, X, as_it_is=True)).values
    return tuple(checked(est, column, as_it_is=True) for column in as_columns(in_order(est, X)).values)


def look_up(est: Any, i: int, column: Value, codes: NDArray[Any]) -> Value:
    """Return the code of each row's category; the last of `codes` is what an unknown category gets, where allowed."""
    refuse = int(getattr(est, "handle_unknown", "") == "error")
    name = _feature_name(est, i)
    categories = category_table(est, name, est.categories_[i], column.dtype)
    value = column if column.dtype == STRING else column.astype(np.result_type(column.dtype, categories.dtype))
    table = categories if column.dtype == STRING else categories.astype(value.dtype)
    result: Value = category_lookup(value, table, codes, column=name, refuse_unknown=refuse)
    return result


def _infrequent(est: Any, i: int) -> Any:
    return est._infrequent_indices[i] if est._infrequent_enabled else None


def _one_hot_codes(est: Any, i: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Codes of feature i's categories, the last for unknown ones, and which of them set a column at all."""
    codes = np.append(np.arange(len(est.categories_[i])), 0)
    valid = np.append(np.ones(len(codes) - 1, bool), False)
    if (infrequent := _infrequent(est, i)) is not None:
        codes[-1] = infrequent[0]
        valid[-1] = est.handle_unknown in _UNKNOWN_IS_INFREQUENT
        codes = est._default_to_infrequent_mappings[i][codes]
    drop = None if est._drop_idx_after_grouping is None else est._drop_idx_after_grouping[i]
    if drop is not None:
        valid &= codes != drop
        codes = codes - (codes > drop)
    return codes, valid


def encode_one_hot(est: Any, X: Data, dtype: Any) -> Value:
    """One-hot encode with a fitted OneHotEncoder, to a dtype."""
    starts = np.cumsum([0, *est._n_features_outs])
    positions = []
    for i, column in enumerate(features_of(est, X)):
        codes, valid = _one_hot_codes(est, i)
        positions.append(look_up(est, i, column, np.where(valid, codes + starts[i], -1)))
    result: Value = one_hot(concat(positions), widths=[int(w) for w in est._n_features_outs], to=np.dtype(dtype))
    return result


@converter(OneHotEncoder, frame=True, finite=False)
def one_hot_encoder(est: Any, X: Data) -> Value:
    result = encode_one_hot(est, X, _number_dtype(est))
    result.sparse = bool(est.sparse_output)
    return result


def _number_dtype(est: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(est.dtype)
    if dtype.kind not in "fiub":
        raise ConversionError(
            f"{type(est).__name__}(dtype={est.dtype!r}) is not a number; set dtype to a float, int or bool dtype."
        )
    return dtype


@converter(OrdinalEncoder, frame=True, finite=False)
def ordinal_encoder(est: Any, X: Data) -> Value:
    return concat([look_up(est, i, column, _ordinal_codes(est, i)) for i, column in enumerate(features_of(est, X))])


def _ordinal_codes(est: Any, i: int) -> NDArray[Any]:
    """Return what feature i's categories become, and last what unknown ones become."""
    dtype = _number_dtype(est)
    codes = np.arange(len(est.categories_[i]) + 1)
    missing = est._missing_indices.get(i)
    if _infrequent(est, i) is not None:
        mapping = est._default_to_infrequent_mappings[i]
        codes[: len(mapping)] = mapping  # a missing category is the last, beyond the mapping
    result: NDArray[Any] = codes.astype(dtype)
    if missing is not None:
        result[missing] = est.encoded_missing_value
    refused = np.nan if dtype.kind == "f" else -1  # what runtimes that cannot refuse give
    result[-1] = refused if est.unknown_value is None else est.unknown_value
    return result


# ---- inverse ---------------------------------------------------------------------------------------------------------


def _joined(columns: Sequence[Choice], dtype: np.dtype[Any], answers: np.dtype[Any]) -> Data | Coded:
    """Return columns of one kind as one matrix, other ones as columns, and codes where a column has several kinds.

    Parameters
    ----------
    columns : sequence of (values, places)
    dtype : dtype
        That scikit-learn's array has before it puts None in.
    answers : dtype
        Of its answer, where no value is None.
    """
    if any(_is_mixed(table) for table, _ in columns):
        tables = tuple(_values(table, dtype) for table, _ in columns)
        return Coded("objects", concat([_inside(*column) for column in columns]), tables, answers)
    values = [gather(tensor_of(table), places) for table, places in columns]
    if len({v.dtype == STRING for v in values}) == 1:
        return concat(values)
    return Columns(tuple(f"x{i}" for i in range(len(values))), tuple(values))


def _is_mixed(table: NDArray[Any]) -> bool:
    return table.dtype == object and any(
        isinstance(v, int | float | np.number | np.bool_) and v == v for v in table.tolist()
    )


def _values(table: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return values as an array of a dtype holds them, None and text as they are."""
    result = np.empty(len(table), object)
    result[:] = [_value(v, dtype) for v in table.tolist()]
    return result


def _value(value: Any, dtype: np.dtype[Any]) -> Any:
    if value is None or isinstance(value, str):
        return value
    number = value if dtype.kind in "OU" else dtype.type(value)
    return number.item() if isinstance(number, np.generic) else number


def _inside(table: NDArray[Any], places: Value) -> Value:
    """Return places, refused beyond the table."""
    fine = (places >= 0) & (places < len(table))
    result: Value = require(places, fine, message="inverse_transform: a code that is no category's")
    return result


@converter(OrdinalEncoder, method="inverse_transform", finite=False)
def ordinal_encoder_inverse(est: Any, X: Value) -> Data | Coded:
    dtype = np.result_type(*[c.dtype for c in est.categories_])
    X = checked(est, X)
    boxed = est.handle_unknown == "use_encoded_value" or est._infrequent_enabled
    columns = [_ordinal_choice(est, i, X[:, i : i + 1]) for i in range(len(est.categories_))]
    return _joined(columns, dtype, np.dtype(object) if boxed else dtype)


def _ordinal_choice(est: Any, i: int, labels: Value) -> Choice:
    """Return missing first, then infrequent, then unknown, in scikit-learn's order."""
    table, missing, infrequent = np.asarray(est.categories_[i]), est._missing_indices.get(i), _infrequent(est, i)
    labels = labels if missing is None else where(_equals(labels, est.encoded_missing_value), missing, labels)
    known = len(table) - (0 if infrequent is None else len(infrequent))
    direct = labels.astype(np.int64)
    direct = where(direct < 0, direct + known, direct)  # as NumPy counts from the end
    codes = where((direct < 0) | (direct >= known), BEYOND, direct)
    if infrequent is not None:
        table = np.append(np.delete(table.astype(object), infrequent), "infrequent_sklearn")
        codes = where(labels == known, known, codes)
    if est.handle_unknown == "use_encoded_value":
        codes = where(_equals(labels, est.unknown_value), len(table), codes)
        table = np.append(table.astype(object), [None])
    return table, codes


def _equals(X: Value, value: Any) -> Any:
    """scikit-learn's ``_get_mask``: NaN equals NaN."""
    if isinstance(value, float) and np.isnan(value):
        return np.isnan(X) if X.dtype.kind == "f" else X != X
    return X == value


@converter(OneHotEncoder, method="inverse_transform", finite=False)
def one_hot_encoder_inverse(est: Any, X: Value) -> Data | Coded:
    X = check_finite(X, allow_nan=0, estimator="OneHotEncoder").like(X) if X.dtype.kind == "f" else X
    X = X.astype(np.int64) if X.dtype.kind in "biu" else X  # sums of a row, as NumPy makes them
    starts = np.cumsum([0, *est._n_features_outs])
    blocks = [(int(a), int(b)) for a, b in itertools.pairwise(starts)]
    everything = [np.asarray(est._compute_transformed_categories(i, remove_dropped=False)) for i in range(len(blocks))]
    dtype = np.result_type(*[c.dtype for c in everything])
    columns = [_one_hot_choice(est, i, everything[i], X, a, b) for i, (a, b) in enumerate(blocks)]
    return _joined(columns, dtype, dtype)


def _one_hot_choice(est: Any, i: int, everything: NDArray[Any], X: Value, start: int, stop: int) -> Choice:
    drop = None if est._drop_idx_after_grouping is None else est._drop_idx_after_grouping[i]
    kept = everything if drop is None else np.delete(everything, drop)
    if drop is not None and not len(kept):
        same = (X[:, :1] == X[:, :1]).astype(np.int64) * 0
        return np.asarray(est.categories_[i])[drop : drop + 1], same
    block = X[:, start:stop]
    labels, empty = block.argmax(1)[:, None], block.sum(1, keepdims=True) == 0
    return _with_empty(est, i, kept, everything, drop, labels, empty)


def _with_empty(
    est: Any, i: int, kept: NDArray[Any], everything: NDArray[Any], drop: Any, labels: Value, empty: Value
) -> Choice:
    """Give rows of zeros the dropped category, or None where unknown ones were ignored, or refuse them."""
    ignored = est.handle_unknown == "ignore" or (est.handle_unknown != "error" and _infrequent(est, i) is None)
    if drop is not None:
        return _appended(kept, est.categories_[i][drop] if ignored else everything[drop], labels, empty)
    if ignored:
        return _appended(kept, None, labels, empty)
    message = f"OneHotEncoder.inverse_transform: a row is all zeros in feature {_feature_name(est, i)}"
    return kept, require(labels, ~empty, message=message)


def _appended(kept: NDArray[Any], last: Any, labels: Value, empty: Value) -> Choice:
    table = np.append(kept, np.array([last], kept.dtype if last is not None else object))
    return table, where(empty, len(kept), labels)
