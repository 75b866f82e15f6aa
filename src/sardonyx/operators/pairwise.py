"""Distances and kernels between rows and constant rows: the formulas of sklearn/metrics/pairwise.py.

Every operator returns (N, M) for X of shape (N, F) and Y of shape (M, F); none of their bodies builds (N, M, F). The
two are of one float dtype, see `float_rows`.
"""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value, as_value, op, where
from . import operator
from .checks import refuse
from .neighbors import expanded_squares, pairwise_distances


def transpose(x: Value) -> Value:
    """Return a matrix turned over."""
    result: Value = op.Transpose(x, perm=[1, 0])
    return result


def float_rows(X: Value, Y: NDArray[Any] | Value) -> tuple[Value, Value]:
    """Return both as ``check_pairwise_arrays`` does: float32 if both are, else float64."""
    dtype = np.float32 if X.dtype == Y.dtype == np.float32 else np.float64
    return X.astype(dtype), Y.astype(dtype) if isinstance(Y, Value) else as_value(np.ascontiguousarray(Y, dtype))


@operator("PairwiseSquaredEuclidean", outputs=("D",))
def squared_distances(X: Value, Y: Value) -> Value:
    """Return ``max(-2 x.y + x.x + y.y, 0)``, in float64 whatever comes in (``_euclidean_distances``)."""
    return expanded_squares(X, Y).astype(X.dtype)


def exact_distances(X: Value, Y: NDArray[Any] | Value, metric: str) -> Value:
    """Return ``scipy.spatial.distance.cdist(X, Y, metric)``: sums over the features, in float64."""
    y = Y.astype(np.float64) if isinstance(Y, Value) else np.ascontiguousarray(Y, np.float64)
    return pairwise_distances(X.astype(np.float64), y, np.float64(2.0), np.ones(X.dim(1)), metric=metric)


@operator("PairwiseChiSquared", outputs=("D",))
def chi_squared_distances(X: Value, Y: Value) -> Value:
    """Return the sum of ``(x - y)**2 / (x + y)``, in float64 (``_chi2_kernel_fast``)."""
    x, y = X.astype(np.float64), transpose(Y.astype(np.float64))
    result = 0.0 * (x[:, 0:1] + y[0:1])
    for f in range(X.dim(1)):
        sums, differences = x[:, f : f + 1] + y[f : f + 1], x[:, f : f + 1] - y[f : f + 1]
        empty = sums == 0.0
        result = result + where(empty, 0.0, differences * differences / where(empty, 1.0, sums))
    return result


# ---- kernels ---------------------------------------------------------------------------------------------------------


def _unit_rows(x: Value) -> Value:
    norm = np.sqrt((x * x).sum(1, keepdims=True))
    return x / where(norm < 10 * np.finfo(x.dtype).eps, x.dtype.type(1), norm)  # as ``_handle_zeros_in_scale``


def _linear(x: Value, y: Value) -> Value:
    return x @ transpose(y)


def _polynomial(x: Value, y: Value, degree: float = 3, gamma: float | None = None, coef0: float = 1) -> Value:
    return (_linear(x, y) * _gamma(gamma, x) + float(coef0)) ** float(degree)


def _sigmoid(x: Value, y: Value, gamma: float | None = None, coef0: float = 1) -> Value:
    return np.tanh(_linear(x, y) * _gamma(gamma, x) + float(coef0))


def _rbf(x: Value, y: Value, gamma: float | None = None) -> Value:
    return np.exp(squared_distances(x, y) * -_gamma(gamma, x))


def _laplacian(x: Value, y: Value, gamma: float | None = None) -> Value:
    x64, y64 = x.astype(np.float64), y.astype(np.float64)
    distances = pairwise_distances(x64, y64, np.float64(2.0), np.ones(x.dim(1)), metric="manhattan")
    return np.exp(-_gamma(gamma, x) * distances)


def _cosine(x: Value, y: Value) -> Value:
    return _unit_rows(x) @ transpose(_unit_rows(y))


def _additive_chi2(x: Value, y: Value) -> Value:
    checked = refuse(x, x < 0, message="The chi-squared kernel takes no negative values.")
    return -chi_squared_distances(checked, y).astype(x.dtype)


def _chi2(x: Value, y: Value, gamma: float | None = 1.0) -> Value:
    return np.exp(_additive_chi2(x, y) * _gamma(gamma, x))


def _gamma(gamma: float | None, x: Value) -> float:
    return 1.0 / x.dim(1) if gamma is None else float(gamma)


#: kernel -> its function and the parameters it takes, ``sklearn.metrics.pairwise.KERNEL_PARAMS``
_KERNELS: dict[str, tuple[Callable[..., Value], tuple[str, ...]]] = {
    "additive_chi2": (_additive_chi2, ()),
    "chi2": (_chi2, ("gamma",)),
    "cosine": (_cosine, ()),
    "laplacian": (_laplacian, ("gamma",)),
    "linear": (_linear, ()),
    "poly": (_polynomial, ("gamma", "degree", "coef0")),
    "polynomial": (_polynomial, ("gamma", "degree", "coef0")),
    "rbf": (_rbf, ("gamma",)),
    "sigmoid": (_sigmoid, ("gamma", "coef0")),
}


def pairwise_kernel(metric: Any, X: Value, Y: Any, **parameters: Any) -> Value:
    """Return ``sklearn.metrics.pairwise.pairwise_kernels(X, Y, metric, filter_params=True, **parameters)``.

    Parameters
    ----------
    metric : str
        A name of scikit-learn's; with ``"precomputed"``, X holds the kernel already.
    X : Value of shape (N, n_features)
    Y : ndarray of shape (M, n_features)
        Dense or sparse.
    **parameters
        Those the kernel does not take are left out.

    Raises
    ------
    ConversionError
        If `metric` is a Python function.
    """
    if isinstance(metric, str) and metric == "precomputed":
        return X.astype(np.float32 if X.dtype == np.float32 else np.float64)
    if not isinstance(metric, str) or metric not in _KERNELS:
        raise ConversionError(
            f"kernel={metric!r}: a function of Python cannot be converted. Use one of {', '.join(sorted(_KERNELS))}, "
            "or 'precomputed' and compute the kernel before."
        )
    kernel, accepted = _KERNELS[metric]
    dense = Y if isinstance(Y, Value) else np.asarray(Y.toarray() if hasattr(Y, "toarray") else Y)
    return kernel(*float_rows(X, dense), **{k: v for k, v in parameters.items() if k in accepted})


#: kernel -> its value between a row and itself, from the row's squared length (N,) or None where it is constant
_SELF: dict[str, Callable[..., Value | float]] = {
    "additive_chi2": lambda square, **_: 0.0,
    "chi2": lambda square, **_: 1.0,
    "laplacian": lambda square, **_: 1.0,
    "rbf": lambda square, **_: 1.0,
    "cosine": lambda square, **_: square / where(np.sqrt(square) < 10 * np.finfo(square.dtype).eps, 1.0, square),
    "linear": lambda square, **_: square,
    "poly": lambda square, gamma, degree=3, coef0=1: (square * gamma + float(coef0)) ** float(degree),
    "polynomial": lambda square, gamma, degree=3, coef0=1: (square * gamma + float(coef0)) ** float(degree),
    "sigmoid": lambda square, gamma, coef0=1, **_: np.tanh(square * gamma + float(coef0)),
}


def self_kernel(metric: Any, X: Value, gamma: float | None = None, **parameters: Any) -> Value | float:
    """Return the kernel between each row and itself, shape (N,); a number if it is the same for all rows."""
    if not isinstance(metric, str) or metric not in _SELF:
        raise ConversionError(
            f"kernel={metric!r} of a row with itself is not known. Use one of {', '.join(sorted(_SELF))}."
        )
    rows = X if X.dtype.kind == "f" else X.astype(np.float64)
    return _SELF[metric]((rows * rows).sum(1), gamma=_gamma(gamma, X), **parameters)
