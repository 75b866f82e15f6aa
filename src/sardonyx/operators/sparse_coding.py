"""Operators of sparse coding: a row as a combination of few atoms of a dictionary, as scikit-learn's solvers find it.

They are given a row's products with the atoms, ``Xy = X @ D.T``, and those of the atoms, ``Gram = D @ D.T``; in what
follows k is the number of atoms. The bodies take all rows through an iteration together; rows that have finished keep
what they have. Sources: linear_model/_omp.py, _cd_fast.pyx and _least_angle.py of scikit-learn, and what those cite.
"""

from __future__ import annotations

import numpy as np

from ..graph import Value, as_value, concat, loop, op, where
from . import operator


def _any(flags: Value) -> Value:
    """Return whether any of (N, 1) flags is set, as a scalar."""
    return flags.astype(np.int64).sum((0, 1)) > 0


def _wide(x: Value) -> Value:
    return x.astype(np.float64)


def _picked(flags: Value, x: Value) -> Value:
    """Return the sum of x where flags are set, (N, 1): the value at the only place that is."""
    return where(flags, x, 0).sum(1, keepdims=True)


def _first(flags: Value, places: Value, none: int) -> Value:
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
    k, m, dtype = Xy.dim(1), n_nonzero_coefs, Xy.dtype
    epsilon, steps = float(np.finfo(dtype).eps), np.arange(m)
    none = Xy[:, :1] * 0

    def choose(
        i: Value, code: Value, places: Value, chosen: Value, L: Value, solved: Value, going: Value
    ) -> tuple[Value, ...]:
        inner = Xy - code @ Gram
        size = abs(inner)
        place = _first(size == size.max(1, keepdims=True), places, k)
        hot = places == place
        value, one_hot = _picked(hot, inner), hot.astype(dtype)
        products = one_hot @ Gram
        row = _forward(L, (chosen @ products[:, :, None]).reshape(0, m), m)
        rest = _picked(hot, products) - (row * row).sum(1, keepdims=True)
        going = going & (place >= i) & (value * value >= epsilon) & ((i == 0) | (rest > epsilon))
        root, now = np.sqrt(rest), steps == i
        free = going[:, :, None]
        L = where(free & now[:, None], where(now, root, row)[:, None, :], L)
        chosen = where(free & now[:, None], one_hot[:, None, :], chosen)
        right = (_picked(hot, Xy) - (row * solved).sum(1, keepdims=True)) / root
        solved = where(going & now, right, solved)
        found = (_backward(L, solved, m)[:, None, :] @ chosen).reshape(0, k)
        code = where(going, found, code)
        places = where(going, where(hot, i, where(places == i, place, places)), places)
        return _any(going), code, places, chosen, L, solved, going

    cube = none[:, :, None]
    start = (Xy * 0, none.astype(np.int64) + np.arange(k), cube + np.zeros((1, m, k), dtype))
    state = (*start, cube + np.eye(m, dtype=dtype), none + np.zeros((1, m), dtype), none == 0)
    return loop(choose, m, *state)[0]


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
        return _any(going), w, Qw, active & ~unused, going

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
        distance = (1 - abs(_wide(inner / np.maximum(largest, self.alpha)))) / np.sqrt(_wide(self.diagonal))
        return active & (self.diagonal != 0) & (self._narrow(distance) <= radius)

    def sweep(self, w: Value, Qw: Value, active: Value) -> tuple[Value, Value, Value]:
        """Minimise along one atom after the other; return whether all but stood still, too."""
        places, none = np.arange(self.k), self.norms * 0

        def visit(j: Value, w: Value, Qw: Value, most: Value, step: Value) -> tuple[Value, ...]:
            row = op.Gather(self.Q, j.reshape(1), axis=0)
            square, before = _at(row, j), _at(w, j)
            used = _at(active, j) & (square != 0)
            inner = _at(self.q, j) - _at(Qw, j) + before * square
            size = self._narrow(np.maximum(abs(_wide(inner)) - _wide(self.alpha), 0) / _wide(square))
            after = where(inner < 0, 0 if self.positive else -size, size)
            after = where(used, after, before)
            change = after - before
            w, Qw = where(places == j, after, w), where(change != 0, Qw + change * row, Qw)
            most = where(used, np.maximum(most, abs(after)), most)
            return (j >= 0), w, Qw, most, where(used, np.maximum(step, abs(change)), step)

        w, Qw, most, step = loop(visit, self.k, w, Qw, none, none)
        return w, Qw, (most == 0) | (step / most <= self.tol)


# ---- least angle regression ------------------------------------------------------------------------------------------


@operator("LeastAngle")
def least_angle(
    Xy: Value, Gram: Value, alpha_min: Value, *, method: str, max_iter: int, positive: int, n_features: int
) -> Value:
    """Return codes at a point of the path of least angle regression, or of the lasso's.

    B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least angle regression, Annals of Statistics 32 (2004), as
    ``lars_path`` computes it. An atom that is nearly a combination of those in use is passed over as there.

    ::

        place      0   1 | 2   3   4       the first n_active places hold the active atoms, in order; an atom joins by
        atom       3   0 | 2   1   4       changing places with the one behind them, and leaves to that place
        Cov              | .5  .1  .2      products with the residual, of places

    Parameters
    ----------
    Xy : Value of shape (N, k)
        float32 or float64.
    Gram : Value of shape (k, k)
        Of the same dtype.
    alpha_min : float64 scalar
        The penalty at which to stop, on the mean square of `n_features` numbers.
    method : {"lar", "lasso"}
        Which path: of the lasso, atoms leave it whose coefficient becomes 0.
    max_iter : int
        The most steps along the path.
    positive : int
        1 for codes that are not negative.
    n_features : int
        Of the rows.

    Returns
    -------
    Value of shape (N, k)
    """
    path = _Path(Xy, Gram, alpha_min.astype(Xy.dtype), method == "lasso", bool(positive), max_iter, n_features)
    return path.follow()


_TINY = float(np.finfo(np.float32).tiny)
_EQUAL = float(np.finfo(np.float32).eps)


class _Path:
    """The path of `least_angle`; names as in scikit-learn's ``_lars_path_solver``."""

    def __init__(
        self, Xy: Value, Gram: Value, alpha_min: Value, lasso: bool, positive: bool, max_iter: int, n_features: int
    ) -> None:
        self.Xy, self.Gram, self.lasso, self.positive = Xy, Gram, lasso, positive
        self.alpha_min, self.max_iter, self.n_features = alpha_min, max_iter, n_features
        # scikit-learn adds a float32 to a Python number, which makes a float32
        self.threshold = (alpha_min.astype(np.float32) + np.float32(_EQUAL)).astype(Xy.dtype)
        self.k, self.places = Xy.dim(1), np.arange(Xy.dim(1))
        self.largest = float(np.finfo(Xy.dtype).max)

    def follow(self) -> Value:
        """Return the coefficients where the path ends."""
        none = self.Xy[:, :1] * 0
        zeros, count = self.Xy * 0, none.astype(np.int64)
        state = (zeros, zeros, self.Xy, count + self.places, zeros, count, count, none, none != 0, none == 0)
        return loop(self.advance, (self.max_iter + 1) * (self.k + 2), *state)[0]

    def advance(
        self,
        i: Value,
        coef: Value,
        prev_coef: Value,
        Cov: Value,
        atoms: Value,
        sign: Value,
        n_active: Value,
        n_iter: Value,
        prev_alpha: Value,
        drop: Value,
        going: Value,
    ) -> tuple[Value, ...]:
        """Follow the path by one step, in all rows."""
        best, C, signed = self._next(Cov, n_active)
        alpha = C / float(self.n_features)
        early = alpha <= self.threshold
        between = early & (n_iter > 0) & (abs(alpha - self.alpha_min) > _EQUAL)
        share = (prev_alpha - self.alpha_min) / (prev_alpha - alpha)
        at_end = where(between, prev_coef + share * (coef - prev_coef), coef)
        coef = where(going, at_end, coef)
        going = going & ~early & (n_iter < self.max_iter) & (n_active < self.k)

        adds = going & ~drop
        joined = where(adds, self._exchanged(atoms, n_active, best), atoms)
        new_sign = where(adds & (self.places == n_active), 1 if self.positive else np.sign(signed), sign)
        count = n_active + adds.astype(np.int64)
        solution, corr_all, pivot = self._solve(joined, new_sign, count)
        degenerate = adds & (np.sqrt(abs(pivot)) < 1e-7)
        moved_Cov = where(adds, self._exchanged(Cov, n_active, best), Cov)
        Cov = where(degenerate, where(self.places == best, 0, Cov), moved_Cov)
        atoms, sign = joined, new_sign
        n_active = where(degenerate, n_active, count)
        if self.lasso:
            going = going & ~((n_iter > 0) & (prev_alpha < alpha) & ~degenerate)

        moves, active = going & ~degenerate, self.places < n_active
        AA = 1 / np.sqrt((solution * sign).sum(1, keepdims=True))
        solution = solution * AA
        corr = self._rounded(corr_all * AA)
        gamma = self._reach(C, AA, Cov, corr, active)
        own = op.GatherElements(coef, atoms, axis=1)
        z = where(active, -own / (solution + _TINY), 0)
        soonest = self._smallest(z, z > 0)
        crosses = moves & (soonest < gamma)
        gone = _first((z == soonest) & active, as_value(self.places), self.k)
        sign = where(crosses & (self.places == gone), -sign, sign)
        gamma = where(crosses, soonest, gamma) if self.lasso else gamma

        after = where(active, own + gamma * solution, 0)
        after_coef: Value = op.ScatterElements(coef * 0, atoms, after, axis=1)
        prev_coef, coef = where(moves, coef, prev_coef), where(moves, after_coef, coef)
        prev_alpha, n_iter = where(moves, alpha, prev_alpha), n_iter + moves.astype(np.int64)
        Cov, drop = where(moves & ~active, Cov - gamma * corr, Cov), crosses | (drop & ~moves)
        if self.lasso:
            atoms, sign, Cov, n_active = self._removed(crosses, gone, coef, Cov, atoms, sign, n_active)
        return _any(going), coef, prev_coef, Cov, atoms, sign, n_active, n_iter, prev_alpha, drop, going

    def _next(self, Cov: Value, n_active: Value) -> tuple[Value, Value, Value]:
        """Return the place that correlates most with the residual, (N, 1), its size, and its value."""
        size = where(self.places >= n_active, Cov if self.positive else abs(Cov), -np.inf)
        best = op.ArgMax(size, axis=1, keepdims=1)
        C = where(n_active < self.k, size.max(1, keepdims=True), 0)
        return best, C, op.GatherElements(Cov, best, axis=1)

    def _exchanged(self, x: Value, a: Value, b: Value) -> Value:
        """Return x with what stands at the places a and b, (N, 1), exchanged."""
        source = where(self.places == a, b, where(self.places == b, np.minimum(a, self.k - 1), as_value(self.places)))
        result: Value = op.GatherElements(x, source, axis=1)
        return result

    def _solve(self, atoms: Value, sign: Value, n_active: Value) -> tuple[Value, Value, Value]:
        """Return the solution of the active atoms' equations for their signs, all atoms' products with it, and the
        pivot of the last one: Gauss and Jordan's elimination of the active places, one after the other."""
        k, dtype = self.k, self.Xy.dtype
        rows = op.Gather(self.Gram, atoms, axis=0)
        columns = op.Expand(atoms[:, None, :], op.Shape(rows))
        products = op.GatherElements(rows, columns, axis=2)
        active = self.places < n_active
        both = active[:, :, None] & active[:, None, :]
        matrix = where(both, products, np.eye(k, dtype=dtype))
        right = where(active, sign, 0)

        def eliminate(j: Value, system: Value, pivots: Value) -> tuple[Value, ...]:
            row, here = op.Gather(system, j.reshape(1), axis=1), (self.places == j)
            pivot = op.Gather(row, j.reshape(1), axis=2)
            row = row / pivot
            column = op.Gather(system, j.reshape(1), axis=2)
            system = where(here[:, None], row, system - column * row)
            return (j >= 0), system, where(here, pivot.reshape(0, 1), pivots)

        system, pivots = loop(eliminate, k, concat([matrix, right[:, :, None]], axis=2), right * 0)
        solution = where(active, system[:, :, k], 0)
        last = _picked(self.places == n_active - 1, pivots)
        return solution, (solution[:, None, :] @ products).reshape(0, k), last

    def _rounded(self, x: Value) -> Value:
        decimals = 1e15 if self.Xy.dtype == np.float64 else 1e6
        return np.rint(x * decimals) / decimals

    def _smallest(self, x: Value, counted: Value) -> Value:
        return where(counted & (x < self.largest), x, self.largest).min(1, keepdims=True)

    def _reach(self, C: Value, AA: Value, Cov: Value, corr: Value, active: Value) -> Value:
        """Return how far to go along the solution until another atom correlates as much."""
        below = (C - Cov) / (AA - corr + _TINY)
        gamma = np.minimum(self._smallest(below, ~active & (below > 0)), C / AA)
        if self.positive:
            return gamma
        above = (C + Cov) / (AA + corr + _TINY)
        return np.minimum(gamma, self._smallest(above, ~active & (above > 0)))

    def _removed(
        self, crosses: Value, gone: Value, coef: Value, Cov: Value, atoms: Value, sign: Value, n_active: Value
    ) -> tuple[Value, Value, Value, Value]:
        """Return the state without the atom at the place `gone`, which moves to the first place behind."""
        last = n_active - crosses.astype(np.int64)
        atom = op.GatherElements(atoms, np.minimum(gone, self.k - 1), axis=1)
        shifts = (self.places >= gone) & (self.places < last)
        source = where(crosses & shifts, self.places + np.int64(1), as_value(self.places))
        leaves = crosses & (self.places == last)
        source = where(leaves, np.minimum(gone, self.k - 1), source)
        one_hot = (atom == self.places).astype(coef.dtype)
        product = _picked(atom == self.places, self.Xy) - ((one_hot @ self.Gram) * coef).sum(1, keepdims=True)
        moved = op.GatherElements(atoms, source, axis=1)
        return moved, op.GatherElements(sign, source, axis=1), where(leaves, product, Cov), last
