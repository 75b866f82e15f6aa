"""Interpolation between knots."""

from __future__ import annotations

import numpy as np

from ..graph import Value, where
from . import operator


@operator("Interp", outputs=("Y",))
def interp(X: Value, starts: Value, values: Value, slopes: Value) -> Value:
    """Return ``values[j] + slopes[j] * (X - starts[j])``, where j is the last knot not above X.

    The number of knots, a power of two, makes the search a fixed number of halvings::

        starts   [-inf  0.1  0.4  0.9 | inf  inf  inf  inf]      padded with infinity
                                        steps of 4, 2, 1

    Parameters
    ----------
    X : Value of shape (N,)
    starts, values, slopes : Value of shape (2**k,)
        Rising knots, what is answered there, and the slope from there on; see `knots`.

    Notes
    -----
    ``numpy.interp`` computes the same (numpy/_core/src/multiarray/compiled_base.c).
    """
    at = (X != X).astype(np.int64) * 0
    step = starts.dim(0) // 2
    while step:
        higher = at + step
        at = where(starts[higher] <= X, higher, at)
        step //= 2
    result: Value = slopes[at] * (X - starts[at]) + values[at]
    return result
