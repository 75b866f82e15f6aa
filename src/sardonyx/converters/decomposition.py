"""sklearn.decomposition: projections on components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, IncrementalPCA, TruncatedSVD
from sklearn.decomposition._base import _BasePCA
from sklearn.decomposition._sparse_pca import _BaseSparsePCA
from sklearn.linear_model import ridge_regression
from sklearn.utils.extmath import fast_logdet

from ..convert import as_float
from ..graph import Value
from ..registry import converter


@converter(_BasePCA, IncrementalPCA)
def pca(est: Any, X: Value) -> Value:
    """Centers after the projection, as ``_BasePCA._transform`` does."""
    projected: Value = as_float(X) @ est.components_.T
    dtype = projected.dtype
    projected = (projected - est.mean_.reshape(1, -1) @ est.components_.T).astype(dtype)
    return (projected / _whitening(est)).astype(dtype) if est.whiten else projected


def _whitening(est: Any) -> NDArray[Any]:
    scale: NDArray[Any] = np.sqrt(est.explained_variance_)
    smallest: np.floating[Any] = np.finfo(scale.dtype).eps
    return np.where(scale < smallest, smallest, scale)


@converter(_BasePCA, method="inverse_transform")
def pca_inverse(est: Any, X: Value) -> Value:
    components = est.components_
    if est.whiten:
        components = np.sqrt(est.explained_variance_[:, np.newaxis]) * components
    original: Value = as_float(X) @ components + est.mean_
    return original


@converter(PCA, FactorAnalysis, method="score_samples")
def gaussian_score_samples(est: Any, X: Value) -> Value:
    """Log-likelihood under the model's Gaussian: Bishop, Pattern Recognition and Machine Learning, 12.2."""
    centered: Value = as_float(X) - est.mean_
    precision = est.get_precision()
    constant = 0.5 * (X.dim(1) * np.log(2.0 * np.pi) - fast_logdet(precision))
    likelihood: Value = (centered * (centered @ precision)).sum(1) * -0.5
    return (likelihood - constant).astype(likelihood.dtype)


@converter(TruncatedSVD)
def truncated_svd(est: Any, X: Value) -> Value:
    projected: Value = X @ est.components_.T
    return projected


@converter(TruncatedSVD, method="inverse_transform")
def truncated_svd_inverse(est: Any, X: Value) -> Value:
    original: Value = X @ est.components_
    return original


@converter(FactorAnalysis)
def factor_analysis(est: Any, X: Value) -> Value:
    """Return the expected mean of the latent variables: Barber, Bayesian Reasoning and Machine Learning, 21.2.33."""
    weights = est.components_ / est.noise_variance_
    covariance = linalg.inv(np.eye(len(weights)) + weights @ est.components_.T)
    latent: Value = (as_float(X) - est.mean_) @ weights.T @ covariance
    return latent


@converter(FastICA)
def fast_ica(est: Any, X: Value) -> Value:
    X = as_float(X)
    if est.whiten:
        X = (X - est.mean_).astype(X.dtype)
    sources: Value = X @ est.components_.T
    return sources


@converter(FastICA, method="inverse_transform")
def fast_ica_inverse(est: Any, X: Value) -> Value:
    mixed: Value = as_float(X) @ est.mixing_.T
    return (mixed + est.mean_).astype(mixed.dtype) if est.whiten else mixed


@converter(_BaseSparsePCA)
def sparse_pca(est: Any, X: Value) -> Value:
    """Ridge regression of the rows on the components. It is linear in them, so what it makes of units says it all.

    Of one row alone scikit-learn forgets that it is one, and returns a vector; a model returns one row.
    """
    components = est.components_.astype(np.float64)
    units = np.eye(components.shape[1])
    projection = np.reshape(
        ridge_regression(components.T, units, est.ridge_alpha, solver="cholesky"), components.T.shape
    )
    dtype = est.components_.dtype
    projected: Value = (as_float(X) - est.mean_).astype(dtype) @ projection.astype(dtype)
    return projected


@converter(_BaseSparsePCA, method="inverse_transform")
def sparse_pca_inverse(est: Any, X: Value) -> Value:
    original: Value = X @ est.components_ + est.mean_
    return original
