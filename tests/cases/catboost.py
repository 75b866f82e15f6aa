"""catboost: the scikit-learn wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np
from catboost import CatBoostClassifier, CatBoostRanker, CatBoostRegressor
from pandas.api.types import is_float_dtype
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Case

SMALL: dict[str, Any] = {
    "iterations": 6, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1, "random_seed": 0,
}  # fmt: skip
#: leaves (``calc_leaf_indexes``), and raw values (``prediction_type="RawFormulaVal"``)
RAW = ("apply", "decision_function")
MORE: dict[str, Any] = {**SMALL, "iterations": 20}
#: note -> parameters of models with categories
CATEGORICAL: dict[str, dict[str, Any]] = {
    "one-hot": {"one_hot_max_size": 100},
    "borders and counters": {},
    "wide combinations": {"max_ctr_complexity": 5, "one_hot_max_size": 4, "model_size_reg": 0},
    "means": {"simple_ctr": "BinarizedTargetMeanValue", "combinations_ctr": "Counter"},
    "nested": {"grow_policy": "Lossguide", "max_leaves": 9},
    "missing above": {"nan_mode": "Max", "max_ctr_complexity": 3},
    "several borders": {"simple_ctr": "Borders:TargetBorderCount=3", "combinations_ctr": "Buckets"},
}


class Grouped(CatBoostRanker):  # type: ignore[misc]
    """A ranker whose queries are thirty rows each: the table of cases fits on X and y alone."""

    def fit(self, X: Any, y: Any) -> Any:
        return super().fit(X, y, group_id=np.arange(len(y)) // 30)


def categories_of(X: Any) -> list[Any]:
    """All columns of a frame that are no floats; of an array, the first and the third."""
    return [c for c in X.columns if not is_float_dtype(X[c])] if hasattr(X, "columns") else [0, 2]


class Categories(CatBoostRegressor):  # type: ignore[misc]
    """A regressor whose categories are named in fit: named before, scikit-learn cannot clone it."""

    def fit(self, X: Any, y: Any) -> Any:
        return super().fit(X, y, cat_features=categories_of(X))


class ClassesOfCategories(CatBoostClassifier):  # type: ignore[misc]
    """The same, a classifier."""

    def fit(self, X: Any, y: Any) -> Any:
        return super().fit(X, y, cat_features=categories_of(X))


CASES = [
    *(
        Case(CatBoostRegressor(loss_function=loss, **SMALL), data)
        for loss, data in [
            ("RMSE", "regression"),
            ("MAE", "regression32"),
            ("Quantile:alpha=0.3", "regression_nan"),
            ("Poisson", "regression_positive"),
            ("Tweedie:variance_power=1.5", "regression_positive"),
            ("MultiRMSE", "regression_multi"),
            ("RMSEWithUncertainty", "regression_int"),
            ("MultiQuantile:alpha=0.1,0.5,0.9", "gamma_nan"),
        ]
    ),
    Case(CatBoostRegressor(nan_mode="Max", **SMALL), "regression_nan"),
    Case(CatBoostRegressor(**{**SMALL, "depth": 9}), "regression", note="many leaves"),
    Case(CatBoostRegressor(grow_policy="Depthwise", **SMALL), "regression_nan"),
    Case(CatBoostRegressor(grow_policy="Lossguide", max_leaves=6, **SMALL), "regression32"),
    Case(CatBoostClassifier(**SMALL), "binary_str"),
    Case(CatBoostClassifier(**{**SMALL, "iterations": 200}, learning_rate=1.0), "binary", note="sure of itself"),
    Case(CatBoostClassifier(loss_function="CrossEntropy", **SMALL), "binary_nan"),
    Case(CatBoostClassifier(**SMALL), "multiclass"),
    Case(CatBoostClassifier(loss_function="MultiClassOneVsAll", **SMALL), "multiclass_codes"),
    Case(CatBoostClassifier(loss_function="MultiLogloss", **SMALL), "multilabel"),
    Case(CatBoostClassifier(grow_policy="Lossguide", **SMALL), "multiclass_int"),
    Case(Grouped(**SMALL), "ranked"),
    Case(Grouped(**SMALL), "ranked", methods=RAW),
    Case(Grouped(loss_function="QueryRMSE", **SMALL), "ranked"),
    Case(Grouped(loss_function="PairLogit", **SMALL), "ranked_two"),
    Case(make_pipeline(StandardScaler(), CatBoostClassifier(**SMALL)), "multiclass_codes"),
    Case(make_pipeline(StandardScaler(), CatBoostClassifier(**SMALL)), "multiclass_codes", methods=RAW),
    *(
        Case(CatBoostRegressor(grow_policy=policy, **SMALL), "regression_nan", methods=RAW)
        for policy in ("SymmetricTree", "Depthwise", "Lossguide")
    ),
    Case(CatBoostRegressor(loss_function="Poisson", **SMALL), "regression_positive", methods=RAW),
    Case(CatBoostClassifier(**SMALL), "binary_str", methods=RAW),
    Case(Categories(**MORE), "cat_frame", methods=RAW, standard=False),
    Case(CalibratedClassifierCV(CatBoostClassifier(**SMALL), cv=2), "binary_bool"),
    Case(VotingRegressor([("boost", CatBoostRegressor(**SMALL)), ("line", Ridge())]), "regression"),
    *(
        Case(Categories(**MORE, **parameters), "cat_frame", note=note, standard=False)
        for note, parameters in CATEGORICAL.items()
    ),
    Case(ClassesOfCategories(**MORE), "cat_classes", standard=False),
    Case(ClassesOfCategories(one_hot_max_size=30, **MORE), "cat_classes", standard=False),
    Case(Categories(**MORE), "cat_integers", standard=False),
    Case(make_pipeline(Categories(**MORE)), "cat_frame", standard=False),
]
