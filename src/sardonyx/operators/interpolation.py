"""Between knots: interpolation, and the basis of B-splines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Value, where
from . import operator


def knots(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return starts, values and slopes of one column for `interp`, each of shape (2**k,).

    The last knot is flat, so it answers exactly its value. ``numpy.interp`` computes the same slopes.
    """
    size = 1 << (len(x) - 1).bit_length()
    spare = size - len(x)
    with np.errstate(divide="ignore", invalid="ignore"):  # equal knots: the last of them answers
        slopes = np.append(np.diff(y) / np.diff(x), 0.0).astype(y.dtype)
    return np.pad(x, (0, spare), constant_values=np.inf), np.pad(y, (0, spare)), np.pad(slopes, (0, spare))


def knots_of_columns(
    columns: Sequence[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[NDArray[Any], ...]:
    """Return starts, values and slopes of columns with as many knots each, of shape (F, 2**k)."""
    return tuple(np.stack(parts) for parts in zip(*(knots(x, y) for x, y in columns), strict=True))


@operator("Interp", outputs=("Y",))
def interp(X: Value, starts: Value, values: Value, slopes: Value) -> Value:
    """Return, column by column, ``values[j] + slopes[j] * (X - starts[j])``, where j is the last knot not above X.

    The number of knots, a power of two, makes the search a fixed number of halvings::

        starts   [0.0  0.1  0.4  0.9 | inf  inf  inf  inf]      padded with infinity
                                       steps of 4, 2, 1

    Parameters
    ----------
    X : Value of shape (N, F)
    starts, values, slopes : Value of shape (F, 2**k)
        Rising knots of each column, what is answered there, and the slope from there on; see `knots`. What is below the
        first knot goes on with its slope.

    Notes
    -----
    ``numpy.interp`` computes the same (numpy/_core/src/multiarray/compiled_base.c).
    """
    of_column = np.arange(starts.dim(0), dtype=np.int64) * starts.dim(1)
    first, value, slope = (table.reshape(-1) for table in (starts, values, slopes))
    at = (X != X).astype(np.int64) * 0 + of_column
    step = starts.dim(1) // 2
    while step:
        higher = at + step
        at = where(first[higher] <= X, higher, at)
        step //= 2
    result: Value = slope[at] * (X - first[at]) + value[at]
    return result


@operator("BSplineBasis", outputs=("Y",))
def b_spline_basis(X: Value, knots: Value, *, degree: int) -> Value:
    """Return the B-splines of each column at X, shape (N, F * (T - degree - 1)); NaN where X is NaN.

    Beyond the base interval (``knots[degree]`` to ``knots[-degree - 1]``) the polynomials of its first and last piece
    go on.

    Parameters
    ----------
    X : float64 Value of shape (N, F)
    knots : float64 Value of shape (F, T)
        Rising knots of each column.
    degree : int
        Of the polynomials.

    Notes
    -----
    De Boor's recurrence (C. de Boor, Journal of Approximation Theory 6, 1972), in the order of SciPy's ``_deBoor_D``.
    """
    n_knots = knots.dim(1)
    splines = n_knots - degree - 1
    interval = (X != X).astype(np.int64) * 0 + degree
    for t in range(degree + 1, splines):  # the last knot not above X, inside of the base interval
        interval = interval + (knots[:, t] <= X).astype(np.int64)
    table, at = knots.reshape(-1), interval + np.arange(knots.dim(0), dtype=np.int64) * n_knots
    basis = where(np.isnan(X), np.nan, 0.0)[:, :, None] + np.zeros(splines)
    for n, piece in enumerate(_de_boor(X, lambda offset: table[at + offset], degree)):
        here = (interval + (n - degree))[:, :, None] == np.arange(splines, dtype=np.int64)
        basis = where(here, piece[:, :, None], basis)
    return basis.reshape(-1, knots.dim(0) * splines)


def _de_boor(X: Value, knot: Callable[[int], Value], degree: int) -> list[Value]:
    """Return the degree + 1 splines that are not zero on the interval."""
    h = [X * 0.0 + 1.0]
    for j in range(1, degree + 1):
        before, h = h, [X * 0.0]
        for n in range(1, j + 1):
            right, left = knot(n), knot(n - j)
            equal = right == left
            w = where(equal, 0.0, before[n - 1] / where(equal, 1.0, right - left))
            h[n - 1] = h[n - 1] + w * (right - X)
            h.append(w * (X - left))
    return h
