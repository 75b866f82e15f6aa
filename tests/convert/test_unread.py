"""Columns that no step reads: left out of the file, and not asked for; what no model takes may stand there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, InputError

ROWS = 12
LABELS = np.arange(ROWS) % 2


def orders() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "paid": [Decimal(i) / 4 for i in range(ROWS)],
            "when": pd.date_range("2020-01-01", periods=ROWS, unit="us"),
            "there": pd.date_range("2020-01-01", periods=ROWS, tz="Europe/Paris"),
            "who": ["Ana", "Bo", "Zoë"] * 4,
            "size": np.linspace(0, 1, ROWS),
        }
    )


def fitted(*columns: str) -> Pipeline:
    """A pipeline within another one, which hands whole frames on."""
    prepare = make_column_transformer((StandardScaler(), list(columns)), (OneHotEncoder(), ["who"]))
    return make_pipeline(make_pipeline(prepare), LogisticRegression()).fit(orders(), LABELS)


@pytest.mark.parametrize("kind", [lambda X: X, pl.from_pandas, lambda X: pl.from_pandas(X).to_arrow()])
def test_a_frame_may_hold_more_than_the_model_reads(kind: Any) -> None:
    estimator, X = fitted("size"), kind(orders())
    model = sardonyx.to_onnx(estimator, X)
    assert [value.name for value in model.graph.input] == ["who", "size"]
    session = sardonyx.load(model)
    expected = estimator.predict_proba(orders())
    np.testing.assert_array_equal(session.predict_proba(X), expected)
    np.testing.assert_array_equal(session.predict_proba(kind(orders()[["size", "who"]])), expected)
    np.testing.assert_array_equal(session.predict_proba(orders().to_numpy()), expected)
    assert session.n_features_in_ == 5
    assert session.check().ok
    with pytest.raises(InputError, match="missing column 'size'"):
        session.predict(orders().drop(columns="size"))
    with pytest.raises(InputError, match="X has 2 columns, but the model takes 5"):
        session.predict(orders()[["who", "size"]].to_numpy())


def test_what_no_model_takes_is_refused_where_it_is_read() -> None:
    X = orders()
    encoder = OrdinalEncoder().fit(X[["there"]])
    with pytest.raises(ConversionError, match="there"):
        convert(encoder, X[["there"]])
    kept = make_column_transformer((StandardScaler(), ["size"]), ("passthrough", ["there"])).fit(X)
    with pytest.raises(InputError, match="column 'there' holds moments of the time zone"):
        convert(kept, X)


def test_moments_and_decimals_are_the_numbers_of_scikit_learn() -> None:
    X = orders()
    for columns in (["when"], ["paid", "size"]):
        for estimator in (StandardScaler(), DecisionTreeClassifier(random_state=0)):
            estimator.fit(X[columns], LABELS)
            assert sardonyx.verify(estimator, sardonyx.to_onnx(estimator, X[columns]), X[columns]).ok
    estimator = fitted("when")
    np.testing.assert_allclose(sardonyx.compile(estimator, X).predict_proba(X), estimator.predict_proba(X), rtol=1e-10)
    later = X.assign(when=X["when"].where(X["when"] > X["when"][3]))
    scaler = StandardScaler().fit(X[["when"]])
    session = sardonyx.compile(scaler, X[["when"]])
    np.testing.assert_allclose(session.transform(later), scaler.transform(later[["when"]]), rtol=1e-10)


def test_moments_are_refused_where_they_would_stay_moments() -> None:
    X = orders()[["when"]]
    X["since"] = X["when"] - X["when"][0]
    passed = make_column_transformer(("passthrough", ["when"])).fit(X)
    joined = make_column_transformer((StandardScaler(), ["when"]), (StandardScaler(), ["since"])).fit(X)
    for estimator, message in (
        (FunctionTransformer().fit(X[["when"]]), "holds moments or durations"),
        (passed, "holds moments or durations"),
        (OneHotEncoder().fit(X[["when"]]), "moments or durations"),
        (joined, "several dtypes"),
    ):
        with pytest.raises((ConversionError, InputError), match=message):
            convert(estimator, X if estimator is joined else X[["when"]])


@pytest.mark.parametrize("dtypes", [("Int8", "Float32"), ("int8[pyarrow]", "float[pyarrow]")])
def test_numbers_of_pandas_are_computed_in_float64(dtypes: tuple[str, str]) -> None:
    numbers: NDArray[Any] = np.arange(2.0 * ROWS).reshape(ROWS, 2) / [[1, 8]]
    X = pd.DataFrame(numbers, columns=["a", "b"]).astype(dict(zip("ab", dtypes, strict=True)))
    scaler = StandardScaler().fit(X)
    answer = sardonyx.load(convert(scaler, X)).transform(X)
    np.testing.assert_allclose(answer, scaler.transform(X), rtol=1e-12, strict=True)
