"""Numbers with missing values, and classes or features of which there are few."""

from __future__ import annotations

import numpy as np

from .base import Dataset, data
from .matrices import scattered
from .numbers import binary, binary_str, multiclass_codes, multiclass_int, multiclass_str, regression, regression_near


@data
def binary_nan() -> Dataset:
    """NaN in training and in prediction, in columns that had it and columns that had not."""
    full, rng = binary(), np.random.default_rng(3)
    X, test = full.X.copy(), full.X_test.copy()
    X[:, :4][rng.random((len(X), 4)) < 0.2] = np.nan
    test[rng.random(test.shape) < 0.3] = np.nan
    return Dataset(X, full.y, test)


@data
def regression_nan() -> Dataset:
    nans = binary_nan()
    return Dataset(nans.X, regression().y, nans.X_test)


@data
def empty_feature() -> Dataset:
    """A feature without any value in training."""
    full = regression_nan()
    X = full.X.copy()
    X[:, 2] = np.nan
    return Dataset(X, full.y, full.X_test)


@data
def empty_feature32() -> Dataset:
    full = empty_feature()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def binary_nan_new() -> Dataset:
    """NaN in prediction only."""
    full, nan = binary(), binary_nan()
    return Dataset(full.X, full.y, nan.X_test)


@data
def gamma_nan() -> Dataset:
    """Positive targets, and NaN."""
    full = regression_nan()
    return Dataset(full.X, np.abs(full.y) + 0.1, full.X_test)


def _few(full: Dataset) -> Dataset:
    return Dataset(full.X[:60], full.y[:60], full.X_test)


@data
def binary_few() -> Dataset:
    """Few rows, for estimators that keep a matrix of them."""
    return _few(binary_str())


@data
def multiclass_few() -> Dataset:
    return _few(multiclass_str())


@data
def multiclass_int_few() -> Dataset:
    return _few(multiclass_int())


@data
def regression_few() -> Dataset:
    return _few(regression_near())


@data
def regression_nan32() -> Dataset:
    """NaN in float32, without rows far away."""
    full = regression_nan()
    return Dataset(full.X.astype(np.float32), full.y, np.clip(full.X_test, -4, 4).astype(np.float32))


@data
def scattered_nan() -> Dataset:
    """NaN, and rows neither near to training rows nor far away, where expanded squares are exact enough too."""
    full, rng = scattered(), np.random.default_rng(14)
    X, test = full.X.copy(), full.X_test.copy()
    X[rng.random(X.shape) < 0.1], test[rng.random(test.shape) < 0.3] = np.nan, np.nan
    return Dataset(X, full.y, test)


@data
def scattered_nan32() -> Dataset:
    full = scattered_nan()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def lonely_nan() -> Dataset:
    """Rows with one value, which no donor of the others has."""
    full = regression()
    X, test = full.X[:40, :3].copy(), full.X_test[:12, :3].copy()
    X[:20, 0], X[20:, 1:] = np.nan, np.nan
    test[1:, 1], test[2, 2], test[:5, 0] = np.nan, np.nan, np.nan
    test[8:, 2] = np.nan
    return Dataset(X, full.y[:40], test)


@data
def zeros_nan() -> Dataset:
    """Many zeros, of both signs and nearly, and NaN: what zero_as_missing is about."""
    rng = np.random.default_rng(33)
    X = rng.normal(size=(300, 4))
    y = X[:, 0] + (X[:, 1] > 0)
    X[rng.random(X.shape) < 0.3] = 0.0
    X[rng.random(X.shape) < 0.1] = np.nan
    test = X[:80].copy()
    zero = float(np.float32(1e-35))
    near = [0.0, -0.0, 1e-36, -1e-36, zero, -zero, np.nextafter(zero, 1), np.nextafter(-zero, -1)]
    test[:32, :2] = np.repeat(near, 4)[:, None]
    return Dataset(X, y, test)


@data
def multiclass_codes_nan() -> Dataset:
    full = multiclass_codes()
    rng = np.random.default_rng(34)
    X, test = full.X.astype(np.float64), full.X_test.astype(np.float64)
    X[rng.random(X.shape) < 0.1] = np.nan
    test[rng.random(test.shape) < 0.1] = np.nan
    return Dataset(X, full.y, test)


@data
def gaps() -> Dataset:
    """Rows with values missing, none of them without any."""
    rng = np.random.default_rng(43)
    X, test = rng.normal(size=(90, 5)), rng.normal(size=(30, 5))
    X[rng.random(X.shape) < 0.2], test[rng.random(test.shape) < 0.2] = np.nan, np.nan
    X[:, 0], test[:, 1] = rng.normal(size=90), rng.normal(size=30)
    return Dataset(X, np.nan_to_num(X).sum(axis=1), test)
