"""sklearn.kernel_approximation."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)

from ..convert import as_float
from ..errors import ConversionError
from ..graph import Value, concat, where
from ..operators.checks import refuse, require
from ..operators.pairwise import pairwise_kernel
from ..registry import converter


@converter(Nystroem)
def nystroem(est: Any, X: Value) -> Value:
    given = {name: getattr(est, name) for name in ("gamma", "coef0", "degree") if getattr(est, name) is not None}
    parameters = {**(est.kernel_params or {}), **given}
    return pairwise_kernel(est.kernel, X, est.components_, **parameters) @ est.normalization_.T


@converter(RBFSampler)
def rbf_sampler(est: Any, X: Value) -> Value:
    return np.cos(X @ est.random_weights_ + est.random_offset_) * (2.0 / est.n_components) ** 0.5


@converter(SkewedChi2Sampler)
def skewed_chi2_sampler(est: Any, X: Value) -> Value:
    X = as_float(X)
    message = "SkewedChi2Sampler: X may not contain entries smaller than -skewedness."
    X = require(X, -est.skewedness < X, message=message)
    logarithm = np.log(X + float(est.skewedness)).astype(X.dtype)
    projection = np.cos(logarithm @ est.random_weights_ + est.random_offset_)
    return (projection * (np.sqrt(2.0) / np.sqrt(est.n_components))).astype(projection.dtype)


#: sample_interval by sample_steps, where none is given
_INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}


@converter(AdditiveChi2Sampler)
def additive_chi2_sampler(est: Any, X: Value) -> Value:
    if X.dtype.kind in "iu" and X.dtype.itemsize < 4:
        raise ConversionError(
            f"AdditiveChi2Sampler of {X.dtype} takes logarithms in float16 or float32, and doubled numbers overflow "
            "there. Give the sample as int64 or float64."
        )
    interval = _INTERVALS[est.sample_steps] if est.sample_interval is None else float(est.sample_interval)
    X = refuse(X, X < 0, message="AdditiveChi2Sampler: X may not contain negative values.").like(X)
    empty = X == 0
    x = as_float(where(empty, X.dtype.type(1), X))
    logarithm, blocks = interval * np.log(x), [np.sqrt(x * interval)]
    for j in range(1, est.sample_steps):
        factor = np.sqrt(2 * x * interval / np.cosh(np.pi * j * interval))
        blocks += [factor * np.cos(j * logarithm), factor * np.sin(j * logarithm)]
    return concat([where(empty, X.dtype.type(0), b.astype(X.dtype)) for b in blocks]).like(X, "csr", matrix=True)


@converter(PolynomialCountSketch)
def polynomial_count_sketch(est: Any, X: Value) -> Value:
    """Multiply the sketches' Fourier transforms; as sketch and transform are linear, each is one matrix.

    ::

        X ──▶ sketch d (n_features, n) ──▶ DFT (n, n // 2 + 1) ──▶ product over d ──▶ inverse DFT ──▶ (N, n)
              └───────── one constant complex matrix ────────┘
    """
    X = as_float(X) * np.float64(np.sqrt(est.gamma))
    spectra = [_spectrum(est, X, degree) for degree in range(est.degree)]
    real, imaginary = spectra[0]
    for a, b in spectra[1:]:
        real, imaginary = real * a - imaginary * b, real * b + imaginary * a
    cosines, sines = _inverse_transform(est.n_components)
    return real @ cosines - imaginary @ sines


def _spectrum(est: Any, X: Value, degree: int) -> tuple[Value, Value]:
    """Return the real and imaginary parts of a sketch's transform, each (N, n // 2 + 1)."""
    signs, places = est.bitHash_[degree], est.indexHash_[degree]
    matrix = np.fft.rfft(signs[:, None] * np.eye(est.n_components)[places], axis=1)
    parts = []
    for part in (matrix.real, matrix.imag):
        shift = np.sqrt(est.coef0) * part[X.dim(1)] if est.coef0 != 0 else np.zeros(part.shape[1])
        parts.append(X @ np.ascontiguousarray(part[: X.dim(1)]) + shift)
    return parts[0], parts[1]


def _inverse_transform(n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the matrices of the inverse real DFT of real and imaginary parts, each (n // 2 + 1, n)."""
    weights = np.where((np.arange(n // 2 + 1) == 0) | (2 * np.arange(n // 2 + 1) == n), 1.0, 2.0) / n
    turns = np.outer(np.arange(n // 2 + 1), np.arange(n)) % n  # exact: whole turns do not matter
    angles = 2.0 * np.pi * turns / n
    return weights[:, None] * np.cos(angles), weights[:, None] * np.sin(angles)
