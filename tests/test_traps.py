"""Named traps: where conversions elsewhere succeed and answer wrongly. Each runs here and in ONNX Runtime."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sardonyx

from .exactness import expected_outputs

METHODS = ("predict", "predict_proba", "decision_function", "transform", "apply")


def assert_same_everywhere(estimator: Any, X: Any, rows: Any, bits: bool = False, rtol: float = 1e-10) -> None:
    """Compile from the sample X, and compare on rows: in our runtime bit by bit if asked, and in ONNX Runtime."""
    methods = [m for m in METHODS if hasattr(estimator, m)]
    model = sardonyx.to_onnx(estimator, X, methods=methods)
    session = sardonyx.load(model)
    theirs = ort.InferenceSession(model.SerializeToString())
    names = [output.name for output in theirs.get_outputs()]
    tensors = dict(zip(names, theirs.run(names, session.feeds(rows)), strict=True))
    assert session.description is not None
    for method in methods:
        expected = expected_outputs(estimator, method, rows)
        answer = session.answer(method, rows)
        ours = [dense(a) for a in (answer if isinstance(answer, list | tuple) else [answer])]
        others = [tensors[name] for name in session.description.methods[method].outputs]
        for mine, other, right in zip(ours, others, expected, strict=True):
            assert mine.dtype == right.dtype
            # probabilities of boosting go through exp, which no standard makes bit-identical
            rounded = method == "predict_proba" and "decision_function" in methods
            same(mine, right, 0 if bits and not rounded else rtol)
            same(other, right, rtol)


def dense(answer: Any) -> NDArray[Any]:
    return np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)


def same(actual: NDArray[Any], expected: NDArray[Any], rtol: float) -> None:
    assert actual.shape == expected.shape
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=1e-12 if rtol else 0)
    else:
        assert actual.tolist() == expected.tolist()


def blobs(n: int = 300, features: int = 4, classes: int = 2, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, features))
    return X, rng.permutation(classes)[np.digitize(X[:, 0] + X[:, 1] ** 2, np.linspace(0, 2, classes + 1)[1:-1])]


TREES = [
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(10, random_state=0),
    ExtraTreesClassifier(10, random_state=0, bootstrap=True),
    HistGradientBoostingClassifier(max_iter=10),
]


@pytest.mark.parametrize("estimator", TREES, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("seen", [False, True])
def test_nan_in_trees_whether_or_not_training_saw_it(estimator: Any, seen: bool) -> None:
    X, y = blobs()
    holes = np.random.default_rng(1).random(X.shape) < 0.3
    fitted = estimator.fit(np.where(holes & seen, np.nan, X), y)
    if not (seen or isinstance(fitted, HistGradientBoostingClassifier)):
        with pytest.raises(sardonyx.InputError, match="NaN") if not accepts_nan(fitted) else nullcontext():
            sardonyx.compile(fitted, X).predict(np.where(holes, np.nan, X))
    if accepts_nan(fitted):
        assert_same_everywhere(fitted, X, np.where(holes, np.nan, X), bits=True)


def accepts_nan(estimator: Any) -> bool:
    try:
        estimator.predict(np.full((1, estimator.n_features_in_), np.nan))
    except ValueError:
        return False
    return True


def around_splits(thresholds: NDArray[Any], features: NDArray[Any], width: int, dtype: Any) -> NDArray[Any]:
    """Rows whose values are the thresholds and their nearest neighbours, in float32 and in float64."""
    single = thresholds.astype(np.float32)
    values = [
        thresholds,
        np.nextafter(thresholds, np.inf),
        np.nextafter(thresholds, -np.inf),
        single.astype(np.float64),
    ]
    values += [np.nextafter(single, np.float32(way)).astype(np.float64) for way in (np.inf, -np.inf)]
    rows = np.zeros((len(values) * len(thresholds), width), dtype)
    with np.errstate(all="ignore"):
        rows[np.arange(len(rows)), np.tile(features, len(values))] = np.concatenate(values).astype(dtype)
    return rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_one_ulp_around_splits(dtype: Any) -> None:
    X, y = blobs()
    X = X.astype(dtype)
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    inner = [
        (t.tree_.threshold[t.tree_.feature >= 0], t.tree_.feature[t.tree_.feature >= 0]) for t in forest.estimators_
    ]
    thresholds, features = (np.concatenate(parts) for parts in zip(*inner, strict=True))
    assert_same_everywhere(forest, X, around_splits(thresholds, features, X.shape[1], dtype), bits=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_one_ulp_around_splits_of_histograms(dtype: Any) -> None:
    X, y = blobs()
    X = X.astype(dtype)
    booster = HistGradientBoostingClassifier(max_iter=5).fit(X, y)
    nodes = np.concatenate([p.nodes for stage in booster._predictors for p in stage])
    nodes = nodes[nodes["is_leaf"] == 0]
    rows = around_splits(nodes["num_threshold"], nodes["feature_idx"], X.shape[1], dtype)
    assert_same_everywhere(booster, X, rows, bits=True)


def test_epoch_seconds_and_ids_that_float32_cannot_hold() -> None:
    rng = np.random.default_rng(0)
    X = np.c_[1.7e9 + rng.integers(0, 1000, 300), 2.0**40 + rng.integers(0, 5, 300)]
    y = (X[:, 0] % 2 == 0).astype(int) + 2 * (X[:, 1] % 2 == 0)
    assert_same_everywhere(HistGradientBoostingClassifier(max_iter=20).fit(X, y), X, X, bits=True)
    assert_same_everywhere(DecisionTreeClassifier(random_state=0).fit(X, y), X, X, bits=True)
    whole = X.astype(np.int64)
    assert_same_everywhere(DecisionTreeClassifier(random_state=0).fit(whole, y), whole, whole, bits=True)
    scaled = make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)).fit(X, y)
    assert_same_everywhere(scaled, X, X, bits=True)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2**40, -(2**50), 7]),
        np.array([5.0, -1.0, 2.0]),
        np.array(["ä", "", "日本"]),
        np.array([3, 1, 2], np.int8),
    ],
    ids=["beyond int32", "float", "text", "int8"],
)
@pytest.mark.parametrize(
    "estimator", [RandomForestClassifier(5, random_state=0), LogisticRegression()], ids=["forest", "linear"]
)
def test_labels_of_every_dtype(estimator: Any, labels: Any) -> None:
    X, y = blobs(classes=3)
    assert_same_everywhere(estimator.fit(X, labels[y]), X, X)


def test_bool_labels() -> None:
    X, y = blobs()
    for estimator in (RandomForestClassifier(5, random_state=0), LogisticRegression()):
        assert_same_everywhere(estimator.fit(X, y == 1), X, X)


def test_forests_tied_at_a_half() -> None:
    X, y = blobs(200)
    forest = RandomForestClassifier(2, random_state=0).fit(X, y)
    assert (forest.predict_proba(X * 0.9) == 0.5).any()
    assert_same_everywhere(forest, X, X * 0.9, bits=True)


@pytest.mark.parametrize("shape", ["ovo", "ovr"])
def test_ties_of_one_against_one_votes(shape: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), rng.integers(0, 4, 60)
    model = SVC(decision_function_shape=shape, break_ties=False, C=0.1).fit(X, y)
    votes = SVC(decision_function_shape="ovo", C=0.1).fit(X, y).decision_function(X * 2) > 0
    assert votes.shape == (60, 6)
    assert_same_everywhere(model, X, np.r_[X, X * 2, [[0.0, 0], [-0.0, 1e6]]])


def test_decision_function_of_an_svc_with_probabilities() -> None:
    X, y = blobs(120, classes=3)
    with pytest.warns(FutureWarning) if "probability" in deprecated(SVC) else nullcontext():
        model = SVC(probability=True, random_state=0).fit(X, y)
    assert_same_everywhere(model, X, X * 1.1)


def deprecated(cls: type) -> set[str]:
    """Parameters that this scikit-learn deprecates: their default is a marker."""
    import inspect

    return {name for name, p in inspect.signature(cls).parameters.items() if p.default in ("deprecated", "warn")}


@pytest.mark.parametrize("strategy", ["mean", "most_frequent", "constant"])
def test_an_imputers_indicator_columns(strategy: str) -> None:
    X, _ = blobs()
    X[::3, 1], X[1::5, 3] = np.nan, np.nan
    imputer = SimpleImputer(strategy=strategy, add_indicator=True).fit(X)
    rows = X.copy()
    rows[:, 1] = np.nan
    assert imputer.transform(rows).shape[1] == 6
    assert_same_everywhere(imputer, X, rows)


@pytest.mark.parametrize("encoded", [-1.0, np.nan])
def test_ordinal_encoder_with_nan(encoded: float) -> None:
    X = np.array([[1.0], [np.nan], [5.0], [3.0]])
    encoder = OrdinalEncoder(encoded_missing_value=encoded, handle_unknown="use_encoded_value", unknown_value=-2).fit(X)
    assert_same_everywhere(encoder, X, np.array([[5.0], [np.nan], [7.0]]))


def test_text_that_looks_alike() -> None:
    words = np.array([["é"], ["e\u0301"], ["E"], [""], [" "], ["nan"], ["None"], ["İ"], ["ß"]], dtype=object)
    encoder = OneHotEncoder(handle_unknown="ignore").fit(words)
    rows = np.r_[words, np.array([["ss"], ["e"], ["É"]], dtype=object)]
    assert_same_everywhere(encoder, words, rows)


def test_missing_text_is_a_category_of_its_own() -> None:
    frame = pd.DataFrame({"c": np.array(["a", None, "b", "None", "nan"], dtype=object)})
    encoder = OneHotEncoder(handle_unknown="ignore").fit(frame)
    assert_same_everywhere(encoder, frame, frame)
    frame = pd.DataFrame({"c": np.array(["a", np.nan, "b", "None", "nan"], dtype=object)})
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["c"])).fit(frame)
    assert_same_everywhere(encoder, frame, frame[::-1])


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson", "gamma", "quantile"])
def test_histogram_boosting_with_categories_and_every_loss(loss: str) -> None:
    rng = np.random.default_rng(0)
    X = np.c_[rng.integers(0, 12, 400).astype(float), rng.normal(size=400)]
    X[::7, 0] = np.nan
    y = np.exp(np.sin(np.nan_to_num(X[:, 0], nan=5)) + 0.1 * X[:, 1])
    options = {"quantile": 0.3} if loss == "quantile" else {}
    model = HistGradientBoostingRegressor(loss=loss, max_iter=15, categorical_features=[0], **options).fit(X, y)
    rows = np.r_[X, [[50.0, 0], [-1.0, 0], [2.5, 0], [np.nan, np.nan], [1e6, 1e300]]]
    assert_same_everywhere(model, X, rows)


@pytest.mark.parametrize("classes", [2, 4])
def test_histogram_boosting_classifies_with_categories(classes: int) -> None:
    rng = np.random.default_rng(0)
    X = np.c_[rng.integers(0, 40, 400).astype(float), rng.normal(size=400)]
    y = (X[:, 0] * 7 % classes).astype(int)
    model = HistGradientBoostingClassifier(max_iter=10, categorical_features=[True, False]).fit(X, y)
    assert_same_everywhere(model, X, np.r_[X, [[99.0, 0], [np.nan, 1]]])


def test_shapes_of_several_outputs() -> None:
    X, y = blobs(classes=3)
    both = np.c_[y, y > 0].astype(int)
    for model in (RandomForestClassifier(4, random_state=0), MultiOutputClassifier(LogisticRegression())):
        assert_same_everywhere(model.fit(X, both), X, X[:7])
    assert_same_everywhere(RandomForestRegressor(4, random_state=0).fit(X, X[:, 0]), X, X[:1], bits=True)
    assert_same_everywhere(RandomForestRegressor(4, random_state=0).fit(X, X[:, :2]), X, X[:1], bits=True)
