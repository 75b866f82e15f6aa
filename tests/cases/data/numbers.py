"""Numbers, with targets and classes of every dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Dataset, data


def numbers_with_corners(n: int = 200, features: int = 7, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Standard normal training rows, and test rows with corners."""
    rng = np.random.default_rng(seed)
    X, test = rng.normal(size=(n, features)), rng.normal(size=(60, features)) * 2
    test[0], test[1], test[2, ::2], test[3] = 0.0, -0.0, 1e6, 1e-30
    test[4] = X[0]
    test[5] = np.nextafter(X[1].astype(np.float32), np.float32(np.inf))
    return X, test


@data
def regression() -> Dataset:
    X, test = numbers_with_corners()
    return Dataset(X, X @ np.arange(1, 8) + np.sin(X[:, 0] * 3) + 0.5, test)


@data
def regression32() -> Dataset:
    full = regression()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def regression_int() -> Dataset:
    rng = np.random.default_rng(1)
    X, test = rng.integers(-5, 6, (200, 5)), rng.integers(-9, 10, (50, 5))
    return Dataset(X, X @ np.array([1.5, -2, 0, 3, 1]), test)


@data
def regression_multi() -> Dataset:
    X, test = numbers_with_corners()
    return Dataset(X, np.c_[X @ np.arange(7), np.sin(X[:, 0]), X[:, 1] ** 2], test)


def _classes(labels: Any, n_classes: int) -> Dataset:
    X, test = numbers_with_corners()
    score = X[:, 0] + 0.7 * X[:, 1] ** 2 - X[:, 2]
    codes = np.searchsorted(np.quantile(score, np.arange(1, n_classes) / n_classes), score)
    return Dataset(X, np.asarray(labels)[codes], test)


@data
def binary() -> Dataset:
    return _classes([0, 1], 2)


@data
def binary_str() -> Dataset:
    return _classes(["no", "ja 日本"], 2)


@data
def binary_bool() -> Dataset:
    return _classes([False, True], 2)


@data
def multiclass() -> Dataset:
    return _classes([10, 20, 2**40], 3)


@data
def multiclass_str() -> Dataset:
    return _classes(np.array(["", "b", "ü", "dd"], dtype=object), 4)


@data
def multiclass_float() -> Dataset:
    return _classes([3.0, 1.0, -2.0], 3)


@data
def multiclass32() -> Dataset:
    full = multiclass()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def classes_multi() -> Dataset:
    """Multi-output classification."""
    a, b = multiclass(), binary()
    return Dataset(a.X, np.c_[a.y % 7, b.y], a.X_test)


@data
def positive() -> Dataset:
    """Counts: non-negative values."""
    rng = np.random.default_rng(5)
    X, test = rng.poisson(2.0, (150, 8)).astype(float), rng.poisson(3.0, (40, 8)).astype(float)
    return Dataset(X, (X[:, 0] > X[:, 1]).astype(int), test)


@data
def strictly_positive() -> Dataset:
    full = positive()
    return Dataset(full.X + 0.5, full.y, full.X_test + 0.25)


@data
def regression_positive() -> Dataset:
    """Targets above zero, for losses with a log link; rows small enough for exp."""
    full = regression()
    return Dataset(full.X, np.exp(0.3 * full.X[:, 0]) + 0.1, np.clip(full.X_test, -20, 20))


@data
def binary32() -> Dataset:
    full = binary()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def multiclass_int() -> Dataset:
    """Integer features."""
    full = regression_int()
    return Dataset(full.X, np.digitize(full.y, [-5, 5]), full.X_test)


@data
def binary_classes_int32() -> Dataset:
    """Labels of a narrower integer."""
    full = binary()
    return Dataset(full.X, full.y.astype(np.int32) * 3 - 1, full.X_test)


@data
def multiclass32_near() -> Dataset:
    """float32 without rows far away, where float32 itself loses all digits of a difference."""
    full = multiclass32()
    return Dataset(full.X, full.y, np.clip(full.X_test, -10, 10))


@data
def classes_multi_str() -> Dataset:
    """Multi-output classification, text labels."""
    full = classes_multi()
    return Dataset(full.X, np.array(["a", "ü", "日本", "dd", "e", "f", "g"])[full.y], full.X_test)


@data
def one_feature() -> Dataset:
    """A single column; prediction at knots, between them, beside them."""
    rng = np.random.default_rng(11)
    x = np.sort(rng.normal(size=80)).round(2)
    near = np.r_[np.nextafter(x[:5], 9), np.nextafter(x[:5], -9)]
    test = np.r_[x[:20], near, rng.normal(size=30) * 2, x[-1], -1e6, 1e6, 0.0, -0.0]
    return Dataset(x[:, None], x + rng.normal(size=80) * 0.3, test[:, None])


@data
def one_feature32() -> Dataset:
    full = one_feature()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def one_feature_inside() -> Dataset:
    full = one_feature()
    return Dataset(full.X, full.y, np.clip(full.X_test, full.X.min(), full.X.max()))


@data
def one_feature_constant() -> Dataset:
    full = one_feature()
    return Dataset(np.ones_like(full.X), full.y, full.X_test)


@data
def positive32() -> Dataset:
    full = positive()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def large_numbers() -> Dataset:
    """Epoch seconds and numbers of more than 24 bits, which float32 rounds."""
    rng = np.random.default_rng(20)
    X = np.c_[1.7e9 + rng.integers(0, 900, 300), 2**24 + rng.integers(0, 40, 300), rng.integers(0, 9, 300)].astype(
        float
    )
    y = ((X[:, 0] > 1.7e9 + 450) ^ (X[:, 1] % 8 > 3)).astype(int)
    steps = np.array([[-64.0, -1, 0], [64, 1, 1], [-1, 0.5, 0.5], [0, 0, 0]])
    return Dataset(X, y, np.concatenate([X[:20] + step for step in steps]))


@data
def regression_near() -> Dataset:
    """No rows far away: where a kernel's answer there would be rounding alone."""
    full = regression()
    return Dataset(full.X, full.y, np.clip(full.X_test, -5, 5))


@data
def regression32_near() -> Dataset:
    full = regression_near()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def regression_multi32() -> Dataset:
    full = regression_multi()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def multiclass_codes() -> Dataset:
    """Classes that are numbered from 0, the only ones that xgboost takes."""
    full = multiclass32()
    return Dataset(full.X, np.unique(full.y, return_inverse=True)[1], full.X_test)


@data
def regression_multi_int() -> Dataset:
    """Several targets of integer features."""
    full = regression_int()
    return Dataset(full.X, np.c_[full.y, full.X[:, 0] - full.X[:, 1], full.y % 3], full.X_test)


@data
def regression_positive32() -> Dataset:
    full = regression_positive()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def far_classes() -> Dataset:
    """Four classes; rows so far away that likelihoods of some overflow, and their probabilities are NaN."""
    rng = np.random.default_rng(47)
    y = np.arange(80) % 4
    X, scales = rng.normal(size=(80, 4)) + y[:, None], np.array([1.0, 1e100, -1e154, 1e200, 1e300])
    return Dataset(X, y, X[:40] * scales[np.arange(40) % 5, None])
