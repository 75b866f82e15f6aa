"""sklearn.pipeline."""

from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, PolynomialFeatures, StandardScaler

from . import Case

CASES = [
    Case(make_pipeline(StandardScaler(), Ridge()), "regression"),
    Case(make_pipeline(StandardScaler(), PCA(3), MinMaxScaler()), "regression32"),
    Case(make_pipeline(StandardScaler(), PCA(3), MinMaxScaler()), "regression", ("inverse_transform",)),
    Case(make_pipeline(StandardScaler(), GaussianMixture(2, random_state=0)), "regression", ("score_samples",)),
    Case(Pipeline([("a", "passthrough"), ("b", None), ("c", Ridge())]), "regression_int"),
    Case(Pipeline([("scale", StandardScaler()), ("last", "passthrough")]), "regression"),
    Case(Pipeline([("scale", StandardScaler()), ("last", "passthrough")]), "regression", ("inverse_transform",)),
    Case(make_pipeline(make_pipeline(StandardScaler(), PCA(2)), make_pipeline(MinMaxScaler(), Ridge())), "regression"),
    Case(make_pipeline("passthrough"), "mixed"),
    Case(make_union(StandardScaler(), PCA(2)), "regression"),
    Case(
        FeatureUnion(
            [("scale", StandardScaler()), ("gone", "drop"), ("same", "passthrough"), ("pca", PCA(2))],
            transformer_weights={"pca": 10, "same": 0.1},
        ),
        "regression32",
    ),
    Case(
        make_pipeline(FeatureUnion([("same", "passthrough"), ("poly", PolynomialFeatures())]), Ridge()),
        "regression_int",
    ),
    Case(
        make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore")),
        "text_nan",
    ),
    Case(
        make_pipeline(
            StandardScaler().set_output(transform="pandas"),
            SelectKBest(f_regression, k=4).set_output(transform="pandas"),
            Ridge(),
        ),
        "regression",
    ),
    Case(
        make_union(SimpleImputer(strategy="most_frequent"), FunctionTransformer()),
        "mixed",
        note="text and numbers twice",
    ),
]
