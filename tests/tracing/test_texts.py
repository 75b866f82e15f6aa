"""Methods of text: pandas' of a column, Python's of one text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, SardonyxError

NAMES = ["Braund, Mr. Owen", "Cumings, Mrs. John (Florence)", "Ü, Miss. É", " a b ", "", "x,y", None, "Rome9"]
FRAME = pd.DataFrame({"name": NAMES, "city": ["Rome", "ü", "", "x", "New York", "o-o", "Oslo", None]})
WHOLE = FRAME.fillna("none, n. n")
METHODS = """
lower() | upper() | title() | capitalize() | swapcase() | strip() | lstrip() | rstrip("n)") | len() | zfill(5)
contains("o") | contains("r", case=False) | contains("[A-Z]r|s") | contains(".", regex=False) | contains("o", na=True)
startswith("B") | endswith(("e", "n")) | match("[A-Z]") | fullmatch("[a-z ]*") | replace(" ", "_") | get(1) | count("r")
replace("[aeiou]+", "-", regex=True) | slice(1, 4) | split(",").str[0] | split(", ").str[1].str.len() | find("r")
extract(r" ([A-Za-z]+)[.]", expand=False) | extract(r"(?P<a>[a-z])(?P<b>[a-z])") | pad(8) | ljust(6, "*") | isalpha()
lower().eq("x,y") | rsplit(" ", n=1).str.get(-1) | isupper() | isspace() | center(20)
split(",").str.len() | removeprefix("B") | isdigit()
"""
ONES: list[Callable[[Any], Any]] = [
    lambda s: s.split(",")[1].split(".")[0].strip(),
    lambda s: len(s) + 1,
    lambda s: s.lower().replace("mr", "m") + "!",
    lambda s: "Mr" in s or s.endswith("n"),
    lambda s: 1 if s.startswith(("B", "C")) else s.count("s"),
    lambda s: s[0] if s else "?",
    lambda s: s[-1:].upper() if s[:1] != " " else "space",
    lambda s: re.sub(r"\\W+", "", s),
    lambda s: "woman" if s.find("Mrs") >= 0 or "Miss" in s else "man",
    lambda s: len(s.split(",")),
    str.title,
]


def same(function: Callable[[Any], Any], frame: pd.DataFrame) -> None:
    expected = function(frame)
    actual = sardonyx.compile(FunctionTransformer(function), frame).transform(frame)
    wanted, found = np.asarray(expected, object).ravel().tolist(), np.asarray(actual).ravel().tolist()
    assert [None if v != v else v for v in found] == [None if v != v else v for v in wanted]


@pytest.mark.parametrize("method", [m.strip() for line in METHODS.strip().splitlines() for m in line.split(" | ")])
def test_methods_of_a_column(method: str) -> None:
    function = eval(f"lambda X: X['name'].str.{method}")
    same(lambda X: function(X) if isinstance(function(X), pd.DataFrame) else function(X).to_frame("y"), FRAME)


@pytest.mark.parametrize("place", range(len(ONES)))
def test_functions_of_one_text(place: int) -> None:
    same(lambda X: X["name"].map(ONES[place]).to_frame("y"), WHOLE.iloc[[0, 1, 5, 6, 6]])


def test_missing_text_is_no_text() -> None:
    same(lambda X: X["name"].map(lambda s: s.lower() if isinstance(s, str) else "none").to_frame(), FRAME)
    same(lambda X: X["name"].map(lambda s: "none" if pd.isna(s) else s[:2]).to_frame(), FRAME)
    same(lambda X: X["name"].map(lambda s: "none" if s != s else "some").to_frame(), FRAME)
    same(lambda X: X.apply(lambda r: 1 if r["city"] == "x" else 0, axis=1).to_frame(), FRAME)


def test_none_filled_with_nan_is_nan() -> None:
    same(lambda X: X[["name"]].fillna(np.nan), FRAME.astype(object))
    same(lambda X: np.where(X["name"].fillna(np.nan).isna(), "none", "some")[:, None], FRAME)


def test_joined_texts() -> None:
    same(lambda X: (X["name"] + "_" + X["city"]).to_frame("y"), FRAME)
    same(lambda X: ("<" + X["name"].str.cat(X["city"], sep="-")).to_frame("y"), FRAME)


def test_titles_in_a_pipeline() -> None:
    def title(X: Any) -> Any:
        return X["name"].str.extract(r" ([A-Za-z]+)[.]", expand=False).fillna("none").to_frame("title")

    pipeline = make_pipeline(FunctionTransformer(title), OneHotEncoder(handle_unknown="ignore"), Ridge())
    pipeline.fit(FRAME, np.arange(len(FRAME)))
    session = sardonyx.compile(pipeline, FRAME)
    np.testing.assert_allclose(session.predict(FRAME), pipeline.predict(FRAME), rtol=1e-10)
    assert "TextMethod: extract" in session.explain()


def test_a_constant_part_is_found_natively() -> None:
    session = sardonyx.compile(FunctionTransformer(lambda X: X["name"].str.contains("Mr.", regex=False)), FRAME)
    assert "Python" not in session.explain()


@pytest.mark.parametrize("text", ["\u0149", "\u03a3", "\xdf"])
def test_what_arrow_and_python_differ_in_is_refused(text: str) -> None:
    session = sardonyx.compile(FunctionTransformer(lambda X: X["name"].str.upper()), FRAME.iloc[:2])
    other = sardonyx.compile(FunctionTransformer(lambda X: X["name"].map(lambda s: s.upper())), FRAME.iloc[:2])
    frame = FRAME.iloc[:1].assign(name=text)
    with pytest.raises(SardonyxError, match="depends on whether Arrow"):
        session.transform(frame)
    assert np.asarray(other.transform(frame)).ravel().tolist() == [text.upper()]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda s: s is None, "asks `is`"),
        (lambda s: {"x": 1}[s], "no key of a dict"),
        (lambda s: "".join(c for c in s if c.isalpha()), "loop over the rows"),
        (lambda s: s.split()[1:], "several pieces"),
        (lambda s: s.encode(), "str.encode of one text"),
        (lambda s: f"{s}!", "as text"),
        (lambda s: 2 * int(s), "no single number"),
        (lambda s: len(s.split()), "between whitespace"),
    ],
)
def test_refusals(function: Callable[[Any], Any], why: str) -> None:
    with pytest.raises(ConversionError, match=why):
        convert(FunctionTransformer(lambda X: X["name"].map(function)), FRAME)
