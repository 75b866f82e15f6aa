"""Matrices of another kind: kernels, distances, counts, sparse ones."""

from __future__ import annotations

import numpy as np

from .base import Dataset, data
from .numbers import multiclass, positive, regression, regression_near


@data
def counts_int() -> Dataset:
    """Counts as integers, three classes."""
    full = positive()
    return Dataset(full.X.astype(np.int64), full.X[:, 0].astype(int) % 3, full.X_test.astype(np.int64))


@data
def offset() -> Dataset:
    """Close rows far from the origin, where expanded squares cancel."""
    full = multiclass()
    return Dataset(full.X + 1e5, full.y, full.X[::3] * 1.01 + 1e5)


@data
def gram() -> Dataset:
    """A precomputed kernel matrix."""
    full = multiclass()
    return Dataset(full.X @ full.X.T, full.y, np.clip(full.X_test, -9, 9) @ full.X.T)


@data
def scattered() -> Dataset:
    """Three classes; rows neither near to nor equally far from training rows, where brute force is exact too."""
    full, rng = multiclass(), np.random.default_rng(13)
    return Dataset(full.X, full.y, rng.normal(size=(50, 7)) * 1.5)


@data
def scattered32() -> Dataset:
    full = scattered()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def distances() -> Dataset:
    """A precomputed matrix of distances."""
    full = regression()
    fit, test = (np.abs(X[:, None] - full.X).sum(2) for X in (full.X, full.X_test))
    return Dataset(fit, full.y, test)


@data
def gram_square() -> Dataset:
    """A square matrix of kernel values, and rows of one."""
    full = regression_near()
    fit, test = (np.exp(-0.1 * ((X[:, None] - full.X[:60]) ** 2).sum(2)) for X in (full.X[:60], full.X_test))
    return Dataset(fit, full.y[:60], test)


@data
def gram_square32() -> Dataset:
    full = gram_square()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def counts_square() -> Dataset:
    """A linear kernel of counts, as integers."""
    full = counts_int()
    return Dataset(full.X[:40] @ full.X[:40].T, full.y[:40], full.X_test @ full.X[:40].T)


@data
def fractions() -> Dataset:
    """Targets between 0 and 1."""
    full = regression()
    return Dataset(full.X, 1 / (1 + np.exp(-full.y / 10)), full.X_test)


@data
def scattered_seven() -> Dataset:
    """Rows that are neither constant nor alike."""
    rng = np.random.default_rng(41)
    X, test = rng.normal(size=(80, 7)), rng.normal(size=(30, 7)) * 2
    return Dataset(X, np.digitize(X[:, 0], [-0.5, 0.5]), np.r_[test, X[:3]])
