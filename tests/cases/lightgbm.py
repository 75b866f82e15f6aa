"""lightgbm: the scikit-learn wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from . import Case

SMALL: dict[str, Any] = {
    "n_estimators": 6, "num_leaves": 8, "min_child_samples": 5, "n_jobs": 1, "verbose": -1, "random_state": 0,
}  # fmt: skip
CATEGORIES = {**SMALL, "min_data_per_group": 1, "cat_smooth": 0.0, "max_cat_to_onehot": 2}
BAGGED = {**SMALL, "boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
#: leaves (``pred_leaf=True``) and raw scores (``raw_score=True``)
RAW = ("apply", "decision_function")
WIDE = ColumnTransformer([("city", OneHotEncoder(), ["city"]), ("numbers", StandardScaler(), ["size", "big"])])


class Grouped(LGBMRanker):
    """A ranker whose queries are thirty rows each: the table of cases fits on X and y alone."""

    def fit(self, X: Any, y: Any) -> Any:  # type: ignore[override]
        return super().fit(X, y, group=[30] * (len(y) // 30))


class Codes(LGBMRegressor):
    """A regressor whose second and fourth columns are codes of categories."""

    def fit(self, X: Any, y: Any) -> Any:  # type: ignore[override]
        return super().fit(np.where(X < 0, np.nan, X) if X.dtype.kind == "f" else X, y, categorical_feature=[1, 3])


CASES = [
    *(
        Case(LGBMRegressor(objective=objective, **SMALL), data)
        for objective, data in [
            ("regression", "regression"),
            ("regression_l1", "regression32"),
            ("huber", "regression_nan"),
            ("fair", "regression_int"),
            ("poisson", "regression_positive"),
            ("quantile", "gamma_nan"),
            ("mape", "regression_positive"),
            ("gamma", "gamma_nan"),
            ("tweedie", "regression_positive"),
            ("cross_entropy", "fractions"),
            ("cross_entropy_lambda", "fractions"),
        ]
    ),
    Case(LGBMRegressor(reg_sqrt=True, **SMALL), "regression"),
    Case(LGBMRegressor(zero_as_missing=True, **SMALL), "zeros_nan"),
    Case(LGBMRegressor(use_missing=False, **SMALL), "zeros_nan"),
    Case(LGBMRegressor(**SMALL), "zeros_nan"),
    Case(LGBMRegressor(linear_tree=True, **SMALL), "regression_nan"),
    Case(LGBMRegressor(linear_tree=True, **SMALL), "regression_near"),
    Case(LGBMRegressor(boosting_type="dart", drop_rate=0.5, **SMALL), "regression"),
    Case(LGBMRegressor(**BAGGED), "regression"),
    Case(LGBMRegressor(**{**SMALL, "min_child_samples": 10**6}), "regression", note="no node"),
    Case(LGBMRegressor(**CATEGORIES), "booster_frame"),
    Case(LGBMRegressor(**CATEGORIES), "booster_strangers"),
    Case(Codes(**CATEGORIES), "codes_nan"),
    Case(LGBMClassifier(**SMALL), "binary_str"),
    Case(LGBMClassifier(sigmoid=2.3, **SMALL), "binary_nan"),
    Case(LGBMClassifier(**SMALL), "multiclass_str"),
    Case(LGBMClassifier(objective="multiclassova", sigmoid=0.7, **SMALL), "multiclass"),
    Case(LGBMClassifier(class_weight="balanced", **SMALL), "binary_bool"),
    Case(LGBMClassifier(boosting_type="dart", **SMALL), "multiclass32"),
    Case(LGBMClassifier(**BAGGED), "multiclass_int"),
    Case(LGBMClassifier(linear_tree=True, **SMALL), "multiclass_codes"),
    Case(Grouped(**SMALL), "ranked"),
    Case(Grouped(objective="rank_xendcg", **SMALL), "ranked"),
    Case(Grouped(lambdarank_truncation_level=5, **SMALL), "ranked_two"),
    Case(make_pipeline(WIDE, LGBMRegressor(**SMALL)), "booster_frame"),
    Case(make_pipeline(WIDE, LGBMRegressor(**SMALL)), "booster_frame", methods=RAW),
    Case(LGBMRegressor(objective="tweedie", **SMALL), "gamma_nan", methods=RAW),
    Case(LGBMRegressor(linear_tree=True, **SMALL), "regression_nan", methods=RAW),
    Case(LGBMRegressor(**BAGGED), "regression", methods=RAW),
    Case(LGBMRegressor(**{**SMALL, "n_estimators": 1}), "regression", methods=RAW),
    Case(LGBMRegressor(**{**SMALL, "min_child_samples": 10**6}), "regression", methods=RAW, note="no node"),
    Case(LGBMClassifier(**SMALL), "multiclass_str", methods=RAW),
    Case(Codes(**CATEGORIES), "codes_nan", methods=RAW),
    Case(Grouped(**SMALL), "ranked", methods=RAW),
    Case(CalibratedClassifierCV(LGBMClassifier(**SMALL), cv=2, method="isotonic"), "binary_str"),
    Case(StackingClassifier([("boost", LGBMClassifier(**SMALL)), ("line", LogisticRegression())], cv=2), "multiclass"),
]
