"""Small data sets with hard corners: each gives training data and different rows to predict.

``X_test`` always has rows that training never saw: extremes, values at the edge of float32, zeros of both signs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dataset:
    """Training data (`X`, `y`) and rows to predict (`X_test`, of the same kind as `X`)."""

    X: Any
    y: Any
    X_test: Any


_makers: dict[str, Callable[[], Dataset]] = {}


def data(maker: Callable[[], Dataset]) -> Callable[[], Dataset]:
    """Register a data set under its function's name."""
    _makers[maker.__name__] = maker
    return maker


@cache
def dataset(name: str) -> Dataset:
    """Return a data set by name; treat it as read-only."""
    return _makers[name]()


def _numbers(n: int = 200, features: int = 7, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Standard normal training rows, and test rows with corners."""
    rng = np.random.default_rng(seed)
    X, test = rng.normal(size=(n, features)), rng.normal(size=(60, features)) * 2
    test[0], test[1], test[2, ::2], test[3] = 0.0, -0.0, 1e6, 1e-30
    test[4] = X[0]
    test[5] = np.nextafter(X[1].astype(np.float32), np.float32(np.inf))
    return X, test


@data
def regression() -> Dataset:
    X, test = _numbers()
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
    X, test = _numbers()
    return Dataset(X, np.c_[X @ np.arange(7), np.sin(X[:, 0]), X[:, 1] ** 2], test)


def _classes(labels: Any, n_classes: int) -> Dataset:
    X, test = _numbers()
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
    return _classes([0.5, 1.5, -2.0], 3)


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
def positive() -> Dataset:
    """Counts: non-negative values."""
    rng = np.random.default_rng(5)
    X, test = rng.poisson(2.0, (150, 8)).astype(float), rng.poisson(3.0, (40, 8)).astype(float)
    return Dataset(X, (X[:, 0] > X[:, 1]).astype(int), test)


@data
def mixed() -> Dataset:
    """A pandas frame of numbers, integers, bools and text, with missing values where users have them."""
    rng = np.random.default_rng(7)

    def make(n: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "age": np.where(rng.random(n) < 0.2, np.nan, rng.normal(30, 12, n).round(1)),
                "fare": rng.lognormal(3, 1, n),
                "siblings": rng.integers(0, 5, n),
                "alone": rng.random(n) < 0.5,
                "sex": rng.choice(["male", "female"], n),
                "city": rng.choice(np.array(["Köln", "東京", "", "Oslo"], dtype=object), n),
            }
        )

    X = make(200)
    y = ((X["sex"] == "female") & (X["fare"] > 20)).astype(int).to_numpy()
    return Dataset(X, y, make(50))


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
def multilabel() -> Dataset:
    """A matrix of zeros and ones."""
    X, test = _numbers()
    return Dataset(X, (np.c_[X[:, 0] + X[:, 1], X[:, 2], X[:, 3] * X[:, 4]] > 0.3).astype(int), test)


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
def multilabel32() -> Dataset:
    full = multilabel()
    return Dataset(full.X.astype(np.float32), full.y, np.clip(full.X_test, -10, 10).astype(np.float32))


@data
def multilabel_constant() -> Dataset:
    """A label that no row has and one that every row has."""
    full = multilabel()
    return Dataset(full.X, np.c_[full.y, np.zeros(len(full.y), int), np.ones(len(full.y), int)], full.X_test)


@data
def one_feature() -> Dataset:
    """A single column; prediction at knots, between them, beside them."""
    rng = np.random.default_rng(11)
    x = np.sort(rng.normal(size=80)).round(2)
    test = np.r_[x[:20], np.nextafter(x[:5], 9), np.nextafter(x[:5], -9), rng.normal(size=30) * 2, x[-1], -1e6, 1e6, 0.0, -0.0]
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
def partly_labelled() -> Dataset:
    """Two of three labels unknown (-1)."""
    full, rng = multiclass(), np.random.default_rng(13)
    codes = np.searchsorted([10, 20, 2**40], full.y)
    return Dataset(full.X, np.where(rng.random(len(codes)) < 0.6, -1, codes), np.clip(full.X_test, -4, 4))


@data
def partly_labelled32() -> Dataset:
    full = partly_labelled()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def partly_labelled_int() -> Dataset:
    full = multiclass_int()
    return Dataset(full.X, np.where(np.arange(len(full.y)) % 3 == 0, full.y, -1), np.clip(full.X_test, -5, 5))
