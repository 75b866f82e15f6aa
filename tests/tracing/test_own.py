"""Estimators of the user's own that convert without a converter, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from feature_engine.creation import CyclicalFeatures, MathFeatures, RelativeFeatures
from feature_engine.encoding import CountFrequencyEncoder, MeanEncoder, OneHotEncoder, OrdinalEncoder
from feature_engine.imputation import ArbitraryNumberImputer, CategoricalImputer, MeanMedianImputer
from feature_engine.outliers import Winsorizer
from feature_engine.selection import DropFeatures
from feature_engine.transformation import LogTransformer
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    OneToOneFeatureMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, SardonyxError

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": np.where(RNG.random(60) < 0.2, np.nan, RNG.normal(40, 15, 60)),
        "fare": RNG.lognormal(size=60),
        "k": RNG.integers(0, 6, 60),
        "city": RNG.choice(["Rome", "Oslo", "\xdc"], 60),
    }
)
Y = (FRAME["fare"] > 1).astype(int)
NUMBERS = FRAME[["age", "fare", "k"]]


class Scaled(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """With scikit-learn's own checks."""

    def fit(self, X: Any, y: Any = None) -> Scaled:
        self.scale_ = np.nanmax(validate_data(self, X, ensure_all_finite="allow-nan"), axis=0)
        return self

    def transform(self, X: Any) -> Any:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)
        return np.log1p(np.abs(X / self.scale_))


class Clipped(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Writes into a copy, and refuses negative numbers."""

    def fit(self, X: Any, y: Any = None) -> Clipped:
        self.low_, self.high_ = np.percentile(X, [5, 95], axis=0)
        return self

    def transform(self, X: Any) -> Any:
        X = check_array(X, copy=True)
        if (X < 0).any():
            raise ValueError("negative numbers")
        X[X < self.low_] = 0
        return np.minimum(X, self.high_)


class Features(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Columns of a frame, as notebooks make them."""

    def __init__(self, column: str = "age") -> None:
        self.column = column

    def fit(self, X: Any, y: Any) -> Features:
        self.median_ = float(X[self.column].median())
        self.rates_ = pd.Series(y).groupby(X["city"]).mean()
        return self

    def transform(self, X: Any) -> Any:
        X = X.copy()
        X[self.column] = X[self.column].fillna(self.median_)
        X["ratio"] = X["fare"] / (X["k"] + 1)
        X["rate"] = X["city"].map(self.rates_).fillna(0.5)
        X["long"] = X["city"].apply(lambda s: 1 if len(s) > 3 else 0)
        return X.drop(columns=["city"])

    def get_feature_names_out(self, names: Any = None) -> NDArray[Any]:
        return np.array(["age", "fare", "k", "ratio", "rate", "long"], object)


class Threshold(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier in NumPy."""

    def fit(self, X: Any, y: Any) -> Threshold:
        self.at_, self.classes_ = float(np.median(X[:, 1])), np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        p = 1 / (1 + np.exp(self.at_ - X[:, 1]))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> Any:
        return np.take(self.classes_, self.predict_proba(X).argmax(axis=1))


class Line(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A regressor in NumPy."""

    def fit(self, X: Any, y: Any) -> Line:
        self.coef_ = np.linalg.lstsq(X, y, rcond=None)[0]
        return self

    def predict(self, X: Any) -> Any:
        return X @ self.coef_


COLUMNS = ColumnTransformer([("own", Features(), ["age", "fare", "k", "city"])])
SCALED = ColumnTransformer([("scale", StandardScaler(), ["age", "ratio"])])
PIPELINES = {
    "checks": (make_pipeline(Scaled(), SimpleImputer(), Ridge()), NUMBERS),
    "copy": (make_pipeline(SimpleImputer(), Clipped(), Ridge()), NUMBERS),
    "frame": (make_pipeline(Features(), Ridge()), FRAME),
    "set_output": (make_pipeline(Features().set_output(transform="pandas"), SCALED, Ridge()), FRAME),
    "columns": (make_pipeline(COLUMNS, Ridge()), FRAME),
    "union": (make_pipeline(SimpleImputer(), FeatureUnion([("a", Scaled()), ("b", Clipped())]), Ridge()), NUMBERS),
    "search": (GridSearchCV(make_pipeline(Features(), Ridge()), {"ridge__alpha": [1, 2]}, cv=2), FRAME),
    "classifier": (make_pipeline(SimpleImputer(), Threshold()), NUMBERS),
    "stacked": (
        make_pipeline(
            SimpleImputer(),
            StackingClassifier([("own", Threshold()), ("tree", DecisionTreeClassifier(max_depth=2))], cv=2),
        ),
        NUMBERS,
    ),
    "regressor": (make_pipeline(SimpleImputer(), Line()), NUMBERS),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_estimators_of_the_users_own(name: str) -> None:
    estimator, X = PIPELINES[name]
    estimator.fit(X, Y)
    session = sardonyx.compile(estimator, X)
    np.testing.assert_allclose(session.predict(X), estimator.predict(X), rtol=1e-10)
    if hasattr(estimator, "predict_proba"):
        found = sardonyx.compile(estimator, X, methods=["predict_proba"]).predict_proba(X)
        np.testing.assert_allclose(found, estimator.predict_proba(X), rtol=1e-10)


FEATURE_ENGINE = [
    MeanMedianImputer(), CategoricalImputer(), ArbitraryNumberImputer(), OneHotEncoder(variables=["city"]),
    OrdinalEncoder(variables=["city"], encoding_method="arbitrary"), MeanEncoder(variables=["city"]),
    CountFrequencyEncoder(variables=["city"]), LogTransformer(variables=["fare"]), DropFeatures(["city"]),
    MathFeatures(variables=["fare", "k"], func=["sum", "mean"]), Winsorizer(variables=["fare"]),
    RelativeFeatures(variables=["fare"], reference=["k"], func=["add"]), CyclicalFeatures(variables=["k"]),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:For backward compatibility", "ignore:The inplace keyword")
@pytest.mark.parametrize("transformer", FEATURE_ENGINE, ids=lambda t: type(t).__name__)
def test_transformers_of_feature_engine(transformer: Any) -> None:
    X = FRAME.assign(age=FRAME["age"].fillna(0)) if "Imputer" not in type(transformer).__name__ else FRAME
    expected = transformer.fit(X, Y).transform(X)
    actual = sardonyx.compile(transformer, X).transform(X)
    for place, column in enumerate(expected):
        wanted, found = expected[column].to_numpy(), np.asarray(actual)[:, place]
        if wanted.dtype.kind in "biuf":
            np.testing.assert_allclose(found.astype(float), wanted.astype(float), rtol=1e-10)
        else:
            assert found.tolist() == wanted.tolist()


def test_estimators_that_it_holds_answer_by_their_converters() -> None:
    X = NUMBERS.fillna(0).to_numpy()
    estimator = Distances().fit(X, Y)
    own = KMeans.transform, StandardScaler.transform
    session = sardonyx.compile(estimator, X)
    np.testing.assert_allclose(session.transform(X), estimator.transform(X), rtol=1e-9)
    assert own == (KMeans.transform, StandardScaler.transform)


def test_what_it_raises_for_any_row_is_that_row_refused() -> None:
    X = NUMBERS.fillna(0).to_numpy()
    session = sardonyx.compile(Clipped().fit(X), X)
    with pytest.raises(SardonyxError, match="ValueError: negative numbers"):
        session.transform(-X - 1)
    with pytest.raises(SardonyxError, match="NaN"):
        session.transform(X * np.nan)


class Centred(Scaled):
    """Depends on the batch."""

    def transform(self, X: Any) -> Any:
        return X - X.mean(axis=0)


class Counted(Scaled):
    """Changes itself."""

    def transform(self, X: Any) -> Any:
        self.scale_ = self.scale_ + 1
        return X / self.scale_


class Chosen(Scaled):
    """Decides for all rows at once."""

    def transform(self, X: Any) -> Any:
        return X if (X > 0).all() else -X


class Inner(Scaled):
    """Fits for every batch."""

    def transform(self, X: Any) -> Any:
        return StandardScaler().fit(X).transform(X)


class Distances(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Asks estimators that it holds."""

    def fit(self, X: Any, y: Any = None) -> Distances:
        self.scaler_ = StandardScaler().fit(X)
        self.models_ = [KMeans(3, n_init=1, random_state=0).fit(self.scaler_.transform(X)), LogisticRegression()]
        self.models_[1].fit(X, y)
        return self

    def transform(self, X: Any) -> Any:
        near, sure = self.models_
        distances = near.transform(self.scaler_.transform(X))
        return np.column_stack([distances / distances.sum(axis=1, keepdims=True), sure.predict_proba(X)[:, 1]])


@pytest.mark.parametrize(
    ("cls", "why"),
    [
        (Centred, r"Centred .*test_own.* no converter for transform\. It cannot be traced.*are the rows.*Register one"),
        (Counted, "called twice"),
        (Chosen, "to raise an exception"),
        (Inner, "cannot be traced"),
    ],
)
def test_refusals(cls: Any, why: str) -> None:
    X = NUMBERS.fillna(0).to_numpy()
    estimator = cls().fit(X)
    before = dict(vars(estimator))
    with pytest.raises(ConversionError, match=why):
        convert(estimator, X)
    assert vars(estimator).keys() == before.keys()
    assert all(vars(estimator)[key] is value for key, value in before.items())


def test_a_converter_comes_first() -> None:
    class Doubled(Scaled):
        def transform(self, X: Any) -> Any:
            return X * 2

    sardonyx.converter(Doubled)(lambda est, X: X * 2.0)
    X = NUMBERS.fillna(0).to_numpy()
    pipeline = make_pipeline(Doubled(), LogisticRegression()).fit(X, Y)
    assert (sardonyx.compile(pipeline, X).predict(X) == pipeline.predict(X)).all()
