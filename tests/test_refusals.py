"""What cannot be converted is refused with an error that names it and says what to do next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sardonyx
from sardonyx import ConversionError, InputError, SardonyxError, VerificationError

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(40, 4))
Y = (X[:, 0] > 0.5).astype(int)
FITTED = LogisticRegression().fit(X, Y)


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Twice its input; its subclasses have converters that are wrong in one way each."""

    def fit(self, X: Any, y: Any = None) -> Doubled:
        """Learn nothing."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """Return twice X, in a way that cannot be traced."""
        return np.array([2 * row for row in X])


def doubled_by(answer: Any) -> Any:
    """A fitted estimator of a new class, whose converter answers so."""
    cls = type("Doubled", (Doubled,), {})
    sardonyx.converter(cls)(lambda est, X: answer(X))
    return cls().fit(X)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LogisticRegression(), "LogisticRegression is not fitted; call fit"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "Pipeline is not fitted"),
        (LogisticRegression, "got the class LogisticRegression; give an instance"),
        (X, "got a ndarray; give an instance"),
        (DBSCAN().fit(X), "DBSCAN has neither predict nor transform; it answers for the rows of its fit only"),
        (
            Doubled().fit(X),
            r"for transform.*loop over the rows.*Register one: @sardonyx.converter\(Doubled\)",
        ),
        (make_pipeline(Doubled(), LogisticRegression()).fit(X, Y), "Doubled .* has no converter for transform"),
        (ColumnTransformer([("own", Doubled(), [0])]).fit(X), "Doubled .* has no converter for transform"),
    ],
)
def test_what_is_no_estimator_that_converts(estimator: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        sardonyx.to_onnx(estimator, X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["predct"]}, "no method predct; it has predict, predict_proba, predict_log_proba, decision_func"),
        ({"methods": []}, "is to be converted without methods; it has predict, "),
        ({"methods": 5}, r"methods=5; give a list"),
        ({"methods": ["predict_std"]}, r"no method predict_std; it has .*decision_function\."),
        ({"target_opset": 17}, "target_opset=17 is not possible; choose 18 to"),
        ({"target_opset": "21"}, "target_opset='21' is not possible"),
        ({"target_opset": 21.0}, "target_opset=21.0 is not possible"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        sardonyx.to_onnx(FITTED, X, **options)


def test_a_method_named_twice_is_converted_once() -> None:
    assert [o.name for o in sardonyx.to_onnx(FITTED, X, methods=["predict", "predict"]).graph.output] == ["predict"]


@pytest.mark.parametrize(
    ("sample", "error", "message"),
    [
        (X[:, :3], ConversionError, "the sample has 3 features, but LogisticRegression is expecting 4 features"),
        (X[0], InputError, "Expected 2D array, got 1D array"),
        (None, InputError, "one NoneType"),
        (np.full((3, 4), np.nan), InputError, "LogisticRegression.predict refuses the sample: Input X contains NaN"),
        (X.astype(str), ConversionError, "MatMul does not accept"),
        (X.astype("M8[s]"), InputError, "LogisticRegression.predict refuses the sample: ufunc"),
    ],
)
def test_wrong_samples(sample: Any, error: type[SardonyxError], message: str) -> None:
    with pytest.raises(error, match=message):
        sardonyx.to_onnx(FITTED, sample)


class Shifted(StandardScaler):  # type: ignore[misc]
    """Overrides what its parent's converter is for."""

    def transform(self, X: Any, copy: Any = None) -> Any:
        """Return more than the parent does."""
        return super().transform(X) + 1


class Batched(StandardScaler):  # type: ignore[misc]
    """Overrides what its parent's converter is for, with what depends on the batch."""

    def transform(self, X: Any, copy: Any = None) -> Any:
        """Return more than the parent does."""
        return super().transform(X) - X.mean(axis=0)


class Sharper(LogisticRegression):  # type: ignore[misc]
    """Overrides one of several methods."""

    def predict_proba(self, X: Any) -> Any:
        """Return other probabilities than the parent does."""
        return super().predict_proba(X) ** 2


class Same(StandardScaler):  # type: ignore[misc]
    """Overrides nothing."""


class Relabelled(KMeans):  # type: ignore[misc]
    """Overrides predict, though it has transform too."""

    def predict(self, X: Any) -> Any:
        """Return other labels than the parent does."""
        return super().predict(X) + 1


def test_subclasses_follow_unless_they_override() -> None:
    same = Same().fit(X)
    np.testing.assert_array_equal(sardonyx.compile(same, X).transform(X), same.transform(X))
    sharper = Sharper().fit(X, Y)
    session = sardonyx.compile(sharper, X, methods=["predict", "decision_function"])
    np.testing.assert_array_equal(session.predict(X), sharper.predict(X))
    message = (
        r"Batched overrides transform, and has no converter for it\. .*Register one: @sardonyx.converter\(Batched\)"
    )
    with pytest.raises(ConversionError, match=message):
        sardonyx.to_onnx(Batched().fit(X), X, verify=False)


def test_what_subclasses_add_to_their_parents_is_traced() -> None:
    for estimator, method in (
        (Shifted().fit(X), "transform"),
        (Sharper().fit(X, Y), "predict_proba"),
        (Relabelled(2, n_init=1, random_state=0).fit(X), "predict"),
    ):
        session = sardonyx.compile(estimator, X, methods=[method])
        expected = getattr(estimator, method)(X)
        np.testing.assert_allclose(getattr(session, method)(X), expected, rtol=1e-10)


def test_a_converter_that_disagrees_is_found_out() -> None:
    right = doubled_by(lambda X: X * 2)
    np.testing.assert_array_equal(sardonyx.compile(right, X).transform(X), right.transform(X))
    wrong = doubled_by(lambda X: X * 2.0000001)
    for estimator in (wrong, make_pipeline(wrong, StandardScaler()).fit(X)):
        for convert in (sardonyx.to_onnx, sardonyx.compile):
            with pytest.raises(VerificationError, match="41 of 41 rows"):
                convert(estimator, X)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda X: None, "converter of Doubled.transform returned NoneType; return what is computed from X"),
        (lambda X: np.zeros((40, 4)), "returned ndarray"),
        (lambda X: [], "returned nothing"),
        (lambda X: X if X[:, 0] > 0 else -X, "no truth value"),
        (np.linalg.inv, "numpy.inv has no ONNX form"),
    ],
)
def test_a_converter_that_returns_no_data_of_the_graph(answer: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        sardonyx.to_onnx(doubled_by(answer), X)


@pytest.mark.parametrize("classes", [(), ("Doubled",), (Doubled(),), (lambda est, X: X,)])
def test_converter_takes_classes(classes: Any) -> None:
    with pytest.raises(ConversionError, match="takes the classes of estimators"):
        sardonyx.converter(*classes)
