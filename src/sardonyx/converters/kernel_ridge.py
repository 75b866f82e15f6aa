"""sklearn.kernel_ridge."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.kernel_ridge import KernelRidge

from ..graph import Value
from ..operators.pairwise import pairwise_kernel
from ..operators.svm import kernel_sums
from ..registry import converter
from .base import dense

#: names of the kernels that libsvm has too
LIBSVM = {"poly": "poly", "polynomial": "poly", "rbf": "rbf", "sigmoid": "sigmoid"}


@converter(KernelRidge, method="predict")
def kernel_ridge(est: Any, X: Value) -> Value:
    if _is_like_libsvm(est, X):
        return _sums(est, X.astype(np.float64))
    parameters = {"gamma": est.gamma, "degree": est.degree, "coef0": est.coef0}
    return pairwise_kernel(est.kernel, X, est.X_fit_, **parameters) @ est.dual_coef_


def _is_like_libsvm(est: Any, X: Value) -> bool:
    """Tell whether it is computed in float64, with a kernel of libsvm's."""
    if not isinstance(est.kernel, str) or est.kernel not in LIBSVM or X.dtype == est.X_fit_.dtype == np.float32:
        return False
    return LIBSVM[est.kernel] != "poly" or (float(est.degree).is_integer() and est.degree < 1 << 31)


def _sums(est: Any, X: Value) -> Value:
    vectors = np.ascontiguousarray(dense(est.X_fit_), np.float64)
    weights = np.asarray(est.dual_coef_, np.float64)
    sums = kernel_sums(
        X,
        vectors,
        np.ascontiguousarray(weights.reshape(len(vectors), -1).T),
        np.float64(1.0 / vectors.shape[1] if est.gamma is None else est.gamma),
        np.float64(est.coef0),
        kernel=LIBSVM[est.kernel],
        degree=int(est.degree),
        n_support=[len(vectors)],
    )
    return sums.reshape(-1) if weights.ndim == 1 else sums
