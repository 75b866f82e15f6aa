"""xgboost: the scikit-learn wrappers."""

from __future__ import annotations

from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingRegressor, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from . import Case

SMALL: dict[str, Any] = {"n_estimators": 6, "max_depth": 3, "n_jobs": 1, "random_state": 0}
#: leaves, and margins (``output_margin=True``)
RAW = ("apply", "decision_function")
DART = {**SMALL, "booster": "dart", "rate_drop": 0.5}
WIDE = ColumnTransformer([("city", OneHotEncoder(), ["city"]), ("numbers", StandardScaler(), ["size", "big"])])

CASES = [
    *(
        Case(XGBRegressor(objective=objective, **SMALL), data)
        for objective, data in [
            ("reg:squarederror", "regression"),
            ("reg:squaredlogerror", "regression_positive"),
            ("reg:pseudohubererror", "regression_nan"),
            ("reg:absoluteerror", "regression32"),
            ("reg:logistic", "fractions"),
            ("reg:gamma", "gamma_nan"),
            ("reg:tweedie", "regression_positive"),
            ("count:poisson", "regression_positive"),
            ("survival:cox", "regression_positive"),
            ("binary:hinge", "binary"),
        ]
    ),
    Case(XGBRegressor(objective="reg:quantileerror", quantile_alpha=0.3, **SMALL), "regression_int"),
    Case(XGBRegressor(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9], **SMALL), "regression"),
    Case(XGBRegressor(base_score=3.7, objective="count:poisson", **SMALL), "regression_positive"),
    Case(XGBRegressor(missing=0, **SMALL), "regression_int"),
    Case(XGBRegressor(**{**SMALL, "n_estimators": 1}), "regression", note="flat apply"),
    Case(XGBRegressor(min_child_weight=1e9, **SMALL), "regression", note="no node"),
    Case(XGBRegressor(**SMALL), "regression_multi"),
    Case(XGBRegressor(multi_strategy="multi_output_tree", **SMALL), "regression_multi"),
    Case(XGBRegressor(**DART), "regression"),
    Case(XGBRegressor(booster="gblinear", n_estimators=5), "regression_nan", methods=("predict",)),
    Case(XGBRegressor(enable_categorical=True, **SMALL), "booster_frame"),
    Case(
        XGBRegressor(enable_categorical=True, feature_types=["q", "c", "q", "c", "q"], **SMALL),
        "codes_nan",
        methods=("predict",),
    ),
    Case(XGBRegressor(monotone_constraints=(1, 0, -1, 0, 0, 0, 0), tree_method="exact", **SMALL), "regression32"),
    Case(XGBClassifier(**SMALL), "binary"),
    Case(XGBClassifier(**SMALL), "binary_nan"),
    Case(XGBClassifier(**SMALL), "multiclass_codes"),
    Case(XGBClassifier(**SMALL), "multiclass_codes_nan"),
    Case(XGBClassifier(objective="multi:softmax", **SMALL), "multiclass_codes"),
    Case(XGBClassifier(objective="binary:logitraw", **SMALL), "binary"),
    Case(XGBClassifier(objective="binary:hinge", **SMALL), "binary32"),
    Case(XGBClassifier(num_parallel_tree=3, subsample=0.5, **SMALL), "multiclass_codes"),
    Case(XGBClassifier(multi_strategy="multi_output_tree", **SMALL), "multiclass_codes"),
    Case(XGBClassifier(**SMALL), "multilabel"),
    Case(XGBClassifier(**DART), "multiclass_codes"),
    Case(XGBClassifier(booster="gblinear", n_estimators=5), "multiclass_codes", methods=("predict", "predict_proba")),
    Case(XGBRFClassifier(**SMALL), "binary"),
    Case(XGBRFClassifier(**SMALL), "multiclass_codes_nan"),
    Case(XGBRFClassifier(subsample=0.3, colsample_bynode=0.5, **SMALL), "binary32"),
    Case(XGBRFRegressor(**SMALL), "regression"),
    Case(XGBRFRegressor(**SMALL), "regression_int"),
    Case(XGBRFRegressor(objective="reg:absoluteerror", **SMALL), "regression_nan"),
    *(Case(XGBRanker(objective=objective, **SMALL), "ranked") for objective in ("rank:ndcg", "rank:pairwise")),
    Case(XGBRanker(objective="rank:map", **SMALL), "ranked_two"),
    Case(make_pipeline(WIDE, XGBRegressor(**SMALL)), "booster_frame"),
    Case(make_pipeline(WIDE, XGBRegressor(**SMALL)), "booster_frame", methods=RAW),
    Case(XGBRegressor(objective="count:poisson", **SMALL), "regression_positive", methods=RAW),
    Case(XGBRegressor(**DART), "regression", methods=RAW),
    Case(XGBClassifier(**SMALL), "binary_nan", methods=RAW),
    Case(XGBClassifier(objective="multi:softmax", **SMALL), "multiclass_codes", methods=RAW),
    Case(XGBRegressor(booster="gblinear", n_estimators=5), "regression_nan", methods=RAW[1:]),
    Case(XGBRanker(**SMALL), "ranked", methods=RAW),
    Case(CalibratedClassifierCV(XGBClassifier(**SMALL), cv=2), "binary", rtol=1e-5, note="float32 inside"),
    Case(
        VotingClassifier([("boost", XGBClassifier(**SMALL)), ("line", LogisticRegression())], voting="soft"),
        "multiclass_str",
        rtol=1e-5,
        note="float32 inside",
    ),
    Case(StackingRegressor([("boost", XGBRegressor(**SMALL)), ("line", Ridge())], cv=2), "regression"),
]
