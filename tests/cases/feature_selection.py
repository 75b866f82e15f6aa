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
from sklearn.linear_model import LogisticRegression, Ridge
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
    *(
        Case(selector, data)
        for selector in (SelectPercentile(percentile=40), SelectFpr(), SelectFdr(alpha=0.1), SelectFwe())
        for data in ("binary", "multiclass32", "multiclass_int", "frame_classes")
    ),
    *(Case(s(), "binary", INVERSE) for s in (SelectPercentile, SelectFpr, SelectFdr, SelectFwe)),
    *(Case(SelectKBest(f_regression, k=1), d, note="float64") for d in ("own_dtypes", "bools_and_codes")),
    Case(SelectKBest(f_regression, k=1), "own_dtypes", INVERSE),
    Case(SelectFwe(alpha=1e-30), "binary", note="nothing is chosen"),
    Case(GenericUnivariateSelect(mode="k_best", param=2), "multiclass32"),
    Case(GenericUnivariateSelect(f_regression, mode="percentile", param=50), "regression_int"),
    Case(GenericUnivariateSelect(mode="fwe", param=0.05), "frame_classes"),
    Case(GenericUnivariateSelect(mode="k_best", param=2), "multiclass_str", INVERSE),
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
    Case(RFECV(Ridge(), cv=3, step=2, min_features_to_select=3), "regression32"),
    Case(RFECV(LogisticRegression(), cv=2, step=3), "binary_few"),
    Case(RFECV(Ridge(), cv=3), "regression", INVERSE),
    Case(RFE(LogisticRegression(), n_features_to_select=4), "frame_classes"),
    Case(SequentialFeatureSelector(Ridge(), n_features_to_select=2, cv=2), "regression"),
    Case(SequentialFeatureSelector(Ridge(), direction="backward", n_features_to_select=5, cv=2), "regression"),
    Case(SequentialFeatureSelector(Ridge(), n_features_to_select=0.5, cv=2), "regression_int"),
    Case(SequentialFeatureSelector(Ridge(), n_features_to_select="auto", tol=0.1, cv=2), "regression32"),
    Case(SequentialFeatureSelector(Ridge(), n_features_to_select=3, cv=2), "regression", INVERSE),
    Case(make_pipeline(StandardScaler(), SelectKBest(f_regression, k=3), Ridge()), "regression"),
    *(Case(s(alpha=a), "binary") for s in (SelectFpr, SelectFdr, SelectFwe) for a in (0.5, 0.9)),
    Case(SelectPercentile(percentile=50), "binary"),
    Case(SelectFromModel(Ridge(), threshold="1.1*mean", max_features=2), "regression"),
]
