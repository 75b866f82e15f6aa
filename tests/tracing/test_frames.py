"""Functions of frames: columns by name, pandas' own meaning of missing values, copies that are written into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, InputError

from .test_functions import rows

FRAME = pd.DataFrame(
    {
        "age": [1.5, np.nan, -3, 4],
        "b": [1, 2, 3, -4],
        "f": np.array([1, 2.5, np.nan, 0], np.float32),
        "city": ["x", "ü", None, ""],
    }
)
EXPRESSIONS = """
X["age"]
X[["age"]].to_numpy()
X["age"].to_numpy().reshape(-1, 1)
np.c_[X["age"], X["b"] * 2]
np.column_stack([X["age"].fillna(0), X.b])
X["age"].fillna(-1).to_frame()
X[["age", "f"]].fillna({"age": 0.5})
X[["age", "f"]].isna()
X[["age", "b"]] * 2 + 1
X.assign(c=X["age"] * X["b"])[["c", "age"]]
X.assign(c=lambda d: d["age"] > 0)[["c"]]
X[["age", "b", "f"]].sum(axis=1).to_frame("s")
X[["age", "b", "f"]].mean(axis=1).to_numpy()[:, None]
X[["age", "f"]].max(axis=1).values[:, None]
X.drop(columns=["city", "b"])
np.log1p(X[["age", "b"]].clip(lower=0))
(X["city"] == "ü").astype(float).to_frame()
np.where(X["city"].isna(), "none", X["city"])[:, None]
X[["city"]].fillna("missing")
X["age"].between(0, 3).to_frame()
X["city"].isin(["x", "ü"]).to_frame()
X["age"].where(X["age"] > 0, 0.0).to_frame()
X["b"] // 2
X["b"] % 3
np.hypot(X["age"], X["b"]).to_frame()
X.rename(columns={"age": "x"})[["x"]]
X.loc[:, ["b", "age"]]
X.loc[:, "age":"f"]
X.loc[:, "age"].to_frame()
X.iloc[:, :3]
X.iloc[:, [1, -2]]
X.iloc[:, 0].to_frame()
X.filter(regex="^a|b$")
X.filter(items=["f", "age"]).add_prefix("x_")
X.select_dtypes("number").add_suffix("_2")
X.select_dtypes(include=["floating"])
X[["age", "b"]].apply(np.abs)
X[["age", "f"]].apply(lambda c: c.fillna(0) * 2)
X[["age", "b"]].apply(lambda row: row["age"] / row["b"] + row.b, axis=1).to_frame()
X[["age", "b"]].apply(lambda row: np.hypot(row["age"], row["b"]), axis="columns").to_frame()
X[["age", "b"]].where(X[["age", "b"]] > 0, -1.0)
X[["age", "b"]].mask(X[["age", "b"]].isna(), 7.0)
X[["age", "f"]].where(lambda d: d > 0)
X[["age", "b"]].replace({-4: 4, 1.5: 2.5})
X[["age", "b"]].replace(-3, 0)
X.replace({"age": {np.nan: 0.0}})[["age", "b"]]
X.replace({"x": "y", "": "empty"})[["city"]].fillna("none")
X.replace({"x": "y", 1.5: 7.5, -4: 4}).fillna({"city": "none"})[["city"]]
X.replace({"x": "y", 1.5: 7.5, -4: 4})[["age", "b"]]
X["b"].replace(3, -3).to_frame()
X[["age", "b"]].abs().add(1).mul(2).sub(0.5).div(3)
X[["age", "b"]].rsub(1).radd(2)
X[["age"]] ** 2
X[["age", "f"]].pow(3).round(2)
X["age"].round(1).abs().rdiv(1).to_frame()
X["age"].gt(0).to_frame()
X[["age", "b"]].le(1)
X["city"].map({"x": 1.5, "ü": -2.0}).to_frame()
X["city"].map({"x": "one", "ü": "two"}).to_frame()
X["b"].map({1: 0.5, 3: np.nan}).to_frame()
X["b"].map({1: 0.5, np.nan: 7}).to_frame()
X["age"].map({np.nan: 5, 1.5: 2}).to_frame()
X["f"].map(pd.Series([1, 2.5], index=[0, np.nan])).to_frame()
X["city"].map({"x": 1.5, np.nan: 7}).to_frame()
X["city"].map({None: 1.5, "": 7}).to_frame()
X["city"].map(pd.Series([3, 4], index=["x", np.nan])).to_frame()
X["age"].map(np.exp).to_frame()
X["age"].apply(lambda v: v * 2 + 1).to_frame()
X[["age", "b"]].pipe(lambda d, k: d * k, 3)
X[["age", "b"]].to_numpy(dtype=float)
X.assign(c=X["age"] > 0)[["age", "c"]].to_numpy(dtype=np.float32)
X["age"].fillna(X["b"]).to_frame()
X["age"].combine_first(X["f"]).to_frame()
X[["age", "b", "f"]].std(axis=1).to_frame()
X[["age", "b", "f"]].var(axis=1, ddof=0).to_frame()
X[["age", "b", "f"]].median(axis=1).to_frame()
X[["age", "b"]].prod(axis=1).to_frame()
X[["b"]].eq(3).any(axis=1).to_frame()
X[["age", "f"]].count(axis=1).to_frame()
X[["age", "b"]].cumsum(axis=1)
X[["age", "b"]].diff(axis=1)
X[["f", "b"]].fillna(0).idxmax(axis=1).to_frame()
X[["age", "b"]].div(X["b"], axis=0)
X[["age", "b"]].sub(X[["age", "b"]].mean(axis=1), axis=0)
X[["b"]].dot([2.0]).to_frame()
X[["age", "b"]] @ np.array([[1.0, 2.0], [3.0, 4.0]])
X[["age", "b"]] * [1, 2]
X[["age", "b"]] / pd.Series({"age": 2.0, "b": 4.0})
X["age"] // X["b"]
X["age"].add(X["f"], fill_value=0).to_frame()
X.eval("age / (b + 1) > 0").to_frame()
X.eval("r = age + b")[["r"]]
pd.cut(X["age"], [-5, 0, 2, 9], labels=False).to_frame()
pd.cut(X["age"], [-3, 0, 4], labels=["low", "high"], right=False, include_lowest=True).astype(object).to_frame()
pd.get_dummies(X["city"].astype(pd.CategoricalDtype(["x", "", "ü"])), prefix="c", dtype=int)
pd.Categorical(X["city"], categories=["ü", "x", ""]).codes
X["city"].astype(pd.CategoricalDtype(["x", "", "ü"])).cat.codes.to_frame()
pd.concat([X[["age"]], X["b"] * 2], axis=1)
pd.isna(X["age"]).to_frame()
pd.notna(X[["age", "f"]])
pd.DataFrame({"a": X["age"] * 2, "k": 1})
pd.DataFrame(X[["age", "b"]].to_numpy() * 2, columns=["p", "q"], index=X.index)
pd.Series(X["age"] * 2, name="z").to_frame()
np.mean(X[["age", "b"]], axis=1)
np.clip(X[["age", "b"]], 0, 2)
np.linalg.norm(X[["b"]], axis=1)
X.get("age").to_frame()
X.reindex(columns=["b", "age"])
X.set_axis(list("pqrs"), axis=1)[["p"]]
X[["age", "b"]].transform(np.exp)
X[["age", "b"]].agg("sum", axis=1).to_frame()
X["age"].replace([-3, 4], 0).to_frame()
X["age"].case_when([(X["age"] < 0, 0.0), (X["age"] > 3, 9.0)]).to_frame()
X["b"].floordiv(2).to_frame()
X[["age"]].squeeze("columns").to_frame()
""".strip().splitlines()


def answers(function: Callable[..., Any]) -> tuple[Any, Any]:
    session = sardonyx.compile(FunctionTransformer(function), FRAME)
    return session.transform(FRAME), function(FRAME)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions(expression: str) -> None:
    actual, expected = answers(eval(f"lambda X: {expression}", {"np": np, "pd": pd}))
    wanted = np.asarray(expected)
    assert np.asarray(actual).shape == wanted.shape
    if wanted.dtype.kind in "fiub":
        np.testing.assert_allclose(np.asarray(actual, float), wanted.astype(float), rtol=1e-10, atol=1e-12)
    else:
        assert np.asarray(actual).tolist() == wanted.tolist()


def test_numbers_that_are_no_integers_are_refused_as_pandas_does() -> None:
    session = sardonyx.compile(FunctionTransformer(lambda X: X[["age"]].astype(int)), FRAME[["age"]].dropna())
    assert session.transform(pd.DataFrame({"age": [2.7, -2.7]})).tolist() == [[2], [-2]]
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="non-finite"):
            pd.Series([bad]).astype(int)
        with pytest.raises(InputError, match=r"age: non-finite values \(NA or inf\) cannot be converted to integers"):
            session.transform(pd.DataFrame({"age": [bad]}))


def test_writing_into_copies() -> None:
    def features(X: Any) -> Any:
        X = X.copy()
        X["age"] = X["age"].fillna(0)
        X["new"] = X["age"] * 2
        X["one"] = 1
        return X[["age", "new", "one"]]

    pipeline = make_pipeline(FunctionTransformer(features), Ridge()).fit(FRAME, [1, 2, 3, 4])
    np.testing.assert_allclose(sardonyx.compile(pipeline, FRAME).predict(FRAME), pipeline.predict(FRAME), rtol=1e-10)


def written(X: pd.DataFrame) -> pd.DataFrame:
    X = X.copy()
    X.loc[X["age"] < 0, "age"] = 0.0
    X.loc[X["age"].isna(), "age"] = X["b"].astype(float)
    X.loc[X["age"] > 1, "b"] *= 2
    X.loc[X["age"] > 1, "new"] = 1.0
    X["new"] = X["new"].fillna(-1)
    X.loc[:, "f2"] = X.pop("f") * 2
    X.insert(0, "first", X["age"] + 1)
    X[["p", "q"]] = np.column_stack([X["age"], X["b"]])
    X.drop(columns=["p"], inplace=True)
    X.fillna({"f2": 7}, inplace=True)
    X.rename(columns={"q": "Q"}, inplace=True)
    del X["city"]
    X.columns = [name.upper() for name in X.columns]
    return X


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_writing_rows_by_a_mask_and_in_place() -> None:
    actual, expected = answers(written)
    np.testing.assert_allclose(actual, expected.to_numpy(dtype=float), rtol=1e-10)
    with pytest.raises(ConversionError, match="caller's frame"):
        convert(FunctionTransformer(lambda X: X.drop(columns="city", inplace=True)), FRAME)


def test_writing_into_arrays() -> None:
    def changed(X: Any) -> Any:
        X = X.copy()
        X[:, 0] = np.log1p(np.abs(X[:, 0]))
        X[np.isnan(X)] = 0
        X[:, [1, 2]] = X[:, [2, 1]]
        X[:, 3] += 1
        X *= 2
        return X

    X = rows("float64")
    with np.errstate(all="ignore"):
        expected = changed(X)
    actual = sardonyx.load(convert(FunctionTransformer(changed), X)).transform(X)
    np.testing.assert_allclose(actual, expected, rtol=1e-10)


def test_branches_on_the_kind_of_data() -> None:
    def doubled(X: Any) -> Any:
        if isinstance(X, pd.DataFrame):
            return X.drop(columns="city").to_numpy() * 2
        assert isinstance(X, np.ndarray)
        return X * 3 if hasattr(X, "iloc") else X * 4

    actual, expected = answers(doubled)
    np.testing.assert_array_equal(actual, expected)
    X = rows("int64")
    assert (sardonyx.compile(FunctionTransformer(doubled), X).transform(X) == X * 4).all()


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda X: X["age"] - X["age"].mean(), "depends on the other rows"),
        (lambda X: X.sum(), "name the axis"),
        (lambda X: X["city"].str.split("x", expand=True), "whose number the data decide"),
        (lambda X: X["city"].str.get_dummies(), "the text method .str.get_dummies"),
        (lambda X: X[["age"]] - X["b"], "axis=0"),
        (lambda X: pd.concat([X, X]), "side by side"),
        (lambda X: pd.cut(X["age"], 3), "given, ascending edges"),
        (lambda X: X["city"].astype("category"), "CategoricalDtype"),
        (lambda X: X.loc[X["age"] > 0], "choose rows"),
        (lambda X: X.loc[X["age"] > 0, "age"].to_frame(), "number is not known"),
        (lambda X: X.sort_values("age"), "sort_values"),
        (lambda X: X["age"].rolling(2).mean(), "depends on the other rows"),
        (lambda X: X.eval("age & b"), "other than arithmetic"),
        (lambda X: X.eval("__import__('os')"), "other than arithmetic"),
        (lambda X: X["b"] // X["f"], "pandas has its own rules"),
        (lambda X: X[X["age"] > 0], "chooses rows"),
        (lambda X: X["age"].map({1.5: (2, 3)}), "map"),
        (lambda X: X.iloc[0], "loc and iloc choose rows"),
        (lambda X: X.select_dtypes("object"), "select_dtypes of text"),
        (lambda X: X[["b"]].apply("mean"), "apply of the name"),
        (lambda X: X["b"].replace(1, 0.5), "replacing 1 by 0.5"),
        (lambda X: X.replace({None: "none"}), "what is missing among text; use fillna"),
        (lambda X: X[["city"]].replace({np.nan: "none", "x": "y"}), "what is missing among text; use fillna"),
        (lambda X: X["city"].isin(["x", None]), "one is missing; ask for these apart"),
        (lambda X: X["city"].isin(["x", np.nan]), "one is missing; ask for these apart"),
        (lambda X: X["city"].isin(["x", 5]), "membership of text in constants of another kind"),
        (lambda X: X["b"].isin(["1"]), "membership of int64 in constants of another kind"),
        (lambda X: X["city"].replace("x", 1), "replacing 'x' by 1"),
        (lambda X: X[["age"]].where(X["age"] > 0, 0.0), "frame of the same columns"),
        (lambda X: X["nope"], "there is no column 'nope'"),
        (pd.get_dummies, "__array_ufunc__|get_dummies|frame"),
        (lambda X: X[["age", "city"]].to_numpy(), "text beside numbers"),
    ],
)
def test_refusals(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(ConversionError, match=why):
        convert(FunctionTransformer(function), FRAME)


def test_a_set_makes_the_same_file_whatever_the_seed_of_hashes() -> None:
    X = pd.DataFrame({"city": ["a", "b", "ü", "zz"] * 3})
    words = ["zz", "ü", "a", "kk", "hh"]
    files = [
        sardonyx.to_onnx(
            FunctionTransformer(lambda X, given=given: X[["city"]].assign(city=X["city"].isin(given))).fit(X), X
        )
        for given in ({*words}, frozenset(words), sorted(words, key=repr))
    ]
    assert files[0].graph == files[1].graph == files[2].graph
    assert list(files[0].functions) == list(files[1].functions) == list(files[2].functions)
