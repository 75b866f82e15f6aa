"""A wrong model is caught, whatever is wrong with it, and a right one is not accused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from onnx import numpy_helper
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import Birch
from sklearn.compose import make_column_transformer
from sklearn.decomposition import NMF, LatentDirichletAllocation, MiniBatchNMF, SparseCoder, SparsePCA
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sardonyx
from sardonyx import ConversionError, InputError, VerificationError
from sardonyx.convert import convert
from sardonyx.inputs.signature import describe
from sardonyx.inputs.tensors import tensors
from sardonyx.proof.agreement import differ
from sardonyx.proof.hurting import hurting_batches
from sardonyx.registry import converter


@pytest.fixture(scope="module")
def classifier() -> tuple[Any, Any, onnx.ModelProto]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 12))
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.array(["a", "b"])[(X[:, 0] > 0) * 1])
    return estimator, X, sardonyx.to_onnx(estimator, X)


def test_a_right_model_is_right_in_both_runtimes(classifier: Any) -> None:
    estimator, X, model = classifier
    report = sardonyx.verify(estimator, model, X)
    assert report.ok
    report.raise_if_wrong()
    assert {(v.method, v.runtime) for v in report.verdicts} == {
        (method, runtime) for method in ("predict", "predict_proba") for runtime in ("sardonyx", "onnxruntime")
    }
    for verdict in report.verdicts:
        assert verdict.rows > len(X) + 40
        assert verdict.refused >= 5  # NaN and infinity, which the scaler or the classifier refuses
        assert verdict.max_rel < 1e-10
    assert "says what the estimator says" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True


def tampered(model: onnx.ModelProto, change: Callable[[np.ndarray[Any, Any]], Any], name: str) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if name in tensor.name:
            array = numpy_helper.to_array(tensor).copy()
            tensor.CopyFrom(numpy_helper.from_array(change(array), tensor.name))
            return copy
    raise AssertionError(f"no weight {name} among {[t.name for t in copy.graph.initializer]}")


def last_bits(array: Any) -> Any:
    return array * (1 + 1e-8)


def test_a_changed_weight_is_caught(classifier: Any) -> None:
    estimator, X, model = classifier
    names = [t.name for t in model.graph.initializer if numpy_helper.to_array(t).dtype == np.float64]
    assert names
    for name in names:
        report = sardonyx.verify(estimator, tampered(model, last_bits, name), X)
        assert not report.ok, name
        assert all(not v.ok for v in report.verdicts if v.method == "predict_proba")
        with pytest.raises(VerificationError, match=r"predict_proba in sardonyx: \d+ of \d+ rows, .* instead of"):
            report.raise_if_wrong()
        assert "WRONG" in str(report)


def test_changed_labels_are_caught(classifier: Any) -> None:
    _, X, model = classifier
    other = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.array(["a", "c"])[(X[:, 0] > 0) * 1])
    report = sardonyx.verify(other, model, X)
    wrong = {v.method for v in report.verdicts if not v.ok}
    assert wrong == {"predict"}


def test_floats_that_an_encoder_misses_by_the_last_bit_are_to_be_rounded() -> None:
    X = np.random.default_rng(0).integers(1, 5, size=(30, 2)) / 3
    estimator = OrdinalEncoder().fit(X)
    model = sardonyx.to_onnx(estimator, X)
    estimator.categories_ = [np.nextafter(c, 9) for c in estimator.categories_]
    with pytest.raises(VerificationError, match=r"unknown category \d\.\d+ .*FunctionTransformer\(np.round"):
        sardonyx.verify(estimator, model, np.nextafter(X, 9)).raise_if_wrong()


def test_a_changed_proof_is_caught(classifier: Any) -> None:
    _, _, model = classifier
    assert sardonyx.load(model).check().ok
    changed = tampered(model, last_bits, "logisticregression")
    with pytest.raises(VerificationError, match="predict_proba in sardonyx: 8 of 8 rows"):
        sardonyx.load(changed).check()


class Doubler(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Doubles, but for the rows that a trap is set for."""

    def __init__(self, trap: str = "") -> None:
        self.trap = trap

    def fit(self, X: Any, y: Any = None) -> Doubler:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        X = np.asarray(X)
        return np.where(TRAPS[self.trap](X), -1.0, X * 2)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


TRAPS: dict[str, Callable[[Any], Any]] = {
    "": lambda X: np.zeros(X.shape, bool),
    "always": lambda X: np.ones(X.shape, bool),
    "NaN": np.isnan,
    "zero": lambda X: X == 0,
    "infinity": np.isinf,
    "beyond": lambda X: np.abs(X) > 20,
    "one row": lambda X: np.full(X.shape, len(X) == 1),
}


@pytest.fixture
def _doubler() -> Any:
    from sardonyx import registry

    before = dict(registry._registered)
    converter(Doubler, finite=False)(lambda est, X: X * 2.0)
    yield
    registry._registered.clear()
    registry._registered.update(before)


@pytest.mark.usefixtures("_doubler")
@pytest.mark.parametrize("trap", TRAPS)
def test_rows_made_to_hurt_find_the_trap(trap: str) -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    estimator = Doubler(trap).fit(X)
    if trap in ("always", "one row"):
        with pytest.raises(VerificationError, match="does not say what Doubler says: transform in sardonyx"):
            sardonyx.to_onnx(estimator, X)
        with pytest.raises(VerificationError):
            sardonyx.compile(estimator, X)
    model = sardonyx.to_onnx(estimator, X, verify=False)
    report = sardonyx.verify(estimator, model, X)
    assert report.ok == (trap == "")
    assert all(v.ok == report.ok for v in report.verdicts)


@pytest.mark.parametrize(
    "estimator",
    [
        NMF(2, tol=1e-2, max_iter=500),
        MiniBatchNMF(2, beta_loss="kullback-leibler", tol=0.1),
        LatentDirichletAllocation(2),
        SparseCoder(np.eye(3, 4), transform_algorithm="lasso_lars"),
        SparsePCA(2, max_iter=50),
    ],
    ids=lambda e: type(e).__name__,
)
def test_iterated_estimators_hold_on_rows_made_to_hurt(estimator: Any) -> None:
    """Rows are compared together, as the estimator was given them; those it refuses part the rest into batches."""
    X = np.random.default_rng(0).poisson(2.0, size=(30, 4)).astype(float)
    fitted = estimator.fit(X)
    model = sardonyx.to_onnx(fitted, X)
    report = sardonyx.verify(fitted, model, X)
    assert report.ok, str(report)
    assert {verdict.runtime for verdict in report.verdicts} == {"sardonyx", "onnxruntime"}


def test_thresholds_of_trees_are_tried() -> None:
    X = np.random.default_rng(0).normal(size=(100, 3))
    tree = DecisionTreeClassifier(random_state=0).fit(X, X[:, 0] * X[:, 1] > 0)
    model = sardonyx.to_onnx(tree, X)
    (batch,) = [b for b in hurting_batches(X, model) if b.label == "at thresholds"]
    inner = tree.tree_.feature >= 0
    for feature, threshold in zip(tree.tree_.feature[inner], tree.tree_.threshold[inner], strict=True):
        tried = np.float32(batch.X[:, feature])
        nearest = np.float32(threshold)
        low = nearest if nearest <= threshold else np.nextafter(nearest, np.float32(-np.inf))
        assert (tried == low).any()
        assert (tried == np.nextafter(low, np.float32(np.inf))).any()
        assert (tried == np.nextafter(low, np.float32(-np.inf))).any()
    assert sardonyx.verify(tree, model, X).ok


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    text = rng.choice(np.array(["x", "ü", None], dtype=object), 60)
    return pd.DataFrame(
        {
            "a": rng.normal(size=60),
            "n": rng.integers(0, 5, 60),
            "t": text,
            "b": rng.random(60) < 0.5,
            "k": pd.Categorical(rng.choice(["p", "q"], 60)),
        }
    )


CONTAINERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda f: f,
    "polars": lambda f: pl.DataFrame(f.astype({"k": str})),
    "arrow": lambda f: pa.Table.from_pandas(f.astype({"k": str})),
    "dict": lambda f: {c: f[c].to_numpy() for c in f.columns},
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_rows_made_to_hurt_keep_the_container(container: str) -> None:
    X = CONTAINERS[container](frame())
    batches = {b.label: b for b in hurting_batches(X)}
    assert {"text", "NaN", "infinity", "numbers", "bools"} <= set(batches)
    assert all(type(b.X) is type(X) for b in batches.values())
    signature = describe(X)
    for batch in batches.values():
        feeds = tensors(batch.X, signature)
        assert {len(a) for a in feeds.values()} == {batch.rows}
    texts = tensors(batches["text"].X, signature)["t"]
    assert {"", "Größe 日本"} <= set(texts.ravel().tolist())


@pytest.mark.parametrize("make", [np.asarray, np.asfortranarray, sp.csr_matrix, sp.csc_array, np.ndarray.tolist])
def test_rows_made_to_hurt_of_matrices(make: Any) -> None:
    X = make(np.array([[1.0, 2.0], [0.0, 4.0]]))
    batches = list(hurting_batches(X))
    assert [b.label for b in batches] == ["NaN", "infinity", "numbers"]
    assert all(hasattr(b.X, "toarray") == hasattr(X, "toarray") for b in batches)


def test_a_pipeline_on_a_frame_is_verified() -> None:
    X = frame()
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "n"]),
        (OneHotEncoder(handle_unknown="ignore"), ["t", "k"]),
        ("passthrough", ["b"]),
    )
    estimator = make_pipeline(encoder, LogisticRegression()).fit(X, X["a"] > 0)
    model = sardonyx.to_onnx(estimator, X)
    report = sardonyx.verify(estimator, model, X)
    assert report.ok, str(report)
    assert {v.runtime for v in report.verdicts} == {"sardonyx", "onnxruntime"}


def test_a_session_or_a_compiled_file_is_verified_in_our_runtime(classifier: Any, tmp_path: Any) -> None:
    estimator, X, model = classifier
    session = sardonyx.load(model)
    session.save(tmp_path / "m.sdx")
    for form in (session, tmp_path / "m.sdx"):
        report = sardonyx.verify(estimator, form, X)
        assert report.ok
        assert {v.runtime for v in report.verdicts} == {"sardonyx"}


def test_a_file_of_others_cannot_be_verified() -> None:
    X = np.arange(6.0).reshape(3, 2)
    ridge = Ridge().fit(X, X[:, 0])
    model = sardonyx.to_onnx(ridge, X)
    del model.metadata_props[:]
    with pytest.raises(sardonyx.ModelError, match="does not say which output is which method's"):
        sardonyx.verify(ridge, model, X)


def test_a_sample_without_rows_proves_nothing() -> None:
    X = np.arange(6.0).reshape(3, 2)
    ridge = Ridge().fit(X, X[:, 0])
    session = sardonyx.load(sardonyx.to_onnx(ridge, X[:0]))
    np.testing.assert_allclose(session.predict(X), ridge.predict(X))
    with pytest.raises(sardonyx.ModelError, match="no rows to check it with"):
        session.check()


def test_nothing_compared_is_no_agreement() -> None:
    X = np.arange(6.0).reshape(3, 2)
    ridge = Ridge().fit(X, X[:, 0])
    model = sardonyx.to_onnx(ridge, X)
    for nothing in (X[:0], np.full((3, 2), np.nan)):
        with pytest.raises(sardonyx.InputError, match="Give rows such as it was fitted on"):
            sardonyx.verify(ridge, model, nothing)


def test_the_proof_travels_with_the_compiled_file(classifier: Any, tmp_path: Any) -> None:
    _, _, model = classifier
    session = sardonyx.load(model)
    session.save(tmp_path / "m.sdx")
    report = sardonyx.load(tmp_path / "m.sdx").check()
    assert report.ok
    assert [v.rows for v in report.verdicts] == [8, 8]


@pytest.mark.parametrize(
    ("actual", "expected", "wrong"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-12], []),
        ([1.0, 2.0], [1.0, 2.0 + 1e-9], [1]),
        ([np.nan, 1.0], [np.nan, np.nan], [1]),
        ([np.inf, np.inf, 1.0], [np.inf, -np.inf, np.inf], [1, 2]),
        ([0.0, 1e-13], [-0.0, 0.0], []),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.5, 4.0]], [1]),
        ([1, 2], [1, 3], [1]),
        ([1, 2], [1.0, 2.0], [0, 1]),
        ([1.0, 2.0], [1, 2], [0, 1]),
        (["a", "b"], ["a", "c"], [1]),
        ([True, False], [True, True], [1]),
        ([[1.0], [2.0]], [1.0, 2.0], [0, 1]),
        ([1.0, 2.0], ["1.0", "2.0"], [0, 1]),
    ],
)
def test_differ(actual: Any, expected: Any, wrong: list[int]) -> None:
    assert np.flatnonzero(differ(np.array(actual), np.array(expected)).wrong).tolist() == wrong


def test_noise_of_the_estimators_own_is_no_error_and_is_counted() -> None:
    """Distances between a training row and itself cancel: both answers are noise around zero, but not the same.

    Our runtime rounds as BLAS does on most processors; ONNX Runtime takes so many features in other portions.
    """
    X = np.random.default_rng(0).normal(size=(40, 300)) + 10
    estimator = Birch(threshold=1e-3, n_clusters=None).fit(X)
    model = sardonyx.to_onnx(estimator, X, methods="transform")
    report = sardonyx.verify(estimator, model, X)
    assert report.ok, str(report)
    assert any(v.noisy > 0 and "within the estimator's own rounding" in str(v) for v in report.verdicts)
    shifted = tampered(model, lambda centers: centers + 1e-5, "subcluster")
    assert not sardonyx.verify(estimator, shifted, X).ok


def test_float32_has_a_tolerance_of_its_own() -> None:
    right = np.array([1.0, 2.0], np.float32)
    assert not differ(right * np.float32(1 + 1e-6), right).wrong.any()
    assert differ(right * np.float32(1 + 1e-4), right).wrong.all()
    assert not differ(right.astype(np.float64) * (1 + 1e-6), right.astype(np.float64), single=True).wrong.any()


def test_convert_alone_proves_nothing() -> None:
    X = np.arange(6.0).reshape(3, 2)
    model = convert(Ridge().fit(X, X[:, 0]), X)
    with pytest.raises(sardonyx.ModelError, match="no rows to check it with"):
        sardonyx.load(model).check()


def test_lists_of_rows_and_whole_numbers_have_noise_of_their_own_too() -> None:
    """Of equal rows a Gaussian process has huge coefficients, which cancel; SparsePCA loses a dimension."""
    X = np.random.default_rng(0).integers(0, 4, (60, 4))
    for estimator in (GaussianProcessRegressor().fit(X, X[:, 0]), SparsePCA(2, random_state=0).fit(X)):
        for rows in (X, X.tolist()):
            assert sardonyx.load(sardonyx.to_onnx(estimator, rows)).check().ok


def test_half_precision_is_refused_where_the_estimator_rounds_to_it() -> None:
    X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float16)
    with pytest.raises(ConversionError, match="float32"):
        sardonyx.to_onnx(StandardScaler().fit(X), X)


def test_a_logit_of_probabilities_in_float32_is_no_other() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = X[:, 0] + rng.normal(size=200) > 0
    estimator = GradientBoostingClassifier(init=GaussianNB(), n_estimators=3).fit(X * 10, y)
    assert sardonyx.load(sardonyx.to_onnx(estimator, X * 10, methods="decision_function")).check().ok


def test_what_no_row_passes_is_said_in_the_estimators_words() -> None:
    X = np.arange(12.0).reshape(6, 2)
    model = sardonyx.to_onnx(Ridge().fit(X, X[:, 0]), X)
    with pytest.raises(InputError, match=r"accepts none of them \(This Ridge instance is not fitted yet"):
        sardonyx.verify(Ridge(), model, X)
    with pytest.raises(InputError, match=r"accepts none of them \(X has 1 features"):
        sardonyx.verify(Ridge().fit(X, X[:, 0]), model, X[:, :1])
