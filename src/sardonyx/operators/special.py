"""Special functions in float64, which ONNX or ONNX Runtime lack."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..graph import Value, loop, op, where
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

_ERFC_FAR = (
    (5.64189583547755073984e-1, 1.27536670759978104416e0, 5.01905042251180477414e0, 6.16021097993053585195e0,
     7.40974269950448939160e0, 2.97886665372100240670e0),
    (1.0, 2.26052863220117276590e0, 9.39603524938001434673e0, 1.20489539808096656605e1, 1.70814450747565897222e1,
     9.60896809063285878198e0, 3.36907645100081516050e0),
)  # fmt: skip
# ... ndtri.c
_NDTRI_MIDDLE = (
    (-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1, 1.39312609387279679503e1,
     -1.23916583867381258016e0),
    (1.0, 1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1, -2.25462687854119370527e2,
     2.00260212380060660359e2, -8.20372256168333339912e1, 1.59056225126211695515e1, -1.18331621121330003142e0),
)  # fmt: skip
_NDTRI_TAIL = (
    (4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1, 4.40805073893200834700e1,
     1.46849561928858024014e1, 2.18663306850790267539e0, -1.40256079171354495875e-1, -3.50424626827848203418e-2,
     -8.57456785154685413611e-4),
    (1.0, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1, 1.50425385692907503408e1,
     2.50464946208309415979e0, -1.42182922854787788574e-1, -3.80806407691578277194e-2, -9.33259480895457427372e-4),
)  # fmt: skip
_NDTRI_FAR = (
    (3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0, 1.33303460815807542389e0,
     2.01485389549179081538e-1, 1.23716634817820021358e-2, 3.01581553508235416007e-4, 2.65806974686737550832e-6,
     6.23974539184983293730e-9),
    (1.0, 6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0, 2.16236993594496635890e-1,
     1.34204006088543189037e-2, 3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9),
)  # fmt: skip
_EXP_MINUS_2, _SQRT_2_PI = 0.13533528323661269189, 2.50662827463100050242


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
    near = X.clip(-1.0, 1.0)
    far = abs(X).clip(1.0, 7.0)
    square = near * near
    below = near * _polynomial(square, _ERF[0]) / _polynomial(square, _ERF[1])
    above = 1.0 - np.exp(-far * far) * _polynomial(far, _ERFC[0]) / _polynomial(far, _ERFC[1])
    return where(abs(X) > 1.0, np.sign(X) * above, where(np.isnan(X), X, below))


@operator("Ndtr")
def ndtr(X: Value) -> Value:
    """Return the normal distribution's cumulative function of a float64 tensor; the left tail keeps its precision.

    The two error functions of `erf`, and a third approximation beyond 8 (S. L. Moshier, Cephes, ndtr.c).
    """
    x = X * math.sqrt(0.5)
    near = x.clip(-1.0, 1.0)
    middle, far = abs(x).clip(1.0, 8.0), abs(x).clip(8.0, 27.5)
    square = near * near
    centre = 0.5 + 0.5 * (near * _polynomial(square, _ERF[0]) / _polynomial(square, _ERF[1]))
    tails = [
        np.exp(-(z * z)) * _polynomial(z, c[0]) / _polynomial(z, c[1]) for z, c in ((middle, _ERFC), (far, _ERFC_FAR))
    ]
    tail = 0.5 * where(abs(x) < 8.0, *tails)
    beyond = where(abs(x) > 27.5, 0.0, tail)
    result = where(abs(x) < 1.0, centre, where(x > 0.0, 1.0 - beyond, beyond))
    return where(np.isnan(X), X, result)


@operator("Ndtri")
def ndtri(X: Value) -> Value:
    """Return the inverse of `Ndtr` of a float64 tensor: -inf at 0, inf at 1, NaN outside.

    A rational approximation around the middle, two of ``1 / sqrt(-2 log X)`` for the tails (S. L. Moshier, Cephes,
    ndtri.c).
    """
    right = X > 1.0 - _EXP_MINUS_2
    y = where(right, 1.0 - X, X)
    middle = y.clip(_EXP_MINUS_2, 1.0) - 0.5
    square = middle * middle
    ratio = square * _polynomial(square, _NDTRI_MIDDLE[0]) / _polynomial(square, _NDTRI_MIDDLE[1])
    centre = (middle + middle * ratio) * _SQRT_2_PI
    x = np.sqrt(-2.0 * np.log(y.clip(5e-324, _EXP_MINUS_2)))
    z = 1.0 / x
    near, far = (z * _polynomial(z, c[0]) / _polynomial(z, c[1]) for c in (_NDTRI_TAIL, _NDTRI_FAR))
    tail = x - np.log(x) / x - where(x < 8.0, near, far)
    result = where(y > _EXP_MINUS_2, centre, where(right, tail, -tail))
    limits = where(X == 0.0, -np.inf, where(X == 1.0, np.inf, np.nan))
    return where((X > 0.0) & (X < 1.0), result, limits)


#: of the trapezoidal rule in `bessel_k`: step of arguments up to `_WIDE`, above it falls with the integrand's width
_STEP, _WIDE, _NODES = 0.125, 16.0, 360


@operator("BesselK")
def bessel_k(X: Value, order: Value) -> Value:
    """Return the modified Bessel function of the second kind of a real order, for X > 1e-16, float64.

    The integral over t >= 0 of ``exp(-x cosh t) cosh(order t)`` by the trapezoidal rule, which is exact to rounding for
    such integrands (L. N. Trefethen and J. A. C. Weideman, SIAM Review 56, 2014; NIST DLMF 10.32.9). A factor
    ``exp(-x)`` is taken out so that large X lose nothing.
    """
    wide = op.Max(X * (1.0 / _WIDE), 1.0)
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
