"""An answer is the output itself where that has the dtype of the estimator; elsewhere it is brought into form."""

from __future__ import annotations

from types import MethodType
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sardonyx
from sardonyx.description import Method
from sardonyx.errors import MissingMethodError
from sardonyx.session.answers import plain_dtypes

X = np.random.default_rng(0).normal(size=(20, 3))
LABELS = np.where(X[:, 0] > 0, "ja", "nein")


def test_which_methods_answer_with_the_output_itself() -> None:
    one = ("Y",)
    methods = {
        "apply": Method(one, "array", ("<i8",)),
        "predict": Method(one, "array", ("<U4",)),
        "predict_cov": Method(one, "stacked", ("<f8",)),
        "in the model's dtype": Method(one, "array", ()),
        "text that may be missing": Method(one, "array", ("|O",)),
        "the same, as others write it": Method(one, "array", ("O",)),
        "sparse": Method(one, "sparse", ("<f8",)),
        "list": Method(one, "list", ("<f8",)),
        "columns": Method(("Y", "Z"), "columns", ("<f8", "<f8")),
        "dicts": Method(one, "dicts", ("<f8",), tables=(np.array(["a"]),)),
    }
    expected = {"apply": np.dtype("<i8"), "predict": np.dtype("<U4"), "predict_cov": np.dtype("<f8")}
    assert plain_dtypes(methods) == expected


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (LinearRegression(), X[:, 0]),
        (LinearRegression(), X[:, :2]),
        (LogisticRegression(), LABELS),
        (LogisticRegression(), LABELS.astype(object)),
        (LogisticRegression(), X[:, 1] > 0),
        (LogisticRegression(), (X[:, 1] > 0).astype(np.int8)),
        (DummyClassifier(), LABELS.astype(np.dtypes.StringDType())),
        (DummyClassifier(), np.column_stack([LABELS, LABELS[::-1]]).astype(np.dtypes.StringDType())),
        (MultiOutputClassifier(LogisticRegression()), X[:, :2] > 0),
        (KMeans(2, n_init=1, random_state=0), None),
        (IsolationForest(n_estimators=3, random_state=0), None),
        (StandardScaler(), None),
        (FunctionTransformer(), None),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_answers_have_the_estimators_dtypes(estimator: BaseEstimator, y: Any, dtype: str) -> None:
    data = X.astype(dtype)
    session = sardonyx.compile(estimator.fit(data, y), data)
    for method in session.methods:
        for rows in (data, data[:1]):
            actual, expected = getattr(session, method)(rows), getattr(estimator, method)(rows)
            assert type(actual) is type(expected)
            for a, e in zip(*(x if isinstance(x, list) else [x] for x in (actual, expected)), strict=True):
                assert (a.shape, a.dtype) == (e.shape, e.dtype)
                if a.dtype.kind == "f":
                    np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-5)
                else:
                    np.testing.assert_array_equal(a, e)


def test_a_method_is_one_of_the_session() -> None:
    session = sardonyx.compile(LinearRegression().fit(X, X[:, 0]), X)
    assert isinstance(session.predict, MethodType)
    assert session.predict.__self__ is session
    assert session.predict.__name__ == "predict"
    assert not hasattr(session, "predict_proba")
    assert session.predict.__doc__ == type(session).predict.__doc__
    with pytest.raises(MissingMethodError, match="this file has no transform; it has predict"):
        session.transform  # noqa: B018 - it is the access that is refused
