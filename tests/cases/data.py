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
                "cabin": pd.Series(rng.choice(np.array(["A1", "B 2", "ç", np.nan], dtype=object), n), dtype=object),
                "deck": pd.Series(rng.choice(np.array(["up", "down", None], dtype=object), n), dtype=object),
            }
        )

    X = make(200)
    y = ((X["sex"] == "female") & (X["fare"] > 20)).astype(int).to_numpy()
    return Dataset(X, y, make(50))


@data
def strangers() -> Dataset:
    """The frame `mixed`, predicted for rows with categories, NaN and None that training never saw."""
    full = mixed()
    test = full.X_test.copy()
    test.loc[:9, "city"] = ["Zürich", "", "köln", "Oslo ", "日本", "Köln", "x" * 300, "東京", "Oslo", "0"]
    test.loc[5:8, "sex"] = ["other", "Male", "female", "mal"]
    test.loc[3:5, "deck"] = [np.nan, "up", "UP"]
    test.loc[4:6, "cabin"] = [None, "A", "ç"]
    test.loc[7:9, "siblings"] = [17, -1, 2**53 + 1]
    test.loc[7:9, "age"] = [np.nan, -0.0, 1e300]
    return Dataset(full.X, full.y, test)


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
def labels_str() -> Dataset:
    """Labels, for LabelEncoder."""
    full = categories_str()
    return Dataset(full.X[:, 0], None, full.X_test[:, 0])


@data
def labels_int() -> Dataset:
    full = categories_int()
    return Dataset(full.X[:, 0], None, full.X_test[:, 0])


@data
def labels_float() -> Dataset:
    """Labels that float32 does not tell apart."""
    labels = np.array([0.1, -0.0, 1e300, np.float64(np.float32(0.1)), -5.5])
    return Dataset(np.tile(labels, 4), None, np.r_[labels[::-1], 0.0])


@data
def imputed_int() -> Dataset:
    """Integers in which -1 stands for a missing value."""
    rng = np.random.default_rng(13)
    return Dataset(rng.integers(-1, 5, (80, 4)), np.arange(80) % 2, rng.integers(-1, 5, (20, 4)))


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
def text_nan() -> Dataset:
    """A matrix of text with NaN."""
    full = categories_str()
    X, test = full.X.copy(), full.X_test.copy()
    X[::7, 0], X[::5, 1], test[::3, :2] = np.nan, np.nan, np.nan
    return Dataset(X, full.y, test)


@data
def text_none() -> Dataset:
    """A matrix of text with None."""
    full = text_nan()
    return Dataset(
        np.where(full.X != full.X, None, full.X), full.y, np.where(full.X_test != full.X_test, None, full.X_test)
    )


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


@data
def positive32() -> Dataset:
    full = positive()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def counts_int() -> Dataset:
    """Counts as integers, three classes."""
    full = positive()
    return Dataset(full.X.astype(np.int64), full.X[:, 0].astype(int) % 3, full.X_test.astype(np.int64))


@data
def categories() -> Dataset:
    """Codes of categories."""
    rng = np.random.default_rng(11)
    X, test = rng.integers(0, [2, 4, 5, 3], (150, 4)), rng.integers(0, [2, 4, 5, 3], (40, 4))
    X[:5] = [1, 3, 4, 2]
    return Dataset(X, (X.sum(axis=1) + X[:, 2]) % 3, test)


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
def codes_float() -> Dataset:
    """Codes as floats with fractions, which scikit-learn cuts off."""
    full = categories()
    return Dataset(full.X + 0.0, full.y, full.X_test + np.linspace(0, 0.9, len(full.X_test))[:, None])


@data
def labels_multi_str() -> Dataset:
    """Multi-output classification of text labels."""
    full = multiclass_str()
    return Dataset(full.X, np.c_[full.y, full.y[::-1]].astype(str), full.X_test)


@data
def binary_nan_new() -> Dataset:
    """NaN in prediction only."""
    full, nan = binary(), binary_nan()
    return Dataset(full.X, full.y, nan.X_test)


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
def gamma_nan() -> Dataset:
    """Positive targets, and NaN."""
    full = regression_nan()
    return Dataset(full.X, np.abs(full.y) + 0.1, full.X_test)


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
def frame_categories() -> Dataset:
    """A frame with categories as text and as numbers; unknown and missing ones in prediction."""
    rng = np.random.default_rng(22)
    cities, codes = ["Åre", "", "Zürich", "東京", "x"], [3, 10, 40]
    X = pd.DataFrame(
        {
            "city": pd.Categorical(rng.choice(cities[:4], 300)),
            "size": rng.normal(size=300),
            "code": pd.Categorical(rng.choice(codes, 300)),
        }
    )
    y = (X["city"].isin(["Åre", "東京"]) ^ (X["code"] == 10)).to_numpy() * 2 + (X["size"] > 0).to_numpy()
    test = X.iloc[:60].copy()
    test["city"] = pd.Categorical(rng.choice(cities, 60))
    test["code"] = pd.Categorical(rng.choice([*codes, 7], 60))
    return Dataset(X, y, test)


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
def labels_two() -> Dataset:
    return Dataset(np.array(["no", "ü", "ü", "no"], dtype=object), None, np.array(["ü", "no"], dtype=object))


@data
def labels_int32() -> Dataset:
    return Dataset(np.array([7, -1, 3, 7], np.int32), None, np.array([3, 7, 5, -1], np.int32))


@data
def labels_matrix() -> Dataset:
    """Which of three labels each row has."""
    matrix = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    return Dataset(matrix, None, matrix[::-1])


@data
def categories_three() -> Dataset:
    """Categories and a target of three classes."""
    full = categories_int_unknown()
    return Dataset(full.X, np.array(["a", "b", "ü"], dtype=object)[full.X[:, 1] % 3], full.X_test)


@data
def mixed_categorical() -> Dataset:
    """The frame `strangers` with pandas' categorical columns of text and of integers."""
    full = strangers()
    kinds = dict.fromkeys(("sex", "city", "cabin", "siblings"), "category")
    return Dataset(full.X.astype(kinds), full.y, full.X_test.astype(kinds))


@data
def regression_few() -> Dataset:
    return _few(regression_near())


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
def frame_nan() -> Dataset:
    """A frame of numbers with NaN."""
    full = regression_nan()
    names = [f"column {i}" for i in range(full.X.shape[1])]
    return Dataset(pd.DataFrame(full.X, columns=names), full.y, pd.DataFrame(full.X_test, columns=names))


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


@data
def booster_frame() -> Dataset:
    """Categories of text and of integers, some missing, beside numbers and integers that float32 does not hold."""
    rng = np.random.default_rng(32)

    def make(n: int) -> pd.DataFrame:
        city = rng.choice(np.array(["Oslo", "", "Rome", "x", None], dtype=object), n)
        return pd.DataFrame(
            {
                "city": pd.Categorical(city, categories=["", "Oslo", "Rome", "x"]),
                "size": rng.normal(size=n),
                "code": pd.Categorical(rng.choice([3, 10, 40], n), categories=[3, 10, 40]),
                "big": rng.integers(2**24, 2**24 + 9, n),
            }
        )

    X = make(300)
    y = (X["city"] == "Oslo") * 3.0 + (X["code"] == 10) * 2 + X["size"] + X["big"] % 3
    return Dataset(X, y.to_numpy(), make(60))


@data
def booster_strangers() -> Dataset:
    """The same with non-ASCII categories, and with some in prediction that the fit never saw."""
    full = booster_frame()
    X = full.X.assign(city=full.X["city"].cat.rename_categories({"x": "東京"}))
    test = full.X_test.assign(city=full.X_test["city"].cat.rename_categories({"x": "new"}))
    return Dataset(X, full.y, test)


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
def fractions() -> Dataset:
    """Targets between 0 and 1."""
    full = regression()
    return Dataset(full.X, 1 / (1 + np.exp(-full.y / 10)), full.X_test)


@data
def multiclass_codes() -> Dataset:
    """Classes that are numbered from 0, the only ones that xgboost takes."""
    full = multiclass32()
    return Dataset(full.X, np.unique(full.y, return_inverse=True)[1], full.X_test)


@data
def multiclass_codes_nan() -> Dataset:
    full = multiclass_codes()
    rng = np.random.default_rng(34)
    X, test = full.X.astype(np.float64), full.X_test.astype(np.float64)
    X[rng.random(X.shape) < 0.1] = np.nan
    test[rng.random(test.shape) < 0.1] = np.nan
    return Dataset(X, full.y, test)


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
def frame_classes() -> Dataset:
    """A frame of numbers, three classes of text."""
    full = multiclass()
    names = [f"column {i}" for i in range(full.X.shape[1])]
    classes = np.array(["a", "ü", "c"])[np.searchsorted([10, 20, 2**40], full.y)]
    return Dataset(pd.DataFrame(full.X, columns=names), classes, pd.DataFrame(full.X_test, columns=names))


@data
def label_sets_str() -> Dataset:
    """Labels of each row, some of them twice, some of them unknown in prediction."""
    full = categories_str_unknown()
    return Dataset(full.X[:40], None, full.X_test)


@data
def label_sets_int() -> Dataset:
    full = categories_int_unknown()
    return Dataset(full.X[:40], None, full.X_test)


def _documents(sentences: list[str], strange: list[str]) -> Dataset:
    """Documents of one to three sentences; two topics; strange ones among the rows to predict."""
    rng = np.random.default_rng(17)
    texts = [" ".join(sentences[i] for i in rng.integers(0, len(sentences), rng.integers(1, 4))) for _ in range(60)]
    y = np.array([int("sea" in text.lower() or "Meer" in text) for text in texts])
    return Dataset(_objects(texts[:40]), y[:40], _objects([*texts[40:], *strange]))


def _objects(texts: list[str]) -> NDArray[Any]:
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result


ENGLISH = [
    "The old harbour lies by the sea, and the boats don't leave before six.",
    "She counted 12 gulls; he counted 13_000 (he was never good with numbers).",
    "A SHORT sentence.",
    "Why is the sea so salt, the sea so wide?\nNobody at the harbour knew.",
    "It's 4.5 miles to the mill -- or 7.2 km, as the miller says.",
    "I am as old as the mill, and the mill is old: very, very old.",
]
OTHERS = [
    "Größe und Maß: das Meer ist weiß, die Straße naß, der Fluß süß.",
    "İstanbul'da ışık ILIK, DİYARBAKIR'da sıcak İKİ gün.",
    "Ο ΟΔΥΣΣΕΥΣ ΕΙΔΕ ΤΗΝ ΘΑΛΑΣΣΑ. ΣΟΦΟΣ Σ' ΑΣ ΑΣ.Β ΌΣΟ\u0301Σ",
    "東京の港は海のそばにあります。船は六時に出る。",
    "Un café naïve, un cafe\u0301 nai\u0308ve: ﬁn, ﬂeur, №5, ①②.",
    "Gulls \U0001f426\u200d\u2b1b over the sea \U0001f30a\U0001f30a \U0001f469\u200d\U0001f4bb!",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "مرحبا بالعالم ١٢٣ नमस्ते दुनिया ๑๒๓",
]


@data
def documents_ascii() -> Dataset:
    """English in ASCII: what standard operators treat too."""
    strange = [
        "",
        " ",
        "x",
        "\x00the\x00sea\x00",
        "a\x1cb  c\t\td\r\n",
        "-- ... !",
        "sea" * 50,
        "aaaa aaa aa a",
        "_ __ 9",
    ]
    return _documents(ENGLISH, strange)


@data
def documents() -> Dataset:
    """Text in many scripts: final sigma, Turkish i, accents composed and not, emoji, whitespace beyond ASCII."""
    strange = [
        "",
        "\u2003",
        "Σ",
        "ΑΣ",
        "ΑΣ\u0301",
        "ΑΣ'Α",
        "\u00a0x\u2028y\x85z",
        "İ",
        "ß",
        "\ufdfa",
        "\x00é\x00",
        "\U0010ffff",
        "sea",
    ]
    return _documents([*ENGLISH, *OTHERS], strange)


@data
def documents_frame() -> Dataset:
    """A frame with a column of documents, beside numbers and categories."""
    full, rng = documents_ascii(), np.random.default_rng(18)

    def make(texts: NDArray[Any]) -> pd.DataFrame:
        n = len(texts)
        return pd.DataFrame({"length": rng.normal(size=n), "text": texts, "kind": rng.choice(["a", "b", "ü"], n)})

    return Dataset(make(full.X), full.y, make(full.X_test))


@data
def records() -> Dataset:
    """Rows that are dicts: absent keys, keys of numbers and of texts, lists of texts, names with the separator."""
    rng = np.random.default_rng(19)

    def row() -> dict[str, Any]:
        said: dict[str, Any] = {
            "age": int(rng.integers(0, 90)) if rng.random() < 0.8 else "unknown",
            "height": float(rng.normal(170, 10)),
            "city": str(rng.choice(["Rom", "Paris", "Köln", "東京", "", "a=b"])),
            "member": bool(rng.random() < 0.5),
            "tags": [str(t) for t in rng.choice(["x", "y", "z=1"], rng.integers(0, 4))],
            "a=b": 0.0,
        }
        return {key: said[key] for key in rng.permutation(list(said)) if rng.random() < 0.8}

    rows: list[dict[str, Any]] = [{"tags": ["x", "x", "y"], "age": 1}, {"a=b": 2.5}, *(row() for _ in range(38))]
    strange: list[dict[Any, Any]] = [
        {},
        {"never": 1, "city": "Oslo", 3: 4.0, "seen": "a"},
        {"age": "young", "height": -0.0, "city": None},
        {"height": 2**53 + 1, "tags": "x", "member": 7},
        {"city": ["Rom"], "tags": ("x", "never", "never", "never", "y")},
    ]
    y = np.array([int("height" in r and r["height"] > 168) for r in rows])
    return Dataset(rows, y, [*(row() for _ in range(20)), *strange])


@data
def complete_first() -> Dataset:
    """NaN, but not in the first row to predict: of a row alone, what is missing in it is no feature to scikit-learn."""
    full = regression_nan()
    order = np.argsort(np.isnan(full.X_test).any(axis=1), kind="stable")
    return Dataset(full.X, full.y, full.X_test[order])


@data
def cat_frame() -> Dataset:
    """What catboost takes for categories: text of every length, integers, bools; and strangers among the test rows."""
    rng = np.random.default_rng(31)
    lengths = [c * n for n in (1, 3, 4, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129, 300) for c in "pq"]

    def make(n: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "city": rng.choice(np.array(["x", "Köln", "日本", ""], dtype=object), n),
                "shop": rng.integers(-4, 9, n),
                "size": rng.normal(size=n),
                "code": rng.choice(np.array(lengths, dtype=object), n),
                "gone": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
                "open": rng.random(n) < 0.4,
            }
        )

    X, test = make(300), make(50)
    y = 2.0 * (X["city"] == "x") + (X["shop"] > 4) * X["size"] + 3.0 * (X["code"] < "pppp") * (X["city"] == "日本")
    test.loc[:1, "city"], test.loc[2:3, "code"] = ["X", "Oslo"], ["q" * 63, "0"]
    test.loc[4:5, "shop"] = [99, -(2**63)]
    test.loc[6:8, "size"], test.loc[9:10, "gone"] = [np.inf, np.nan, -np.inf], [np.inf, -0.0]
    return Dataset(X, y.to_numpy(), test)


@data
def cat_classes() -> Dataset:
    full = cat_frame()
    return Dataset(full.X, np.digitize(full.y, [0.0, 2.0]), full.X_test)


@data
def cat_integers() -> Dataset:
    """Integers that are categories."""
    rng = np.random.default_rng(32)
    X, test = rng.integers(-30, 30, (200, 3)), rng.integers(-40, 40, (40, 3))
    test[0] = [-(2**63), 2**63 - 1, 0]
    return Dataset(X, X[:, 0] % 7 + X[:, 1], test)


@data
def feature_dicts() -> Dataset:
    """Rows of features by name: numbers, texts, bools, none at all."""
    train = [{"age": 4, "city": "Köln"}, {"age": -2.5, "open": True}, {}, {"city": "", "x" * 70: 1e6}] * 10
    test = [*train[:4], {"never": 3, "city": "東京"}, {"age": 0, "open": False}, {str(k): k for k in range(60)}]
    return Dataset(train, [0, 1, 0, 1] * 10, test)


@data
def feature_pairs() -> Dataset:
    train = [[("a", 1), ("a", 2.5), ("b", "x")], [], [("q", -1)]]
    return Dataset(train, None, [*train, [("ü", 0), ("a", -3.5)] * 9, [("b", float("nan"))]])


@data
def feature_names() -> Dataset:
    train = [["a", "b", "a"], [], ["ü" * k for k in range(1, 40)]]
    return Dataset(train, None, [*train, ["never seen"]])


@data
def label_bags() -> Dataset:
    """Sets of labels of any size, later ones with strangers."""
    train = [("b", "a"), (), ["ü", "b", "b"], {"a"}]
    return Dataset(train, None, [*train, ("zz", "a"), {"zz"}, ["a", "b", "ü", "ü"]])


@data
def label_bags_int() -> Dataset:
    train = [[1, 2], [3], [], (2**40,)]
    return Dataset(train, None, [*train, [1, 99, -1], [3.0], {2, 1}])


@data
def scattered_seven() -> Dataset:
    """Rows that are neither constant nor alike."""
    rng = np.random.default_rng(41)
    X, test = rng.normal(size=(80, 7)), rng.normal(size=(30, 7)) * 2
    return Dataset(X, np.digitize(X[:, 0], [-0.5, 0.5]), np.r_[test, X[:3]])


@data
def earth() -> Dataset:
    """Latitudes and longitudes in radians, poles and the date line among them."""
    rng = np.random.default_rng(42)
    X, test = (np.c_[rng.uniform(-1.5, 1.5, n), rng.uniform(-3.1, 3.1, n)] for n in (90, 30))
    test[0], test[1], test[2] = [np.pi / 2, 0], [-np.pi / 2, 1], [0.3, np.pi]
    return Dataset(X, X[:, 0] * X[:, 1], test)


@data
def earth_classes() -> Dataset:
    """Places that occur in pairs, of which a search for an even number of neighbours keeps one."""
    full = earth()
    X = np.repeat(full.X[:45], 2, axis=0)
    return Dataset(X, np.arange(90) // 2 % 3, full.X_test)


@data
def gaps() -> Dataset:
    """Rows with values missing, none of them without any."""
    rng = np.random.default_rng(43)
    X, test = rng.normal(size=(90, 5)), rng.normal(size=(30, 5))
    X[rng.random(X.shape) < 0.2], test[rng.random(test.shape) < 0.2] = np.nan, np.nan
    X[:, 0], test[:, 1] = rng.normal(size=90), rng.normal(size=30)
    return Dataset(X, np.nan_to_num(X).sum(axis=1), test)


@data
def yes_and_no() -> Dataset:
    rng = np.random.default_rng(44)
    X, test = rng.random((70, 9)) < 0.4, rng.random((30, 9)) < 0.5
    test[0], test[1] = False, True
    return Dataset(X, X @ np.arange(9.0), test)


@data
def small_integers() -> Dataset:
    """Numbers whose squares overflow their dtype."""
    rng = np.random.default_rng(45)
    return Dataset(*(rng.integers(0, 255, (n, 4)).astype(np.uint8) if n else None for n in (60, 0, 30)))


@data
def documents_loud() -> Dataset:
    """Words that occur more often than a byte can count."""
    texts = _objects(["quiet words here", "words " * 3, "loud " * 130 + "words", "loud " * 300])
    return Dataset(texts, None, texts)
