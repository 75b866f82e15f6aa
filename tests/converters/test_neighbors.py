"""What sklearn.neighbors refuses, and the dtypes of its distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.neighbors import (
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)

import sardonyx
from sardonyx import ConversionError, InputError

X = np.random.default_rng(0).integers(0, 3, (40, 4)).astype(np.float64) + np.eye(40, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", [NearestNeighbors(), KNeighborsTransformer(), RadiusNeighborsTransformer()])
def test_distances_of_sparse_rows_have_their_dtype(estimator: Any, dtype: Any) -> None:
    rows = csr_matrix(X.astype(dtype))
    fitted = estimator.fit(rows)
    method = "transform" if hasattr(fitted, "transform") else "kneighbors"
    actual, expected = (getattr(e, method)(rows) for e in (sardonyx.compile(fitted, rows, methods=method), fitted))
    actual, expected = (a[0] if method == "kneighbors" else a for a in (actual, expected))
    assert actual.dtype == expected.dtype == dtype


def test_an_outlier_factor_refuses_nan_that_its_search_takes() -> None:
    fitted = LocalOutlierFactor(novelty=True, metric="nan_euclidean").fit(X)
    session = sardonyx.compile(fitted, X)
    rows = np.where(np.eye(40, 4) > 0, np.nan, X)
    with pytest.raises(ValueError, match="NaN"):
        fitted.predict(rows)
    with pytest.raises(InputError, match="NaN"):
        session.predict(rows)


def test_radii_that_a_tree_gets_wrong_are_refused() -> None:
    rows = X > 1
    for metric, message in (("dice", "no metric"), ("sokalsneath", "not a number")):
        fitted = RadiusNeighborsRegressor(0.5, metric=metric).fit(rows, X[:, 0])
        with pytest.raises(ConversionError, match=message):
            sardonyx.to_onnx(fitted, rows)


@pytest.mark.parametrize("estimator", [KNeighborsTransformer, RadiusNeighborsRegressor])
def test_a_metric_of_the_users_own_is_refused_with_the_way_out(estimator: Any) -> None:
    fitted = estimator(metric=lambda a, b: np.abs(a - b).sum()).fit(X, X[:, 0])
    with pytest.raises(ConversionError, match=r"runs Python code, .* braycurtis, .* metric='precomputed' and give"):
        sardonyx.to_onnx(fitted, X)
