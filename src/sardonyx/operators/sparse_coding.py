"""Operators of sparse coding: a row as a combination of few atoms of a dictionary, as scikit-learn's solvers find it.

They are given a row's products with the atoms, ``Xy = X @ D.T``, and those of the atoms, ``Gram = D @ D.T``; in what
follows k is the number of atoms. The bodies take all rows through an iteration together; rows that have finished keep
what they have. Sources: linear_model/_omp.py and _cd_fast.pyx of scikit-learn, and what those cite; its third solver is
in least_angle.py.
"""

from __future__ import annotations

import numpy as np

from ..graph import Value, as_value, loop, op, where
from . import operator


def any_of(flags: Value) -> Value:
    """Return whether any of (N, 1) flags is set, as a scalar."""
    return flags.astype(np.int64).sum((0, 1)) > 0


def _wide(x: Value) -> Value:
    return x.astype(np.float64)


def picked(flags: Value, x: Value) -> Value:
    """Return the sum of x where flags are set, (N, 1): the value at the only place that is."""
    return where(flags, x, 0).sum(1, keepdims=True)


def first(flags: Value, places: Value, none: int) -> Value:
    """Return the smallest of the places whose flag is set, (N, 1)."""
    return where(flags, places, none).min(1, keepdims=True)


# ---- orthogonal matching pursuit -------------------------------------------------------------------------------------


@operator("OrthogonalMatchingPursuit")
def orthogonal_matching_pursuit(Xy: Value, Gram: Value, *, n_nonzero_coefs: int) -> Value:
    """Return codes of at most `n_nonzero_coefs` atoms, chosen one by one as they correlate with what is left.

    R. Rubinstein, M. Zibulevsky and M. Elad, Efficient implementation of the K-SVD algorithm using batch orthogonal
    matching pursuit, 2008 (``_gram_omp``): the Cholesky factor of the chosen atoms' products grows by a row an atom.

    Parameters
    ----------
    Xy : Value of shape (N, k)
        float32 or float64.
    Gram : Value of shape (k, k)
        Of the same dtype.
    n_nonzero_coefs : int
        From 1 to k.

    Returns
    -------
    Value of shape (N, k)
    """
    return _Pursuit(Xy, Gram, n_nonzero_coefs).follow()


class _Pursuit:
    """The pursuit of `orthogonal_matching_pursuit`, of m atoms at most; names as in scikit-learn's ``_gram_omp``."""

    def __init__(self, Xy: Value, Gram: Value, m: int) -> None:
        self.Xy, self.Gram, self.m = Xy, Gram, m
        self.epsilon, self.steps = float(np.finfo(Xy.dtype).eps), np.arange(m)

    def follow(self) -> Value:
        """Return the codes."""
        Xy, m, dtype, k = self.Xy, self.m, self.Xy.dtype, self.Xy.dim(1)
        none = Xy[:, :1] * 0
        cube = none[:, :, None]
        start = (Xy * 0, none.astype(np.int64) + np.arange(k), cube + np.zeros((1, m, k), dtype))
        state = (*start, cube + np.eye(m, dtype=dtype), none + np.zeros((1, m), dtype), none == 0)
        return loop(self.choose, m, *state)[0]

    def choose(
        self, i: Value, code: Value, places: Value, chosen: Value, L: Value, solved: Value, going: Value
    ) -> tuple[Value, ...]:
        """Let the atom that correlates most with the residual join, in all rows that are not done."""
        m, dtype = self.m, self.Xy.dtype
        inner = self.Xy - code @ self.Gram
        size = abs(inner)
        place = first(size == size.max(1, keepdims=True), places, self.Xy.dim(1))
        hot = places == place
        value, one_hot = picked(hot, inner), hot.astype(dtype)
        products = one_hot @ self.Gram
        row = _forward(L, (chosen @ products[:, :, None]).reshape(0, m), m)
        rest = picked(hot, products) - (row * row).sum(1, keepdims=True)
        going = going & (place >= i) & (value * value >= self.epsilon) & ((i == 0) | (rest > self.epsilon))
        root, now = np.sqrt(rest), self.steps == i
        joins = going[:, :, None] & now[:, None]
        L = where(joins, where(now, root, row)[:, None, :], L)
        chosen = where(joins, one_hot[:, None, :], chosen)
        right = (picked(hot, self.Xy) - (row * solved).sum(1, keepdims=True)) / root
        solved = where(going & now, right, solved)
        found = (_backward(L, solved, m)[:, None, :] @ chosen).reshape(0, self.Xy.dim(1))
        code = where(going, found, code)
        places = where(going, where(hot, i, where(places == i, place, places)), places)
        return any_of(going), code, places, chosen, L, solved, going


def _forward(L: Value, x: Value, m: int) -> Value:
    """Return w of ``L w = x`` for lower triangles L, (N, m, m); what is 0 at the end of x stays so."""

    def solve(j: Value, w: Value) -> tuple[Value, Value]:
        row = op.Gather(L, j, axis=1)
        value = (op.Gather(x, j.reshape(1), axis=1) - (row * w).sum(1, keepdims=True)) / _at(row, j)
        return (j >= 0), where(np.arange(m) == j, value, w)

    return loop(solve, m, x * 0)[0]


def _backward(L: Value, x: Value, m: int) -> Value:
    """Return w of ``L^T w = x``."""

    def solve(i: Value, w: Value) -> tuple[Value, Value]:
        j = (m - 1) - i
        column = op.Gather(L, j, axis=2)
        value = (op.Gather(x, j.reshape(1), axis=1) - (column * w).sum(1, keepdims=True)) / _at(column, j)
        return (i >= 0), where(np.arange(m) == j, value, w)

    return loop(solve, m, x * 0)[0]


def _at(x: Value, j: Value) -> Value:
    """Return the column j of x, (N, 1)."""
    column: Value = op.Gather(x, j.reshape(1), axis=1)
    return column


# ---- coordinate descent for the lasso --------------------------------------------------------------------------------


@operator("LassoDescent")
def lasso_descent(
    Xy: Value, Gram: Value, norms: Value, alpha: Value, tol: Value, *, max_iter: int, positive: int, penalised: int
) -> Value:
    """Return the codes that minimise ``|X - code D|^2 / 2 + alpha |code|_1``, by coordinate descent from 0.

    Descent ends when the duality gap is at most `tol` times the norm; atoms that the gap proves to be unused are left
    out (O. Fercoq, A. Gramfort and J. Salmon, Mind the duality gap: safer rules for the Lasso, ICML 2015). It is
    ``enet_coordinate_descent_gram`` of scikit-learn 1.9.

    Parameters
    ----------
    Xy : Value of shape (N, k)
        float32 or float64.
    Gram : Value of shape (k, k)
        Of the same dtype.
    norms : Value of shape (N, 1)
        Squared norms of the rows.
    alpha, tol : float64 scalars
    max_iter : int
        The most sweeps over the atoms.
    positive : int
        1 for codes that are not negative.
    penalised : int
        0 if `alpha` is 0.

    Returns
    -------
    Value of shape (N, k)
    """
    problem = _Lasso(Xy, Gram, norms, alpha, tol, bool(positive), bool(penalised))
    k = Xy.dim(1)
    gap, inner, largest = problem.gap(Xy * 0, Xy * 0)
    going = ~((gap >= 0) & (gap <= problem.most_gap))
    active = problem.screened(as_value(np.ones((1, k), bool)) & (Xy == Xy), gap, inner, largest)

    def sweep(i: Value, w: Value, Qw: Value, active: Value, going: Value) -> tuple[Value, ...]:
        after, product, still = problem.sweep(w, Qw, active)
        asked = still | (i == max_iter - 1)
        gap, inner, largest = problem.gap(after, product)
        done = asked & (gap <= problem.most_gap)
        unused = active & ~problem.screened(active, gap, inner, largest) & (asked & ~done & going)
        dropped = where(unused, after, 0)
        w, Qw = where(going, after - dropped, w), where(going, product - dropped @ Gram, Qw)
        going = going & ~done
        return any_of(going), w, Qw, active & ~unused, going

    return where(going, loop(sweep, max_iter, Xy * 0, Xy * 0, active, going)[0], 0)


class _Lasso:
    """The problem of `lasso_descent`; names as in scikit-learn's ``enet_coordinate_descent_gram``.

    In C, terms with a number in them are double, and rounded when they are kept: of float32, that decides when to stop.
    """

    def __init__(
        self, q: Value, Q: Value, norms: Value, alpha: Value, tol: Value, positive: bool, penalised: bool
    ) -> None:
        self.q, self.Q, self.norms, self.positive, self.penalised = q, Q, norms, positive, penalised
        self.k = q.dim(1)
        self.alpha, self.tol = alpha.astype(q.dtype), tol.astype(q.dtype)
        self.diagonal = (Q * np.eye(self.k, dtype=q.dtype)).sum(0)
        self.most_gap = self.tol * norms

    def gap(self, w: Value, Qw: Value) -> tuple[Value, Value, Value]:
        """Return the duality gap, the atoms' products with the residual, and the largest of those."""
        fitted, Ry = self._product(w, self.q), self.norms - self._product(w, self.q)
        residual = self._narrow(_wide(self.norms + self._product(w, Qw)) - 2.0 * _wide(fitted))
        inner = self.q - Qw
        if not self.penalised:
            squares = (inner * inner).sum(1, keepdims=True)
            return squares, inner, squares
        largest = (inner if self.positive else abs(inner)).max(1, keepdims=True)
        primal = self._narrow(0.5 * _wide(residual) + _wide(self.alpha * abs(w).sum(1, keepdims=True)))
        scale = where(largest > self.alpha, self.alpha / largest, 1)
        dual = self._narrow(-0.5 * _wide(scale * scale) * _wide(residual) + _wide(scale * Ry))
        return primal - dual, inner, largest

    def _narrow(self, x: Value) -> Value:
        return x.astype(self.q.dtype)

    def _product(self, x: Value, y: Value) -> Value:
        """Return inner products as OpenBLAS adds up short vectors of floats: their products in double."""
        return self._narrow(_wide(x * y).sum(1, keepdims=True))

    def screened(self, active: Value, gap: Value, inner: Value, largest: Value) -> Value:
        """Return which of the active atoms may still be used."""
        if not self.penalised:
            return active
        radius = self._narrow(np.sqrt(2 * abs(_wide(gap))) / _wide(self.alpha))
        distance = (1 - abs(_wide(inner / op.Max(largest, self.alpha)))) / np.sqrt(_wide(self.diagonal))
        return active & (self.diagonal != 0) & (self._narrow(distance) <= radius)

    def sweep(self, w: Value, Qw: Value, active: Value) -> tuple[Value, Value, Value]:
        """Minimise along one atom after the other; return whether all but stood still, too."""
        places, none = np.arange(self.k), self.norms * 0

        def visit(j: Value, w: Value, Qw: Value, most: Value, step: Value) -> tuple[Value, ...]:
            row = op.Gather(self.Q, j.reshape(1), axis=0)
            square, before = _at(row, j), _at(w, j)
            used = _at(active, j) & (square != 0)
            inner = _at(self.q, j) - _at(Qw, j) + before * square
            size = self._narrow(op.Max(abs(_wide(inner)) - _wide(self.alpha), 0) / _wide(square))
            after = where(inner < 0, 0 if self.positive else -size, size)
            after = where(used, after, before)
            change = after - before
            w, Qw = where(places == j, after, w), where(change != 0, Qw + change * row, Qw)
            most = where(used, op.Max(most, abs(after)), most)
            return (j >= 0), w, Qw, most, where(used, op.Max(step, abs(change)), step)

        w, Qw, most, step = loop(visit, self.k, w, Qw, none, none)
        return w, Qw, (most == 0) | (step / most <= self.tol)
