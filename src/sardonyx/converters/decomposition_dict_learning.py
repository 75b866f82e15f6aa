"""sklearn.decomposition._dict_learning: sparse codes over a dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.decomposition import SparseCoder
from sklearn.decomposition._dict_learning import _BaseSparseCoding

from ..convert import as_float
from ..errors import ConversionError
from ..graph import Value, concat, op
from ..operators.least_angle import least_angle
from ..operators.sparse_coding import lasso_descent, orthogonal_matching_pursuit
from ..registry import converter


@converter(_BaseSparseCoding, SparseCoder)
def sparse_coding(est: Any, X: Value) -> Value:
    """``_transform`` and ``sparse_encode``."""
    X, D = as_float(X), _dictionary(est)
    algorithm = est.transform_algorithm
    _check(est, X, D)
    code = ALGORITHMS[algorithm](est, X, D)
    if algorithm != "threshold" and effective_n_jobs(est.n_jobs) != 1:
        code = code.astype(np.float64)  # jobs write into one float64 array
    if not est.split_sign:
        return code
    return concat([op.Max(code, 0), -op.Min(code, 0)]).astype(np.float64)


@converter(_BaseSparseCoding, SparseCoder, method="inverse_transform")
def sparse_coding_inverse(est: Any, X: Value) -> Value:
    D = _dictionary(est)
    if est.split_sign:
        X = X[:, : len(D)] - X[:, len(D) :]
    original: Value = X @ D
    return original


def _dictionary(est: Any) -> NDArray[Any]:
    """Return the atoms as floats, as ``check_array`` makes them."""
    D = np.asarray(est.dictionary if isinstance(est, SparseCoder) else est.components_)
    return D if D.dtype in (np.float32, np.float64) else D.astype(np.float64)


def _check(est: Any, X: Value, D: NDArray[Any]) -> None:
    name, algorithm = type(est).__name__, est.transform_algorithm
    if est.positive_code and algorithm in ("omp", "lars"):
        raise ConversionError(
            f"{name}: transform_algorithm={algorithm!r} has no positive_code=True, in scikit-learn either; "
            "choose 'lasso_lars', 'lasso_cd' or 'threshold'."
        )
    if algorithm == "lasso_cd" and X.dtype != D.dtype:
        raise ConversionError(
            f"{name}: the dictionary is {D.dtype}, the sample {X.dtype}, which scikit-learn's transform_algorithm="
            f"'lasso_cd' refuses too; give a sample of the dictionary's dtype: X.astype({D.dtype.name!r})."
        )
    if algorithm == "lasso_cd" and tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9):
        raise ConversionError(
            f"{name}: in scikit-learn {sklearn.__version__} transform_algorithm='lasso_cd' stops elsewhere than 1.9, "
            "which is what converts; choose 'lasso_lars', or take scikit-learn 1.9 or later."
        )


def _n_nonzero(est: Any, D: NDArray[Any]) -> int:
    count, (k, n_features) = est.transform_n_nonzero_coefs, D.shape
    return int(min(max(n_features / 10, 1), k) if count is None else count)


def _alpha(est: Any) -> float:
    alpha = getattr(est, "alpha", None) if est.transform_alpha is None else est.transform_alpha
    return 1.0 if alpha is None else float(alpha)


def _gram(X: Value, D: NDArray[Any]) -> tuple[Value, NDArray[Any]]:
    """Return the products of rows and atoms, and those of atoms, which are rounded to the dtype of the rows."""
    gram = (D @ D.T).astype(X.dtype)
    if X.dtype == D.dtype:
        return X @ D.T, gram
    return X.astype(np.float64) @ D.T.astype(np.float64), gram.astype(np.float64)


def _omp(est: Any, X: Value, D: NDArray[Any]) -> Value:
    count = _n_nonzero(est, D)
    if count > len(D):
        raise ConversionError(
            f"{type(est).__name__}: transform_n_nonzero_coefs={count} is more than the {len(D)} atoms; choose fewer."
        )
    code: Value = orthogonal_matching_pursuit(*_gram(X, D), n_nonzero_coefs=count)
    return code.astype(X.dtype)


def _lars(est: Any, X: Value, D: NDArray[Any]) -> Value:
    options = {"method": "lar", "max_iter": _n_nonzero(est, D), "positive": 0, "n_features": D.shape[1]}
    code: Value = least_angle(*_gram(X, D), np.float64(0), **options)
    return code.astype(D.dtype)


def _lasso_lars(est: Any, X: Value, D: NDArray[Any]) -> Value:
    alpha = np.float64(_alpha(est) / D.shape[1])
    options = {"max_iter": int(est.transform_max_iter), "positive": int(est.positive_code), "n_features": D.shape[1]}
    code: Value = least_angle(*_gram(X, D), alpha, method="lasso", **options)
    return code.astype(D.dtype)


def _lasso_cd(est: Any, X: Value, D: NDArray[Any]) -> Value:
    """Solve with the penalty as it comes back from `Lasso`, which scales it by the number of features and again."""
    alpha = np.float64(_alpha(est) / D.shape[1] * D.shape[1])
    options = {
        "max_iter": int(est.transform_max_iter),
        "positive": int(est.positive_code),
        "penalised": int(alpha != 0),
    }
    norms = (X * X).astype(np.float64).sum(1, keepdims=True).astype(X.dtype)  # as OpenBLAS adds up short rows
    code: Value = lasso_descent(*_gram(X, D), norms, alpha, np.float64(1e-8), **options)
    return code


def _threshold(est: Any, X: Value, D: NDArray[Any]) -> Value:
    products: Value = X @ D.T
    code = np.sign(products) * op.Max(abs(products) - _alpha(est), 0)
    return op.Max(code, 0) if est.positive_code else code


ALGORITHMS: dict[str, Callable[[Any, Value, NDArray[Any]], Value]] = {
    "omp": _omp,
    "lars": _lars,
    "lasso_lars": _lasso_lars,
    "lasso_cd": _lasso_cd,
    "threshold": _threshold,
}
