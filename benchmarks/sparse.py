"""Sparse rows at speed: 100 000 x 1 000 000, a hundred entries a row, into models with random parameters.

``python -m benchmarks.sparse`` prints nanoseconds an entry, of scikit-learn, one thread and two, and by how
much a call made the process grow. Dense, the matrix would take 800 GB.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

import sardonyx

ROWS, WIDTH, ENTRIES, ROUNDS = 100_000, 1_000_000, 100, 7


def matrix() -> Any:
    """Return the rows."""
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(0, WIDTH, (ROWS, ENTRIES), dtype=np.int32), axis=1).ravel()
    indptr = np.arange(0, columns.size + 1, ENTRIES, dtype=np.int32)
    X = sp.csr_matrix((rng.random(columns.size), columns, indptr), shape=(ROWS, WIDTH))
    X.sum_duplicates()
    return X


def with_parameters(estimator: Any, **parameters: Any) -> Any:
    """Return an estimator as if fitted: a fit would take longer than all else here, and time does not depend on it."""
    for name, value in parameters.items():
        setattr(estimator, name, value)
    estimator.n_features_in_ = WIDTH
    return estimator


def models() -> dict[str, tuple[Any, str]]:
    """Return estimators and the method to time."""
    rng = np.random.default_rng(1)

    def logistic(classes: int) -> Any:
        rows = 1 if classes == 2 else classes
        coef = {"coef_": rng.normal(size=(rows, WIDTH)), "intercept_": rng.normal(size=rows)}
        return with_parameters(LogisticRegression(), classes_=np.arange(classes), n_iter_=np.ones(1, np.int32), **coef)

    bayes = {"feature_log_prob_": -rng.exponential(size=(4, WIDTH)), "class_log_prior_": np.log(np.full(4, 0.25))}
    bayes |= {"feature_count_": np.ones((4, WIDTH)), "class_count_": np.ones(4), "classes_": np.arange(4)}
    return {
        "LogisticRegression, 2 classes": (logistic(2), "predict_proba"),
        "LogisticRegression, 4 classes": (logistic(4), "predict_proba"),
        "MultinomialNB, 4 classes": (with_parameters(MultinomialNB(), **bayes), "predict_proba"),
        "TruncatedSVD, 10": (
            with_parameters(TruncatedSVD(10), components_=rng.normal(size=(10, WIDTH))),
            "transform",
        ),
    }


def megabytes(kind: str) -> float:
    """Return the resident set (VmRSS), or its peak since the last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(kind))


def peak(call: Callable[[], Any]) -> float:
    """Return by how many megabytes the resident set grew at most during a call; its result is a part of that."""
    ctypes.CDLL(None).malloc_trim(0)  # what is free already would be taken first, and not be seen
    Path("/proc/self/clear_refs").write_text("5")
    before = megabytes("VmRSS")
    call()
    return megabytes("VmHWM") - before


def main() -> None:
    """Time all and print a table."""
    X = matrix()
    columns = ("model", "scikit-learn", "1 thread", "2 threads", "times faster", "peak")
    table = Table(*columns, title="nanoseconds an entry, shortest of several")
    for title, (estimator, method) in models().items():
        model = sardonyx.to_onnx(estimator, X[:20], methods=[method])
        sessions = [sardonyx.load(model, threads=threads) for threads in (1, 2)]
        calls = [partial(getattr(part, method), X) for part in (estimator, *sessions)]
        np.testing.assert_allclose(calls[2](), calls[0](), rtol=1e-10, atol=1e-12)
        grown, best = peak(calls[2]), [np.inf] * 3
        for _ in range(ROUNDS):
            for i, call in enumerate(calls):
                start = time.perf_counter()
                call()
                best[i] = min(best[i], (time.perf_counter() - start) / X.nnz * 1e9)
        figures = (f"{best[0]:.1f}", f"{best[1]:.1f}", f"{best[2]:.1f}", f"{best[0] / best[2]:.1f}", f"{grown:.0f} MB")
        table.add_row(title, *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
