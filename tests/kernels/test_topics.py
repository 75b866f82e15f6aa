"""DocumentTopics and Digamma: kernels against their bodies, and against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from sardonyx.graph import Value
from sardonyx.operators.topics import digamma, document_topics

from .bodies import (
    assert_kernels_are_the_body,
    assert_mutants_are_refused_or_run,
    assert_refused,
    assert_rows_are_alone,
    model_of,
    program_of,
)

DTYPES = ("float64", "float32")


def counts(n: int, words: int, dtype: str) -> Any:
    X = np.random.default_rng(n).poisson(0.7, size=(n, words)).astype(dtype)
    X[0], X[-1] = 0, 1000
    return X


def documents(topics: int, words: int, dtype: str, max_iter: int = 30) -> Callable[[Value], Value]:
    table = np.random.default_rng(topics).dirichlet(np.full(words, 0.5), topics).astype(dtype)
    start = np.full(topics, 0.3, dtype)
    prior = table.dtype.type(0.2)
    return lambda X: document_topics(X, table, start, prior, np.float64(1e-3), max_iter=max_iter)


@pytest.mark.parametrize("dtype", DTYPES)
def test_digamma(dtype: str) -> None:
    x = np.r_[10.0 ** np.arange(-12, 13), np.linspace(1e-3, 12, 999), 1e-6, np.nextafter(1e-6, 1), 6.0, 5.999999]
    X = x.astype(dtype)[:, None]
    answer = assert_kernels_are_the_body(digamma, X=X)
    wide = X.astype(np.float64)
    near = 1e-6 if dtype == "float32" else 2e-9  # Bernardo's series promises no more
    np.testing.assert_allclose(answer, special.digamma(wide), rtol=near, atol=near)
    assert_rows_are_alone(digamma, X=X[:40])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("topics", "words"), [(1, 1), (2, 9), (16, 5), (17, 30)])
def test_documents(topics: int, words: int, dtype: str) -> None:
    body = documents(topics, words, dtype)
    for n in (1, 9):
        assert_kernels_are_the_body(body, X=counts(n, words, dtype))
    assert_rows_are_alone(body, X=counts(20, words, dtype))


def test_documents_without_an_iteration() -> None:
    assert (assert_kernels_are_the_body(documents(3, 4, "float64", max_iter=0), X=counts(4, 4, "float64")) == 1).all()


def test_illegal_steps_are_refused() -> None:
    program = program_of(model_of(documents(3, 4, "float64"), X=counts(2, 4, "float64")))
    changes = [{"params": p} for p in ((-1, 0.1, 0.1), (5, 1, 0.1), (5, 0.1), (5, 0.1, 0))]
    assert_refused(program, "DocumentTopics", changes)
    assert_mutants_are_refused_or_run(program)
    assert_mutants_are_refused_or_run(program_of(model_of(digamma, X=np.ones((2, 3)))))
