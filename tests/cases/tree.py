"""sklearn.tree."""

from __future__ import annotations

from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from . import Case

SEED = {"random_state": 0}
MONOTONIC = {"monotonic_cst": [1, 0, -1, 0, 0, 0, 0]}

CASES = [
    Case(DecisionTreeClassifier(**SEED), "binary"),
    Case(DecisionTreeClassifier(max_depth=3, **SEED), "multiclass_str"),
    Case(DecisionTreeClassifier(criterion="entropy", min_samples_leaf=5, **SEED), "binary_str"),
    Case(DecisionTreeClassifier(criterion="log_loss", splitter="random", **SEED), "multiclass_float"),
    Case(DecisionTreeClassifier(max_leaf_nodes=7, class_weight="balanced", **SEED), "binary_bool"),
    Case(DecisionTreeClassifier(min_impurity_decrease=10.0, **SEED), "multiclass", note="one leaf"),
    Case(DecisionTreeClassifier(ccp_alpha=0.02, **SEED), "binary_classes_int32"),
    Case(DecisionTreeClassifier(max_depth=4, **MONOTONIC, **SEED), "binary", note="clipped leaves"),
    Case(DecisionTreeClassifier(max_depth=5, **SEED), "classes_multi"),
    Case(DecisionTreeClassifier(**SEED), "labels_multi_str"),
    Case(DecisionTreeClassifier(**SEED), "binary_nan"),
    Case(DecisionTreeClassifier(max_depth=3, **SEED), "binary_nan_new", note="NaN that training never saw"),
    Case(DecisionTreeClassifier(**SEED), "multiclass32"),
    Case(DecisionTreeClassifier(**SEED), "multiclass_int"),
    Case(DecisionTreeClassifier(**SEED), "large_numbers", note="more than float32 holds"),
    Case(DecisionTreeRegressor(**SEED), "regression"),
    Case(DecisionTreeRegressor(criterion="absolute_error", max_depth=4, **SEED), "regression32"),
    Case(DecisionTreeRegressor(criterion="poisson", max_depth=4, **SEED), "regression_positive"),
    Case(DecisionTreeRegressor(**SEED), "regression_multi"),
    Case(DecisionTreeRegressor(max_depth=3, **MONOTONIC, **SEED), "regression"),
    Case(DecisionTreeRegressor(splitter="random", **SEED), "regression_nan", since="1.6"),
    Case(DecisionTreeRegressor(max_features=2, **SEED), "regression_int"),
    Case(ExtraTreeClassifier(**SEED), "multiclass_str"),
    Case(ExtraTreeClassifier(max_depth=4, **SEED), "binary_nan", since="1.6"),
    Case(ExtraTreeClassifier(min_samples_split=9, **SEED), "classes_multi"),
    Case(ExtraTreeClassifier(**SEED), "multiclass_int"),
    Case(ExtraTreeRegressor(**SEED), "regression"),
    Case(ExtraTreeRegressor(max_depth=5, **SEED), "regression_multi"),
    Case(ExtraTreeRegressor(**SEED), "regression_nan", since="1.6"),
    Case(ExtraTreeRegressor(**SEED), "regression32"),
    Case(ExtraTreeRegressor(splitter="best", max_leaf_nodes=8, criterion="absolute_error", **SEED), "regression_int"),
]
