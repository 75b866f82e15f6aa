"""sklearn.kernel_approximation."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)

from ..convert import as_float, demand
from ..errors import ConversionError
from ..graph import Value, concat, where
from ..operators.checks import refuse, require
from ..operators.pairwise import pairwise_kernel
from ..operators.sketch import sketch_product
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
    X = demand(est, X, "kind", *["no stored zeros"] * (est.sample_steps > 1))
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
    """Convolve the count sketches, number by number: scikit-learn multiplies their Fourier transforms, and rounds more.

    Of a convolution's rounding nothing but scikit-learn's own is left between the two.
    """
    X = as_float(X) * np.float64(np.sqrt(est.gamma))
    if est.coef0 != 0:
        X = concat([X, X[:, :1] * 0.0 + np.sqrt(est.coef0)])
    places, signs = est.indexHash_.astype(np.int64), est.bitHash_.astype(np.float64)
    product = X @ (signs[0][:, None] * np.eye(est.n_components)[places[0]])
    for degree in range(1, est.degree):
        product = sketch_product(product, X, places[degree], signs[degree])
    return product
