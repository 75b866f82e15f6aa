"""sklearn.decomposition: projections on components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.decomposition._base import _BasePCA
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


@converter(PCA, method="score_samples")
def pca_score_samples(est: Any, X: Value) -> Value:
    """Log-likelihood under probabilistic PCA: Bishop, Pattern Recognition and Machine Learning, 12.2.1."""
    centered: Value = as_float(X) - est.mean_
    precision = est.get_precision()
    constant = 0.5 * (X.dim(1) * np.log(2.0 * np.pi) - fast_logdet(precision))
    likelihood: Value = (centered * (centered @ precision)).sum(1) * -0.5 - constant
    return likelihood


@converter(TruncatedSVD)
def truncated_svd(est: Any, X: Value) -> Value:
    projected: Value = X @ est.components_.T
    return projected


@converter(TruncatedSVD, method="inverse_transform")
def truncated_svd_inverse(est: Any, X: Value) -> Value:
    original: Value = X @ est.components_
    return original
