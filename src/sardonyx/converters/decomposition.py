"""sklearn.decomposition: projections on components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import IncrementalPCA, TruncatedSVD
from sklearn.decomposition._base import _BasePCA

from ..convert import as_float
from ..graph import Value
from ..registry import converter


@converter(_BasePCA, IncrementalPCA)
def pca(est: Any, X: Value) -> Value:
    """Centers after the projection, as ``_BasePCA._transform`` does."""
    projected = as_float(X) @ est.components_.T
    dtype = projected.dtype
    projected = (projected - est.mean_.reshape(1, -1) @ est.components_.T).astype(dtype)
    return (projected / _whitening(est)).astype(dtype) if est.whiten else projected


def _whitening(est: Any) -> NDArray[Any]:
    scale: NDArray[Any] = np.sqrt(est.explained_variance_)
    return np.maximum(scale, np.finfo(scale.dtype).eps)


@converter(_BasePCA, method="inverse_transform")
def pca_inverse(est: Any, X: Value) -> Value:
    components = est.components_
    if est.whiten:
        components = np.sqrt(est.explained_variance_[:, np.newaxis]) * components
    return as_float(X) @ components + est.mean_


@converter(TruncatedSVD)
def truncated_svd(est: Any, X: Value) -> Value:
    return X @ est.components_.T


@converter(TruncatedSVD, method="inverse_transform")
def truncated_svd_inverse(est: Any, X: Value) -> Value:
    return X @ est.components_
