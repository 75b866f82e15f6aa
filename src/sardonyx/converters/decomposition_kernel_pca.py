"""sklearn.decomposition._kernel_pca."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import KernelPCA

from ..errors import ConversionError
from ..graph import Value
from ..operators.pairwise import pairwise_kernel
from ..registry import converter


def _kernel(est: Any, X: Value, Y: Any) -> Value:
    """Return ``_get_kernel``; gamma is 1 / n_features where none was given."""
    gamma = getattr(est, "gamma_", est.gamma)
    return pairwise_kernel(est.kernel, X, Y, gamma=gamma, degree=est.degree, coef0=est.coef0)


def _centred(centerer: Any, K: Value) -> Value:
    """Return ``KernelCenterer.transform``."""
    means = (K.sum(1) / len(centerer.K_fit_rows_))[:, None].astype(K.dtype)
    return (K - centerer.K_fit_rows_.astype(K.dtype) - means + centerer.K_fit_all_).astype(K.dtype)


def project(est: Any, K: Value) -> Value:
    """Return the components of rows whose kernel with the training rows is K, shape (N, n_fit)."""
    kept = est.eigenvalues_ != 0
    alphas = np.zeros_like(est.eigenvectors_)
    alphas[:, kept] = est.eigenvectors_[:, kept] / np.sqrt(est.eigenvalues_[kept])
    return _centred(est._centerer, K) @ alphas


@converter(KernelPCA)
def kernel_pca(est: Any, X: Value) -> Value:
    return project(est, _kernel(est, X, est.X_fit_))


@converter(KernelPCA, method="inverse_transform")
def kernel_pca_inverse(est: Any, X: Value) -> Value:
    if not est.fit_inverse_transform:
        raise ConversionError(
            "KernelPCA(fit_inverse_transform=False) has no inverse_transform. Set it to True and fit again."
        )
    return _kernel(est, X, est.X_transformed_fit_) @ est.dual_coef_
