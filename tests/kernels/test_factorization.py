"""NonNegativeDescent and MultiplicativeUpdates: kernels that look at the whole batch, against their bodies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sardonyx import _native
from sardonyx.errors import ProgramError
from sardonyx.graph import Value
from sardonyx.lowering.sdx import pack
from sardonyx.operators.factorization import multiplicative_updates, non_negative_descent

from ..native.programs import load
from .bodies import (
    assert_kernels_are_the_body,
    assert_mutants_are_refused_or_run,
    assert_refused,
    model_of,
    program_of,
)

DTYPES = ("float64", "float32")
Body = Callable[[Value], Value]


def components(n: int, features: int, dtype: str) -> Any:
    return np.random.default_rng(n).gamma(1.0, size=(n, features)).astype(dtype)


def rows(count: int, features: int, dtype: str) -> Any:
    X = np.random.default_rng(count).gamma(1.0, size=(count, features))
    X[::3, 0], X[count // 2] = 0.0, 1e-9
    return X.astype(dtype)


def descent(H: Any, order: Any, tol: float, max_iter: int) -> Body:
    return lambda X: non_negative_descent(X @ H.T, H @ H.T, order, np.float64(tol), max_iter=max_iter)


def updates(H: Any, beta: float, rule: str, penalties: tuple[float, float] = (0.0, 0.0), max_iter: int = 25) -> Body:
    options = {"beta": repr(beta), "max_iter": max_iter, "rule": rule}
    return lambda X: multiplicative_updates(X, H, np.array(penalties), np.float64(1e-3), **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1, 16, 17, 300])
@pytest.mark.parametrize("n", [1, 9])
def test_descent(n: int, count: int, dtype: str) -> None:
    order = np.stack([np.random.default_rng(i).permutation(n) for i in range(3)])
    H = components(n, 5, dtype)
    for body in (descent(H, np.arange(n)[None], 1e-3, 40), descent(H, order, 0.0, 7)):
        W = assert_kernels_are_the_body(body, X=rows(count, 5, dtype))
        assert (W >= 0).all()


def test_descent_of_nothing_and_of_a_component_of_zeros() -> None:
    H = components(3, 4, "float64")
    H[1] = 0
    body = descent(H, np.arange(3)[None], 1e-4, 50)
    assert not assert_kernels_are_the_body(body, X=np.zeros((5, 4))).any()
    assert not assert_kernels_are_the_body(body, X=rows(9, 4, "float64"))[:, 1].any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rule", ["divergence", "change"])
@pytest.mark.parametrize("beta", [2.0, 1.0, 0.0, -0.5, 0.5, 1.5, 2.5, 3.0])
def test_updates(beta: float, rule: str, dtype: str) -> None:
    H = components(3, 6, dtype)
    for count, penalties in ((1, (0.0, 0.0)), (14, (0.3, 0.2))):
        X = rows(count, 6, dtype) + (0.1 if beta <= 0 else 0)
        assert_kernels_are_the_body(updates(H, beta, rule, penalties), X=X.astype(dtype))


def test_the_batch_decides_when_to_stop() -> None:
    """A row that has converged goes on with one that has not, as in scikit-learn."""
    body = descent(components(3, 5, "float64"), np.arange(3)[None], 1e-2, 100)
    X = rows(40, 5, "float64")
    program = program_of(model_of(body, X=X))
    assert program.block_rows == 0
    (together,) = load(program, threads=2).run(None, {"X": X})
    alone = np.concatenate([load(program).run(None, {"X": X[i : i + 1]})[0] for i in range(40)])
    assert (abs(alone - together) > 1e-9).any()
    assert load(program).run(None, {"X": X[:0]})[0].shape == (0, 3)


def test_blocks_are_refused() -> None:
    for body in (descent(components(2, 3, "float64"), np.arange(2)[None], 0.1, 9),
                 updates(components(2, 3, "float64"), 1.0, "change")):  # fmt: skip
        program = program_of(model_of(body, X=rows(2, 3, "float64")))
        with pytest.raises(ProgramError, match="must see all rows"):
            _native.Program.from_bytes(pack(replace(program, block_rows=256)))


def test_illegal_steps_are_refused() -> None:
    program = program_of(model_of(descent(components(2, 3, "float64"), np.arange(2)[None], 0.1, 9), X=np.ones((2, 3))))
    changes = [{"params": p} for p in ((-1, 0.1), (9,), (9, 1), (0.5, 0.1))]
    assert_refused(program, "NonNegativeDescent", changes)
    wrong = [replace(s, data=np.array([[0, 2]])) if s.dtype == "int64" else s for s in program.slots]
    with pytest.raises(ProgramError, match="no such component"):
        _native.Program.from_bytes(pack(replace(program, slots=tuple(wrong))))
    assert_mutants_are_refused_or_run(program)


def test_illegal_updates_are_refused() -> None:
    program = program_of(model_of(updates(components(2, 3, "float64"), 1.5, "change"), X=np.ones((2, 3))))
    changes = [{"params": p} for p in ((9, 2, 1.0, 0.0, 0.0, 0.0), (-1, 0, 1.0, 0.0, 0.0, 0.0), (9, 0, 1.0, 0.0, 0.0))]
    assert_refused(program, "MultiplicativeUpdates", changes)
    assert_mutants_are_refused_or_run(program)
