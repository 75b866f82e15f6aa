"""sklearn.ensemble: forests, boosting and isolation forests; estimators that ask others are in ensemble_*.py.

Sums over trees go from the first tree to the last in float64, then forests divide by the number of trees, as
scikit-learn does, so results agree bit by bit. Leaf values are multiplied by the learning rate here, once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomTreesEmbedding,
)
from sklearn.ensemble._forest import BaseForest, ForestClassifier, ForestRegressor
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._iforest import _average_path_length

from ..convert import Data, call
from ..graph import Value, current_graph, where
from ..operators.trees import Trees, build_trees, sum_of
from ..registry import converter
from ._boosting import constant_start, flattened, inverse_link, is_constant, labels, probabilities, start
from ._hist_trees import preprocess, read_predictors
from .tree import (
    allows_nan,
    apply_trees,
    as_float32,
    leaf_rows,
    leaf_values,
    logarithms,
    read_trees,
    split_outputs,
    vote,
)

# ---- forests ---------------------------------------------------------------------------------------------------------


def _mean(est: Any, X: Value) -> Value:
    """Return the mean of the trees' values, shape (N, n_outputs * n_classes)."""
    given = as_float32(est, X, allows_nan(est.estimators_[0]))
    total = sum_of(given, read_trees(est.estimators_), leaf_values(est.estimators_))
    return total / float(len(est.estimators_))


@converter(ForestClassifier, method="predict_proba", finite=False)
def forest_proba(est: Any, X: Value) -> Any:
    outputs = split_outputs(est, _mean(est, X))
    return outputs if est.n_outputs_ > 1 else outputs[0]


@converter(ForestClassifier, method="predict_log_proba", finite=False)
def forest_log_proba(est: Any, X: Value) -> Any:
    return logarithms(call(est, "predict_proba", X))


@converter(ForestClassifier, method="predict", finite=False)
def forest_classes(est: Any, X: Value) -> Value:
    result = call(est, "predict_proba", X)
    return vote(est, result if isinstance(result, list) else [result])


@converter(ForestRegressor, method="predict", finite=False)
def forest_values(est: Any, X: Value) -> Value:
    values = _mean(est, X)
    return values.reshape(-1) if est.n_outputs_ == 1 else values


@converter(BaseForest, method="apply", finite=False)
def forest_apply(est: Any, X: Value) -> Value:
    return apply_trees(as_float32(est, X, allows_nan(est.estimators_[0])), est.estimators_)


@converter(RandomTreesEmbedding, method="transform", finite=False)
def random_trees_embedding(est: Any, X: Value) -> Any:
    return call(est.one_hot_encoder_, "transform", call(est, "apply", X))


# ---- gradient boosting -----------------------------------------------------------------------------------------------


def _raw_predict(est: Any, X: Value) -> Value:
    """Return ``_raw_predict(X)``, shape (N, 1) or (N, n_classes)."""
    given = as_float32(est, X, allow_nan=False)
    stages = est.estimators_.ravel().tolist()
    columns = est.estimators_.shape[1]
    values = est.learning_rate * leaf_rows(stages, [e.tree_.value for e in stages]).reshape(-1, 1)
    trees = read_trees(stages)
    if is_constant(est):
        return sum_of(given, *preceded(trees, values, constant_start(est)), groups=columns)
    return sum_of(given, trees, values, start(est, given), groups=columns)


def preceded(
    trees: Trees, values: NDArray[np.float64], first: NDArray[np.float64]
) -> tuple[Trees, NDArray[np.float64]]:
    """Put trees of one leaf before the others: what sums start from."""
    n, nodes, leaves = len(first), len(trees.feature), len(values)
    none = np.full(n, -1)
    stumps = build_trees(
        np.arange(n), none, none, np.zeros(n, np.int64), np.zeros(n, trees.split.dtype), none > 0, none, trees.sets
    )
    joined = Trees(
        feature=np.append(trees.feature, stumps.feature),
        split=np.append(trees.split, stumps.split),
        children=np.append(trees.children + np.where(trees.is_leaf, n, 0), stumps.children, axis=1),
        is_leaf=np.append(trees.is_leaf, stumps.is_leaf, axis=1),
        missing=np.append(trees.missing, stumps.missing),
        set_of=np.append(trees.set_of, stumps.set_of),
        sets=trees.sets,
        roots=np.append(stumps.roots + nodes, trees.roots),
        tree_of_leaf=np.append(stumps.tree_of_leaf, trees.tree_of_leaf + n),
    )
    assert len(joined.tree_of_leaf) == n + leaves
    return joined, np.append(first.reshape(-1, 1), values, axis=0)


@converter(GradientBoostingClassifier, method="decision_function", finite=False)
def boosting_scores(est: Any, X: Value) -> Value:
    return flattened(_raw_predict(est, X))


@converter(GradientBoostingClassifier, method="predict", finite=False)
def boosting_classes(est: Any, X: Value) -> Value:
    return labels(est, call(est, "decision_function", X), zero_is_positive=True)


@converter(GradientBoostingClassifier, method="predict_proba", finite=False)
def boosting_proba(est: Any, X: Value) -> Value:
    return probabilities(est, call(est, "decision_function", X))


@converter(GradientBoostingClassifier, method="predict_log_proba", finite=False)
def boosting_log_proba(est: Any, X: Value) -> Value:
    return np.log(call(est, "predict_proba", X))


@converter(GradientBoostingRegressor, method="predict", finite=False)
def boosting_values(est: Any, X: Value) -> Value:
    return _raw_predict(est, X).reshape(-1)


@converter(BaseGradientBoosting, method="apply", finite=False)
def boosting_apply(est: Any, X: Value) -> Value:
    """Leaves as float64, shape (N, n_stages, n_classes); unlike the other methods it takes NaN."""
    stages, columns = est.estimators_.shape
    given = as_float32(est, X, allows_nan(est.estimators_[0, 0]))
    leaves = apply_trees(given, est.estimators_.ravel().tolist()).astype(np.float64)
    return leaves.reshape(0, stages, columns)


@converter(GradientBoostingRegressor, method="apply", finite=False)
def boosting_apply_regressor(est: Any, X: Value) -> Value:
    leaves: Value = boosting_apply(est, X)
    return leaves.reshape(0, est.estimators_.shape[0])


# ---- hist gradient boosting ------------------------------------------------------------------------------------------


def _hist_raw_predict(est: Any, X: Data) -> Value:
    trees, values = read_predictors(est)
    first = np.asarray(est._baseline_prediction, np.float64).ravel()
    return sum_of(preprocess(est, X), *preceded(trees, values, first), groups=len(first))


@converter(HistGradientBoostingRegressor, method="predict", frame=True, finite=False)
def hist_values(est: Any, X: Data) -> Value:
    return inverse_link(est, _hist_raw_predict(est, X).reshape(-1))


@converter(HistGradientBoostingClassifier, method="decision_function", frame=True, finite=False)
def hist_scores(est: Any, X: Data) -> Value:
    return flattened(_hist_raw_predict(est, X))


@converter(HistGradientBoostingClassifier, method="predict", frame=True, finite=False)
def hist_classes(est: Any, X: Data) -> Value:
    return labels(est, call(est, "decision_function", X), zero_is_positive=False)


@converter(HistGradientBoostingClassifier, method="predict_proba", frame=True, finite=False)
def hist_proba(est: Any, X: Data) -> Value:
    return probabilities(est, call(est, "decision_function", X))


# ---- isolation forest ------------------------------------------------------------------------------------------------


@converter(IsolationForest, method="score_samples", finite=False)
def isolation_scores(est: Any, X: Value) -> Value:
    """Return minus ``2 ** -(depth / expected depth)``; takes NaN and infinity, as scikit-learn does."""
    total, expected = _depth(est, X), _expected_depth(est)
    ratio = total / expected if expected else total * 0.0 + 1.0
    return -(2.0**-ratio)


@converter(IsolationForest, method="decision_function", finite=False)
def isolation_decision(est: Any, X: Value) -> Value:
    return call(est, "score_samples", X) - float(est.offset_)


@converter(IsolationForest, method="predict", finite=False)
def isolation_labels(est: Any, X: Value) -> Value:
    """Compare depths: the offset is some row's score, and the last bit of NumPy's power depends on the processor."""
    return where(_depth(est, X) < _least_depth_of_inliers(est), np.int64(-1), np.int64(1))


def _depth(est: Any, X: Value) -> Value:
    """Return the sum over trees of a row's depth, shape (N,), once for all methods."""
    memo, key = current_graph().memo, ("depth", id(est), X.name)
    if key not in memo:
        features = None if est._max_features == est.n_features_in_ else est.estimators_features_
        values = leaf_rows(est.estimators_, _depths(est)).reshape(-1, 1) + 0.0
        memo[key] = sum_of(X.astype(np.float32), read_trees(est.estimators_, features), values).reshape(-1)
    known: Value = memo[key]
    return known


def _depths(est: Any) -> list[NDArray[np.float64]]:
    """Return how deep a row lies in each node, tree by tree."""
    lengths = zip(est._decision_path_lengths, est._average_path_length_per_tree, strict=True)
    return [path + average - 1.0 for path, average in lengths]


def _expected_depth(est: Any) -> float:
    return float(len(est.estimators_) * _average_path_length([est._max_samples])[0])


def _least_depth_of_inliers(est: Any) -> float:
    """Return the least sum of depths that scikit-learn calls an inlier, infinity if there is none."""
    low, high = np.array([0.0, sum(float(depths.max()) for depths in _depths(est)) + 1.0]).view(np.int64).tolist()
    expected = _expected_depth(est)
    if not _is_inlier(est, high, expected):
        return float("inf")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_inlier(est, middle, expected) else (middle + 1, high)
    return float(np.int64(low).view(np.float64))


def _is_inlier(est: Any, pattern: int, expected: float) -> bool:
    """Whether scikit-learn calls a depth an inlier; floats from 0 on are ordered as their bit patterns are."""
    ratio = np.array([pattern]).view(np.float64) / expected if expected else np.ones(1)
    return not bool((-(2**-ratio) - est.offset_ < 0)[0])
