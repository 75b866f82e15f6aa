"""sklearn.impute: SimpleImputer and MissingIndicator; the other imputers are in files of their own."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import MissingIndicator, SimpleImputer

from ..convert import Columns, Data, allows_nan, as_columns, as_float, checked, in_order, take
from ..errors import ConversionError
from ..graph import Value, concat, where
from ..inputs.values import MISSING_NAN
from ..layouts import Layout
from ..operators.checks import check_finite, require
from ..protos import STRING
from ..registry import converter
from ._categories import text_categories
from ._columns import array_of, constant_column, missing_mask, stack


@converter(SimpleImputer, frame=True, finite=False)
def simple_imputer(est: Any, X: Data) -> Data:
    X = array_of(in_order(est, X))
    if isinstance(X, Value) and X.dtype != STRING:
        kept = est.strategy in ("most_frequent", "constant")
        X = checked(est, X if kept else as_float(X), as_it_is=kept)
    imputed = with_indicator(est, _impute(est, X), X)
    return imputed.like(X, "csc") if isinstance(imputed, Value) and isinstance(X, Value) else imputed


def with_indicator(est: Any, imputed: Data, X: Data) -> Data:
    """Return what was imputed and, beside it, where X was missing, if the imputer adds that."""
    indicated = est.add_indicator and len(est.indicator_.features_) > 0
    return stack([imputed, _masks(est.indicator_, X)]) if indicated else imputed


def _impute(est: Any, X: Data) -> Data:
    kept = _kept(est)
    if not kept and (isinstance(X, Columns) or X.dtype == STRING):
        raise ConversionError("SimpleImputer: all columns were empty in the fit, so that none is left. Leave it out.")
    if isinstance(X, Columns):
        columns = X.take(kept)
        values = [
            _fill_column(est, _without_nan(est, v), est.statistics_[i])
            for i, v in zip(kept, columns.values, strict=True)
        ]
        return Columns(columns.names, tuple(values))
    if X.dtype == STRING:
        X = _without_nan(est, X)
        return stack([_fill_column(est, X[:, i : i + 1], est.statistics_[i]) for i in kept])
    X = X if len(kept) == len(est.statistics_) else X[:, np.array(kept, np.int64)]
    mask = missing_mask(est, X, est.missing_values)
    if any(isinstance(statistic, str) for statistic in est.statistics_):
        _refuse_both(X, est.fill_value or "missing_value")
    statistics = est.statistics_[kept].astype(getattr(est, "_fill_dtype", X.dtype)).astype(X.dtype)
    return X if mask is None else _select(mask, statistics, X)


def _select(mask: Value, values: NDArray[Any], X: Value) -> Value:
    """Return `where`, for integers in int64: ONNX Runtime selects among few integer types."""
    wide = np.dtype(np.int64) if X.dtype.kind in "iu" else X.dtype
    return where(mask, values.astype(wide), X.astype(wide)).astype(X.dtype)


def _kept(est: Any) -> list[int]:
    """Return the features that stay: those with a statistic, unless empty ones are kept."""
    known = [est.keep_empty_features or s is None or bool(s == s) for s in est.statistics_]
    return [i for i, k in enumerate(known) if k]


def _without_nan(est: Any, X: Value) -> Value:
    """Refuse NaN where it is not what is imputed, as scikit-learn does."""
    if allows_nan(est):
        return X
    if X.dtype != STRING:
        return checked(est, X)
    known = X != np.array(MISSING_NAN, dtype=object)
    found: Value = require(X, known, message="SimpleImputer: Input contains NaN")
    return found


def _fill_column(est: Any, X: Value, statistic: Any) -> Value:
    """Fill one column of an array of objects, where each keeps its own type."""
    mask = missing_mask(est, X, est.missing_values)
    if mask is None:
        return X
    text = isinstance(statistic, str) or statistic is None
    if text != (X.dtype == STRING):
        _refuse_both(X, statistic)
    if text:
        return where(mask, text_categories(np.array([statistic], dtype=object)), X)
    return _select(mask, np.asarray(statistic), X)


def _refuse_both(X: Value, statistic: Any) -> NoReturn:
    raise ConversionError(
        f"SimpleImputer fills a column of {X.dtype} with {statistic!r}, which gives a column of both. "
        "Use one imputer for the numbers and one for the text, in a ColumnTransformer."
    )


def _masks(est: Any, X: Data) -> Value:
    """Where X is missing, for the features of a fitted MissingIndicator."""
    if not len(est.features_):
        first = as_columns(X).values[0]
        return (first == first)[:, :0]
    chosen = take(X, est.features_)
    values = chosen.values if isinstance(chosen, Columns) else (chosen,)
    masks = [missing_mask(est, v, est.missing_values) for v in values]
    return concat([v != v if m is None else m for v, m in zip(values, masks, strict=True)])


@converter(MissingIndicator, frame=True, finite=False)
def missing_indicator(est: Any, X: Data) -> Value:
    X = array_of(in_order(est, X))
    if (
        isinstance(X, Value) and X.dtype.kind == "f"
    ):  # whatever its tags say, NaN is refused where it is not what is missing
        allowed = int(est.missing_values is not None and est.missing_values != est.missing_values)
        if not (X.objects and allowed):
            X = check_finite(X, allow_nan=allowed, estimator=type(est).__name__).like(X)
    mask = _masks(est, X)
    if est.features != "all" and est.error_on_new:
        mask = _refuse_new(est, X, mask)
    given = X if est.sparse == "auto" and isinstance(X, Value) else None
    mask.layout = Layout(("csc",), follows=given is not None and given.layout.follows)
    mask.sparse = est.sparse is True or (given is not None and given.sparse)
    return mask


def _refuse_new(est: Any, X: Data, mask: Value) -> Value:
    """Refuse values missing in features that had none in the fit."""
    columns = as_columns(X).values
    for i in set(range(len(columns))) - set(est.features_.tolist()):
        missing = missing_mask(est, columns[i], est.missing_values)
        if missing is not None:
            message = f"MissingIndicator: feature {i} has missing values in transform but none in fit"
            mask = require(mask, ~missing, message=message)
    return mask


@converter(SimpleImputer, method="inverse_transform", finite=False)
def simple_imputer_inverse(est: Any, X: Value) -> Value:
    """Put `missing_values` back where the indicator says so; the result is float64 whatever the input is."""
    _check_invertible(est, X)
    features = len(est.statistics_)
    values, flags = X[:, :features].astype(np.float64), X[:, features:]
    places = np.full(features, flags.dim(1))
    places[est.indicator_.features_] = np.arange(flags.dim(1))
    if not flags.dim(1):
        return values
    marks = concat([flags, constant_column(X, flags.dtype.type(0))])[:, places]
    return where(marks != 0, np.float64(est.missing_values), values)


def _check_invertible(est: Any, X: Value) -> None:
    if not est.add_indicator:
        raise ConversionError("SimpleImputer.inverse_transform needs add_indicator=True, in scikit-learn too.")
    if X.dtype == STRING:
        raise ConversionError("SimpleImputer.inverse_transform gives numbers; it does not invert text.")
    if len(_kept(est)) < len(est.statistics_):
        raise ConversionError(
            "SimpleImputer.inverse_transform with features that were empty in the fit: scikit-learn's answer for a row "
            "depends on the other rows. Set keep_empty_features=True and fit again."
        )
