"""Dtypes of codes, orders of sweeps: what the case table cannot ask without many processes, or many calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import NMF, MiniBatchSparsePCA, SparseCoder, SparsePCA

import sardonyx
from sardonyx.convert import convert

from ..cases.data import dataset


@pytest.mark.parametrize(("algorithm", "dtype"), [("omp", np.float64), ("threshold", np.float32)])
def test_jobs_write_into_a_float64_array(algorithm: str, dtype: type) -> None:
    X = dataset("regression32").X
    coder = SparseCoder(np.eye(4, 7, dtype=np.float32), transform_algorithm=algorithm, n_jobs=2).fit(X)
    assert sardonyx.load(convert(coder, X)).transform(X[:3]).dtype == dtype


def test_shuffled_sweeps_begin_anew_at_every_call() -> None:
    X = dataset("positive").X
    estimator = NMF(4, shuffle=True, random_state=3, tol=1e-2).fit(X)
    session = sardonyx.compile(estimator, X)
    for rows in (X, X[:7], X):
        np.testing.assert_allclose(session.transform(rows), estimator.transform(rows), rtol=1e-10, atol=1e-12)


def test_explain_says_that_the_batch_is_one() -> None:
    X = dataset("positive").X
    explained = sardonyx.compile(NMF(2, tol=1e-2).fit(X), X).explain()
    assert "all rows at once" in explained
    assert "reference" not in explained


@pytest.mark.parametrize("estimator", [SparsePCA(1, max_iter=3), MiniBatchSparsePCA(1, max_iter=3, random_state=0)])
def test_one_component_of_one_row_is_a_row(estimator: Any) -> None:
    """scikit-learn returns a vector of one number, which might be a label."""
    X = dataset("regression").X
    session = sardonyx.compile(estimator.fit(X), X)
    assert estimator.transform(X[:1]).shape == (1,)
    assert session.transform(X[:1]).shape == (1, 1)
