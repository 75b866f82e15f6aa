"""What scikit-learn's preprocessing refuses is refused, and what has no exact form is refused with a way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelBinarizer,
    LabelEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    StandardScaler,
)

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, SardonyxError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

TEXT = np.array([["b"], ["a"], [""], ["日本"]], dtype=object)
FRAME = pd.DataFrame({"size": [1.0, 2.0, 3.0, 2.0], "city": ["Köln", "Oslo", "Köln", "Rom"]})


def run(model: Any, **feeds: Any) -> list[Any]:
    """Run a model natively."""
    return PlanRunner(lower(model), threads=1).run(None, feeds)


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=str)
@pytest.mark.parametrize(
    ("train", "unknown", "named"),
    [
        (TEXT, np.array([["b"], ["Zürich"]], dtype=object), r"column '0'.*'Zürich'"),
        (TEXT, np.array([["ü" * 200]], dtype=object), r"'ü{40}'"),
        (np.array([[3], [1], [2**60]]), np.array([[1], [2**60 + 1]]), "1152921504606846977"),
        (np.array([[0.5], [0.25]]), np.array([[0.5], [np.nan]]), "nan"),
    ],
    ids=["text", "long text", "integers", "NaN"],
)
def test_unknown_categories_are_refused_by_name(encoder: Any, train: Any, unknown: Any, named: str) -> None:
    encoder.fit(train)
    with pytest.raises(ValueError, match="unknown categories"):
        encoder.transform(unknown)
    with pytest.raises(SardonyxError, match=named):
        run(convert(encoder, train), X=unknown)


def test_the_column_of_a_frame_is_named() -> None:
    model = convert(OneHotEncoder().fit(FRAME), FRAME)
    with pytest.raises(SardonyxError, match=r"column 'city'.*'Bonn'"):
        run(model, size=np.array([[1.0]]), city=np.array([["Bonn"]], dtype=object))


def test_unseen_labels_are_refused() -> None:
    encoder = LabelEncoder().fit(TEXT[:, 0])
    with pytest.raises(SardonyxError, match="'c'"):
        run(convert(encoder, TEXT[:, 0]), X=np.array(["c"], dtype=object))
    model = convert(encoder, np.arange(4), methods="inverse_transform")
    with pytest.raises(SardonyxError, match="previously unseen labels"):
        run(model, X=np.array([4]))


def test_rows_of_zeros_that_mean_nothing_are_refused() -> None:
    encoder = OneHotEncoder().fit(TEXT)
    model = convert(encoder, np.eye(4), methods="inverse_transform")
    with pytest.raises(ValueError, match="can not be inverted"):
        encoder.inverse_transform(np.zeros((1, 4)))
    with pytest.raises(SardonyxError, match="all zeros"):
        run(model, X=np.zeros((1, 4)))


def test_codes_of_no_category_are_refused() -> None:
    X = np.array([[1.0], [1.0], [2.0], [3.0], [np.nan]])
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-9, max_categories=2).fit(X)
    session = sardonyx.load(convert(encoder, encoder.transform(X), methods="inverse_transform"))
    codes = np.array([[0.0], [2.0], [-9.0], [-1.0]])
    assert repr(session.inverse_transform(codes)) == repr(encoder.inverse_transform(codes))
    for code in (3.0, -3.0, np.nan):  # scikit-learn cannot invert missing values beside infrequent ones
        with pytest.raises(IndexError):
            encoder.inverse_transform(np.array([[code]]))
        with pytest.raises(SardonyxError, match="a code that is no category"):
            session.inverse_transform(np.array([[code]]))


def test_box_cox_takes_positive_data_only() -> None:
    X = np.array([[1.0], [2.0], [4.0]])
    with pytest.raises(SardonyxError, match="strictly positive"):
        run(convert(PowerTransformer("box-cox").fit(X), X), X=np.array([[1.0], [0.0]]))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64", "bool"])
def test_small_integers(dtype: str) -> None:
    X = np.array([[0, 1], [1, 1], [1, 0]]).astype(dtype)
    for encoder in (OneHotEncoder(sparse_output=False), OrdinalEncoder()):
        np.testing.assert_array_equal(run(convert(encoder.fit(X), X), X=X)[0], encoder.transform(X))


REFUSED: dict[str, tuple[Any, Any, str, str]] = {
    "a Python function": (
        FunctionTransformer(lambda x: x - x.sum()),
        FRAME[["size"]],
        "transform",
        "func=<lambda>.*axis=1",
    ),
    "numbers as objects": (OneHotEncoder(), TEXT, "transform", "1 is a int"),
    "other dtypes": (OrdinalEncoder(), np.array([[1.0]]), "transform", "dtypes of the training data"),
    "objects": (OneHotEncoder(dtype=object), TEXT, "transform", "dtype=.*not a number"),
    "another order of columns": (
        StandardScaler(),
        FRAME[["size"]].rename(columns={"size": "length"}),
        "transform",
        "length",
    ),
    "multilabels": (LabelBinarizer(), np.array([1, 0]), "transform", "multilabel.*of 2 columns"),
}
TRAINING: dict[str, Any] = {
    "a Python function": FRAME[["size"]],
    "numbers as objects": np.array([[1], [3]], dtype=object),
    "another order of columns": FRAME[["size"]],
    "multilabels": np.array([[1, 0], [1, 1]]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_parameter_and_the_way_out(name: str) -> None:
    estimator, sample, method, message = REFUSED[name]
    estimator.fit(TRAINING.get(name, TEXT))
    with pytest.raises(ConversionError, match=message):
        convert(estimator, sample, methods=method)


@pytest.mark.parametrize("inverse", [False, True])
def test_log1p_and_expm1_are_exact_near_zero(inverse: bool) -> None:
    X = np.array([0.0, -0.0, 1e-300, 1e-17, -1e-17, 1e-9, -1e-9, 0.3, -0.3, 5.0, 700.0, np.nan]).reshape(-1, 1)
    X = (
        np.vstack([X, [[-40.0], [709.7], [710.0], [np.inf], [-np.inf]]])
        if inverse
        else np.vstack([X, [[1.7e308], [np.inf], [-1.0]]])
    )
    function = np.expm1 if inverse else np.log1p
    with np.errstate(all="ignore"):
        expected = function(X)
    np.testing.assert_allclose(run(convert(FunctionTransformer(function), X), X=X)[0], expected, rtol=4e-16, atol=0)
