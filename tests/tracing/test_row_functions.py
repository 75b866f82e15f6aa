"""Functions that pandas and NumPy call with one value or one row after the other, branches and all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError

FRAME = pd.DataFrame(
    {
        "age": [1.5, np.nan, -3.0, 4.0, 18.0, 65.0, -0.0, 30.2, np.inf, 70.0],
        "b": [1, 2, 0, -4, 0, 8, 3, -1, 5, 0],
        "f": np.array([1, 2.5, np.nan, 0, 7, 1, 2, 3, 0, 9], np.float32),
        "city": ["x", "ü", "Rome", "", "x", "Rome", "ü", "x", "", "Oslo"],
        "t": [True, False] * 5,
    }
)


def band(age: float) -> str:
    if age != age:
        return "none"
    if age < 18:
        return "child"
    return "adult" if age < 65 else "senior"


def ratio(row: Any) -> Any:
    if row["b"] == 0:
        return 0.0
    return float_of(row["age"] / row.b)


def float_of(x: Any) -> Any:
    return x if not isinstance(x, str) else math.nan


FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda X: X["age"].map(band),
    lambda X: X["b"].apply(lambda v: v / 2 if v > 2 else 0),
    lambda X: X["b"].map(lambda v: v * 2 + 1),
    lambda X: X["f"].map(lambda v: v * 1.1),
    lambda X: X["f"].apply(np.log1p),
    lambda X: X["age"].apply(lambda v: math.sqrt(abs(v))),
    lambda X: X["age"].apply(lambda v: np.divide(1.0, v**0.5) if v == 0 else 7.0),
    lambda X: 1 / X["age"].where(X["age"] == 0, 1.0) ** 0.5,
    lambda X: X["age"].map(lambda v: 0 if math.isnan(v) else 1),
    lambda X: X["age"].map(lambda v: 0 if pd.isna(v) else v),
    lambda X: X["age"].apply(lambda v: min(v, 10)),
    lambda X: X["age"].apply(lambda v: max(0.0, v)),
    lambda X: X["b"].map(lambda v: v in (1, 2, 3)),
    lambda X: X["b"].map(lambda v: not v),
    lambda X: X["t"].map(lambda v: ~v),
    lambda X: X["b"].map(lambda v: (v > 0) + (v > 2)),
    lambda X: X["b"].map(lambda v: np.add(v > 0, v > 2)),
    lambda X: X["b"].map(lambda v: sum(1 for k in (1, 2, 3) if v > k)),
    lambda X: X["b"].map(lambda v: v and 7),
    lambda X: X[["b", "t"]].apply(lambda r: r["t"] + r["t"] + (r["b"] > 0), axis=1),
    lambda X: X[["b", "age"]].apply(lambda r: (r["b"] > 0) + (r["age"] > 2), axis=1),
    lambda X: X[["b", "age"]].apply(lambda r: (lambda b, age: b * age)(*r) + len(r), axis=1),
    lambda X: X["b"].map(lambda v, k: v * k, k=3),
    lambda X: X["age"].map(lambda v: v if isinstance(v, float) and -5 < v < 50 else 0.5),
    lambda X: X[["age", "b"]].apply(ratio, axis=1),
    lambda X: X[["b", "t"]].apply(lambda r: r["b"] if r["t"] else -1, axis=1),
    lambda X: X[["b", "f"]].apply(lambda r: r.max() - r.min(), axis=1),
    lambda X: X[["b", "age"]].apply(np.mean, axis=1),
    lambda X: X[["b", "f"]].apply(lambda r: r[["b", "f"]].sum() + r.get("nope", 1.0), axis=1),
    lambda X: X[["b", "age"]].apply(lambda r: r * 2, axis=1),
    lambda X: X[["b", "age"]].apply(lambda r: pd.Series({"p": r["b"], "q": r["age"] * 2}), axis=1),
    lambda X: X[["b"]].map(lambda v: v if v > 0 else 0),
    lambda X: X["b"].map({1: 1, 2: 5, -4: 7}).fillna(-1),
    lambda X: X["city"].map({"x": True, "Rome": False}),
    lambda X: X["t"].map({True: "yes", False: "no"}),
    lambda X: X["city"].map(pd.Series({"x": 1, "Rome": 2})),
    lambda X: np.vectorize(lambda a, b: a if a > b else b)(X["age"], X["b"] * 1.0),
    lambda X: np.vectorize(lambda v: v * 2 if v > 1 else 0.0)(X["f"]),
    lambda X: np.vectorize(lambda v: 1 if v > 1 else 0.5, otypes=[float])(X["b"]),
    lambda X: np.vectorize(band)(X["age"]),
]


@pytest.mark.parametrize("place", range(len(FUNCTIONS)))
def test_each_value_goes_its_own_way(place: int) -> None:
    function = FUNCTIONS[place]
    with np.errstate(all="ignore"):
        expected = function(FRAME)
        actual = sardonyx.compile(FunctionTransformer(function), FRAME).transform(FRAME)
    wanted, found = np.asarray(expected), np.asarray(actual)
    assert found.size == wanted.size
    found = found.reshape(wanted.shape)
    if wanted.dtype.kind in "UT" or any(isinstance(v, str) for v in wanted.ravel().tolist()):
        assert found.tolist() == wanted.tolist()
    else:
        rtol = 1e-6 if wanted.dtype == np.float32 else 1e-10
        np.testing.assert_allclose(found.astype(float), wanted.astype(float), rtol=rtol, atol=1e-12)


def as_number(s: Any) -> float:
    try:
        return float(s)
    except Exception:
        return 0.0


def first_number(s: str) -> str:
    try:
        return re.search("[0-9]+", s).group()  # type: ignore[union-attr]
    except (AttributeError, TypeError):
        return "0"


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda X: X["city"].map(as_number), "catches ConversionError"),
        (lambda X: X["city"].map(first_number), "line [0-9]+: the function catches TypeError"),
        (lambda X: X["b"].map(lambda v: {1: 2.0}.get(v, 0)), r"no key of a dict or a set.*\.map\(dict\)"),
        (lambda X: X["b"].map(lambda v: v in {1, 2}), "no key of a dict or a set"),
        (lambda X: X["age"].map(lambda v: 2 * int(v)), "no single number"),
        (lambda X: X["age"].map(lambda v: f"{v:.1f}"), "as text"),
        (lambda X: X["age"].map(lambda v: round(v, 1)), "in decimal"),
        (lambda X: X["age"].map(lambda v: None if v > 0 else v), "gives None"),
        (lambda X: X["age"].map(lambda v: "old" if v > 60 else v), "number here and text there"),
        (lambda X: X["b"].map(lambda v: v > 1 if v else 2), "bool here and number there"),
        (lambda X: np.vectorize(lambda v: 1 if v > 1 else 0.5)(X["b"]), "otypes"),
        (lambda X: X["b"].map(lambda v: [v]), "gives list"),
        (lambda X: X["age"].map(lambda v: sum(v > k for k in range(40) if v > k)), "more than 128 ways"),
        (lambda X: X.apply(lambda r: r.to_numpy().sum(), axis=1), "a row as an array"),
    ],
)
def test_refusals(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(ConversionError, match=why):
        convert(FunctionTransformer(function), FRAME)


def test_names_of_pandas_and_python_are_themselves_again() -> None:
    own = (pd.DataFrame, pd.isna, len, math.log, np.vectorize.__call__)
    convert(FunctionTransformer(FUNCTIONS[0]), FRAME)
    assert own == (pd.DataFrame, pd.isna, len, math.log, np.vectorize.__call__)
