"""Imputers refuse what scikit-learn refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import MissingIndicator, SimpleImputer

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, SardonyxError
from sardonyx.inputs.values import MISSING_NAN
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

HOLES = np.array([[np.nan, 1.0], [2.0, 3.0], [np.nan, 5.0]])
TEXT = np.array([["a"], ["b"], [""]], dtype=object)


def run(estimator: Any, sample: Any, X: Any) -> Any:
    """The native answer."""
    return PlanRunner(lower(convert(estimator, sample)), threads=1).run(None, {"X": X})[0]


def test_new_missing_values_are_refused() -> None:
    indicator = MissingIndicator().fit(HOLES)
    X = np.array([[1.0, np.nan]])
    with pytest.raises(ValueError, match="no missing values in fit"):
        indicator.transform(X)
    with pytest.raises(SardonyxError, match="feature 1"):
        run(indicator, HOLES, X)


def test_nan_is_refused_where_something_else_is_missing() -> None:
    with pytest.raises(SardonyxError, match="NaN"):
        run(SimpleImputer(missing_values=-1).fit(np.ones((2, 2))), np.ones((2, 2)), HOLES)
    imputer = SimpleImputer(missing_values="", strategy="most_frequent").fit(TEXT)
    with pytest.raises(SardonyxError, match="NaN"):
        run(imputer, TEXT, np.array([[MISSING_NAN]], dtype=object))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("strategy", ["most_frequent", "constant", "mean"])
def test_integers(dtype: str, strategy: str) -> None:
    X = np.array([[0, 5], [3, 5], [3, 0]], dtype=dtype)
    imputer = SimpleImputer(missing_values=0, strategy=strategy, add_indicator=True)
    imputer.set_params(fill_value=np.dtype(dtype).type(7) if strategy == "constant" else None).fit(X)
    answer, expected = run(imputer, X, X), imputer.transform(X)
    assert answer.dtype == expected.dtype
    np.testing.assert_array_equal(answer, expected)


def test_text_in_a_column_of_numbers_is_refused() -> None:
    frame = pd.DataFrame({"size": [1.0, np.nan], "city": ["a", None]})
    imputer = SimpleImputer(strategy="constant", fill_value="?").fit(frame)
    with pytest.raises(ConversionError, match="one imputer for the numbers and one for the text"):
        convert(imputer, frame)


@pytest.mark.parametrize("missing", [np.nan, -1.0])
def test_inverse(missing: float) -> None:
    X = np.where(np.isnan(HOLES), missing, HOLES)
    imputer = SimpleImputer(missing_values=missing, add_indicator=True).fit(X)
    transformed = imputer.transform(X)
    model = convert(imputer, transformed, methods="inverse_transform")
    for rows in (transformed, transformed[:2], transformed[1:2]):
        answer = PlanRunner(lower(model), threads=1).run(None, {"X": rows})[0]
        np.testing.assert_array_equal(answer, imputer.inverse_transform(rows))


def test_text_among_numbers_in_objects_is_refused() -> None:
    numbers = np.array([[1.0], [np.nan]], dtype=object)
    with pytest.raises(ConversionError, match="one imputer for the numbers and one for the text"):
        convert(SimpleImputer(strategy="constant").fit(numbers), numbers)


def test_frames_without_any_column() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]})
    session = sardonyx.compile(MissingIndicator().set_output(transform="pandas").fit(frame), frame)
    assert session.transform(frame).shape == (2, 0)
