"""Sparse codes: kernels against their bodies, where atoms tie, repeat, vanish, and leave the path again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sardonyx.graph import Value
from sardonyx.operators.least_angle import least_angle
from sardonyx.operators.sparse_coding import lasso_descent, orthogonal_matching_pursuit

from .bodies import (
    assert_kernels_are_the_body,
    assert_mutants_are_refused_or_run,
    assert_refused,
    assert_rows_are_alone,
    model_of,
    program_of,
)

DTYPES = ("float64", "float32")
Body = Callable[[Value], Value]


def atoms(k: int, features: int, dtype: str) -> Any:
    rows = np.random.default_rng(k).normal(size=(k, features))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(dtype)


#: exact in binary: ties are ties in any order of summation
EXACT = np.r_[np.eye(4), -np.eye(4)[:2], np.eye(4)[1:2], 2 * np.eye(4)[2:3], np.zeros((1, 4))]


def rows(n: int, features: int, dtype: str) -> Any:
    X = np.random.default_rng(n).normal(size=(n, features))
    X[0], X[n // 2] = 0.0, 1e-9
    return X.astype(dtype)


def whole_rows(n: int) -> Any:
    return np.random.default_rng(n).integers(-3, 4, (n, 4)).astype(float)


def pursuit(D: Any, n: int) -> Body:
    return lambda X: orthogonal_matching_pursuit(X @ D.T, D @ D.T, n_nonzero_coefs=n)


def lasso(D: Any, alpha: float, positive: int = 0, max_iter: int = 300) -> Body:
    options = {"max_iter": max_iter, "positive": positive, "penalised": int(alpha != 0)}

    def body(X: Value) -> Value:
        norms = (X * X).sum(1, keepdims=True)
        code: Value = lasso_descent(X @ D.T, D @ D.T, norms, np.float64(alpha), np.float64(1e-6), **options)
        return code

    return body


def path(D: Any, alpha: float, method: str = "lasso", positive: int = 0, max_iter: int = 100) -> Body:
    options = {"method": method, "max_iter": max_iter, "positive": positive, "n_features": D.shape[1]}
    return lambda X: least_angle(X @ D.T, D @ D.T, np.float64(alpha), **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("k", "n"), [(1, 1), (5, 1), (5, 5), (12, 4)])
def test_pursuit(k: int, n: int, dtype: str) -> None:
    body = pursuit(atoms(k, 6, dtype), n)
    for count in (1, 21):
        code = assert_kernels_are_the_body(body, X=rows(count, 6, dtype))
        assert ((code != 0).sum(axis=1) <= n).all()
    assert_rows_are_alone(body, X=rows(30, 6, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("alpha", [0.05, 0.4, 10.0])
def test_lasso(alpha: float, positive: int, dtype: str) -> None:
    body = lasso(atoms(5, 6, dtype), alpha, positive)
    for count in (1, 21):
        code = assert_kernels_are_the_body(body, X=rows(count, 6, dtype))
        assert not positive or (code >= 0).all()
    assert_rows_are_alone(body, X=rows(30, 6, dtype))


def test_lasso_without_a_penalty_and_without_time() -> None:
    D, X = atoms(4, 6, "float64"), rows(9, 6, "float64")
    assert_kernels_are_the_body(lasso(D, 0.0), X=X)
    assert_kernels_are_the_body(lasso(atoms(12, 6, "float64"), 0.01, max_iter=2), X=X)
    assert not assert_kernels_are_the_body(lasso(D, 0.1, max_iter=0), X=X).any()


@pytest.mark.parametrize("method", ["lar", "lasso"])
@pytest.mark.parametrize("max_iter", [0, 1, 3, 60])
def test_path(max_iter: int, method: str) -> None:
    body = path(atoms(6, 8, "float64"), 0.0 if method == "lar" else 0.01, method, 0, max_iter)
    for count in (1, 40):
        assert_kernels_are_the_body(body, X=rows(count, 8, "float64"))
    assert_rows_are_alone(body, X=rows(30, 8, "float64"))


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("alpha", [0.0, 0.02, 0.2])
def test_atoms_leave_the_path(alpha: float, positive: int) -> None:
    """More atoms than features: in most rows some coefficient changes its sign on the way."""
    assert_kernels_are_the_body(path(atoms(11, 6, "float64"), alpha, "lasso", positive), X=rows(60, 6, "float64"))


def test_path_of_float32() -> None:
    assert_kernels_are_the_body(path(atoms(4, 6, "float32"), 0.3), X=rows(20, 6, "float32"))


@pytest.mark.parametrize(
    "body", [pursuit(EXACT, 4), lasso(EXACT, 0.5), path(EXACT[:6], 0.25), path(EXACT[:6], 0.0, "lar", 0, 5)]
)
def test_ties(body: Body) -> None:
    assert_kernels_are_the_body(body, X=whole_rows(60))


def test_illegal_steps_are_refused() -> None:
    D, X = atoms(4, 3, "float64"), np.ones((2, 3))
    program = program_of(model_of(pursuit(D, 2), X=X))
    assert_refused(program, "OrthogonalMatchingPursuit", [{"params": p} for p in ((0,), (5,), (2, 2), (0.5,))])
    assert_mutants_are_refused_or_run(program)
    program = program_of(model_of(lasso(D, 0.1), X=X))
    assert_refused(program, "LassoDescent", [{"params": p} for p in ((-1, 0, 0.1, 0.1), (9, 2, 0.1, 0.1), (9, 0, 0.1))])
    assert_mutants_are_refused_or_run(program)
    program = program_of(model_of(path(D, 0.1, max_iter=9), X=X))
    assert_refused(program, "LeastAngle", [{"params": p} for p in ((-1, 1, 3, 0.1), (9, 4, 3, 0.1), (9, 1, 0, 0.1))])
    assert_mutants_are_refused_or_run(program)
