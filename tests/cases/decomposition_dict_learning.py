"""sklearn.decomposition._dict_learning."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import DictionaryLearning, MiniBatchDictionaryLearning, SparseCoder

from . import Case

INVERSE = ("inverse_transform",)
QUICK: dict[str, Any] = {"random_state": 0, "max_iter": 3}


def atoms(count: int, features: int, dtype: Any = np.float64) -> NDArray[Any]:
    """Return atoms of norm 1."""
    rows = np.random.default_rng(3).normal(size=(count, features))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype)


MANY, FEW, FEW32 = atoms(11, 7), atoms(5, 7), atoms(5, 7, np.float32)
#: atoms that correlate equally with rows of integers, one of them twice, one of norm 2, one of zeros
TIES = np.r_[np.eye(5), -np.eye(5)[:2], np.eye(5)[1:2], 2 * np.eye(5)[2:3], np.zeros((1, 5))]


def coder(dictionary: NDArray[Any], algorithm: str, **options: Any) -> SparseCoder:
    """Return a coder; `options` without their prefix."""
    prefixed = {f"transform_{name}": value for name, value in options.items()}
    return SparseCoder(dictionary, transform_algorithm=algorithm, **prefixed)


CASES = [
    *(Case(coder(MANY, "omp", n_nonzero_coefs=n), "regression", note=f"{n} atoms") for n in (1, 4, 7)),
    Case(coder(MANY, "omp"), "regression", note="one in ten"),
    Case(coder(TIES, "omp", n_nonzero_coefs=5), "regression_int", note="ties"),
    Case(coder(FEW32, "omp", n_nonzero_coefs=3), "regression32"),
    *(Case(coder(FEW, a), "regression32", note="atoms of float64", rtol=1e-4) for a in ("omp", "lars", "lasso_lars")),
    *(Case(coder(FEW32, a), "regression", note="atoms of float32") for a in ("omp", "lars", "threshold")),
    *(Case(coder(MANY, "lars", n_nonzero_coefs=n), "regression", note=f"lars {n} steps") for n in (1, 3, 6)),
    Case(coder(TIES[:7], "lars", n_nonzero_coefs=6), "regression_int", note="lars ties"),
    Case(coder(FEW32, "lars", n_nonzero_coefs=3), "regression32", note="lars", rtol=1e-4),
    *(Case(coder(MANY, "lasso_lars", alpha=a), "regression", note=f"lasso_lars {a}") for a in (0, 0.05, 1)),
    Case(coder(MANY, "lasso_lars", alpha=0.01, max_iter=4), "regression", note="lasso_lars, few steps"),
    Case(SparseCoder(MANY, transform_algorithm="lasso_lars", positive_code=True), "regression", note="lasso_lars"),
    Case(coder(TIES[:7], "lasso_lars", alpha=0.5), "regression_int", note="lasso_lars ties"),
    Case(coder(FEW32, "lasso_lars", alpha=3), "regression32", note="lasso_lars", rtol=1e-4),
    *(Case(coder(MANY, "lasso_cd", alpha=a), "regression", note=f"lasso_cd {a}", since="1.9") for a in (0.05, 0.3, 1)),
    Case(coder(FEW, "lasso_cd", alpha=0), "regression", note="lasso_cd without a penalty", since="1.9"),
    Case(coder(MANY, "lasso_cd", alpha=0.01, max_iter=5), "regression", note="lasso_cd, few sweeps", since="1.9"),
    Case(
        SparseCoder(MANY, transform_algorithm="lasso_cd", transform_alpha=0.2, positive_code=True, split_sign=True),
        "regression",
        note="lasso_cd",
        since="1.9",
    ),
    Case(coder(TIES, "lasso_cd", alpha=0.5), "regression_int", note="lasso_cd", since="1.9"),
    # few sweeps: where more of them end is up to a gap that float32 does not resolve, and to the processor
    Case(coder(FEW32, "lasso_cd", alpha=0.1, max_iter=5), "regression32", note="lasso_cd", since="1.9"),
    *(
        Case(SparseCoder(MANY, transform_algorithm="threshold", positive_code=p, split_sign=s), "regression", note="t")
        for p, s in ((False, False), (True, False), (False, True))
    ),
    Case(coder(MANY, "threshold", alpha=0.2), "regression32", note="threshold of another dtype"),
    Case(SparseCoder(MANY, split_sign=True), "regression", INVERSE, since="1.7"),
    Case(DictionaryLearning(5, **QUICK), "regression"),
    Case(DictionaryLearning(4, transform_algorithm="lasso_lars", transform_alpha=0.1, **QUICK), "regression"),
    Case(DictionaryLearning(4, transform_algorithm="threshold", split_sign=True, **QUICK), "regression_int"),
    Case(DictionaryLearning(4, **QUICK), "regression32"),
    Case(DictionaryLearning(3, **QUICK), "regression", INVERSE, since="1.7"),
    Case(MiniBatchDictionaryLearning(5, **QUICK), "regression"),
    Case(MiniBatchDictionaryLearning(4, transform_algorithm="lars", **QUICK), "regression"),
    Case(MiniBatchDictionaryLearning(4, **QUICK), "regression32"),
    Case(MiniBatchDictionaryLearning(4, **QUICK), "regression_int"),
    Case(MiniBatchDictionaryLearning(3, split_sign=True, **QUICK), "regression", INVERSE, since="1.7"),
]
