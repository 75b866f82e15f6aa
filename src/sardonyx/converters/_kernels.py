"""sklearn.gaussian_process.kernels: every kernel and composition, of rows with training rows, and of a row with itself.

A kernel that is the same for all rows is a Python float until it meets others: NumPy's rules broadcast it. It registers
nothing.
"""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process import kernels

from ..convert import demand
from ..errors import ConversionError
from ..graph import Value, one, op, per_row, where
from ..operators.pairwise import exact_distances, pairwise_kernel, self_kernel, transpose
from ..operators.special import bessel_k

Kernel: TypeAlias = Any
Numbers: TypeAlias = Value | float
#: training rows, or, the same object as X, the rows themselves
Rows: TypeAlias = NDArray[Any] | Value


def kernel_matrix(kernel: Kernel, X: Value, Y: NDArray[Any]) -> Value:
    """Return ``kernel(X, Y)``, shape (N, len(Y))."""
    result = _cross(kernel, X, Y)
    return result if isinstance(result, Value) else per_row(np.full(len(Y), result, np.float64), X)


def kernel_between_rows(kernel: Kernel, X: Value) -> Value:
    """Return ``kernel(X)``, shape (N, N)."""
    return _cross(kernel, X, X) + _no_kernel(X)


def _no_kernel(X: Value) -> Value:
    """Return zeros of shape (N, N)."""
    zero = (X[:, :1] != X[:, :1]).astype(np.float64) * 0.0
    return zero + transpose(zero)


def _white(kernel: Kernel, X: Value, Y: Rows) -> Numbers:
    """Noise is a row's own: between rows and themselves it is on the diagonal, elsewhere there is none."""
    return float(kernel.noise_level) * one(op.EyeLike(_no_kernel(X))) if Y is X else 0.0


def kernel_diagonal(kernel: Kernel, X: Value) -> Value:
    """Return ``kernel.diag(X)``, shape (N,)."""
    result = _diagonal(kernel, X)
    return result if isinstance(result, Value) else per_row(np.float64(result), X)


def _cross(kernel: Kernel, X: Value, Y: Rows) -> Numbers:
    return _find(_CROSS, kernel)(kernel, X, Y)


def _diagonal(kernel: Kernel, X: Value) -> Numbers:
    return 1.0 if isinstance(kernel, kernels.NormalizedKernelMixin) else _find(_DIAGONAL, kernel)(kernel, X)


def _find(rules: dict[type, Callable[..., Numbers]], kernel: Kernel) -> Callable[..., Numbers]:
    if type(kernel) in rules:
        return rules[type(kernel)]
    known = ", ".join(k.__name__ for k in rules)
    raise ConversionError(
        f"kernel {kernel!r} of class {type(kernel).__name__} is not known. Use scikit-learn's own: {known}."
    )


def _scaled(kernel: Kernel, X: Value, Y: Rows) -> tuple[Value, Rows]:
    scale = np.squeeze(kernel.length_scale).astype(float)
    return X / scale, Y / scale


def _rbf(kernel: Kernel, X: Value, Y: Rows) -> Value:
    return np.exp(-0.5 * exact_distances(*_scaled(kernel, X, Y), "sqeuclidean"))


def _matern(kernel: Kernel, X: Value, Y: Rows) -> Value:
    distances = exact_distances(*_scaled(kernel, X, Y), "euclidean")
    if kernel.nu == np.inf:
        return np.exp(-(distances * distances) / 2.0)
    whole = kernel.nu - 0.5
    return _matern_half(distances, int(whole)) if whole == int(whole) else _matern_any(distances, float(kernel.nu))


def _matern_any(distances: Value, nu: float) -> Value:
    """Return Matern's kernel of any order, as scikit-learn computes it: one at no distance is one at a tiny one."""
    t = where(distances == 0.0, np.finfo(float).eps, distances) * math.sqrt(2 * nu)
    return t**nu * (2 ** (1.0 - nu) / math.gamma(nu)) * bessel_k(t, np.float64(nu))


def _matern_half(distances: Value, p: int) -> Value:
    """Return Matern's kernel of nu = p + 1/2 (Rasmussen and Williams, Gaussian Processes for Machine Learning, 4.16).

    ``exp(-t) p!/(2p)! sum_i (p+i)!/(i!(p-i)!) (2t)^(p-i)``, t = sqrt(2 nu) distance; by Horner's rule in t.
    """
    t = distances * math.sqrt(2 * p + 1)
    ratio = math.factorial(p) / math.factorial(2 * p)
    powers = [
        ratio * 2.0 ** (p - i) * math.factorial(p + i) / (math.factorial(i) * math.factorial(p - i))
        for i in range(p + 1)
    ]
    total: Numbers = powers[0]
    for coefficient in powers[1:]:
        total = total * t + coefficient
    result: Value = total * np.exp(-t)
    return result


def _rational_quadratic(kernel: Kernel, X: Value, Y: Rows) -> Value:
    distances = exact_distances(X, Y, "sqeuclidean")
    scale = float(2 * kernel.alpha * np.squeeze(kernel.length_scale) ** 2)
    return (1 + distances / scale) ** float(-kernel.alpha)


def _exp_sine_squared(kernel: Kernel, X: Value, Y: Rows) -> Value:
    wave = np.sin(exact_distances(X, Y, "euclidean") * float(np.pi / kernel.periodicity)) / float(kernel.length_scale)
    return np.exp(-2 * (wave * wave))


def _wide(k: Any, X: Value) -> Value:
    """Return X, refused where scikit-learn adds up its squares in a narrow dtype: they overflow there."""
    if X.dtype.kind in "biu" and X.dtype.itemsize < 8:
        raise ConversionError(
            f"{type(k).__name__} of {X.dtype} adds up squares in {X.dtype} in scikit-learn, where they overflow. "
            "Fit on float64, and give the sample as float64."
        )
    return demand(k, X, "wide")


def _dot_product_diagonal(kernel: Kernel, X: Value) -> Value:
    X = _wide(kernel, X)
    return (X * X).sum(1) + float(kernel.sigma_0**2)


def _dot_product(kernel: Kernel, X: Value, Y: Rows) -> Value:
    given = transpose(_wide(kernel, Y)) if isinstance(Y, Value) else Y.T
    return X @ given + float(kernel.sigma_0**2)


def _pairwise(kernel: Kernel, X: Value, Y: Rows) -> Value:
    parameters = {"gamma": kernel.gamma, **(kernel.pairwise_kernels_kwargs or {})}
    return pairwise_kernel(kernel.metric, X, Y, **parameters)


def _pairwise_diagonal(kernel: Kernel, X: Value) -> Numbers:
    parameters = {"gamma": kernel.gamma, **(kernel.pairwise_kernels_kwargs or {})}
    return self_kernel(kernel.metric, X, **parameters)


_CROSS: dict[type, Callable[..., Numbers]] = {
    kernels.ConstantKernel: lambda k, X, Y: float(k.constant_value),
    kernels.WhiteKernel: _white,
    kernels.RBF: _rbf,
    kernels.Matern: _matern,
    kernels.RationalQuadratic: _rational_quadratic,
    kernels.ExpSineSquared: _exp_sine_squared,
    kernels.DotProduct: _dot_product,
    kernels.PairwiseKernel: _pairwise,
    kernels.Sum: lambda k, X, Y: _cross(k.k1, X, Y) + _cross(k.k2, X, Y),
    kernels.Product: lambda k, X, Y: _cross(k.k1, X, Y) * _cross(k.k2, X, Y),
    kernels.Exponentiation: lambda k, X, Y: _cross(k.kernel, X, Y) ** float(k.exponent),
}

_DIAGONAL: dict[type, Callable[..., Numbers]] = {
    kernels.ConstantKernel: lambda k, X: float(k.constant_value),
    kernels.WhiteKernel: lambda k, X: float(k.noise_level),
    kernels.DotProduct: _dot_product_diagonal,
    kernels.PairwiseKernel: _pairwise_diagonal,
    kernels.Sum: lambda k, X: _diagonal(k.k1, X) + _diagonal(k.k2, X),
    kernels.Product: lambda k, X: _diagonal(k.k1, X) * _diagonal(k.k2, X),
    kernels.Exponentiation: lambda k, X: _diagonal(k.kernel, X) ** float(k.exponent),
}
