"""Frames: columns of several dtypes, categories of pandas, text beside numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .base import Dataset, data
from .gaps import regression_nan
from .numbers import multiclass


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
def mixed_categorical() -> Dataset:
    """The frame `strangers` with pandas' categorical columns of text and of integers."""
    full = strangers()
    kinds = dict.fromkeys(("sex", "city", "cabin", "siblings"), "category")
    return Dataset(full.X.astype(kinds), full.y, full.X_test.astype(kinds))


@data
def own_dtypes() -> Dataset:
    """A frame of pandas' own dtypes, nothing missing, of which scikit-learn makes float64; and a category of bools."""
    rng = np.random.default_rng(46)

    def make(n: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "rooms": pd.array(rng.integers(1, 9, n), "Int64"),
                "sold": pd.array(rng.random(n) < 0.5, "boolean"),
                "floor": rng.integers(0, 30, n),
                "lift": pd.Categorical(rng.random(n) < 0.7),
            }
        )

    X = make(100)
    return Dataset(X, X["rooms"].to_numpy(int) * 2.0 + X["floor"], make(30))


@data
def bools_and_codes() -> Dataset:
    """Bools beside a category of integers: neither is pandas' own number, and yet the frame becomes float64."""
    full = own_dtypes()
    X, test = (
        pd.DataFrame({"sold": f["sold"].to_numpy(bool), "code": pd.Categorical(f["floor"] % 3)})
        for f in (full.X, full.X_test)
    )
    return Dataset(X, full.y, test)


@data
def frame_nan() -> Dataset:
    """A frame of numbers with NaN."""
    full = regression_nan()
    names = [f"column {i}" for i in range(full.X.shape[1])]
    return Dataset(pd.DataFrame(full.X, columns=names), full.y, pd.DataFrame(full.X_test, columns=names))


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
def frame_classes() -> Dataset:
    """A frame of numbers, three classes of text."""
    full = multiclass()
    names = [f"column {i}" for i in range(full.X.shape[1])]
    classes = np.array(["a", "ü", "c"])[np.searchsorted([10, 20, 2**40], full.y)]
    return Dataset(pd.DataFrame(full.X, columns=names), classes, pd.DataFrame(full.X_test, columns=names))


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
