"""Categories: of text, integers and floats, known and unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .base import Dataset, data


def _categories(dtype: Any, unknown: Any = ()) -> Dataset:
    rng = np.random.default_rng(11)
    values = (
        np.array(["b", "a", "", "日本", "ü", "rare"], dtype=object) if dtype is str else np.array([3, -1, 0, 7, 100, 5])
    )
    odds = [0.3, 0.25, 0.2, 0.15, 0.08, 0.02]
    X, test = (rng.choice(values, (n, 3), p=odds).astype(object if dtype is str else dtype) for n in (300, 40))
    test.ravel()[: len(unknown)] = unknown
    return Dataset(X, X[:, 0] == X[0, 0], test)


@data
def categories_str() -> Dataset:
    return _categories(str)


@data
def categories_str_unknown() -> Dataset:
    return _categories(str, ["A", "bb", "rare", "u\u0308", "b ", "\u0000b", "B"])


@data
def categories_int() -> Dataset:
    return _categories(np.int64)


@data
def categories_int_unknown() -> Dataset:
    return _categories(np.int64, [4, -100, 2**62, -(2**62)])


@data
def categories_float() -> Dataset:
    """NaN is a category, zeros have both signs."""
    full = _categories(np.float64, [np.nan, -0.0, 0.0, np.nan])
    full.X[:30, :2] = np.nan
    full.X[30:40] = -0.0
    full.X_test[:4, 2] = 7.0
    return full


@data
def categories_float32_unknown() -> Dataset:
    return _categories(np.float32, [0.1, np.float32(3.0000002), 1e30, -0.0])


@data
def categories_bool() -> Dataset:
    rng = np.random.default_rng(12)
    return Dataset(rng.random((50, 2)) < 0.5, np.arange(50) % 2, rng.random((20, 2)) < 0.5)


@data
def imputed_int() -> Dataset:
    """Integers in which -1 stands for a missing value."""
    rng = np.random.default_rng(13)
    return Dataset(rng.integers(-1, 5, (80, 4)), np.arange(80) % 2, rng.integers(-1, 5, (20, 4)))


@data
def categories() -> Dataset:
    """Codes of categories."""
    rng = np.random.default_rng(11)
    X, test = rng.integers(0, [2, 4, 5, 3], (150, 4)), rng.integers(0, [2, 4, 5, 3], (40, 4))
    X[:5] = [1, 3, 4, 2]
    return Dataset(X, (X.sum(axis=1) + X[:, 2]) % 3, test)


@data
def codes_float() -> Dataset:
    """Codes as floats with fractions, which scikit-learn cuts off."""
    full = categories()
    return Dataset(full.X + 0.0, full.y, full.X_test + np.linspace(0, 0.9, len(full.X_test))[:, None])


@data
def codes_nan() -> Dataset:
    """Two columns of codes among numbers: many codes, codes from 5 on, NaN, unknown and negative codes, fractions."""
    rng = np.random.default_rng(21)
    X = rng.normal(size=(400, 5))
    X[:, 1], X[:, 3] = rng.integers(0, 200, 400), rng.integers(5, 9, 400)
    y = np.isin(X[:, 1] % 7, [1, 4]) * 3.0 + X[:, 0] + (X[:, 3] == 6)
    test = X[::3].copy()
    X[rng.random(X.shape) < 0.1] = np.nan
    test[:6, 1], test[:6, 3] = [-1, 999, 0, np.nan, 2.5, 199], [0, 5, -3, np.nan, 1e300, 8]
    return Dataset(X, y, test)


@data
def codes_classes() -> Dataset:
    """Integer codes of categories, some of which training never saw."""
    full = categories()
    return Dataset(full.X, full.y, full.X_test + np.eye(4, dtype=int)[np.arange(40) % 4] * 3)


@data
def categories_three() -> Dataset:
    """Categories and a target of three classes."""
    full = categories_int_unknown()
    return Dataset(full.X, np.array(["a", "b", "ü"], dtype=object)[full.X[:, 1] % 3], full.X_test)


@data
def ranked() -> Dataset:
    """Relevances of ten queries of thirty rows each; the queries are a column, which rankers of xgboost take off."""
    rng = np.random.default_rng(31)
    X = pd.DataFrame({"a": rng.normal(size=300), "qid": np.arange(300) // 30, "b": rng.normal(size=300)})
    y = np.digitize(X["a"] + rng.normal(size=300) * 0.3, [-0.5, 0.8])
    return Dataset(X, y, X.iloc[::5].assign(a=rng.normal(size=60).round(1)))


@data
def ranked_two() -> Dataset:
    """Relevant or not, and a feature that is always the same."""
    full = ranked()
    return Dataset(full.X.assign(c=1.0), (full.y > 1).astype(np.int64), full.X_test.assign(c=1.0))
