"""What methods have in common is traced once, whoever asks first: the caller or a converter."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDOneClassSVM

import sardonyx

TREES = {"n_estimators": 3, "random_state": 0}
CASES = [
    (LogisticRegression(), ("decision_function", "predict", "predict_proba"), {"MatMul": 1}),
    (LinearDiscriminantAnalysis(), ("decision_function", "predict", "predict_log_proba"), {"MatMul": 1}),
    (RandomForestClassifier(**TREES), ("predict", "predict_proba", "predict_log_proba"), {"TreeEnsemble": 1}),
    (SGDOneClassSVM(), ("decision_function", "score_samples", "predict"), {"MatMul": 1}),
    (IsolationForest(**TREES), ("decision_function", "score_samples", "predict"), {"TreeEnsemble": 1}),
]


@pytest.mark.parametrize(("estimator", "methods", "most"), CASES, ids=lambda value: type(value).__name__)
def test_methods_share_what_they_ask_for(estimator: Any, methods: tuple[str, ...], most: dict[str, int]) -> None:
    X = np.random.default_rng(0).normal(size=(60, 4))
    fitted = estimator.fit(X, (X[:, 0] > 0).astype(int))
    for order in permutations(methods):
        counts = operators(sardonyx.to_onnx(fitted, X, methods=list(order)))
        assert {name: counts[name] for name in most} == most, order


def operators(model: onnx.ModelProto) -> Counter[str]:
    """Return how many nodes a model has of each operator, those of its functions included."""
    graphs = [model.graph, *model.functions]
    return Counter(node.op_type for graph in graphs for node in graph.node)
