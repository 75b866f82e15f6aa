"""ColumnTransformer selects by name or position, whatever the order of the sample's columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError
from sardonyx.graph import Value, concat
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner
from sardonyx.registry import converter

FRAME = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [3, 1, 2], "text": ["x", "", "ü"], "other": [0.5, 0.25, 0.0]})
COLUMNS = ColumnTransformer(
    [("scale", StandardScaler(), ["b", "a"]), ("hot", OneHotEncoder(), ["text"])], remainder="drop"
)


def run(model: Any, frame: pd.DataFrame) -> Any:
    """The native answer for a frame."""
    feeds: dict[str, Any] = {str(c): np.asarray(frame[c]).reshape(-1, 1) for c in frame}
    return PlanRunner(lower(model), threads=1).run(None, feeds)[0]


@pytest.mark.parametrize("order", [["a", "b", "text", "other"], ["other", "text", "b", "a"], ["text", "a", "b"]])
def test_columns_are_found_by_name_in_any_order_and_number(order: list[str]) -> None:
    estimator = COLUMNS.fit(FRAME)
    sample = FRAME[order].assign(more=1.0)
    np.testing.assert_allclose(run(convert(estimator, sample), sample), estimator.transform(sample), rtol=1e-12)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ConversionError, match=r"\['b'\] are missing"):
        convert(COLUMNS.fit(FRAME), FRAME[["a", "text"]])


def test_fitted_on_an_array_columns_are_found_by_position() -> None:
    numbers = FRAME[["a", "b", "other"]]
    estimator = ColumnTransformer([("scale", StandardScaler(), [2]), ("same", "passthrough", [-3])])
    estimator.fit(numbers.to_numpy())
    expected = estimator.transform(numbers.to_numpy())
    np.testing.assert_allclose(run(convert(estimator, numbers), numbers), expected, rtol=1e-12)


def test_a_callable_selects_what_it_selected_in_the_fit() -> None:
    estimator = ColumnTransformer([("scale", StandardScaler(), make_column_selector("a|b"))]).fit(FRAME)
    np.testing.assert_allclose(run(convert(estimator, FRAME), FRAME), estimator.transform(FRAME), rtol=1e-12)


NAMES = ["predict", "predict_", "Concat_2", "Concat_3", "c_4", "transform", "scale.mean_"]


@pytest.mark.parametrize("inline", [False, True])
def test_columns_may_be_called_as_the_outputs_and_the_insides_of_the_file(inline: bool) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, len(NAMES))), columns=NAMES)
    columns = ColumnTransformer([("scale", StandardScaler(), NAMES[:5])], remainder="passthrough")
    estimator = make_pipeline(columns, LinearRegression()).fit(frame, frame["predict"] * 2)
    model = sardonyx.to_onnx(estimator, frame, inline=inline)
    onnx.checker.check_model(model)
    session = sardonyx.load(model)
    assert [output.name for output in session.get_outputs()] == ["predict__"]
    np.testing.assert_allclose(session.predict(frame), estimator.predict(frame), rtol=1e-10)
    theirs = ort.InferenceSession(model.SerializeToString()).run(None, session.feeds(frame))[0]
    np.testing.assert_allclose(theirs, estimator.predict(frame), rtol=1e-10)


def test_a_column_of_text_may_be_called_as_the_method_that_passes_it_on() -> None:
    frame = FRAME.rename(columns={"text": "transform"})
    estimator = ColumnTransformer([("scale", StandardScaler(), ["a"]), ("same", "passthrough", ["transform"])]).fit(
        frame
    )
    model = sardonyx.to_onnx(estimator, frame)
    session = ort.InferenceSession(model.SerializeToString())
    assert session.run(None, sardonyx.load(model).feeds(frame))[1].ravel().tolist() == ["x", "", "ü"]


class Lengths(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Takes a vector, as text vectorizers do."""

    def fit(self, X: Any, y: Any = None) -> Lengths:
        """Do nothing."""
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        """Return each element twice."""
        values = np.asarray(X)
        assert values.ndim == 1
        return np.column_stack([values, values])


def test_one_name_selects_a_vector() -> None:
    @converter(Lengths)
    def lengths(est: Any, X: Value) -> Value:
        assert X.ndim == 1
        return concat([X[:, None], X[:, None]])

    estimator = ColumnTransformer([("twice", Lengths(), "a")]).fit(FRAME)
    np.testing.assert_array_equal(run(convert(estimator, FRAME), FRAME), estimator.transform(FRAME))


def test_nothing_selected_is_refused() -> None:
    with pytest.raises(ConversionError, match="selects no columns"):
        convert(ColumnTransformer([("gone", "drop", ["a"])]).fit(FRAME), FRAME)


def test_text_has_no_weight() -> None:
    estimator = ColumnTransformer(
        [("text", SimpleImputer(strategy="most_frequent"), ["text"]), ("scale", StandardScaler(), ["a"])]
    )
    estimator.fit(FRAME)
    estimator.transformer_weights = {"text": 2}
    with pytest.raises(ConversionError, match="transformer_weights"):
        convert(estimator, FRAME)
