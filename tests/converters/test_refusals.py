"""Meta-estimators, kernels and clusters: what has no exact form is refused, and says the way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import AffinityPropagation, FeatureAgglomeration
from sklearn.decomposition import (
    NMF,
    DictionaryLearning,
    KernelPCA,
    LatentDirichletAllocation,
    MiniBatchNMF,
    SparseCoder,
)
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import AdditiveChi2Sampler, SkewedChi2Sampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.semi_supervised import LabelPropagation

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, SardonyxError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

from ..cases.data import dataset

BINARY, MULTI, NUMBERS, COUNTS = (dataset(n) for n in ("binary", "multiclass_few", "regression", "positive"))
ATOMS = np.eye(4, 7)


def dot(a: Any, b: Any) -> Any:
    """A Python kernel."""
    return a @ b


def row_spans(X: Any, axis: int) -> Any:
    """A Python pooling function."""
    return X.max(axis=axis) - X.min(axis=axis)


class OwnKernel(RBF):  # type: ignore[misc]
    """A kernel that overrides what it computes."""

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        return super().__call__(X, Y, eval_gradient)


REFUSED: dict[str, tuple[Any, Any, str, str]] = {
    "random classes": (DummyClassifier(strategy="stratified"), BINARY, "predict", "is random.*'prior'"),
    "random labels": (DummyClassifier(strategy="uniform"), BINARY, "predict", "is random.*'prior'"),
    "random probabilities": (DummyClassifier(strategy="stratified"), BINARY, "predict_proba", "is random.*'prior'"),
    "Python kernel": (KernelRidge(kernel=dot), NUMBERS, "predict", "function of Python.*'precomputed'"),
    "Python graph": (LabelPropagation(kernel=lambda a, b: a @ b.T), BINARY, "predict", "kernel='rbf' or 'knn'"),
    "own kernel": (GaussianProcessRegressor(OwnKernel()), NUMBERS, "predict", "OwnKernel is not known.*RBF"),
    "pairs have no probabilities": (
        GaussianProcessClassifier(multi_class="one_vs_one", optimizer=None),
        MULTI,
        "predict_proba",
        "'one_vs_rest', or convert predict alone",
    ),
    "no centres": (AffinityPropagation(affinity="precomputed"), dataset("gram"), "predict", "affinity='euclidean'"),
    "Python pooling": (FeatureAgglomeration(pooling_func=row_spans), NUMBERS, "transform", "numpy.mean"),
    "random features": (BernoulliRBM(2), COUNTS, "score_samples", "score_samples cannot be converted: .*at random"),
    "random order": (NMF(2, shuffle=True, tol=1), COUNTS, "transform", "another order.*random_state"),
    "signs on the path": (
        SparseCoder(ATOMS, transform_algorithm="lars", positive_code=True),
        NUMBERS,
        "transform",
        "no positive_code=True.*'lasso_lars'",
    ),
    "more than all atoms": (SparseCoder(ATOMS, transform_n_nonzero_coefs=5), NUMBERS, "transform", "the 4 atoms"),
    "atoms of another dtype": (
        SparseCoder(ATOMS.astype(np.float32), transform_algorithm="lasso_cd"),
        NUMBERS,
        "transform",
        r"astype\('float32'\)",
    ),
    "more neighbours than rows": (
        BaggingRegressor(KNeighborsRegressor(), n_estimators=2, max_samples=2),
        NUMBERS,
        "predict",
        "n_neighbors=5 is more than the 2 rows",
    ),
    "another width than in the fit": (
        make_pipeline(DictionaryLearning(3, split_sign=True, max_iter=2, random_state=0), Ridge()),
        NUMBERS,
        "predict",
        "Ridge is given 6 features here, and was fitted on 3",
    ),
    "no way back": (KernelPCA(2), NUMBERS, "inverse_transform", "Set it to True"),
}


@pytest.mark.parametrize(("estimator", "data", "method", "message"), REFUSED.values(), ids=REFUSED)
def test_conversion_refuses(estimator: Any, data: Any, method: str, message: str) -> None:
    fitted = estimator.fit(data.X, data.y)
    with pytest.raises(ConversionError, match=message):
        convert(fitted, data.X, methods=method)


def test_squares_of_bools_are_refused() -> None:
    fitted = GaussianProcessRegressor(DotProduct(), alpha=1.0, optimizer=None).fit(NUMBERS.X, NUMBERS.y)
    with pytest.raises(ConversionError, match=r"DotProduct of bool adds up squares in bool.*as float64"):
        convert(fitted, NUMBERS.X > 0, methods="predict_std")
    session = sardonyx.load(convert(fitted, NUMBERS.X, methods="predict_std"))
    with pytest.raises(
        sardonyx.InputError, match=r"X holds int8, whose squares DotProduct .* give X.astype\('float64'\)"
    ):
        session.predict((NUMBERS.X > 0).astype(np.int8), return_std=True)


LABELS = {
    "bytes": (np.array([b"no", b"yes"]), "dtype .S3 have no ONNX type.*int, float, bool or str"),
    "beyond int64": (np.array([1, 2**63 + 5], np.uint64), "9223372036854775813 is beyond int64.*or on str"),
}


@pytest.mark.parametrize("estimator", [AdaBoostClassifier(n_estimators=2), KNeighborsClassifier()], ids=str)
@pytest.mark.parametrize(("labels", "message"), LABELS.values(), ids=LABELS)
def test_labels_without_a_type_are_refused(estimator: Any, labels: Any, message: str) -> None:
    fitted = estimator.fit(BINARY.X, labels[np.arange(len(BINARY.X)) % 2])
    with pytest.raises(ConversionError, match=message):
        convert(fitted, BINARY.X)


def test_text_is_refused_for_an_opset_that_cannot_compare_it() -> None:
    X = np.array([["a"], ["b"]], dtype=object)
    with pytest.raises(ConversionError, match="take a later target_opset"):
        convert(OneHotEncoder().fit(X), X, target_opset=18)


def test_components_of_zeros_are_refused() -> None:
    fitted = NMF(2, tol=1).fit(COUNTS.X)
    fitted.components_ *= 0
    with pytest.raises(ValueError, match="full of zeros"):
        fitted.transform(COUNTS.X)
    with pytest.raises(ConversionError, match="all zeros"):
        convert(fitted, COUNTS.X)


@pytest.mark.parametrize("estimator", [NMF(2, tol=1), MiniBatchNMF(2, tol=1)])
def test_a_sample_of_another_dtype_than_the_fit_is_refused(estimator: Any) -> None:
    with pytest.raises(ConversionError, match=r"fitted on float64, the sample is float32.*astype\('float64'\)"):
        convert(estimator.fit(COUNTS.X), COUNTS.X.astype(np.float32))


def run(estimator: Any, X: Any, sample: Any) -> Any:
    """Run natively."""
    return PlanRunner(lower(convert(estimator, sample)), threads=1).run(None, {"X": X})[0]


INPUTS: dict[str, tuple[Any, Any, Any, str]] = {
    "outside": (IsotonicRegression(out_of_bounds="raise"), dataset("one_feature"), [[1e9]], "IsotonicRegression"),
    "negative": (AdditiveChi2Sampler(), COUNTS, -np.ones((1, 8)), "negative"),
    "too small": (SkewedChi2Sampler(), COUNTS, -np.ones((1, 8)), "-skewedness"),
    "negative kernel": (KernelRidge(kernel="chi2", gamma=0.5), COUNTS, -np.ones((1, 8)), "negative"),
    "negative counts": (LatentDirichletAllocation(2, max_iter=1), COUNTS, -np.ones((1, 8)), "negative"),
    "negative data": (NMF(2, tol=1), COUNTS, -np.ones((1, 8)), "negative"),
    "zeros to divide by": (
        NMF(2, solver="mu", beta_loss="itakura-saito", init="random", random_state=0, tol=1),
        dataset("strictly_positive"),
        np.eye(8)[:3],
        "zeros in the data",
    ),
    "not finite": (CalibratedClassifierCV(cv=2), BINARY, np.full((1, 7), np.nan), "NaN"),
}


@pytest.mark.parametrize(("estimator", "data", "bad", "message"), INPUTS.values(), ids=INPUTS)
def test_the_runtime_refuses_what_the_estimator_refuses(estimator: Any, data: Any, bad: Any, message: str) -> None:
    fitted, rows = estimator.fit(data.X, data.y), np.asarray(bad)
    with pytest.raises(ValueError, match=r"interpolation range|[Nn]egative|skewedness|NaN|contains zeros"):
        (fitted.predict if hasattr(fitted, "predict") else fitted.transform)(rows)
    with pytest.raises(SardonyxError, match=message):
        run(fitted, rows, data.X)
