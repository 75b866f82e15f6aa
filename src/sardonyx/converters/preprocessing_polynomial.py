"""sklearn.preprocessing._polynomial: SplineTransformer.

::

    X (N, F) ──▶ moved into the base interval ──▶ BSplineBasis ──▶ beyond the interval, row by row:
                   periodic: modulo the period                       constant, linear: a line of each spline
                   constant, linear: to its ends                     error: refused        continue: as it is
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import SplineTransformer

from ..convert import as_float, checked
from ..errors import ConversionError
from ..graph import Value, concat, op, where
from ..operators.checks import require
from ..operators.interpolation import b_spline_basis
from ..registry import converter

Array = NDArray[Any]


@converter(SplineTransformer, finite=False)
def spline_transformer(est: Any, X: Value) -> Value:
    X = as_float(X)
    X = X if _takes_all(est) else checked(est, X)
    # scikit-learn's sparse results are float64 whatever X is
    dtype = np.dtype(np.float64) if est.sparse_output else X.dtype
    basis = _RULES[est.extrapolation](est, X.astype(np.float64), _knots(est)).astype(dtype)
    kept = np.arange(basis.dim(1)) % _splines(est) < _splines(est) - (not est.include_bias)
    return basis if kept.all() else basis[:, np.flatnonzero(kept)]


def _takes_all(est: Any) -> bool:
    """Whether missing values are encoded as zeros; infinity is let in then, too."""
    return bool(getattr(est, "handle_missing", "error") == "zeros")


def _knots(est: Any) -> Array:
    return np.stack([spline.t for spline in est.bsplines_])


def _splines(est: Any) -> int:
    """Return how many splines a feature has."""
    return int(est.bsplines_[0].c.shape[1])


def _by_feature(values: Value, splines: int) -> Value:
    """Return each column of (N, F) once for each of its feature's splines."""
    return values[:, np.repeat(np.arange(values.dim(1)), splines)]


def _zero_where_missing(X: Value, basis: Value) -> Value:
    return where(_by_feature(np.isnan(X), basis.dim(1) // X.dim(1)), 0.0, basis)


def _continued(est: Any, X: Value, knots: Array) -> Value:
    basis = _zero_where_missing(X, b_spline_basis(X, knots, degree=est.degree))
    if not _takes_all(est) or est.degree == 0:
        return basis
    return where(_by_feature(np.isinf(X), basis.dim(1) // X.dim(1)), np.nan, basis)


def _refused(est: Any, X: Value, knots: Array) -> Value:
    low, high = knots[:, est.degree].copy(), knots[:, -est.degree - 1].copy()
    message = "SplineTransformer: X contains values beyond the limits of the knots"
    return _continued(est, require(X, (X != X) | ((X >= low) & (X <= high)), message=message), knots)


def _periodic(est: Any, X: Value, knots: Array) -> Value:
    """Wrap X into one period; the splines that reach over its end are those at its beginning."""
    if est.sparse_output and est.degree == 0:
        raise ConversionError(
            "SplineTransformer(extrapolation='periodic', degree=0, sparse_output=True) gives no columns in "
            "scikit-learn. Set sparse_output=False."
        )
    start, period = knots[:, est.degree].copy(), knots[:, -est.degree - 1] - knots[:, est.degree]
    rest = op.Mod(X - start, np.where(period > 0, period, 1.0), fmod=1)
    inside = start + where(rest < 0, rest + period, rest)
    basis = b_spline_basis(where(period > 0, inside, 0.0), knots, degree=est.degree)
    splines, whole = _splines(est), knots.shape[1] - est.degree - 1
    columns = []
    for f in range(len(knots)):
        first = basis[:, f * whole : (f + 1) * whole]
        wrapped = first[:, : est.degree] + first[:, splines:] if est.degree else None
        columns += [first[:, :splines]] if wrapped is None else [wrapped, first[:, est.degree : splines]]
    return _zero_where_missing(X, concat([c for c in columns if c.dim(1)]))


# ---- constant and linear ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """A feature's splines beyond an end of its base interval: ``value + (x - end) * slope``, each (splines,).

    Those that do not reach there are not chosen: zero, even at infinity.
    """

    end: float
    value: Array
    slope: Array
    chosen: Array

    @classmethod
    def of(cls, spline: Any, end: float, chosen: Array, slope: bool) -> _Line:
        zeros = np.zeros(spline.c.shape[1])
        value, rise = zeros.copy(), zeros.copy()
        value[chosen] = spline(end)[chosen]
        if slope:
            rise[chosen] = spline(end, nu=1)[chosen]
        return cls(float(end), value, rise, np.isin(np.arange(len(zeros)), chosen))


def _lines(est: Any) -> list[tuple[_Line, _Line]]:
    """Return the lines below and above of each feature.

    With ``degree`` 0 or 1, scikit-learn's transform raises the degree by one while it works on a feature with linear
    extrapolation, and goes on with that for the features after it: their ends lie one knot further in.
    """
    degree, linear, lines = est.degree, est.extrapolation == "linear", []
    for spline in est.bsplines_:
        low, high = spline.t[degree], spline.t[-degree - 1]
        degree += linear and degree <= 1
        positions = np.arange(_splines(est))
        first, last = positions[:degree], positions[len(positions) - degree :]
        if not degree and est.sparse_output:
            last = positions
        lines.append((_Line.of(spline, low, first, linear), _Line.of(spline, high, last, linear)))
    return lines


def _extended(est: Any, X: Value, knots: Array) -> Value:
    lines = _lines(est)
    low, high = (np.array([pair[i].end for pair in lines]) for i in range(2))
    if est.degree == 0 and est.extrapolation == "constant" and not est.sparse_output and _splines(est) > 1:
        X = require(X, ~(X > high), message="SplineTransformer(degree=0) refuses values above the last knot")
    below, above = X < low, X > high
    inside = where(below, low, where(above, high, X))
    basis = _zero_where_missing(X, b_spline_basis(inside, knots, degree=est.degree))
    for outside, side in ((below, 0), (above, 1)):
        ends, values, slopes, chosen = (
            np.concatenate([np.broadcast_to(getattr(pair[side], part), _splines(est)) for pair in lines])
            for part in ("end", "value", "slope", "chosen")
        )
        gaps = _by_feature(X, _splines(est)) - ends
        gaps = where(chosen, gaps, 0.0) if _takes_all(est) else gaps
        line = values + gaps * slopes if est.extrapolation == "linear" else values
        basis = where(_by_feature(outside, _splines(est)), line, basis)
    return basis


_RULES = {
    "continue": _continued,
    "error": _refused,
    "periodic": _periodic,
    "constant": _extended,
    "linear": _extended,
}
