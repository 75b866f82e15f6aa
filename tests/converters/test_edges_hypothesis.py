"""Scalers, encoders and imputers on data that hypothesis makes: at numeric edges, of few categories, much missing.

Each example fits the estimator, converts it, and asks both runtimes for rows of the fit, for their neighbours one unit
in the last place away, and for rows never seen. Trees have a file of their own (test_trees_hypothesis.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

import sardonyx
from sardonyx import ConversionError, InputError
from sardonyx.convert import convert

from ..exactness import assert_exact, expected_outputs
from ..runtimes import feeds, with_sentinels

EXAMPLES = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
NAN = float("nan")

#: numbers whose neighbours, squares and differences are at the edges of float32 and float64
EDGES = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 5e-324, 2.3e-308, 1e-45, 1.2e-38, 1e6, 1e10, 16777217.0, 3.4e38, -2.5, 7.0]
TEXTS = ["", "a", "A", "b", "ä", "a\u0308", "İ", "ß", "日本", "🙂", " a", "a ", "nan", "None", "1", "1.0"]


def numbers(missing: bool) -> st.SearchStrategy[NDArray[Any]]:
    """A matrix of 2 to 12 rows and 2 columns, of edges, ordinary numbers and NaN."""
    items = st.sampled_from([*EDGES, *([NAN] * 4 if missing else [])]) | st.floats(-100, 100, width=32)
    return st.tuples(st.lists(st.tuples(items, items), min_size=2, max_size=12), st.sampled_from([4, 8])).map(
        lambda drawn: np.array(drawn[0], dtype=f"f{drawn[1]}")
    )


def categories() -> st.SearchStrategy[NDArray[Any]]:
    """A matrix of 2 to 12 rows and 2 columns of few categories: text with None or NaN, floats with NaN, integers."""

    def matrix(items: st.SearchStrategy[Any], dtype: Any) -> st.SearchStrategy[NDArray[Any]]:
        rows = st.lists(st.tuples(items, items), min_size=2, max_size=12)
        return rows.map(lambda r: np.array(r, dtype=dtype))

    return st.one_of(
        matrix(st.sampled_from(TEXTS), object),
        matrix(st.sampled_from([*TEXTS[:6], None]), object),
        matrix(st.sampled_from([*TEXTS[:6], NAN]), object),
        matrix(st.sampled_from([0.0, -0.0, 1.5, 1e300, 5e-324, NAN]), np.float64),
        matrix(st.sampled_from([-(2**40), -1, 0, 1, 2**53 + 1]), np.int64),
    )


def beside(X: NDArray[Any]) -> NDArray[Any]:
    """The rows of X, and floats one unit in the last place to either side."""
    if X.dtype.kind != "f":
        return X
    with np.errstate(all="ignore"):
        rows = np.concatenate([X, np.nextafter(X, X.dtype.type(np.inf)), np.nextafter(X, X.dtype.type(-np.inf))])
    kept: NDArray[Any] = rows[~np.isinf(rows).any(axis=1)]
    return kept


def fit(make: Callable[[], Any], X: NDArray[Any], y: Any = None) -> Any:
    """Fit, or leave the example if the estimator cannot be fitted on it."""
    try:
        return make().fit(X, *([] if y is None else [y]))
    except (ValueError, IndexError):  # IndexError: KBinsDiscretizer of a feature without bins
        assume(False)


def check(estimator: Any, X: NDArray[Any], queries: NDArray[Any]) -> None:
    """Compare both runtimes with the estimator, row by row where it refuses some."""
    try:
        model = convert(estimator, X, methods=["transform"])
    except ConversionError:  # told, not answered wrongly
        assume(False)
    session = sardonyx.load(model)
    outside = ort.InferenceSession(model.SerializeToString())
    for i in range(len(queries)):
        row = queries[i : i + 1]
        try:
            (expected,) = expected_outputs(estimator, "transform", row)
        except ValueError:
            with pytest.raises(InputError):
                session.transform(row)
            continue
        assert_exact(with_sentinels(session.transform(row)), with_sentinels(expected))
        if expected.dtype != object:  # columns of text and numbers are several outputs there
            assert_exact(outside.run(None, feeds(row))[0], expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "make",
    [
        StandardScaler,
        lambda: StandardScaler(with_mean=False),
        lambda: MinMaxScaler((-1, 3)),
        lambda: MinMaxScaler(clip=True),
        MaxAbsScaler,
        RobustScaler,
        lambda: RobustScaler(quantile_range=(0, 100), unit_variance=True),
    ],
    ids=["standard", "standard_scale", "minmax", "minmax_clip", "maxabs", "robust", "robust_unit"],
)
@given(X=numbers(missing=True))
@EXAMPLES
def test_scalers(make: Callable[[], Any], X: NDArray[Any]) -> None:
    with np.errstate(all="ignore"):
        check(fit(make, X), X, beside(X))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "make",
    [
        Normalizer,
        lambda: Normalizer("l1"),
        lambda: Normalizer("max"),
        lambda: Binarizer(threshold=0.1),
        lambda: PolynomialFeatures(2),
        lambda: PolynomialFeatures((2, 3), interaction_only=True),
    ],
    ids=["l2", "l1", "max", "binarizer", "polynomial", "interactions"],
)
@given(X=numbers(missing=False))
@EXAMPLES
def test_row_wise(make: Callable[[], Any], X: NDArray[Any]) -> None:
    with np.errstate(all="ignore"):
        check(fit(make, X), X, beside(X))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("encode", ["ordinal", "onehot-dense"])
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@given(X=numbers(missing=False))
@EXAMPLES
def test_bins(encode: str, strategy: str, X: NDArray[Any]) -> None:
    def make() -> Any:
        return KBinsDiscretizer(3, encode=encode, strategy=strategy, quantile_method="averaged_inverted_cdf")

    with np.errstate(all="ignore"):
        estimator = fit(make, X)
        edges = np.array([[e[i % len(e)] for e in estimator.bin_edges_] for i in range(4)], dtype=X.dtype)
        check(estimator, X, beside(np.concatenate([X, edges])))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make",
    [
        lambda: OneHotEncoder(sparse_output=False),
        lambda: OneHotEncoder(handle_unknown="ignore", drop="if_binary", sparse_output=False),
        lambda: OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False),
        OrdinalEncoder,
        lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=NAN, max_categories=2),
    ],
    ids=["onehot", "onehot_drop", "onehot_infrequent", "ordinal", "ordinal_unknown", "ordinal_most"],
)
@given(X=categories(), others=categories())
@EXAMPLES
def test_encoders(make: Callable[[], Any], X: NDArray[Any], others: NDArray[Any]) -> None:
    unseen = others if others.dtype == X.dtype else X
    check(fit(make, X), X, np.concatenate([X, unseen]))


@pytest.mark.filterwarnings("ignore")
@given(X=categories(), seed=st.integers(0, 3))
@EXAMPLES
def test_target_encoder(X: NDArray[Any], seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=len(X))
    check(fit(lambda: TargetEncoder(smooth=2.0, target_type="continuous"), X, y), X, X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("keep", [False, True], ids=["drop", "keep"])
@given(X=numbers(missing=True), indicator=st.booleans())
@EXAMPLES
def test_imputers_of_numbers(strategy: str, keep: bool, X: NDArray[Any], indicator: bool) -> None:
    make = lambda: SimpleImputer(strategy=strategy, add_indicator=indicator, keep_empty_features=keep)  # noqa: E731
    check(fit(make, X), X, X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
@given(X=categories(), missing=st.sampled_from([NAN, None, "", "a", 0.0]))
@EXAMPLES
def test_imputers_of_categories(strategy: str, X: NDArray[Any], missing: Any) -> None:
    check(fit(lambda: SimpleImputer(missing_values=missing, strategy=strategy), X), X, X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("features", ["missing-only", "all"])
@given(X=numbers(missing=True), others=numbers(missing=True))
@EXAMPLES
def test_indicators(features: str, X: NDArray[Any], others: NDArray[Any]) -> None:
    estimator = fit(lambda: MissingIndicator(features=features, error_on_new=False), X)
    check(estimator, X, others.astype(X.dtype))
