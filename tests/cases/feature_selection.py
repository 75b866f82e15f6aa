"""sklearn.feature_selection."""

from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_regression,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Case

INVERSE = ("inverse_transform",)

CASES = [
    Case(SelectKBest(f_regression, k=3), "regression"),
    Case(SelectKBest(f_regression, k="all"), "regression32"),
    Case(SelectKBest(k=2), "multiclass_str"),
    Case(SelectKBest(f_regression, k=2), "regression", INVERSE),
    Case(SelectKBest(f_regression, k=2), "regression_int", INVERSE),
    Case(SelectPercentile(percentile=40), "binary"),
    Case(SelectFpr(), "binary"),
    Case(SelectFdr(alpha=0.1), "binary"),
    Case(SelectFwe(), "multiclass"),
    Case(GenericUnivariateSelect(mode="k_best", param=2), "multiclass32"),
    Case(VarianceThreshold(), "regression_int"),
    Case(VarianceThreshold(1.0), "regression_nan"),
    Case(VarianceThreshold(0.9), "regression", INVERSE),
    Case(VarianceThreshold(0.1), "categories_bool", INVERSE),
    Case(SelectFromModel(Ridge()), "regression"),
    Case(SelectFromModel(Ridge(), threshold="0.5*mean", max_features=2), "regression"),
    Case(SelectFromModel(Ridge()), "regression", INVERSE),
    Case(RFE(Ridge(), n_features_to_select=3), "regression"),
    Case(RFE(Ridge(), step=2), "regression32"),
    Case(RFE(Ridge()), "regression", INVERSE),
    Case(RFECV(Ridge(), cv=3), "regression_int"),
    Case(SequentialFeatureSelector(Ridge(), n_features_to_select=2, cv=2), "regression"),
    Case(SequentialFeatureSelector(Ridge(), direction="backward", n_features_to_select=5, cv=2), "regression"),
    Case(make_pipeline(StandardScaler(), SelectKBest(f_regression, k=3), Ridge()), "regression"),
]
