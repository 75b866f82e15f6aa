"""Least angle regression: sparse coding (sparse_coding.py) along a path on which atoms join one by one.

Source: linear_model/_least_angle.py of scikit-learn, and what it cites.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..graph import Value, as_value, concat, loop, op, where
from . import operator
from .sparse_coding import any_of, first, picked


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


class _Place(NamedTuple):
    """Where a row is on the path of `least_angle`."""

    coef: Value
    prev_coef: Value
    Cov: Value
    atoms: Value
    sign: Value
    n_active: Value
    n_iter: Value
    prev_alpha: Value
    drop: Value
    going: Value


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

    def advance(self, i: Value, *state: Value) -> tuple[Value, ...]:
        """Follow the path by one step, in all rows."""
        at = _Place(*state)
        best, C, signed = self._next(at.Cov, at.n_active)
        alpha = C / float(self.n_features)
        at = self._ended(at, alpha)
        at, degenerate, solution, corr = self._joined(at, best, signed)
        if self.lasso:
            at = at._replace(going=at.going & ~((at.n_iter > 0) & (at.prev_alpha < alpha) & ~degenerate))
        moves = at.going & ~degenerate
        at = self._moved(at, moves, C, alpha, solution, corr)
        return any_of(at.going), *at

    def _ended(self, at: _Place, alpha: Value) -> _Place:
        """End the path of rows that are there, some of them between this step and the one before."""
        early = alpha <= self.threshold
        between = early & (at.n_iter > 0) & (abs(alpha - self.alpha_min) > _EQUAL)
        share = (at.prev_alpha - self.alpha_min) / (at.prev_alpha - alpha)
        at_end = where(between, at.prev_coef + share * (at.coef - at.prev_coef), at.coef)
        coef = where(at.going, at_end, at.coef)
        going = at.going & ~early & (at.n_iter < self.max_iter) & (at.n_active < self.k)
        return at._replace(coef=coef, going=going)

    def _joined(self, at: _Place, best: Value, signed: Value) -> tuple[_Place, Value, Value, Value]:
        """Let the best atom join; return whether it is nearly a combination of others, and what `_solve` finds."""
        adds = at.going & ~at.drop
        atoms = where(adds, self._exchanged(at.atoms, at.n_active, best), at.atoms)
        sign = where(adds & (self.places == at.n_active), 1 if self.positive else np.sign(signed), at.sign)
        count = at.n_active + adds.astype(np.int64)
        solution, corr, pivot = self._solve(atoms, sign, count)
        degenerate = adds & (np.sqrt(abs(pivot)) < 1e-7)
        moved = where(adds, self._exchanged(at.Cov, at.n_active, best), at.Cov)
        Cov = where(degenerate, where(self.places == best, 0, at.Cov), moved)
        n_active = where(degenerate, at.n_active, count)
        return at._replace(atoms=atoms, sign=sign, Cov=Cov, n_active=n_active), degenerate, solution, corr

    def _moved(self, at: _Place, moves: Value, C: Value, alpha: Value, solution: Value, corr: Value) -> _Place:
        """Go along the solution until another atom correlates as much, or until one leaves the path of the lasso."""
        active = self.places < at.n_active
        AA = 1 / np.sqrt((solution * at.sign).sum(1, keepdims=True))
        solution = solution * AA
        corr = self._rounded(corr * AA)
        gamma = self._reach(C, AA, at.Cov, corr, active)
        own = op.GatherElements(at.coef, at.atoms, axis=1)
        z = where(active, -own / (solution + _TINY), 0)
        soonest = self._smallest(z, z > 0)
        crosses = moves & (soonest < gamma)
        gone = first((z == soonest) & active, as_value(self.places), self.k)
        sign = where(crosses & (self.places == gone), -at.sign, at.sign)
        gamma = where(crosses, soonest, gamma) if self.lasso else gamma

        after: Value = op.ScatterElements(at.coef * 0, at.atoms, where(active, own + gamma * solution, 0), axis=1)
        at = at._replace(
            coef=where(moves, after, at.coef),
            prev_coef=where(moves, at.coef, at.prev_coef),
            Cov=where(moves & ~active, at.Cov - gamma * corr, at.Cov),
            sign=sign,
            n_iter=at.n_iter + moves.astype(np.int64),
            prev_alpha=where(moves, alpha, at.prev_alpha),
            drop=crosses | (at.drop & ~moves),
        )
        return self._removed(at, crosses, gone) if self.lasso else at

    def _next(self, Cov: Value, n_active: Value) -> tuple[Value, Value, Value]:
        """Return the place that correlates most with the residual, (N, 1), its size, and its value."""
        size = where(self.places >= n_active, Cov if self.positive else abs(Cov), -np.inf)
        best = op.ArgMax(size, axis=1, keepdims=1)
        C = where(n_active < self.k, size.max(1, keepdims=True), 0)
        return best, C, op.GatherElements(Cov, best, axis=1)

    def _exchanged(self, x: Value, a: Value, b: Value) -> Value:
        """Return x with what stands at the places a and b, (N, 1), exchanged."""
        source = where(self.places == a, b, where(self.places == b, op.Min(a, self.k - 1), as_value(self.places)))
        result: Value = op.GatherElements(x, source, axis=1)
        return result

    def _solve(self, atoms: Value, sign: Value, n_active: Value) -> tuple[Value, Value, Value]:
        """Return the solution of the active atoms' equations for their signs, all products with it, the last pivot.

        It is the elimination of Gauss and Jordan, of one active place after the other.
        """
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
        last = picked(self.places == n_active - 1, pivots)
        return solution, (solution[:, None, :] @ products).reshape(0, k), last

    def _rounded(self, x: Value) -> Value:
        decimals = 1e15 if self.Xy.dtype == np.float64 else 1e6
        return np.rint(x * decimals) / decimals

    def _smallest(self, x: Value, counted: Value) -> Value:
        return where(counted & (x < self.largest), x, self.largest).min(1, keepdims=True)

    def _reach(self, C: Value, AA: Value, Cov: Value, corr: Value, active: Value) -> Value:
        """Return how far to go along the solution until another atom correlates as much."""
        below = (C - Cov) / (AA - corr + _TINY)
        gamma = op.Min(self._smallest(below, ~active & (below > 0)), C / AA)
        if self.positive:
            return gamma
        above = (C + Cov) / (AA + corr + _TINY)
        return op.Min(gamma, self._smallest(above, ~active & (above > 0)))

    def _removed(self, at: _Place, crosses: Value, gone: Value) -> _Place:
        """Return the state without the atom at the place `gone`, which moves to the first place behind."""
        last = at.n_active - crosses.astype(np.int64)
        atom = op.GatherElements(at.atoms, op.Min(gone, self.k - 1), axis=1)
        shifts = (self.places >= gone) & (self.places < last)
        source = where(crosses & shifts, self.places + np.int64(1), as_value(self.places))
        leaves = crosses & (self.places == last)
        source = where(leaves, op.Min(gone, self.k - 1), source)
        one_hot = (atom == self.places).astype(at.coef.dtype)
        product = picked(atom == self.places, self.Xy) - ((one_hot @ self.Gram) * at.coef).sum(1, keepdims=True)
        atoms, sign = (op.GatherElements(x, source, axis=1) for x in (at.atoms, at.sign))
        return at._replace(atoms=atoms, sign=sign, Cov=where(leaves, product, at.Cov), n_active=last)
