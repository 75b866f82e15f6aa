"""sklearn.dummy: answers that do not depend on the data. Random ones are refused: they differ from call to call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor

from ..convert import Columns, Data
from ..errors import ConversionError
from ..graph import Value, per_row
from ..registry import converter
from .base import class_labels


def _any_value(X: Data) -> Value:
    return X.values[0] if isinstance(X, Columns) else X


def _per_output(est: Any, attribute: str) -> list[Any]:
    """Return an attribute that is a list only for several outputs, always as a list."""
    value = getattr(est, attribute)
    return list(value) if est.n_outputs_ > 1 else [value]


def _refuse_random(est: Any, method: str) -> None:
    raise ConversionError(
        f"DummyClassifier(strategy={est._strategy!r}).{method} is random: it answers differently at each call. "
        "Fit it with strategy 'prior', 'most_frequent' or 'constant'."
    )


def _labels(est: Any) -> NDArray[Any]:
    """Return what every row is predicted, shape (n_outputs,)."""
    if est._strategy == "constant":
        return np.asarray(est.constant).reshape(-1)
    if est._strategy not in ("most_frequent", "prior"):
        _refuse_random(est, "predict")
    best = [np.argmax(p) for p in _per_output(est, "class_prior_")]
    if est.sparse_output_:  # scikit-learn answers the number of the class there
        return np.array(best, np.int64)
    return np.array([c[i] for c, i in zip(_per_output(est, "classes_"), best, strict=True)])


@converter(DummyClassifier, method="predict", frame=True, finite=False)
def dummy_classes(est: Any, X: Data) -> Value:
    labels = class_labels(_labels(est))
    single = est.n_outputs_ == 1 and not est.sparse_output_
    return per_row(labels[0] if single else labels, _any_value(X))


def _probabilities(est: Any) -> list[NDArray[Any]]:
    """Return each output's probabilities of a row."""
    priors = _per_output(est, "class_prior_")
    if est._strategy == "prior":
        return [np.asarray(p, np.float64) for p in priors]
    if est._strategy == "uniform":
        return [np.full(len(p), 1.0 / len(p)) for p in priors]
    if est._strategy == "most_frequent":
        return [np.eye(len(p))[np.argmax(p)] for p in priors]
    if est._strategy != "constant":
        _refuse_random(est, "predict_proba")
    constants = np.asarray(est.constant).reshape(-1)
    return [(c == k).astype(np.float64) for c, k in zip(_per_output(est, "classes_"), constants, strict=True)]


def _one_or_list(est: Any, rows: list[NDArray[Any]], X: Data) -> Any:
    values = [per_row(row, _any_value(X)) for row in rows]
    return values if est.n_outputs_ > 1 else values[0]


@converter(DummyClassifier, method="predict_proba", frame=True, finite=False)
def dummy_proba(est: Any, X: Data) -> Any:
    return _one_or_list(est, _probabilities(est), X)


@converter(DummyClassifier, method="predict_log_proba", frame=True, finite=False)
def dummy_log_proba(est: Any, X: Data) -> Any:
    with np.errstate(divide="ignore"):
        return _one_or_list(est, [np.log(p) for p in _probabilities(est)], X)


@converter(DummyRegressor, method="predict", frame=True, finite=False)
def dummy_regressor(est: Any, X: Data) -> Value:
    constant = np.asarray(est.constant_).reshape(-1)
    return per_row(constant[0] if est.n_outputs_ == 1 else constant, _any_value(X))


@converter(DummyRegressor, method="predict_std", frame=True, finite=False)
def dummy_regressor_std(est: Any, X: Data) -> tuple[Value, Value]:
    zeros = np.float64(0.0) if est.n_outputs_ == 1 else np.zeros(est.n_outputs_)
    return dummy_regressor(est, X), per_row(zeros, _any_value(X))
