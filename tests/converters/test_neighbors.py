"""What sklearn.neighbors refuses, and the dtypes of its distances."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
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
from sardonyx.proof.agreement import Verdict, judge

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


#: whole distances, so that many neighbours are equally far
WHOLE = """
import numpy as np
from sklearn.neighbors import KNeighborsClassifier
far = np.random.default_rng(0).integers(0, 9, (60, 60)).astype(float)
model = KNeighborsClassifier(metric="precomputed").fit(far, np.arange(60) % 3)
"""


def without_vectors() -> list[str]:
    """Return what switches NumPy's vector instructions off."""
    umath = importlib.import_module("numpy._core._multiarray_umath")
    return [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__[name]]


def test_which_of_equal_neighbours_scikit_learn_takes_is_up_to_the_processor() -> None:
    """So no file can say it: on the very same rows it answers otherwise where NumPy may not use AVX2."""
    if not (features := without_vectors()):
        pytest.skip("NumPy uses no vectors here")
    answers = [
        subprocess.run(
            [sys.executable, "-c", f"{WHOLE}print(model.kneighbors(far)[1].tolist())"],
            env=os.environ | environment, capture_output=True, check=True, text=True,
        ).stdout
        for environment in ({}, {"NPY_DISABLE_CPU_FEATURES": " ".join(features)})
    ]  # fmt: skip
    assert answers[0] != answers[1]


def test_neighbours_at_the_same_distance_are_counted_apart_in_onnxruntime() -> None:
    names: dict[str, Any] = {}
    exec(WHOLE, names)
    model, far = names["model"], names["far"]
    ours, theirs = sardonyx.verify(model, sardonyx.to_onnx(model, far, methods=["kneighbors"]), far).verdicts
    assert ours.ok
    assert (ours.wrong, ours.tied) == (0, 0)
    assert theirs.ok
    assert theirs.tied > 0
    assert "at the same distance" in str(theirs)


def test_other_neighbours_at_another_distance_are_wrong() -> None:
    distances, right = np.array([[0.0, 1, 1, 2]] * 3), np.array([[5, 1, 2, 3]] * 3)
    got = np.array([[5, 2, 1, 9], [5, 1, 9, 3], [1, 5, 2, 3]])  # a tie each; another in the middle; two swapped
    verdict = judge(
        Verdict("kneighbors", "onnxruntime"), "rows", np.arange(3), [distances, got], [distances, right], False
    )
    assert (verdict.tied, verdict.wrong) == (1, 2)
    ours = judge(Verdict("kneighbors", "sardonyx"), "rows", np.arange(3), [distances, got], [distances, right], False)
    assert (ours.tied, ours.wrong) == (0, 3)
