"""sklearn.ensemble."""

from __future__ import annotations

from typing import Any

import sklearn
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from . import Case, release

SEED = {"random_state": 0}
TEN = {"n_estimators": 10, **SEED}
HIST = {"max_iter": 8, "min_samples_leaf": 4, **SEED}

#: all that AdaBoostClassifier knows since scikit-learn 1.6; SAMME.R, 1.5's default, is refused
SAMME: dict[str, Any] = TEN if release(sklearn.__version__) >= (1, 6) else {**TEN, "algorithm": "SAMME"}
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
CLASSIFIERS = [("tree", TREE), ("line", LogisticRegression()), ("forest", RandomForestClassifier(**TEN))]
REGRESSORS = [("line", LinearRegression()), ("forest", RandomForestRegressor(**TEN))]

CASES = [
    Case(RandomForestClassifier(**TEN), "binary"),
    Case(RandomForestClassifier(n_estimators=100, max_depth=6, **SEED), "binary_str"),
    Case(RandomForestClassifier(max_depth=3, **TEN), "multiclass_str"),
    Case(RandomForestClassifier(n_estimators=2, max_depth=2, bootstrap=False, **SEED), "multiclass", note="ties"),
    Case(RandomForestClassifier(class_weight="balanced_subsample", max_samples=0.5, **TEN), "binary_bool"),
    Case(RandomForestClassifier(criterion="entropy", max_leaf_nodes=9, **TEN), "binary_classes_int32"),
    Case(RandomForestClassifier(monotonic_cst=[1, 0, 0, -1, 0, 0, 0], max_depth=3, **TEN), "binary"),
    Case(RandomForestClassifier(**TEN), "classes_multi"),
    Case(RandomForestClassifier(max_depth=4, **TEN), "labels_multi_str"),
    Case(RandomForestClassifier(**TEN), "binary_nan"),
    Case(RandomForestClassifier(max_depth=3, **TEN), "binary_nan_new"),
    Case(RandomForestClassifier(**TEN), "multiclass32"),
    Case(RandomForestClassifier(**TEN), "multiclass_int"),
    Case(RandomForestClassifier(**TEN), "large_numbers"),
    Case(RandomForestRegressor(**TEN), "regression"),
    Case(RandomForestRegressor(criterion="poisson", max_depth=5, **TEN), "regression_positive"),
    Case(RandomForestRegressor(criterion="absolute_error", max_depth=3, **TEN), "regression32"),
    Case(RandomForestRegressor(**TEN), "regression_multi"),
    Case(RandomForestRegressor(**TEN), "regression_nan"),
    Case(RandomForestRegressor(min_samples_leaf=100, **TEN), "regression_int", note="few nodes"),
    Case(ExtraTreesClassifier(**TEN), "multiclass_float"),
    Case(ExtraTreesClassifier(bootstrap=True, max_depth=4, **TEN), "binary_nan", since="1.6"),
    Case(ExtraTreesClassifier(**TEN), "classes_multi"),
    Case(ExtraTreesRegressor(**TEN), "regression"),
    Case(ExtraTreesRegressor(max_depth=4, **TEN), "regression_multi"),
    Case(ExtraTreesRegressor(**TEN), "regression_int"),
    Case(RandomTreesEmbedding(max_depth=3, **TEN), "regression"),
    Case(RandomTreesEmbedding(max_leaf_nodes=5, **TEN), "regression32"),
    Case(RandomTreesEmbedding(**TEN), "regression_int"),
    Case(GradientBoostingClassifier(**TEN), "binary_str"),
    Case(GradientBoostingClassifier(**TEN), "multiclass_str"),
    Case(GradientBoostingClassifier(loss="exponential", learning_rate=0.3, **TEN), "binary_bool"),
    Case(GradientBoostingClassifier(init="zero", **TEN), "multiclass"),
    Case(GradientBoostingClassifier(init="zero", subsample=0.5, **TEN), "binary32"),
    Case(GradientBoostingClassifier(init=DummyClassifier(strategy="prior"), max_leaf_nodes=4, **TEN), "multiclass_int"),
    Case(GradientBoostingClassifier(init=RandomForestClassifier(**TEN), **TEN), "multiclass"),
    Case(GradientBoostingClassifier(init=RandomForestClassifier(**TEN), loss="exponential", **TEN), "binary"),
    Case(GradientBoostingClassifier(init=LogisticRegression(), **TEN), "binary", rtol=1e-5, note="float32 init"),
    Case(GradientBoostingClassifier(**TEN), "large_numbers"),
    *(
        Case(GradientBoostingRegressor(loss=loss, **TEN), data)
        for loss in ("squared_error", "absolute_error", "huber", "quantile")
        for data in ("regression", "regression_int")
    ),
    Case(GradientBoostingRegressor(init="zero", criterion="squared_error", **TEN), "regression32"),
    Case(GradientBoostingRegressor(init=DummyRegressor(strategy="median"), alpha=0.3, **TEN), "regression"),
    Case(GradientBoostingRegressor(init=RandomForestRegressor(**TEN), max_depth=1, **TEN), "regression"),
    Case(GradientBoostingRegressor(init=LinearRegression(), **TEN), "regression", rtol=1e-5, note="float32 init"),
    *(
        Case(HistGradientBoostingRegressor(loss=loss, quantile=0.3 if loss == "quantile" else None, **HIST), data)
        for loss in ("squared_error", "absolute_error", "gamma", "poisson", "quantile")
        for data in ("regression_positive", "gamma_nan")
    ),
    Case(HistGradientBoostingRegressor(categorical_features=[1, 3], **HIST), "codes_nan"),
    Case(HistGradientBoostingRegressor(monotonic_cst=[1, 0, -1, 0, 0, 0, 0], **HIST), "regression32"),
    Case(HistGradientBoostingRegressor(max_bins=10, l2_regularization=1.0, **HIST), "regression_int"),
    Case(
        HistGradientBoostingRegressor(early_stopping=True, interaction_cst="no_interactions", **HIST), "regression_nan"
    ),
    Case(HistGradientBoostingClassifier(**HIST), "binary_str"),
    Case(HistGradientBoostingClassifier(**HIST), "multiclass_str"),
    Case(HistGradientBoostingClassifier(max_depth=2, class_weight="balanced", **HIST), "binary_bool"),
    Case(HistGradientBoostingClassifier(**HIST), "binary_nan"),
    Case(HistGradientBoostingClassifier(**HIST), "multiclass32"),
    Case(HistGradientBoostingClassifier(**HIST), "multiclass_int"),
    Case(HistGradientBoostingClassifier(min_samples_leaf=1000), "binary", note="one leaf"),
    Case(HistGradientBoostingClassifier(**HIST), "large_numbers"),
    Case(HistGradientBoostingClassifier(categorical_features=[True, False, True, False], **HIST), "categories"),
    Case(HistGradientBoostingClassifier(categorical_features=[0, 2], **HIST), "codes_classes"),
    Case(HistGradientBoostingClassifier(categorical_features="from_dtype", **HIST), "frame_categories"),
    Case(HistGradientBoostingClassifier(categorical_features=["city", "code"], **HIST), "frame_categories"),
    Case(HistGradientBoostingClassifier(categorical_features=[0], **HIST), "frame_categories"),
    Case(BaggingClassifier(**TEN), "binary_str"),
    Case(BaggingClassifier(max_features=0.5, bootstrap_features=True, **TEN), "multiclass_str"),
    Case(BaggingClassifier(LogisticRegression(), max_samples=0.3, **TEN), "multiclass"),
    Case(BaggingClassifier(LogisticRegression(), max_samples=0.3, **TEN), "binary32", rtol=1e-5, note="logarithms"),
    Case(BaggingClassifier(LinearSVC(), **TEN), "binary", note="votes"),
    Case(BaggingClassifier(max_samples=4, **TEN), "multiclass_str", note="classes some never saw"),
    Case(BaggingClassifier(**TEN), "binary_nan"),
    Case(BaggingRegressor(**TEN), "regression"),
    Case(BaggingRegressor(LinearRegression(), max_features=3, **TEN), "regression_int"),
    Case(BaggingRegressor(max_features=2, **TEN), "regression32"),
    Case(AdaBoostClassifier(**SAMME), "binary_str"),
    Case(AdaBoostClassifier(**SAMME), "multiclass_str"),
    Case(AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), learning_rate=0.5, **SAMME), "multiclass_float"),
    Case(AdaBoostClassifier(LogisticRegression(), **SAMME), "binary_bool"),
    Case(AdaBoostRegressor(**TEN), "regression"),
    Case(AdaBoostRegressor(loss="square", **TEN), "regression32"),
    Case(AdaBoostRegressor(LinearRegression(), loss="exponential", **TEN), "regression_int"),
    Case(VotingClassifier(CLASSIFIERS), "multiclass_str"),
    Case(VotingClassifier(CLASSIFIERS, weights=[1, 3, 1.5]), "multiclass", note="ties"),
    Case(VotingClassifier(CLASSIFIERS, voting="soft"), "binary_str"),
    Case(VotingClassifier(CLASSIFIERS, voting="soft", weights=[1, 2, 0.5]), "multiclass_float"),
    Case(VotingClassifier(CLASSIFIERS, voting="soft", flatten_transform=False), "multiclass"),
    Case(VotingRegressor(REGRESSORS), "regression"),
    Case(VotingRegressor(REGRESSORS, weights=[0.2, 0.8]), "regression_int"),
    Case(VotingRegressor(REGRESSORS), "regression_positive"),
    Case(StackingClassifier(CLASSIFIERS), "binary_str"),
    Case(StackingClassifier(CLASSIFIERS, passthrough=True), "multiclass_str"),
    Case(StackingClassifier(CLASSIFIERS, stack_method="predict", final_estimator=TREE), "multiclass"),
    Case(StackingClassifier(CLASSIFIERS, final_estimator=RandomForestClassifier(**TEN)), "binary_bool"),
    Case(StackingRegressor(REGRESSORS), "regression"),
    Case(StackingRegressor(REGRESSORS, passthrough=True), "regression_int"),
    Case(StackingRegressor(REGRESSORS, final_estimator=RandomForestRegressor(**TEN)), "regression_positive"),
    Case(IsolationForest(**TEN), "regression"),
    Case(IsolationForest(max_features=3, contamination=0.1, bootstrap=True, **TEN), "regression_nan", since="1.6"),
    Case(IsolationForest(max_samples=1, **TEN), "regression32", note="no depth"),
    Case(IsolationForest(max_samples=50, **TEN), "regression_int"),
    Case(ExtraTreesClassifier(criterion="entropy", min_samples_leaf=3, **TEN), "multiclass_str"),
    Case(ExtraTreesRegressor(bootstrap=True, max_features=0.5, **TEN), "regression_int"),
]
