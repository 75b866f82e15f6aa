"""Operators of kernel machines, as libsvm computes them in float64.

Sources: C.-C. Chang and C.-J. Lin, LIBSVM (sklearn/svm/src/libsvm/svm.cpp: ``k_function``, ``predict_values``);
T.-F. Wu, C.-J. Lin and R. C. Weng, Probability estimates for multi-class classification by pairwise coupling,
JMLR 5 (2004), the second method (``multiclass_probability``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph import Value, as_value, concat, loop, op, where
from . import operator

#: kernels by libsvm's names; ``precomputed`` and ``linear`` need no operator
KERNELS = ("poly", "rbf", "sigmoid")


@operator("KernelSums")
def kernel_sums(
    X: Value,
    support_vectors: Value,
    dual_coef: Value,
    gamma: Value,
    coef0: Value,
    *,
    kernel: str,
    degree: int,
    n_support: Sequence[int],
) -> Value:
    """Return weighted sums of kernel values, one for each group of support vectors and row of coefficients.

    ::

        support vectors   | group 0 ....... | group 1 ... |         n_support = (7, 5): classes, or one group of all
        dual_coef         | row 0 .................... |
                          | row 1 .................... |
        Y                 | g0 row 0, g0 row 1 | g1 row 0, g1 row 1 |

    Parameters
    ----------
    X : float64 Value of shape (N, n_features)
        Rows.
    support_vectors : float64 Value of shape (n_vectors, n_features)
        The groups one after the other.
    dual_coef : float64 Value of shape (n_rows, n_vectors)
        Weights.
    gamma, coef0 : float64 scalars
        Of the kernel: ``exp(-gamma |x - s|^2)``, ``(gamma x.s + coef0)^degree`` or ``tanh(gamma x.s + coef0)``.
    kernel : {"poly", "rbf", "sigmoid"}
        Which.
    degree : int
        Of the polynomial.
    n_support : sequence of int
        Size of each group.

    Returns
    -------
    float64 Value of shape (N, n_groups * n_rows)
    """
    return group_sums(_kernel(X, support_vectors, gamma, coef0, kernel, degree), dual_coef, n_support)


def group_sums(K: Value, dual_coef: Value, n_support: Sequence[int]) -> Value:
    """Return the sums of `kernel_sums` from kernel values `K` of shape (N, n_vectors)."""
    stops = np.cumsum(n_support).tolist()
    starts = [0, *stops[:-1]]
    blocks = [(K[:, a:b], dual_coef[:, a:b]) for a, b in zip(starts, stops, strict=True)]
    return concat([k @ _transposed(c) for k, c in blocks])


def _kernel(X: Value, S: Value, gamma: Value, coef0: Value, kernel: str, degree: int) -> Value:
    if kernel == "rbf":
        return np.exp(-gamma * _squared_distances(X, S))
    inner = gamma * (X @ _transposed(S)) + coef0
    return np.tanh(inner) if kernel == "sigmoid" else inner ** np.float64(degree)


def _squared_distances(X: Value, S: Value) -> Value:
    """Expand the square around the mean of `S`, so that large common offsets do not cancel."""
    center = S.mean(0, keepdims=True)
    x, s = X - center, S - center
    norms = (x * x).sum(1, keepdims=True) + (s * s).sum(1)
    result: Value = op.Max(norms - 2.0 * (x @ _transposed(s)), 0.0)
    return result


def _transposed(x: Value) -> Value:
    result: Value = op.Transpose(x, perm=[1, 0])
    return result


@operator("PairwiseCoupling")
def pairwise_coupling(P: Value, *, n_classes: int) -> Value:
    """Return class probabilities from those of each pair of classes.

    Parameters
    ----------
    P : float64 Value of shape (N, n_classes * (n_classes - 1) / 2)
        Probability of the first class of each pair (0, 1), (0, 2) ... (1, 2) ...
    n_classes : int
        Number of classes.

    Returns
    -------
    float64 Value of shape (N, n_classes)
        Iterated until the optimality condition holds within ``0.005 / n_classes`` in each row, as libsvm does.
    """
    Q = _coupling_matrix(P, n_classes)
    uniform = np.full((1, n_classes), 1.0 / n_classes)
    start = P[:, :1] * 0.0 + uniform

    def iterate(i: Value, p: Value) -> tuple[Value, Value]:
        Qp = (Q @ p[:, :, None]).reshape(0, n_classes)
        pQp = (p * Qp).sum(1, keepdims=True)
        going = abs(Qp - pQp).max(1, keepdims=True) >= 0.005 / n_classes
        count = going.astype(np.int64).sum((0, 1))
        return count > 0, where(going, _sweep(Q, p, Qp, pQp, n_classes), p)

    return loop(iterate, max(100, n_classes), start)[0]


def _coupling_matrix(P: Value, n: int) -> Value:
    """Return Q of shape (N, n, n): ``Q[t, t] = sum_j r[j, t]^2``, ``Q[t, j] = -r[j, t] r[t, j]``."""
    pairs = n * (n - 1) // 2
    place = np.full((n, n), 2 * pairs)
    place[np.triu_indices(n, 1)] = np.arange(pairs)
    place.T[np.triu_indices(n, 1)] = np.arange(pairs, 2 * pairs)
    parts = concat([P, 1.0 - P, P[:, :1] * 0.0])  # above the diagonal, below, on it
    r, transposed = (parts[:, index.ravel()].reshape(0, n, n) for index in (place, place.T))
    diagonal = (r * r).sum(1)[:, :, None] * as_value(np.eye(n))
    return diagonal - r * transposed


def _sweep(Q: Value, p: Value, Qp: Value, pQp: Value, n: int) -> Value:
    """One pass over the classes, each step solving for one probability and normalising."""
    unit = np.eye(n)
    for t in range(n):
        Qt = Q[:, np.array([t]), :].reshape(0, n)
        Qtt, Qpt = Qt[:, t : t + 1], Qp[:, t : t + 1]
        diff = (pQp - Qpt) / Qtt
        scale = 1.0 + diff
        pQp = (pQp + diff * (diff * Qtt + 2.0 * Qpt)) / scale / scale
        Qp = (Qp + diff * Qt) / scale
        p = (p + diff * unit[t : t + 1]) / scale
    return p
