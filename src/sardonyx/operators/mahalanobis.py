"""The distance of rows to one point, by the inverse of a covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..graph import Value, loop, op
from . import operator


@operator("Mahalanobis", outputs=("D",))
def mahalanobis(X: Value, center: Value, inverse: Value) -> Value:
    """Return ``scipy.spatial.distance.cdist(X, center[None], "mahalanobis", VI=inverse)``, bit by bit.

    SciPy adds up products of even and of odd features apart; of an odd number, the last comes after all.

    Parameters
    ----------
    X : float64 Value of shape (N, n_features)
        Rows.
    center : float64 Value of shape (n_features,)
    inverse : float64 Value of shape (n_features, n_features)

    Returns
    -------
    float64 Value of shape (N, 1)
    """
    gaps = X - center
    product = _product(gaps, op.Transpose(inverse, perm=[1, 0]))
    distances: Value = np.sqrt(_sum_of_pairs(gaps * product))
    return distances


def _product(rows: Value, turned: Value) -> Value:
    """Return ``rows @ turned``, added up two by two."""
    n = rows.dim(1)

    def term(at: Value | NDArray[np.int64]) -> Value:
        return op.Gather(rows, at, axis=1) * op.Gather(turned, at, axis=0)

    def add(i: Value, even: Value, odd: Value) -> tuple[Value, Value, Value]:
        at = i.reshape(1) * 2
        return (i >= 0), even + term(at), odd + term(at + 1)

    even, odd = loop(add, n // 2, rows * 0.0, rows * 0.0) if n > 1 else (rows * 0.0, rows * 0.0)
    return even + odd + term(np.array([n - 1], np.int64)) if n % 2 else even + odd


def _sum_of_pairs(terms: Value) -> Value:
    """Return the sum over columns, shape (N, 1), added up two by two."""
    n = terms.dim(1)
    pairs = np.arange(n // 2 * 2, dtype=np.int64).reshape(-1, 2)
    last = terms[:, n - 1 :]
    if n == 1:
        return last
    lanes = op.CumSum(op.Gather(terms, pairs, axis=1), np.int64(1))[:, -1]
    total: Value = lanes[:, :1] + lanes[:, 1:]
    return total + last if n % 2 else total
