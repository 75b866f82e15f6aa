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
from ..operators.trees import Ints, Trees, build_trees, join_trees, leaves_of, round_down, sum_of
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
    columns = [None] * len(estimators) if features is None else features
    parts = (_read_tree(e.tree_, own) for e, own in zip(estimators, columns, strict=True))
    n_leaves = sum(int(e.tree_.n_leaves) for e in estimators)
    n_nodes = sum(max(int(e.tree_.n_leaves) - 1, 1) for e in estimators)  # a tree that is a leaf gets a node
    return join_trees(parts, n_nodes, n_leaves)


def _read_tree(tree: Any, columns: NDArray[Any] | None) -> Trees:
    feature = np.maximum(tree.feature, 0)
    return build_trees(
        starts=np.zeros(1, np.int64),
        left=tree.children_left,
        right=tree.children_right,
        feature=feature if columns is None else np.asarray(columns)[feature],
        split=round_down(tree.threshold),
        missing=tree.missing_go_to_left.astype(bool),
        set_of=np.full(len(feature), -1, np.int8),
        sets=np.zeros((0, 0), bool),
    )


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


def apply_trees(X: Value, estimators: Sequence[Any]) -> Value:
    """Return the number of the leaf reached in each tree, as that tree numbers it: int64 of shape (N, n_trees)."""
    return as_value(node_ids(estimators))[leaves_of(X, read_trees(estimators))]


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
