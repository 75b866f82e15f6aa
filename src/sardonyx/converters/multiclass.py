"""sklearn.multiclass: several binary estimators, each an ONNX function, and the vote among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
    _ConstantPredictor,
    _threshold_for_binary_predict,
)

from ..convert import Columns, Data, call, step, take
from ..graph import Value, concat, op, per_row, where
from ..registry import converter
from ._response import as_float64, columns_of, flat, names_in, positive_scores
from .base import argmax_labels, inverse_binarize, take_labels


def _any_value(X: Data) -> Value:
    return X.values[0] if isinstance(X, Columns) else X


# ---- a class that always occurred ------------------------------------------------------------------------------------


@converter(_ConstantPredictor, method="predict", frame=True, finite=False)
def constant_predict(est: Any, X: Data) -> Value:
    return per_row(np.ravel(est.y_)[0], _any_value(X))


converter(_ConstantPredictor, method="decision_function", frame=True, finite=False)(constant_predict)


@converter(_ConstantPredictor, method="predict_proba", frame=True, finite=False)
def constant_proba(est: Any, X: Data) -> Value:
    y = np.ravel(est.y_)[0].astype(np.float64)
    return per_row(np.array([1 - y, y]), _any_value(X))


# ---- one against rest ------------------------------------------------------------------------------------------------


def _score_columns(est: Any, X: Data) -> list[Value]:
    return [positive_scores(f"estimator_{i}", part, X)[0] for i, part in enumerate(est.estimators_)]


@converter(OneVsRestClassifier, method="predict", frame=True, finite=False)
def one_vs_rest_classes(est: Any, X: Data) -> Value:
    scores = columns_of(_score_columns(est, X))
    if est.label_binarizer_.y_type_ == "multiclass":
        return take_labels(est.classes_, _best_class(est, scores))
    single = est.label_binarizer_.y_type_ == "binary"
    threshold = _threshold_for_binary_predict(est.estimators_[0])
    return inverse_binarize(est.label_binarizer_, flat(scores) if single else scores, threshold)


def _best_class(est: Any, scores: Value) -> Value:
    """Return the class of the largest score; of equal ones the first, in old versions of scikit-learn the last.

    scikit-learn compares from there on, and no score is larger than NaN: what it comes to afterwards does not count.
    """
    old, last = "reversed" not in names_in(OneVsRestClassifier.predict), len(est.estimators_) - 1
    if all(hasattr(part, "coef_") for part in est.estimators_):  # NaN only where sums overflow, as the BLAS adds them
        return last - scores[:, ::-1].argmax(1) if old else scores.argmax(1)
    scores = as_float64(scores)
    if not old:
        return _before_nan(scores, reverse=1).argmax(1)
    found = _before_nan(scores, reverse=0)[:, ::-1].argmax(1)
    return where(np.isnan(scores[:, 0]), 0, last - found)


def _before_nan(scores: Value, *, reverse: int) -> Value:
    """Return scores, minus infinity from the first NaN on, or from the last one back."""
    met = op.CumSum(np.isnan(scores).astype(np.float64), np.int64(1), reverse=reverse)
    return where(met > 0.0, -np.inf, scores)


@converter(OneVsRestClassifier, method="predict_proba", frame=True, finite=False)
def one_vs_rest_proba(est: Any, X: Data) -> Value:
    parts = [step(f"estimator_{i}", part, ["predict_proba"], X) for i, part in enumerate(est.estimators_)]
    p = columns_of([part["predict_proba"][:, 1] for part in parts])
    if len(est.estimators_) == 1:
        p = concat([1 - p, p])
    if est.multilabel_:
        return p
    total = p.sum(1, keepdims=True)
    guarded = "divide" in names_in(OneVsRestClassifier.predict_proba)  # older versions of scikit-learn divide 0 by 0
    return p / (where(total == 0, 1.0, total) if guarded else total)


@converter(OneVsRestClassifier, method="decision_function", frame=True, finite=False)
def one_vs_rest_decision(est: Any, X: Data) -> Value:
    parts = [step(f"estimator_{i}", e, ["decision_function"], X) for i, e in enumerate(est.estimators_)]
    scores = [part["decision_function"] for part in parts]
    return scores[0] if len(scores) == 1 else columns_of([flat(s) for s in scores])


# ---- one against another ---------------------------------------------------------------------------------------------


def _duels(n_classes: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return, for each class, the numbers of its duels, and which side it is on, both (n_classes, n_classes - 1).

    Duel k is between classes i < j::

        k       0     1     2          class 0: duels 0, 1   sides 0, 0
        i, j    0,1   0,2   1,2        class 1: duels 0, 2   sides 1, 0
                                       class 2: duels 1, 2   sides 1, 1
    """
    first, second = np.triu_indices(n_classes, 1)
    numbers = [np.flatnonzero((first == c) | (second == c)) for c in range(n_classes)]
    return np.array(numbers), np.array([(second[k] == c).astype(np.int64) for c, k in enumerate(numbers)])


def votes_and_confidences(predictions: Value, confidences: Value, n_classes: int) -> Value:
    """Return ``sklearn.utils.multiclass._ovr_decision_function``: votes, ties broken by confidences, (N, n_classes)."""
    numbers, sides = _duels(n_classes)
    total = (as_float64(confidences)[:, numbers] * (2.0 * sides - 1.0)).sum(2)
    votes = as_float64(predictions[:, numbers] == sides.astype(predictions.dtype)).sum(2)
    return votes + total / (3 * (abs(total) + 1))


@converter(OneVsOneClassifier, method="decision_function", finite=False)
def one_vs_one_decision(est: Any, X: Value) -> Value:
    predictions, confidences = [], []
    for i, part in enumerate(est.estimators_):
        rows = X if est.pairwise_indices_ is None else take(X, est.pairwise_indices_[i])
        scores, results = positive_scores(f"estimator_{i}", part, rows, ["predict"])
        predictions.append(results["predict"])
        confidences.append(scores)
    decision = votes_and_confidences(columns_of(predictions), columns_of(confidences), len(est.classes_))
    return decision[:, 1] if len(est.classes_) == 2 else decision


@converter(OneVsOneClassifier, method="predict", finite=False)
def one_vs_one_classes(est: Any, X: Value) -> Value:
    decision = call(est, "decision_function", X)
    if len(est.classes_) == 2:
        return take_labels(est.classes_, decision > _threshold_for_binary_predict(est.estimators_[0]))
    return argmax_labels(est.classes_, decision)


# ---- output codes ----------------------------------------------------------------------------------------------------


@converter(OutputCodeClassifier, method="predict", frame=True, finite=False)
def output_code(est: Any, X: Data) -> Value:
    y, codes = as_float64(columns_of(_score_columns(est, X))), est.code_book_
    distances = (y * y).sum(1, keepdims=True) + y @ (-2.0 * codes.T) + (codes * codes).sum(1)
    return take_labels(est.classes_, np.maximum(distances, 0.0).argmin(1))
