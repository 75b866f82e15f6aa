"""sklearn.gaussian_process."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process._gpc import COEFS, LAMBDAS, _BinaryGaussianProcessClassifierLaplace

from ..convert import call, step
from ..errors import ConversionError
from ..graph import Value
from ..operators.pairwise import transpose
from ..operators.special import erf
from ..operators.triangular import solve_triangular
from ..registry import converter
from ._kernels import kernel_between_rows, kernel_diagonal, kernel_matrix
from ._response import columns_of
from .base import take_labels


def _check_fitted(est: Any) -> None:
    if not hasattr(est, "X_train_"):
        raise ConversionError(
            "this GaussianProcessRegressor is not fitted, and would answer what its kernel says of no data at all; "
            "call fit before converting it."
        )


@converter(GaussianProcessRegressor, method="predict")
def regressor_mean(est: Any, X: Value) -> Value:
    _check_fitted(est)
    mean = np.asarray(est._y_train_std) * (kernel_matrix(est.kernel_, X, est.X_train_) @ est.alpha_)
    mean = mean + np.asarray(est._y_train_mean)
    return mean.reshape(-1) if mean.ndim > 1 and mean.shape[1] == 1 else mean


@converter(GaussianProcessRegressor, method="predict_std")
def regressor_std(est: Any, X: Value) -> tuple[Value, Value]:
    _check_fitted(est)
    solved = solve_triangular(kernel_matrix(est.kernel_, X, est.X_train_).astype(np.float64), np.tril(est.L_))
    variance = kernel_diagonal(est.kernel_, X) - (solved * solved).sum(1)
    scale = np.ravel(np.asarray(est._y_train_std)) ** 2
    outputs = np.maximum(variance, 0.0)[:, None] * scale
    deviation = np.sqrt(outputs.reshape(-1) if len(scale) == 1 else outputs)
    return call(est, "predict", X), deviation


@converter(GaussianProcessRegressor, method="predict_cov")
def regressor_covariance(est: Any, X: Value) -> tuple[Value, Value]:
    """Rows against rows: the one answer whose size is the square of the rows asked for."""
    _check_fitted(est)
    solved = solve_triangular(kernel_matrix(est.kernel_, X, est.X_train_).astype(np.float64), np.tril(est.L_))
    covariance = kernel_between_rows(est.kernel_, X) - solved @ transpose(solved)
    scale = np.ravel(np.asarray(est._y_train_std)) ** 2
    return call(est, "predict", X), covariance * scale[0] if len(scale) == 1 else covariance[:, :, None] * scale


@converter(_BinaryGaussianProcessClassifierLaplace, method="predict")
def laplace_classes(est: Any, X: Value) -> Value:
    return take_labels(est.classes_, _latent_mean(est, kernel_matrix(est.kernel_, X, est.X_train_)) > 0)


def _latent_mean(est: Any, K: Value) -> Value:
    return K @ (est.y_train_ - est.pi_)


@converter(_BinaryGaussianProcessClassifierLaplace, method="predict_proba")
def laplace_proba(est: Any, X: Value) -> Value:
    """Approximate the integral of logistic and normal by five error functions (Williams and Barber, 1998)."""
    K = kernel_matrix(est.kernel_, X, est.X_train_)
    solved = solve_triangular((K * np.ravel(est.W_sr_)).astype(np.float64), np.tril(est.L_))
    mean = _latent_mean(est, K)[:, None]
    variance = (kernel_diagonal(est.kernel_, X) - (solved * solved).sum(1))[:, None]
    alpha, lambdas = 1 / (2 * variance), LAMBDAS.ravel()
    waves = erf(lambdas * mean * np.sqrt(alpha / (alpha + lambdas**2)))
    integrals = np.sqrt(np.pi / alpha) * waves / (2 * np.sqrt(variance * 2 * np.pi))
    positive = (COEFS.ravel() * integrals).sum(1) + 0.5 * COEFS.sum()
    return columns_of([1 - positive, positive])


@converter(GaussianProcessClassifier, method="predict")
def classifier_classes(est: Any, X: Value) -> Value:
    return step("base", est.base_estimator_, ["predict"], X)["predict"]


@converter(GaussianProcessClassifier, method="predict_proba")
def classifier_proba(est: Any, X: Value) -> Value:
    if est.n_classes_ > 2 and est.multi_class == "one_vs_one":
        raise ConversionError(
            "GaussianProcessClassifier(multi_class='one_vs_one') has no probabilities. "
            "Use 'one_vs_rest', or convert predict alone."
        )
    return step("base", est.base_estimator_, ["predict_proba"], X)["predict_proba"]
