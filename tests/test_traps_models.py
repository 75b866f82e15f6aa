"""Named traps, estimator by estimator: what conversions elsewhere get wrong without saying so (see test_traps.py)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.covariance import EllipticEnvelope
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import BayesianRidge, LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

import sardonyx

from .test_traps import assert_same_everywhere, blobs, same


def test_the_largest_norm_is_the_largest_magnitude() -> None:
    X = np.array([[-3.0, 1.0], [0.5, -0.25], [0.0, 0.0], [-0.0, 1e-300], [-1e300, 1e300]])
    assert_same_everywhere(Normalizer("max").fit(X), X, X, bits=True)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", [LogisticRegression(), LinearDiscriminantAnalysis(), MLPClassifier((5,))])
def test_logarithms_of_probabilities_that_float32_hardly_holds(model: Any, classes: int) -> None:
    """Down to the smallest subnormal number, and beyond it, where the logarithm is minus infinity."""
    X = np.linspace(-3, 3, 60, dtype=np.float32)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = clone(model).set_params(**SEED.get(type(model).__name__, {})).fit(X, np.arange(60) * classes // 60)
        rows = np.linspace(-60, 60, 241, dtype=np.float32)[:, None]
        assert (fitted.predict_proba(rows) < np.finfo(np.float32).smallest_normal).any()
        report = sardonyx.verify(fitted, sardonyx.to_onnx(fitted, X, methods="predict_log_proba"), rows)
    assert report.ok, str(report)


SEED = {"MLPClassifier": {"random_state": 0, "max_iter": 500, "learning_rate_init": 0.1}}


@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
@pytest.mark.parametrize("standardize", [True, False])
def test_power_transforms_let_nan_through(method: str, standardize: bool) -> None:
    X, _ = blobs()
    X = np.abs(X) + 0.1 if method == "box-cox" else X
    X[::7, 1] = np.nan
    rows = X.copy()
    rows[::3] = np.nan
    assert_same_everywhere(PowerTransformer(method, standardize=standardize).fit(X), X, rows)


@pytest.mark.parametrize("target", ["binary", "continuous", "multiclass"])
def test_target_encoder_takes_nan_for_a_category(target: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, (300, 2)).astype(float)
    X[::6, 0] = np.nan
    y = {"binary": X[:, 1] > 2, "continuous": np.nan_to_num(X[:, 0]) * 0.3 + rng.normal(size=300)}.get(target)
    y = X[:, 1].astype(int) % 3 if y is None else y
    rows = np.array([[np.nan, 0], [1, np.nan], [np.nan, np.nan], [9, 3], [4, -1]])
    assert_same_everywhere(TargetEncoder(target_type=target, random_state=0).fit(X, y), X, rows)


@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("use_idf", [True, False])
def test_sublinear_tf_of_counts_of_zero_and_one(norm: Any, use_idf: bool) -> None:
    """1 + log(count) of the counts that are there; a count of 0 stays 0, and so does a row without any term."""
    texts = ["a b b c c c c", "c", "", "unseen", "b b b b b b b b b b b"]
    how: dict[str, Any] = {"norm": norm, "use_idf": use_idf, "sublinear_tf": True}
    assert_same_everywhere(TfidfVectorizer(token_pattern=r"\w+", **how).fit(texts), texts, texts)
    counts = np.array([[0.0, 1, 2], [0, 0, 0], [1e6, 0.5, 0], [0, 3, 1]])
    for X in (counts, counts.astype(np.int64)):
        assert_same_everywhere(TfidfTransformer(**how).fit(X), X, X[::-1])


@pytest.mark.parametrize("classes", [2, 3])
def test_isotonic_calibration_interpolates(classes: int) -> None:
    X, y = blobs(400, classes=classes)
    model = CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=3).fit(X, y)
    rows = np.r_[X, X * 1.3, np.linspace(X[0], X[1], 50)]
    assert len(np.unique(model.predict_proba(rows)[:, 0])) > 50  # not the steps of the thresholds
    assert_same_everywhere(model, X, rows)


def test_a_tuned_threshold_decides() -> None:
    X, y = blobs(400)
    model = TunedThresholdClassifierCV(LogisticRegression(), scoring="recall", cv=3).fit(X, y)
    assert (model.predict(X) != model.estimator_.predict(X)).any()
    assert_same_everywhere(model, X, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deviations_of_bayesian_ridge(dtype: Any) -> None:
    X, _ = blobs()
    X = X.astype(dtype)
    model = BayesianRidge().fit(X, X[:, 0] - X[:, 1])
    session = sardonyx.load(sardonyx.to_onnx(model, X, methods=["predict", "predict_std"]))
    for mine, right in zip(session.predict(X, return_std=True), model.predict(X, return_std=True), strict=True):
        same(mine, right, 1e-5 if dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("store", [True, False])
def test_shapes_and_probabilities_of_discriminants(classes: int, store: bool) -> None:
    X, y = blobs(400, classes=classes)
    for model in (LinearDiscriminantAnalysis(store_covariance=store), QuadraticDiscriminantAnalysis(reg_param=0.1)):
        fitted = model.fit(X, y)
        assert fitted.decision_function(X).shape == ((len(X),) if classes == 2 else (len(X), classes))
        assert_same_everywhere(fitted, X, np.r_[X, X * 3])


def test_neighbours_at_no_distance_alone_decide() -> None:
    X, y = blobs(120, classes=3)
    twice, labels = np.r_[X, X], np.r_[y, (y + 1) % 3]
    for model in (KNeighborsClassifier(2, weights="distance"), KNeighborsRegressor(4, weights="distance")):
        assert_same_everywhere(model.fit(twice, labels), twice, np.r_[X, X + 1e-9])


@pytest.mark.parametrize("classes", [2, 3])
def test_modified_huber_clips_probabilities(classes: int) -> None:
    X, y = blobs(300, classes=classes)
    model = SGDClassifier(loss="modified_huber", random_state=0).fit(X, y)
    proba = model.predict_proba(X * 5)
    assert np.isin(proba, [0.0, 1.0]).any()
    assert_same_everywhere(model, X, np.r_[X, X * 5, X * 1e-3])


def test_decisions_of_exponential_loss() -> None:
    X, y = blobs()
    model = GradientBoostingClassifier(loss="exponential", n_estimators=9, random_state=0).fit(X, y)
    assert_same_everywhere(model, X, X * 1.1, bits=True)
    assert_same_everywhere(AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=9).fit(X, y), X, X)


def test_committees_over_estimators_without_probabilities() -> None:
    X, y = blobs(300, classes=3)
    parts = [("svc", LinearSVC(random_state=0)), ("ridge", RidgeClassifier()), ("bayes", GaussianNB())]
    for model in (
        StackingClassifier(parts, cv=2),
        StackingClassifier(parts[:2], RidgeClassifier(), cv=2, passthrough=True),
        OneVsRestClassifier(LinearSVC(random_state=0)),
        OneVsRestClassifier(RidgeClassifier()),
    ):
        assert_same_everywhere(model.fit(X, y), X, X[::2] * 1.2)


@pytest.mark.parametrize("voting", ["hard", "soft"])
@pytest.mark.parametrize("flat", [True, False])
def test_votes_with_a_list_of_weights(voting: str, flat: bool) -> None:
    X, y = blobs(300, classes=3)
    parts = [("a", LogisticRegression()), ("b", GaussianNB()), ("c", DecisionTreeClassifier(max_depth=3))]
    model = VotingClassifier(parts, voting=voting, weights=[1, 2.5, 0], flatten_transform=flat).fit(X, y)
    methods = ["predict", "predict_proba", "transform"] if voting == "soft" else ["predict", "transform"]
    file = sardonyx.to_onnx(model, X, methods=methods)
    assert sardonyx.verify(model, file, X).ok
    session = sardonyx.load(file)
    assert session.check().ok
    for method in methods:
        same(session.answer(method, X), getattr(model, method)(X), 1e-10)


def test_a_constant_feature_of_naive_bayes() -> None:
    """Its variance is nearly nothing: likelihoods of 1e9 are added up, of which differences of 100 are left."""
    X, y = blobs(60, classes=3)
    X[:, 2] = 1.5
    model = GaussianNB().fit(X, y)
    rows = np.repeat(X[:9], 3, axis=0)
    rows[:, 2] = np.tile([0.0, -8.5, 11.5], 9)
    assert (model._joint_log_likelihood(rows) < -1e8).all()
    session = sardonyx.compile(model, X, methods=["predict", "predict_log_proba"])
    same(session.predict(rows), model.predict(rows), 0)
    same(session.predict_log_proba(rows), model.predict_log_proba(rows), 1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("features", [3, 8])
def test_a_training_row_is_an_envelopes_threshold(features: int, dtype: Any) -> None:
    """A tenth of 100 gaps between 101 rows: the percentile is a row's own distance, whose last bit decides."""
    rng = np.random.default_rng(features)
    X = (10 * rng.normal(size=(101, features))).astype(dtype)
    model = EllipticEnvelope(contamination=0.1, random_state=0).fit(X)
    assert (abs(model.decision_function(X)) < (1e-3 if dtype == np.float32 else 1e-13)).any()
    assert_same_everywhere(model, X, X, bits=True, rtol=0)


@pytest.mark.parametrize("scale", [1e6, 1e10])
def test_kernels_far_from_the_origin(scale: float) -> None:
    rng = np.random.default_rng(0)
    X = scale + rng.integers(-40, 40, (80, 3)) / 4.0
    y = X[:, 0] - X[:, 1]
    gamma = 0.01
    machines = [SVR(gamma=gamma), SVC(gamma=gamma), OneClassSVM(gamma=gamma)] if scale < 1e10 else []  # libsvm gives up
    for model in [KernelRidge(kernel="laplacian", gamma=gamma), *machines]:
        assert_same_everywhere(model.fit(X, y > 0), X, X + 0.25)
    assert_same_everywhere(GaussianProcessRegressor(alpha=0.1, optimizer=None).fit(X, y), X, X + 0.25)


def test_subnormal_values() -> None:
    tiny = np.array([5e-324, 1e-310, -1e-320, 2.2e-308, 0.0, -0.0, 1.0, -3.0])
    X = np.c_[tiny, tiny[::-1], np.roll(tiny, 3)]
    for scaler in (StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler(), Normalizer("l1")):
        assert_same_everywhere(scaler.fit(X), X, X)
    assert_same_everywhere(QuantileTransformer(n_quantiles=8).fit(X), X, X)
    assert_same_everywhere(DecisionTreeClassifier(random_state=0).fit(X, np.arange(8) % 2), X, X, bits=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same_everywhere(KBinsDiscretizer(3, encode="ordinal", strategy="uniform").fit(X), X, X, bits=True)


def test_counts_stay_integers() -> None:
    """Integers beyond 2**24 and 2**53, which floats of the input's road would round."""
    X = np.array([[2**24 + 1, 3], [2**24, 5], [2**53 + 1, 7], [2**53, 3]], np.int64)
    ordinal = OrdinalEncoder(dtype=np.int64).fit(X)
    assert_same_everywhere(ordinal, X, X)
    assert_same_everywhere(OneHotEncoder(dtype=np.int64).fit(X), X, X)
    counts = np.random.default_rng(0).integers(0, 9, (60, 4))
    assert_same_everywhere(MultinomialNB().fit(counts, counts[:, 0] % 3), counts, counts)
    model = sardonyx.to_onnx(ordinal, X)
    (answer,) = ort.InferenceSession(model.SerializeToString()).run(None, {"X": X})
    assert answer.dtype == np.int64


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_integers_of_a_mixture_that_was_fitted_on_floats_are_refused(kind: Any) -> None:
    """scikit-learn keeps squared distances in the dtype of the rows: with integers, it truncates them."""
    X = np.random.default_rng(0).integers(-9, 9, (60, 3)).astype(np.float64)
    model = GaussianMixture(2, covariance_type=kind, random_state=0).fit(X)
    methods = ["predict", "predict_proba", "score_samples"]
    for sample in (X, pd.DataFrame(X, columns=list("abc"))):
        session = sardonyx.compile(model, sample, methods=methods)
        for rows in (X.astype(np.int64), pd.DataFrame(X.astype(np.int8), columns=list("abc")), X.astype(int).tolist()):
            for method in methods:
                with pytest.raises(
                    sardonyx.InputError, match=r"GaussianMixture answers otherwise.*astype\('float64'\)"
                ):
                    session.answer(method, rows)
        for rows in (X, X.astype(object), X.astype(np.float32)):
            same(session.predict(rows), model.predict(rows), 0)
    whole = X.astype(np.int64)
    assert_same_everywhere(GaussianMixture(2, covariance_type=kind, random_state=0).fit(whole), whole, whole)
    behind = make_pipeline(StandardScaler(), GaussianMixture(2, random_state=0)).fit(X)
    same(sardonyx.compile(behind, X).predict(whole), behind.predict(whole), 0)


def test_what_integers_and_stored_zeros_are_to_the_additive_chi_squared() -> None:
    X = np.random.default_rng(0).integers(0, 4, (30, 5)).astype(np.float64)
    session = sardonyx.compile(AdditiveChi2Sampler().fit(X), X)
    sparse = csr_matrix(X)
    for rows in (X.astype(np.int64), sparse.astype(np.int32)):
        with pytest.raises(sardonyx.InputError, match="AdditiveChi2Sampler answers otherwise"):
            session.transform(rows)
    sparse.data[:3] = 0
    with pytest.raises(sardonyx.InputError, match=r"AdditiveChi2Sampler makes NaN; call X.eliminate_zeros\(\) first"):
        session.transform(sparse)
    one = AdditiveChi2Sampler(sample_steps=1).fit(X)
    with np.errstate(all="ignore"):
        expected = one.transform(sparse).toarray()
    same(sardonyx.compile(one, csr_matrix(X)).transform(sparse).toarray(), expected, 1e-12)
    loaded = sardonyx.load(sardonyx.to_onnx(AdditiveChi2Sampler().fit(X), X).SerializeToString())
    with pytest.raises(sardonyx.InputError, match="answers otherwise"):
        loaded.transform(X.astype(np.int64))
