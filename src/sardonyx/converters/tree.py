"""sklearn.tree: decision trees, and how every estimator made of them reads their nodes.

scikit-learn rounds X to float32 and compares it with float64 thresholds; a float32 is at most a threshold just if it is
at most the largest float32 not above it, so thresholds are rounded down once, here. NaN goes where the node says
(sklearn/tree/_tree.pyx, ``_apply_dense``). Infinity, and what becomes infinite in float32, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._classes import BaseDecisionTree

from ..convert import call
from ..graph import Value, as_value, concat
from ..operators.checks import check_finite
from ..operators.trees import Ints, Trees, build_trees, leaves_of, round_down, sum_of
from ..registry import converter
from .base import argmax_labels, class_labels


def as_float32(est: Any, X: Value, allow_nan: bool) -> Value:
    """Return X as float32, refused where it is infinite then, and where it is NaN unless that is allowed.

    In a sparse matrix it is not.
    """
    rounded = X.astype(np.float32)
    if X.dtype.kind in "iub":
        return rounded
    allowed = allow_nan and not X.sparse
    result: Value = check_finite(rounded, allow_nan=int(allowed), estimator=type(est).__name__)
    return result.like(X)


def allows_nan(tree: Any) -> bool:
    """Whether a fitted tree takes NaN (``_support_missing_values`` of dense data)."""
    return bool(tree._support_missing_values(np.empty((0, 0))))


def read_trees(estimators: Sequence[Any], features: Sequence[NDArray[Any]] | None = None) -> Trees:
    """Return the nodes of fitted trees.

    Parameters
    ----------
    estimators : sequence of estimators with a ``tree_``
    features : sequence of int arrays, optional
        The columns of X that each tree was given.
    """
    trees = [e.tree_ for e in estimators]
    sizes = np.array([t.node_count for t in trees])
    starts = np.cumsum(sizes) - sizes
    left = np.concatenate([_moved(t.children_left, s) for t, s in zip(trees, starts, strict=True)])
    right = np.concatenate([_moved(t.children_right, s) for t, s in zip(trees, starts, strict=True)])
    feature = np.maximum(np.concatenate([t.feature for t in trees]), 0)
    if features is not None:
        width = max(len(f) for f in features)
        table = np.stack([np.resize(f, width) for f in features])
        feature = table[np.repeat(np.arange(len(trees)), sizes), feature]
    split = round_down(np.concatenate([t.threshold for t in trees]))
    missing = np.concatenate([t.missing_go_to_left for t in trees]).astype(bool)
    none, no_sets = np.full(len(left), -1), np.zeros((0, 0), bool)
    return build_trees(starts, left, right, feature, split, missing, none, no_sets)


def _moved(children: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    """Return the numbers of children among the nodes of all trees; below 0 in a leaf."""
    return np.where(children < 0, -1, children + start)


def leaf_rows(estimators: Sequence[Any], rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return, of arrays with one row a node, the rows of the leaves of all trees."""
    chosen = [r[e.tree_.children_left < 0] for e, r in zip(estimators, rows, strict=True)]
    return np.concatenate(chosen)


def node_ids(estimators: Sequence[Any]) -> Ints:
    """Return the number that each leaf has in its own tree."""
    return leaf_rows(estimators, [np.arange(e.tree_.node_count) for e in estimators]).astype(np.int64)


def leaf_values(estimators: Sequence[Any]) -> NDArray[np.float64]:
    """Return leaves' values, shape (n_leaves, n_outputs * n_classes); -0 becomes 0, as it does when added to 0."""
    values = leaf_rows(estimators, [e.tree_.value for e in estimators])
    return values.reshape(len(values), -1) + 0.0


def apply_trees(X: Value, estimators: Sequence[Any], features: Sequence[NDArray[Any]] | None = None) -> Value:
    """Return the number of the leaf reached in each tree, as that tree numbers it: int64 of shape (N, n_trees)."""
    return as_value(node_ids(estimators))[leaves_of(X, read_trees(estimators, features))]


def split_outputs(est: Any, values: Value) -> list[Value]:
    """Return each output's class columns of values of shape (N, n_outputs * max_n_classes)."""
    counts = np.atleast_1d(est.n_classes_)
    width = values.dim(1) // len(counts)
    return [values[:, k * width : k * width + int(n)] for k, n in enumerate(counts)]


def vote(est: Any, probabilities: Sequence[Value]) -> Value:
    """Return labels of the largest probabilities: shape (N,), or (N, n_outputs)."""
    if est.n_outputs_ == 1:
        return argmax_labels(est.classes_, probabilities[0])
    labels = [class_labels(c) for c in est.classes_]
    return concat([argmax_labels(c, p)[:, None] for c, p in zip(labels, probabilities, strict=True)])


def logarithms(probabilities: Any) -> Any:
    """Return the logarithm of each output's probabilities."""
    return [np.log(p) for p in probabilities] if isinstance(probabilities, list) else np.log(probabilities)


def _values(est: Any, X: Value) -> Value:
    given = as_float32(est, X, allows_nan(est))
    return sum_of(given, read_trees([est]), leaf_values([est]))


@converter(BaseDecisionTree, method="predict", finite=False)
def predict(est: Any, X: Value) -> Value:
    if is_classifier(est):
        result = call(est, "predict_proba", X)
        return vote(est, result if isinstance(result, list) else [result])
    values = _values(est, X)
    return values.reshape(-1) if est.n_outputs_ == 1 else values


@converter(DecisionTreeClassifier, method="predict_proba", finite=False)
def predict_proba(est: Any, X: Value) -> Any:
    outputs = split_outputs(est, _values(est, X))
    return outputs if est.n_outputs_ > 1 else outputs[0]


@converter(DecisionTreeClassifier, method="predict_log_proba", finite=False)
def predict_log_proba(est: Any, X: Value) -> Any:
    return logarithms(call(est, "predict_proba", X))


@converter(BaseDecisionTree, method="apply", finite=False)
def apply(est: Any, X: Value) -> Value:
    return apply_trees(as_float32(est, X, allows_nan(est)), [est]).reshape(-1)
