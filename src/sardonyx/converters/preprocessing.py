"""sklearn.preprocessing: scalers, encoders, discretizers, polynomial features, power transforms.

scikit-learn scales in place: float32 data are computed with float64 parameters and rounded back to float32 at every
step, hence the many `astype` below. Sparse matrices are multiplied by reciprocals there, so they are here. Encoders are
lookups: what each category becomes is decided here, once, in a table (`_encoders.py` of scikit-learn decides it row by
row), so that grouping of infrequent categories and dropping cost nothing later.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    LabelBinarizer,
    LabelEncoder,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from ..convert import Columns, Data, as_columns, as_float, as_matrix, call, checked, in_order, refuse_moments
from ..errors import ConversionError
from ..graph import Value, concat, op, where
from ..operators.categories import category_lookup, one_hot
from ..operators.checks import require
from ..operators.numeric import expm1, log1p
from ..protos import STRING
from ..registry import converter
from ..tracing import trace
from ._categories import category_table, text_categories
from ._columns import constant_column

SINCE_1_8 = tuple(int(v) for v in sklearn.__version__.split(".")[:2]) >= (1, 8)
#: StandardScaler rounds its parameters to the data's dtype since it supports the array API
ROUNDS_PARAMETERS = SINCE_1_8

#: what handle_unknown has OneHotEncoder take unknown categories for infrequent ones; 1.6 and 1.7 encode "warn" as zeros
_UNKNOWN_IS_INFREQUENT = ("infrequent_if_exist", "warn") if SINCE_1_8 else ("infrequent_if_exist",)


def _rounded(parameter: NDArray[Any], X: Value) -> NDArray[Any]:
    return parameter.astype(X.dtype) if ROUNDS_PARAMETERS and parameter.dtype != X.dtype else parameter


# -------------------------------------------------------------------------------------------------------------- scalers


@converter(StandardScaler)
def standard_scaler(est: Any, X: Value) -> Value:
    X = as_float(X)
    if X.sparse:
        return _scaled_sparse(est, X, 1 / est.scale_ if est.with_std else None, centred=est.with_mean)
    dtype = X.dtype
    if est.with_mean:
        X = (X - _rounded(est.mean_, X)).astype(dtype)
    return (X / _rounded(est.scale_, X)).astype(dtype) if est.with_std else X


def _scaled_sparse(est: Any, X: Value, factor: NDArray[Any] | None, *, centred: bool) -> Value:
    """Scale the columns of a sparse matrix as ``inplace_column_scale`` does; scikit-learn refuses to centre one."""
    if centred:
        raise ConversionError(
            f"{type(est).__name__} cannot centre sparse matrices: convert with a dense sample, or fit it without."
        )
    return X if factor is None else (X * factor).astype(X.dtype).like(X)


@converter(StandardScaler, method="inverse_transform")
def standard_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    dtype = X.dtype
    if est.with_std:
        X = (X * _rounded(est.scale_, X)).astype(dtype).like(X)
    return (X + _rounded(est.mean_, X)).astype(dtype) if est.with_mean else X


@converter(MinMaxScaler)
def min_max_scaler(est: Any, X: Value) -> Value:
    X = as_float(X)
    dtype = X.dtype
    X = (X * est.scale_).astype(dtype)
    X = (X + est.min_).astype(dtype)
    return _clip(X, *est.feature_range) if est.clip else X


@converter(MinMaxScaler, method="inverse_transform")
def min_max_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    dtype = X.dtype
    X = (X - est.min_).astype(dtype)
    unscaled: Value = (X / est.scale_).astype(dtype)
    return unscaled


def _clip(X: Value, low: float, high: float) -> Value:
    """Clip and let NaN through, which `Max` and `Min` of ONNX leave undefined."""
    return where(X < low, X.dtype.type(low), where(X > high, X.dtype.type(high), X))


@converter(MaxAbsScaler)
def max_abs_scaler(est: Any, X: Value) -> Value:
    X = as_float(X)
    scaled = (X * (1.0 / est.scale_) if X.sparse else X / est.scale_).astype(X.dtype)
    return (_clip(scaled, -1.0, 1.0) if getattr(est, "clip", False) else scaled).like(X)


@converter(MaxAbsScaler, method="inverse_transform")
def max_abs_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    unscaled: Value = (X * est.scale_).astype(X.dtype)
    return unscaled.like(X)


@converter(RobustScaler)
def robust_scaler(est: Any, X: Value) -> Value:
    X = as_float(X)
    if X.sparse:
        return _scaled_sparse(est, X, 1.0 / est.scale_ if est.with_scaling else None, centred=est.with_centering)
    dtype = X.dtype
    if est.with_centering:
        X = (X - est.center_).astype(dtype)
    return (X / est.scale_).astype(dtype) if est.with_scaling else X


@converter(RobustScaler, method="inverse_transform")
def robust_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    dtype = X.dtype
    if est.with_scaling:
        X = (X * est.scale_).astype(dtype).like(X)
    return (X + est.center_).astype(dtype) if est.with_centering else X


_NORMS: dict[str, Callable[[Value], Value]] = {
    "l1": lambda X: abs(X).sum(1, keepdims=True),
    "l2": lambda X: np.sqrt((X * X).sum(1, keepdims=True)),
    "max": lambda X: abs(X).max(1, keepdims=True),
}


@converter(Normalizer)
def normalizer(est: Any, X: Value) -> Value:
    X = as_float(X)
    norms = _NORMS[est.norm](X)
    # rows of zero stay as they are; of a dense matrix, those of almost zero too
    tiny = norms == 0 if X.sparse else norms < X.dtype.type(10 * np.finfo(X.dtype).eps)
    normalized: Value = X / where(tiny, X.dtype.type(1), norms)
    return normalized.like(X)


@converter(Binarizer)
def binarizer(est: Any, X: Value) -> Value:
    above: Value = as_float(X) > est.threshold
    return above.astype(X.dtype).like(X)


# ------------------------------------------------------------------------------------------------------------- encoders
#
#   column "city"          lookup: categories          table: codes            position in the output, or -1 for none
#   "Oslo"  ───────────▶   ["", "Köln", "Oslo"]  ───▶  [0, 1, 2 | -1]  ───▶    first column of the feature + code
#   "Rome" (unknown)  ─────────────────────────────────────────── ^ last


def _feature_name(est: Any, i: int) -> str:
    names = getattr(est, "feature_names_in_", None)
    return str(i) if names is None else str(names[i])


def _features(est: Any, X: Data) -> tuple[Value, ...]:
    """Return the columns; numbers are never infinite, known category or not."""
    if isinstance(X, Value):
        return as_columns(checked(est, X)).values
    return tuple(checked(est, column) for column in as_columns(in_order(est, X)).values)


def _lookup(est: Any, i: int, column: Value, codes: NDArray[Any]) -> Value:
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
    for i, column in enumerate(_features(est, X)):
        codes, valid = _one_hot_codes(est, i)
        positions.append(_lookup(est, i, column, np.where(valid, codes + starts[i], -1)))
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
    return concat([_lookup(est, i, column, _ordinal_codes(est, i)) for i, column in enumerate(_features(est, X))])


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


@converter(TargetEncoder, frame=True, finite=False)
def target_encoder(est: Any, X: Data) -> Value:
    """One column a feature, or one a feature and class; unknown categories get the target's mean."""
    means = np.atleast_1d(est.target_mean_)
    tables = [np.append(e, means[k % len(means)]) for k, e in enumerate(est.encodings_)]
    columns = _features(est, X)
    each = len(tables) // len(columns)
    return concat([_lookup(est, k // each, columns[k // each], table) for k, table in enumerate(tables)])


@converter(LabelEncoder)
def label_encoder(est: Any, y: Value) -> Value:
    return _label_codes(est, y).reshape(-1)


def _numbered(categories: NDArray[Any]) -> NDArray[np.int64]:
    return np.append(np.arange(len(categories), dtype=np.int64), -1)


def _label_codes(est: Any, y: Value) -> Value:
    categories = category_table(est, "y", est.classes_, y.dtype)
    value = y if y.dtype == STRING else y.astype(categories.dtype)
    codes: Value = category_lookup(_column(value), categories, _numbered(categories), column="y", refuse_unknown=1)
    return codes


def _column(y: Value) -> Value:
    """Return one-dimensional labels as a column."""
    return y if y.ndim == 2 else y[:, None]


@converter(LabelEncoder, method="inverse_transform")
def label_encoder_inverse(est: Any, y: Value) -> Value:
    codes = y.astype(np.int64).reshape(-1)
    inside = (codes >= 0) & (codes < len(est.classes_))
    codes = require(codes, inside, message="LabelEncoder: y contains previously unseen labels")
    return _gather(_table(est.classes_), codes)


@converter(LabelBinarizer)
def label_binarizer(est: Any, y: Value) -> Value:
    """Multiclass and binary labels; unknown labels give a row of `neg_label`, as scikit-learn does."""
    if est.y_type_.startswith("multilabel"):
        raise ConversionError(
            "LabelBinarizer fitted on a multilabel indicator matrix does not convert; it returns y as it is."
        )
    categories = category_table(est, "y", est.classes_, y.dtype)
    codes = category_lookup(_column(y), categories, _numbered(categories), column="y", refuse_unknown=0)
    hot = codes == np.arange(len(categories))
    if est.y_type_ == "binary":
        hot = hot[:, 1:] if len(categories) == 2 else hot & np.zeros((1, 1), bool)
    return where(hot, np.int64(est.pos_label), np.int64(est.neg_label))


@converter(LabelBinarizer, method="inverse_transform")
def label_binarizer_inverse(est: Any, Y: Value) -> Value:
    """Return the class of the largest column, or, of two classes, that on the score's side of the middle."""
    if est.y_type_.startswith("multilabel"):
        raise ConversionError("LabelBinarizer fitted on a multilabel indicator matrix does not convert.")
    if est.y_type_ == "multiclass":
        return _gather(_table(est.classes_), Y.argmax(1))
    above = as_float(Y[:, -1]) > (est.pos_label + est.neg_label) / 2.0
    last = len(est.classes_) - 1
    return _gather(_table(est.classes_), above.astype(np.int64) * last)


# ---------------------------------------------------------------------------------------------------- encoders, inverse


def _table(categories: NDArray[Any]) -> NDArray[Any]:
    """Return the categories as they stand in a tensor."""
    if categories.dtype.kind in "UO":
        return text_categories(categories)
    return categories


def _gather(table: NDArray[Any], codes: Value) -> Value:
    result: Value = op.Gather(np.ascontiguousarray(table), codes, axis=0)
    return result


def _as_one(columns: Sequence[Value]) -> Data:
    """Columns of one kind become one matrix, as scikit-learn returns one array."""
    if len({v.dtype == STRING for v in columns}) == 1:
        return concat(columns)
    return Columns(tuple(f"x{i}" for i in range(len(columns))), tuple(columns))


def _refuse_infrequent(est: Any, i: int) -> None:
    if est.categories_[i].dtype.kind not in "UO":
        raise ConversionError(
            f"{type(est).__name__}.inverse_transform mixes numbers and 'infrequent_sklearn' in feature "
            f"{_feature_name(est, i)}; fit it as text to convert the inverse."
        )


def _refuse_none(est: Any, i: int, categories: NDArray[Any]) -> None:
    if categories.dtype.kind not in "UO":
        raise ConversionError(
            f"{type(est).__name__}.inverse_transform gives None for unknown categories "
            f"(handle_unknown={est.handle_unknown!r}), which the numbers of feature {_feature_name(est, i)} have no "
            "place for. Fit the feature as text, or use handle_unknown='error'."
        )


@converter(OrdinalEncoder, method="inverse_transform", finite=False)
def ordinal_encoder_inverse(est: Any, X: Value) -> Data:
    return _as_one([_ordinal_inverse(est, i, X[:, i : i + 1]) for i in range(len(est.categories_))])


def _ordinal_inverse(est: Any, i: int, labels: Value) -> Value:
    categories = est.categories_[i]
    missing, infrequent = est._missing_indices.get(i), _infrequent(est, i)
    codes = labels if missing is None else where(_equals(labels, est.encoded_missing_value), missing, labels)
    table = np.asarray(categories)
    if infrequent is not None:
        table = np.append(np.delete(table.astype(object), infrequent), "infrequent_sklearn")
        frequent = len(categories) - len(infrequent)
        codes = where(labels == frequent, len(table) - 1, codes)
        _refuse_infrequent(est, i)
    if est.handle_unknown != "use_encoded_value":
        return _gather(_table(table), codes.astype(np.int64))
    _refuse_none(est, i, table)
    unknown = _equals(labels, est.unknown_value)
    with_none = np.append(table.astype(object), [None])
    return _gather(_table(with_none), where(unknown, len(table), codes).astype(np.int64))


def _equals(X: Value, value: Any) -> Any:
    """scikit-learn's ``_get_mask``: NaN equals NaN."""
    if isinstance(value, float) and np.isnan(value):
        return np.isnan(X) if X.dtype.kind == "f" else X != X
    return X == value


@converter(OneHotEncoder, method="inverse_transform")
def one_hot_encoder_inverse(est: Any, X: Value) -> Data:
    X = X.astype(np.int64) if X.dtype.kind == "b" else X
    starts = np.cumsum([0, *est._n_features_outs])
    blocks = [(int(a), int(b)) for a, b in itertools.pairwise(starts)]
    return _as_one([_one_hot_inverse(est, i, X, a, b) for i, (a, b) in enumerate(blocks)])


def _one_hot_inverse(est: Any, i: int, X: Value, start: int, stop: int) -> Value:
    everything = np.asarray(est._compute_transformed_categories(i, remove_dropped=False))
    if _infrequent(est, i) is not None:
        _refuse_infrequent(est, i)
    drop = None if est._drop_idx_after_grouping is None else est._drop_idx_after_grouping[i]
    kept = everything if drop is None else np.delete(everything, drop)
    if drop is not None and not len(kept):
        same = (X[:, :1] == X[:, :1]).astype(np.int64) * 0
        return _gather(_table(np.asarray(est.categories_[i])[drop : drop + 1]), same)
    block = X[:, start:stop]
    labels, empty = block.argmax(1)[:, None], block.sum(1, keepdims=True) == 0
    return _gather(*_with_empty(est, i, kept, everything, drop, labels, empty))


def _with_empty(
    est: Any, i: int, kept: Any, everything: Any, drop: Any, labels: Value, empty: Value
) -> tuple[NDArray[Any], Value]:
    """Give rows of zeros the dropped category, or None where unknown ones were ignored, or refuse them."""
    ignored = est.handle_unknown == "ignore" or (est.handle_unknown != "error" and _infrequent(est, i) is None)
    if drop is not None:
        last = est.categories_[i][drop] if ignored else everything[drop]
        return _appended(kept, last, labels, empty)
    if ignored:
        _refuse_none(est, i, kept)
        return _appended(kept, None, labels, empty)
    message = f"OneHotEncoder.inverse_transform: a row is all zeros in feature {_feature_name(est, i)}"
    return _table(kept), require(labels, ~empty, message=message)


def _appended(kept: Any, last: Any, labels: Value, empty: Value) -> tuple[NDArray[Any], Value]:
    table = np.append(kept, np.array([last], kept.dtype if last is not None else object))
    return _table(table), where(empty, len(kept), labels)


# ------------------------------------------------------------------------------------------------ functions of the data


def _apply(est: Any, X: Data, function: Any, arguments: Any, parameter: str) -> Data:
    if est.validate:
        X = checked(est, as_matrix(X))
    refuse_moments(X.values if isinstance(X, Columns) else [X], f"the input of {type(est).__name__}")
    if function is None:
        return X
    label = getattr(function, "__name__", repr(function))
    return trace(f"{type(est).__name__}({parameter}={label})", function, X, arguments)


@converter(FunctionTransformer, frame=True, finite=False)
def function_transformer(est: Any, X: Data) -> Data:
    return _apply(est, X, est.func, est.kw_args, "func")


@converter(FunctionTransformer, method="inverse_transform", frame=True, finite=False)
def function_transformer_inverse(est: Any, X: Data) -> Data:
    return _apply(est, X, est.inverse_func, est.inv_kw_args, "inverse_func")


@converter(PolynomialFeatures)
def polynomial_features(est: Any, X: Value) -> Value:
    """Multiply the term without its first factor, of the degree before, with that factor: scikit-learn's order."""
    X = as_float(X)
    blocks = [constant_column(X, X.dtype.type(1))] if est.include_bias else []
    terms, previous = _terms(X.dim(1), 1, est.interaction_only), X
    for degree in range(1, est._max_degree + 1):
        if degree > 1:
            position = {term: k for k, term in enumerate(terms)}
            terms = _terms(X.dim(1), degree, est.interaction_only)
            if not terms:
                break
            previous = previous[:, [position[term[1:]] for term in terms]] * X[:, [term[0] for term in terms]]
        if degree >= est._min_degree:
            blocks.append(previous)
    return concat(blocks).like(X)


def _terms(features: int, degree: int, interaction_only: bool) -> list[tuple[int, ...]]:
    choose = itertools.combinations if interaction_only else itertools.combinations_with_replacement
    return list(choose(range(features), degree))


@converter(KBinsDiscretizer)
def k_bins_discretizer(est: Any, X: Value) -> Value:
    X = as_float(X) if est.dtype is None else X.astype(est.dtype)
    inner = [np.asarray(edges[1:-1], np.float64) for edges in est.bin_edges_]
    edges = np.full((X.dim(1), max(1, *map(len, inner))), np.inf)
    for row, values in zip(edges, inner, strict=True):
        row[: len(values)] = values
    bins = (X.astype(np.float64)[:, :, None] >= edges).astype(np.int64).sum(2).astype(X.dtype)
    if est.encode == "ordinal":
        return bins
    result = encode_one_hot(est._encoder, bins, X.dtype)
    result.sparse = est.encode == "onehot"
    return result


@converter(KBinsDiscretizer, method="inverse_transform")
def k_bins_discretizer_inverse(est: Any, X: Value) -> Value:
    bins = as_float(as_matrix(call(est._encoder, "inverse_transform", X))) if "onehot" in est.encode else as_float(X)
    centers = [np.asarray(e[1:] + e[:-1]) * 0.5 for e in est.bin_edges_]
    columns = [_gather(c.astype(bins.dtype), bins[:, i : i + 1].astype(np.int64)) for i, c in enumerate(centers)]
    return concat(columns)


@converter(PowerTransformer)
def power_transformer(est: Any, X: Value) -> Value:
    X = as_float(X)
    rule = _yeo_johnson if est.method == "yeo-johnson" else _box_cox
    columns = concat([rule(X[:, i : i + 1], float(lmbda)).astype(X.dtype) for i, lmbda in enumerate(est.lambdas_)])
    if est.standardize:
        columns = call(est._scaler, "transform", columns)
    return columns


def _yeo_johnson(x: Value, lmbda: float) -> Value:
    """scipy.stats.yeojohnson: Yeo and Johnson, Biometrika 87 (2000)."""
    zero = x.dtype.type(0)
    up, down = log1p(where(x >= 0, x, zero)), log1p(where(x < 0, -x, zero))
    positive = up if abs(lmbda) < np.spacing(1.0) else expm1(up * lmbda) / lmbda
    negative = -expm1(down * (2 - lmbda)) / (2 - lmbda) if abs(lmbda - 2) > np.spacing(1.0) else -down
    return where(x != x, x, where(x >= 0, positive, negative))


def _box_cox(x: Value, lmbda: float) -> Value:
    """scipy.special.boxcox."""
    positive = (x > 0) | (x != x)
    x = require(x, positive, message="The Box-Cox transformation can only be applied to strictly positive data")
    log: Value = np.log(x)
    if lmbda == 0:
        return log
    scaled: Value = expm1(log * lmbda) / lmbda
    return scaled


@converter(PowerTransformer, method="inverse_transform")
def power_transformer_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    if est.standardize:
        X = call(est._scaler, "inverse_transform", X)
    rule = _yeo_johnson_inverse if est.method == "yeo-johnson" else _box_cox_inverse
    return concat([rule(X[:, i : i + 1], float(lmbda)).astype(X.dtype) for i, lmbda in enumerate(est.lambdas_)])


def _yeo_johnson_inverse(x: Value, lmbda: float) -> Value:
    positive = np.exp(x) - 1 if abs(lmbda) < np.spacing(1.0) else (x * lmbda + 1) ** (1 / lmbda) - 1
    logarithmic = abs(lmbda - 2) <= np.spacing(1.0)
    negative = 1 - (np.exp(-x) if logarithmic else (x * -(2 - lmbda) + 1) ** (1 / (2 - lmbda)))
    return where(x >= 0, positive, negative)


def _box_cox_inverse(x: Value, lmbda: float) -> Value:
    """scipy.special.inv_boxcox."""
    inverse: Value = np.exp(x if lmbda == 0 else log1p(x * lmbda) / lmbda)
    return inverse
