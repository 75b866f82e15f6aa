"""sklearn.preprocessing: scalers, encoders, discretizers, polynomial features, power transforms.

scikit-learn scales in place: float32 data are computed with float64 parameters and rounded back to float32 at every
step, hence the many `astype` below. Sparse matrices are multiplied by reciprocals there, so they are here. Encoders of
features are in preprocessing_encoders.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
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
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
    label_binarize,
)

from ..convert import Columns, Data, as_float, as_matrix, call, checked, refuse_moments
from ..errors import ConversionError
from ..graph import Value, concat, where
from ..operators.categories import category_lookup
from ..operators.checks import require
from ..operators.numeric import expm1, log1p
from ..protos import STRING
from ..registry import converter
from ..tracing import trace
from ._categories import category_table, gather, tensor_of
from ._columns import constant_column
from ._response import names_in
from .preprocessing_encoders import encode_one_hot, features_of, look_up

SINCE_1_8 = tuple(int(v) for v in sklearn.__version__.split(".")[:2]) >= (1, 8)
#: StandardScaler rounds its parameters to the data's dtype since it supports the array API
ROUNDS_PARAMETERS = SINCE_1_8


def _rounded(parameter: NDArray[Any], X: Value) -> NDArray[Any]:
    return parameter.astype(X.dtype) if ROUNDS_PARAMETERS and parameter.dtype != X.dtype else parameter


# ---- scalers ---------------------------------------------------------------------------------------------------------


@converter(StandardScaler)
def standard_scaler(est: Any, X: Value) -> Value:
    X = as_float(X).taken_as("csr")
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
    X = as_float(X).taken_as("csr")
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
    return (_clip(scaled, -1.0, 1.0) if getattr(est, "clip", False) else scaled).like(X, "csr", "csc")


@converter(MaxAbsScaler, method="inverse_transform")
def max_abs_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    unscaled: Value = (X * est.scale_).astype(X.dtype)
    return unscaled.like(X, "csr", "csc")


@converter(RobustScaler)
def robust_scaler(est: Any, X: Value) -> Value:
    X = as_float(X).taken_as("csr", "csc")
    if X.sparse:
        return _scaled_sparse(est, X, 1.0 / est.scale_ if est.with_scaling else None, centred=est.with_centering)
    dtype = X.dtype
    if est.with_centering:
        X = (X - est.center_).astype(dtype)
    return (X / est.scale_).astype(dtype) if est.with_scaling else X


@converter(RobustScaler, method="inverse_transform")
def robust_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X).taken_as("csr", "csc")
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
    return normalized.like(X, "csr")


@converter(Binarizer)
def binarizer(est: Any, X: Value) -> Value:
    above: Value = as_float(X) > est.threshold
    result = above.astype(X.dtype).like(X, "csr", "csc")
    result.layout = replace(result.layout, prunes=True)
    return result


# ---- targets ---------------------------------------------------------------------------------------------------------


@converter(TargetEncoder, frame=True, finite=False)
def target_encoder(est: Any, X: Data) -> Value:
    """One column a feature, or one a feature and class; unknown categories get the target's mean."""
    means = np.atleast_1d(est.target_mean_)
    tables = [np.append(e, means[k % len(means)]) for k, e in enumerate(est.encodings_)]
    columns = features_of(est, X)
    each = len(tables) // len(columns)
    return concat([look_up(est, k // each, columns[k // each], table) for k, table in enumerate(tables)])


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
    return gather(tensor_of(est.classes_), codes)


@converter(LabelBinarizer)
def label_binarizer(est: Any, y: Value) -> Value:
    """Labels, unknown ones as rows of `neg_label`, as in scikit-learn; or an indicator matrix, with those two in it."""
    if est.y_type_.startswith("multilabel"):
        given = _indicators(est, y)
        return _binarized(est, given != 0, y) if est.pos_label != 1 else where(given == 0, est.neg_label, given)
    categories = category_table(est, "y", est.classes_, y.dtype)
    codes = category_lookup(_column(y), categories, _numbered(categories), column="y", refuse_unknown=0)
    hot = codes == np.arange(len(categories))
    if est.y_type_ == "binary":
        hot = hot[:, 1:] if len(categories) == 2 else hot & np.zeros((1, 1), bool)
    return _binarized(est, hot, y)


def _binarized(est: Any, hot: Value, y: Value) -> Value:
    kind = y.dtype.type if y.dtype.kind == "i" and _keeps_dtype() else np.int64
    return where(hot, kind(est.pos_label), kind(est.neg_label))


def _indicators(est: Any, y: Value) -> Value:
    if y.ndim != 2 or y.dim(1) != len(est.classes_) or y.dtype == STRING:
        raise ConversionError(
            f"LabelBinarizer was fitted on a multilabel indicator matrix: give it one, of {len(est.classes_)} columns."
        )
    if y.dtype.kind == "f":
        y = require(y, np.floor(y) == y, message="LabelBinarizer takes an indicator matrix of whole numbers")
    return y if y.dtype.kind == "i" and _keeps_dtype() else y.astype(np.int64)


def _keeps_dtype() -> bool:
    """Whether binarized labels have the dtype of y, if that is a signed integer: since scikit-learn 1.9."""
    return "isdtype" in names_in(label_binarize)


@converter(LabelBinarizer, method="inverse_transform")
def label_binarizer_inverse(est: Any, Y: Value) -> Value:
    """Return the class of the largest column, or, of two classes, that on the score's side of the middle."""
    if est.y_type_.startswith("multilabel"):
        hits = (as_float(Y) > (est.pos_label + est.neg_label) / 2.0).astype(np.int64)
        hits.sparse = bool(est.sparse_input_)
        return hits
    if est.y_type_ == "multiclass":
        return gather(tensor_of(est.classes_), Y.argmax(1))
    above = as_float(Y[:, -1]) > (est.pos_label + est.neg_label) / 2.0
    last = len(est.classes_) - 1
    return gather(tensor_of(est.classes_), above.astype(np.int64) * last)


# ---- functions of the data -------------------------------------------------------------------------------------------


def _apply(est: Any, X: Data, function: Any, arguments: Any, parameter: str) -> Data:
    if est.validate:
        X = checked(est, _numeric(as_matrix(X)))
    if function is None or not isinstance(X, Columns):
        refuse_moments(X.values if isinstance(X, Columns) else [X], f"the input of {type(est).__name__}")
    if function is None:
        return X
    label = getattr(function, "__name__", repr(function))
    return trace(f"{type(est).__name__}({parameter}={label})", function, X, arguments)


def _numeric(X: Value) -> Value:
    """Return what ``check_array`` makes of X by default: float64 of numbers in arrays of objects."""
    return X.astype(np.float64).marked_as(X) if X.objects and X.dtype.kind in "iub" else X


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
    return concat(blocks).like(X, "csr", "csc", matrix=True)


def _terms(features: int, degree: int, interaction_only: bool) -> list[tuple[int, ...]]:
    choose = itertools.combinations if interaction_only else itertools.combinations_with_replacement
    return list(choose(range(features), degree))


@converter(KBinsDiscretizer)
def k_bins_discretizer(est: Any, X: Value) -> Value:
    X = as_float(X) if est.dtype is None else checked(est, X.astype(est.dtype))
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
    columns = [gather(c.astype(bins.dtype), bins[:, i : i + 1].astype(np.int64)) for i, c in enumerate(centers)]
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
