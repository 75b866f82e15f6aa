"""sklearn.mixture."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.mixture._base import BaseMixture
from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky, _estimate_log_gaussian_prob

from ..convert import demand
from ..graph import Value
from ..registry import converter
from ._response import columns_of, names_in
from .base import by_definer

#: since scikit-learn 1.7, squared distances are kept in the dtype of X, even of integers, which truncates them
_KEEPS_DTYPE = "dtype" in names_in(_estimate_log_gaussian_prob)
#: 1.7 does so with the logarithm of 2 pi, too
_ROUNDS_CONSTANT = "astype" in names_in(_estimate_log_gaussian_prob)


def _norms(est: Any, X: Value, roots: list[NDArray[Any]]) -> Value:
    """Return the squared length of each row's difference from each mean, under a root of its precision."""
    columns = []
    for mean, root in zip(est.means_, roots, strict=True):
        y = X @ root - mean @ root
        columns.append((y * y).sum(1))
    return columns_of(columns).astype(X.dtype if _KEEPS_DTYPE else np.float64)


def _full(est: Any, X: Value) -> Value:
    return _norms(est, X, list(est.precisions_cholesky_))


def _tied(est: Any, X: Value) -> Value:
    return _norms(est, X, [est.precisions_cholesky_] * len(est.means_))


def _diag(est: Any, X: Value) -> Value:
    means, precisions = est.means_, est.precisions_cholesky_**2
    squares = np.sum(means**2 * precisions, 1)
    x = X.astype(np.float64) if X.dtype.kind == "b" else X  # integers overflow here as there
    return squares - 2.0 * (X @ (means * precisions).T) + (x * x) @ precisions.T


def _spherical(est: Any, X: Value) -> Value:
    means, precisions = est.means_, est.precisions_cholesky_**2
    squares = np.sum(means**2, 1) * precisions
    return squares - 2 * (X @ means.T * precisions) + _row_norms(X) * precisions


def _row_norms(X: Value) -> Value:
    """Return squared lengths as a column, as ``numpy.einsum`` has them: integers overflow, and of bools it is any."""
    if X.dtype.kind == "b":
        return (X.astype(np.int64).sum(1, keepdims=True) > 0).astype(np.float64)
    if X.dtype.kind in "iu" and X.dtype.itemsize < 8:
        return (X * X).astype(np.int64).sum(1, keepdims=True).astype(X.dtype)
    return (X * X).sum(1, keepdims=True)


_NORMS: dict[str, Callable[[Any, Value], Value]] = {
    "full": _full,
    "tied": _tied,
    "diag": _diag,
    "spherical": _spherical,
}

#: what a class adds to the Gaussian log density: of each component, whatever the row
_OFFSETS: dict[type, Callable[[Any, int], Any]] = {}


def _of(cls: type) -> Callable[[Callable[[Any, int], Any]], Callable[[Any, int], Any]]:
    return lambda function: _OFFSETS.setdefault(cls, function)


@_of(GaussianMixture)
def _plain(est: Any, n_features: int) -> Any:
    return 0.0


@_of(BayesianGaussianMixture)
def _bayesian(est: Any, n_features: int) -> Any:
    """Return the expected log determinant's part (C. Bishop, Pattern Recognition and Machine Learning, 10.65)."""
    from scipy.special import digamma

    freedom = est.degrees_of_freedom_
    log_lambda = n_features * np.log(2.0) + np.sum(digamma(0.5 * (freedom - np.arange(n_features)[:, None])), 0)
    return 0.5 * (log_lambda - n_features / est.mean_precision_) - 0.5 * n_features * np.log(freedom)


def _weighted_log_prob(est: Any, X: Value) -> Value:
    """Return ``_estimate_weighted_log_prob``, shape (N, n_components)."""
    offset = by_definer(est, "_estimate_log_prob", _OFFSETS, "computes its densities")
    X, n_features = demand(est, X, "kind"), X.dim(1)
    log_det = _compute_log_det_cholesky(est.precisions_cholesky_, est.covariance_type, n_features)
    norms = _NORMS[est.covariance_type](est, X)
    constant = np.log(2 * np.pi).astype(X.dtype if _ROUNDS_CONSTANT else np.float64)
    density = -0.5 * (float(n_features * constant) + norms) + log_det
    return density + (offset(est, n_features) + est._estimate_log_weights())


def _log_sum_exp(x: Value) -> Value:
    """Return the logarithm of the sum of exponentials of each row, shape (N, 1)."""
    top = x.max(1, keepdims=True)
    return top + np.log(np.exp(x - top).sum(1, keepdims=True))


@converter(BaseMixture, method="predict")
def mixture_component(est: Any, X: Value) -> Value:
    return _weighted_log_prob(est, X).argmax(1)


@converter(BaseMixture, method="predict_proba")
def mixture_proba(est: Any, X: Value) -> Value:
    log_prob = _weighted_log_prob(est, X)
    return np.exp(log_prob - _log_sum_exp(log_prob))


@converter(BaseMixture, method="score_samples")
def mixture_scores(est: Any, X: Value) -> Value:
    return _log_sum_exp(_weighted_log_prob(est, X)).reshape(-1)
