"""Operators of non-negative matrix factorisation: W of ``X ≈ W H`` for a given H, as scikit-learn iterates.

When to stop is decided by the whole batch, as in sklearn/decomposition/_nmf.py: what a row gives depends on the rows
that it is transformed with. Our runtime therefore runs these operators on all rows at once.

Sources: A. Cichocki and A.-H. Phan, Fast local algorithms for large scale nonnegative matrix and tensor factorizations,
IEICE Transactions 92 (2009); C. Févotte and J. Idier, Algorithms for nonnegative matrix factorization with the
beta-divergence, Neural Computation 23 (2011).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph import Value, concat, loop, op, where
from . import operator

#: stands for 0 in denominators: of float32, whatever the dtype
EPSILON = float(np.finfo(np.float32).eps)
#: iterations between two looks at the divergence
CHECKED_EVERY = 10


@operator("NonNegativeDescent", outputs=("W",))
def non_negative_descent(XHt: Value, HHt: Value, order: Value, tol: Value, *, max_iter: int) -> Value:
    """Return non-negative W that makes ``|X - W H|`` small, by coordinate descent from 0.

    A sweep visits the components in turn, for all rows; sweeps end when the sum of projected gradients over all rows is
    at most `tol` times that of the first (``_fit_coordinate_descent`` with ``_update_cdnmf_fast``).

    Parameters
    ----------
    XHt : Value of shape (N, n_components)
        ``X @ H.T``, less the L1 penalty; float32 or float64.
    HHt : Value of shape (n_components, n_components)
        ``H @ H.T``, the L2 penalty added to its diagonal.
    order : int64 Value of shape (1 or max_iter, n_components)
        In which order a sweep visits the components: the same in all sweeps, or one order for each.
    tol : float64 scalar
    max_iter : int
        The most sweeps.
    """
    n, places = XHt.dim(1), np.arange(XHt.dim(1))

    def sweep(i: Value, W: Value, first: Value) -> tuple[Value, Value, Value]:
        turn = op.Gather(order, op.Min(i, order.dim(0) - 1), axis=0)

        def visit(s: Value, W: Value, violation: Value) -> tuple[Value, Value, Value]:
            t = op.Gather(turn, s.reshape(1), axis=0)
            row, w = op.Gather(HHt, t, axis=0), op.Gather(W, t, axis=1)
            hessian = op.Gather(row, t, axis=1)
            gradient = W @ row.reshape(-1, 1) - op.Gather(XHt, t, axis=1)
            projected = where(w == 0, np.minimum(gradient, 0), gradient)
            moved = where(hessian != 0, np.maximum(w - gradient / hessian, 0), w)
            return (s >= 0), where(t == places, moved, W), _added(violation, abs(projected))

        W, violation = loop(visit, n, W, first * 0)
        first = where(i == 0, violation, first)
        ratio = violation.astype(np.float64) / first.astype(np.float64)
        going = (first != 0) & ~(ratio <= tol)
        return going.reshape(), W, first

    return loop(sweep, max_iter, XHt * 0, _nothing(XHt))[0]


def _nothing(like: Value) -> Value:
    """Return 0 as a Value of shape (1,), in the dtype of `like`."""
    zero: Value = op.ConstantOfShape(np.array([1], np.int64), value=np.zeros(1, like.dtype))
    return zero


def _added(total: Value, column: Value) -> Value:
    """Return the total of shape (1,) with a column added: float32 from first to last, as its rounding decides."""
    if column.dtype == np.float64:
        return total + column.sum((0, 1))
    sums = op.CumSum(concat([total, column.reshape(-1)], axis=0), np.int64(0))
    last: Value = op.Gather(sums, np.array([-1], np.int64), axis=0)
    return last


@operator("MultiplicativeUpdates", outputs=("W",))
def multiplicative_updates(
    X: Value, H: Value, penalties: Value, tol: Value, *, beta: str, max_iter: int, rule: str
) -> Value:
    """Return non-negative W that makes the beta-divergence of X and ``W H`` small, by multiplicative updates.

    Parameters
    ----------
    X : Value of shape (N, n_features)
        Rows, float32 or float64.
    H : Value of shape (n_components, n_features)
        Of the same dtype.
    penalties : float64 Value of shape (2,)
        L1 and L2.
    tol : float64 scalar
        0 for as many iterations as there may be.
    beta : str
        Of the divergence, in decimal: 2 Frobenius, 1 Kullback-Leibler, 0 Itakura-Saito, or any other number.
    max_iter : int
        The most iterations.
    rule : {"divergence", "change"}
        When to stop: when ten iterations lessen the divergence by at most `tol` times the one at the start
        (``_fit_multiplicative_update``), or when W changes by at most `tol` of its norm (``MiniBatchNMF._solve_W``).
    """
    return _UPDATES[rule](_Divergence(X, H, float(beta), penalties), tol, max_iter)


class _Divergence:
    """One problem: the updates of W, and its divergence."""

    def __init__(self, X: Value, H: Value, beta: float, penalties: Value) -> None:
        self.X, self.H, self.beta = X, H, beta
        self.Ht = op.Transpose(H, perm=[1, 0])
        self.l1, self.l2 = (penalties[i : i + 1].astype(X.dtype) for i in (0, 1))
        self.XHt, self.HHt = X @ self.Ht, H @ self.Ht
        self.sums = H.sum(1)

    def start(self) -> Value:
        """Return W full of the root of the mean of X over the number of components."""
        mean = self.X.mean((0, 1), keepdims=True)
        return self.X[:, :1] * 0 + np.sqrt(mean / self.H.dim(0)) * np.ones((1, self.H.dim(0)), self.X.dtype)

    def update(self, W: Value, sums: Value) -> tuple[Value, Value]:
        """Return the next W, and the sums of the rows of H as the next iteration finds them."""
        numerator, denominator = self._fraction(W, sums)
        if self.beta == 1:  # scikit-learn adds the penalty to the sums that it keeps, every time
            sums = denominator = where(denominator + self.l1 == 0, EPSILON, denominator + self.l1)
        else:
            denominator = denominator + self.l1
        denominator = denominator + self.l2 * W
        factor = numerator / where(denominator == 0, EPSILON, denominator)
        return W * (factor if self.gamma == 1 else factor**self.gamma), sums

    @property
    def gamma(self) -> float:
        """The exponent that makes the divergence fall: Févotte and Idier (2011)."""
        if self.beta < 1:
            return 1 / (2 - self.beta)
        return 1 / (self.beta - 1) if self.beta > 2 else 1.0

    def _fraction(self, W: Value, sums: Value) -> tuple[Value, Value]:
        if self.beta == 2:
            return self.XHt, W @ self.HHt
        WH = W @ self.H
        safe = where(WH < EPSILON, EPSILON, WH) if self.beta < 2 else WH
        if self.beta == 1:
            return (self.X / safe) @ self.Ht, sums
        if self.beta == 0:
            inverse = 1 / safe
            return (inverse * inverse * self.X) @ self.Ht, inverse @ self.Ht
        other = where(WH < EPSILON, EPSILON, WH) if self.beta < 1 else WH
        return (safe ** (self.beta - 2) * self.X) @ self.Ht, other ** (self.beta - 1) @ self.Ht

    def error(self, W: Value) -> Value:
        """Return the root of twice the divergence: ``_beta_divergence(X, W, H, beta, square_root=True)``."""
        if self.beta == 2:
            gap = self.X - W @ self.H
            root: Value = np.sqrt((gap * gap).sum((0, 1)))
            return root
        there, WH = self.X > EPSILON, W @ self.H
        x, wh = where(there, self.X, 1), where(there, np.maximum(WH, EPSILON), 1)
        if self.beta == 1:
            inner = (W.sum(0) * self.sums).sum(0)
            twice = self._total(there, x * np.log(x / wh) - x) + inner
        elif self.beta == 0:
            count = op.Size(self.X).astype(self.X.dtype)
            twice = self._total(there, x / wh) - count - self._total(there, np.log(x / wh))
        else:
            b = self.beta
            powers, products = self._total(there, x**b), self._total(there, x * wh ** (b - 1))
            twice = (powers - b * products + (WH**b).sum((0, 1)) * (b - 1)) / (b * (b - 1))
        result: Value = np.sqrt(2 * np.maximum(twice, 0))
        return result

    @staticmethod
    def _total(there: Value, terms: Value) -> Value:
        return where(there, terms, 0).sum((0, 1))


def _until_divergence(problem: _Divergence, tol: Value, max_iter: int) -> Value:
    start = problem.start()
    first = problem.error(start)
    floor = float(np.finfo(np.float64).eps)

    def several(i: Value, W: Value, sums: Value, previous: Value) -> tuple[Value, Value, Value, Value]:
        def once(j: Value, W: Value, sums: Value) -> tuple[Value, Value, Value]:
            W, sums = problem.update(W, sums)
            W = where(W < floor, 0, W) if problem.beta < 1 else W
            return i * CHECKED_EVERY + j + 1 < max_iter, W, sums

        W, sums = loop(once, CHECKED_EVERY, W, sums)
        error = problem.error(W)
        done = (tol > 0) & (((previous - error) / first).astype(np.float64) < tol)
        return ~done, W, sums, error

    return loop(several, -(-max_iter // CHECKED_EVERY), start, problem.sums, first)[0]


def _until_change(problem: _Divergence, tol: Value, max_iter: int) -> Value:
    def once(i: Value, W: Value) -> tuple[Value, Value]:
        after, _ = problem.update(W, problem.sums)
        change, size = after - W, after
        ratio = np.sqrt((change * change).sum((0, 1))) / np.sqrt((size * size).sum((0, 1)))
        return ~((tol > 0) & (ratio.astype(np.float64) <= tol)), after

    return loop(once, max_iter, problem.start())[0]


_UPDATES: dict[str, Callable[[_Divergence, Value, int], Value]] = {
    "divergence": _until_divergence,
    "change": _until_change,
}
