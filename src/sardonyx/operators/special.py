"""Special functions in float64, which ONNX or ONNX Runtime lack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph import Value, loop, where
from . import operator

# Rational approximations of S. L. Moshier, Cephes Mathematical Library, ndtr.c; highest power first.
_ERF = (
    (9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3, 7.00332514112805075473e3,
     5.55923013010394962768e4),
    (1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3, 2.26290000613890934246e4,
     4.92673942608635921086e4),
)  # fmt: skip
_ERFC = (
    (2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0, 4.86371970985681366614e1,
     1.96520832956077098242e2, 5.26445194995477358631e2, 9.34528527171957607540e2, 1.02755188689515710272e3,
     5.57535335369399327526e2),
    (1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2, 9.75708501743205489753e2,
     1.82390916687909736289e3, 2.24633760818710981792e3, 1.65666309194161350182e3, 5.57535340817727675546e2),
)  # fmt: skip


def _polynomial(x: Value, coefficients: Sequence[float]) -> Value:
    total = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        total = total * x + c
    return total


@operator("Erf")
def erf(X: Value) -> Value:
    """Return the error function of a float64 tensor, within 2 units in the last place.

    Below 1, ``x P(x^2) / Q(x^2)``; above, ``1 - exp(-x^2) P(x) / Q(x)`` (S. L. Moshier, Cephes, ndtr.c).
    """
    near = np.clip(X, -1.0, 1.0)  # type: ignore[call-overload]
    far = np.clip(abs(X), 1.0, 7.0)  # type: ignore[call-overload]
    square = near * near
    below = near * _polynomial(square, _ERF[0]) / _polynomial(square, _ERF[1])
    above = 1.0 - np.exp(-far * far) * _polynomial(far, _ERFC[0]) / _polynomial(far, _ERFC[1])
    return where(abs(X) > 1.0, np.sign(X) * above, where(np.isnan(X), X, below))


#: of the trapezoidal rule in `bessel_k`: step of arguments up to `_WIDE`, above it falls with the integrand's width
_STEP, _WIDE, _NODES = 0.125, 16.0, 360


@operator("BesselK")
def bessel_k(X: Value, order: Value) -> Value:
    """Return the modified Bessel function of the second kind of a real order, for X > 1e-16, float64.

    The integral over t >= 0 of ``exp(-x cosh t) cosh(order t)`` by the trapezoidal rule, which is exact to rounding for
    such integrands (L. N. Trefethen and J. A. C. Weideman, SIAM Review 56, 2014; NIST DLMF 10.32.9). A factor
    ``exp(-x)`` is taken out so that large X lose nothing.
    """
    wide = np.maximum(X * (1.0 / _WIDE), 1.0)  # type: ignore[call-overload]
    step = _STEP / np.sqrt(wide)

    def add(i: Value, total: Value) -> tuple[Value, Value]:
        t = (i + 1).astype(np.float64) * step
        rise = np.exp(t * 0.5) - np.exp(t * -0.5)  # cosh t - 1 = rise^2 / 2
        growth = X * (rise * rise * -0.5)
        term = np.exp(growth + order * t) + np.exp(growth - order * t)
        return (i >= 0), total + term * 0.5

    (total,) = loop(add, _NODES, X * 0.0 + 0.5)
    result: Value = total * step * np.exp(-X)
    return result
