"""Functions of one number that the standard lacks, or does not have as exactly as SciPy.

The bodies of Log1p and Expm1 follow W. Kahan: the error that rounding makes in ``1 + x`` is divided out again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import UFUNCS, Value, where
from . import operator

#: a rational approximation of arctan within one unit of the last place (S. Moshier, Cephes, atan.c)
_ATAN_P = (-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
           -1.228866684490136173410e2, -6.485021904942025371773e1)  # fmt: skip
_ATAN_Q = (1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2,
           4.853903996359136964868e2, 1.945506571482613964425e2)  # fmt: skip


@operator("Expit")
def expit(X: Value) -> Any:
    """Return 1 / (1 + exp(-X)), elementwise, as ``scipy.special.expit`` computes it.

    Our runtime gives SciPy's bits (both use the C library's exp), so that probabilities of boosted trees are identical
    as their sums are. ONNX Runtime's Sigmoid loses the small tail in float64, and the last bits of its exp in float32.
    """
    return _logistic(X)


@operator("Logistic")
def logistic(X: Value) -> Any:
    """Return what Expit does, within two units of the last place and in a quarter of the time in our runtime.

    For scores that are sums rounded in an order of their own anyway, unlike those of trees.
    """
    return _logistic(X)


def _logistic(X: Value) -> Any:
    one = X.dtype.type(1)
    return one / (one + np.exp(-X.astype(np.float64)).astype(X.dtype))


@operator("Softmax")
def softmax(X: Value) -> Any:
    """Return exp(X) divided by its sum, row by row, rounded where scikit-learn rounds float32.

    Our runtime runs its own kernel of the standard's operator, which keeps subnormal numbers. ONNX Runtime's loses them
    in float32, and the logarithm of a probability with them: the body takes exp in float64.
    """
    gaps = (X - X.max(1, keepdims=True)).astype(np.float64)
    parts = np.exp(gaps).astype(X.dtype)
    return parts / parts.sum(1, keepdims=True)


@operator("Log1p")
def log1p(X: Value) -> Any:
    """Return log(1 + X), elementwise."""
    one = X.dtype.type(1)
    u = X + one
    return where((u == one) | (u == X.dtype.type(np.inf)), X, np.log(u) * (X / (u - one)))


@operator("Expm1")
def expm1(X: Value) -> Any:
    """Return exp(X) - 1, elementwise."""
    one = X.dtype.type(1)
    u: Value = np.exp(X)
    corrected = where(u - one == -one, -one, (u - one) * (X / np.log(u)))
    return where(u == one, X, where(np.isinf(u), u, corrected))


def arctan(x: Value) -> Value:
    """Return the arc tangent of float64 that is not negative: plain operators, as a function would be no shorter.

    Reduced to [-0.66, 0.66] by arctan x = pi/2 - arctan 1/x and pi/4 + arctan (x-1)/(x+1).
    """
    large, middle = x > math.tan(3 * math.pi / 8), x > 0.66
    inside = where(large, 1.0, x)
    reduced = where(large, -1.0 / where(large, x, 1.0), where(middle, (inside - 1.0) / (inside + 1.0), inside))
    square = reduced * reduced
    series = reduced + reduced * (square * _horner(_ATAN_P, square) / _horner(_ATAN_Q, square))
    start = where(large, math.pi / 2, where(middle, math.pi / 4, 0.0))
    rest = where(large, 6.123233995736765886130e-17, where(middle, 3.061616997868382943065e-17, 0.0))
    return start + (series + rest)


def _horner(coefficients: tuple[float, ...], x: Value) -> Value:
    result: Any = coefficients[0]
    for c in coefficients[1:]:
        result = x * result + c
    return result


#: with them, functions written with NumPy trace to these operators
UFUNCS[np.log1p] = lambda x: log1p(x if x.dtype.kind == "f" else x.astype(np.float64))
UFUNCS[np.expm1] = lambda x: expm1(x if x.dtype.kind == "f" else x.astype(np.float64))
