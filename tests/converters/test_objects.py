"""Numbers in arrays of objects: where scikit-learn takes these as they are, infinity passes, and None is not NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

import sardonyx
from sardonyx import InputError

from ..test_traps import assert_same_everywhere

NUMBERS = np.array([[1.0, 4.0], [2.0, 5.0], [2.0, 6.0], [3.0, 4.0]], dtype=object)
MIXED = np.array([[1.0, "a"], [np.inf, "b"], [2.0, "a"], [2.0, "b"]], dtype=object)
ENCODERS = [
    OneHotEncoder(handle_unknown="ignore"),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    TargetEncoder(target_type="continuous"),
]
LENIENT = [*ENCODERS, SimpleImputer(strategy="most_frequent"), SelectKBest(k=1), VarianceThreshold()]
Y = np.array([0.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize("estimator", LENIENT, ids=lambda e: type(e).__name__)
def test_infinity_in_objects(estimator: Any) -> None:
    rows = np.array([[np.inf, 4.0], [-np.inf, np.inf], [2.0, 6.0]], dtype=object)
    assert_same_everywhere(estimator.fit(NUMBERS, Y), NUMBERS, rows)


@pytest.mark.parametrize("estimator", ENCODERS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("form", [np.asarray, lambda X: pd.DataFrame(X, columns=["a", "b"])], ids=["array", "frame"])
def test_infinity_beside_text(estimator: Any, form: Any) -> None:
    assert_same_everywhere(estimator.fit(form(MIXED), Y), form(MIXED), form(MIXED[::-1]))


@pytest.mark.parametrize(
    "estimator", [StandardScaler(), make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False))]
)
def test_infinity_is_refused_where_numbers_are_made_of_objects(estimator: Any) -> None:
    """Of what an encoder is given as floats, and of objects that a scaler makes floats of."""
    sample = NUMBERS if isinstance(estimator, StandardScaler) else NUMBERS.astype(float)
    session = sardonyx.compile(estimator.fit(sample), sample)
    rows = sample.copy()
    rows[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        estimator.transform(rows)
    with pytest.raises(InputError, match="infinity"):
        session.transform(rows)


OBJECTS = pd.DataFrame({"n": np.array([1.0, np.nan, 2.0, 1.0], dtype=object), "t": ["a", None, "b", "a"]}, dtype=object)


@pytest.mark.parametrize(
    "estimator",
    [OneHotEncoder(handle_unknown="ignore"), make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())],
)
def test_none_among_numbers_is_refused_where_an_estimator_tells_it_from_nan(estimator: Any) -> None:
    numbers = ColumnTransformer([("a", estimator, ["n"]), ("b", OneHotEncoder(), ["t"])]).fit(OBJECTS)
    session = sardonyx.compile(numbers, OBJECTS)
    np.testing.assert_array_equal(session.transform(OBJECTS), numbers.transform(OBJECTS))
    other = OBJECTS.assign(n=np.array([1.0, None, 2.0, 1.0], dtype=object))
    for given in (other, other.to_numpy()):
        with pytest.raises(InputError, match=r"'n' holds None, which \w+ tells from NaN.*fillna\(np.nan\)"):
            session.transform(given)
    polars = session.transform(pl.DataFrame({"n": [1.0, None, 2.0, 1.0], "t": ["a", None, "b", "a"]}))
    np.testing.assert_array_equal(polars, numbers.transform(OBJECTS))


def test_none_among_numbers_of_the_sample_is_refused() -> None:
    X = np.array([[1.0], [None], [2.0]], dtype=object)
    with pytest.raises(InputError, match="X holds None, which SimpleImputer"):
        sardonyx.to_onnx(SimpleImputer(strategy="most_frequent").fit(X), X)
    mean = SimpleImputer().fit(X)  # makes numbers of objects first, and NaN of None
    np.testing.assert_array_equal(sardonyx.compile(mean, X).transform(X), mean.transform(X))


@pytest.mark.parametrize("form", [np.asarray, lambda X: pd.DataFrame(X, columns=["a", "b"])], ids=["array", "frame"])
def test_integers_in_objects_become_floats_where_they_are_validated(form: Any) -> None:
    X = form(np.array([[1, 4], [2, 5], [3, 6]], dtype=object))
    estimator = FunctionTransformer(validate=True).fit(X)
    assert sardonyx.compile(estimator, X).transform(X).dtype == estimator.transform(X).dtype == np.float64
