"""Columns of moments and durations: their parts are pandas', all else is refused."""

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
from sardonyx.tracing.moments import DURATION_PARTS, MOMENT_PARTS

EDGES = """
1970-01-01 | 1969-12-31T23:59:59.999999 | 2000-02-29T12:00 | 1900-02-28 | 1900-03-01 | 2024-12-31T23:59:59 | 2023-09-30
2024-02-29T00:00:00.000001 | 2100-03-01 | 2023-10-01 | 1700-02-28T07:08:09.5 | 2255-06-05 | 2024-07-31 | 2024-08-31
"""
FAR = ["0001-01-01", "1600-02-29", "9999-12-31", "-001-12-31"]
EXPRESSIONS = """
X["when"] > X["then"] | X["when"] != X["then"] | X["when"] == X["then"] | X["when"] <= pd.Timestamp("2000-02-29 12:00")
X["when"] > "2001-01-01" | X["when"].isna() | X["then"].notna() | X["when"] - X["then"] > pd.Timedelta(days=5)
(X["when"] - pd.Timedelta(hours=5)).dt.hour | (X["when"] - pd.Timestamp("2020-05-05 12:00")).dt.days
(X["when"] - X["then"]).dt.total_seconds() | (X["when"] - X["then"]).dt.seconds | X["when"].dt.hour.fillna(-1)
(pd.Timestamp("2024-01-01 12:00") - X["when"]).dt.days | (pd.Timestamp("2030-01-01") - (X["when"] - X["then"])).dt.year
(pd.Timedelta(days=1) - (X["when"] - X["then"])).dt.total_seconds()
np.sin(X["when"].dt.hour * (2 * np.pi / 24)) | X["when"].dt.day_of_week.isin([5, 6])
"""


def moments(unit: str, *, missing: bool) -> pd.DataFrame:
    texts = [text.strip() for line in EDGES.strip().splitlines() for text in line.split("|")]
    rng = np.random.default_rng(0)
    drawn = rng.integers(-(2**51), 2**52, 100).astype("datetime64[us]")
    when = np.concatenate([np.array(texts, "datetime64[us]"), drawn]).astype(f"datetime64[{unit}]")
    if unit == "s":
        when = np.concatenate([when, np.array(FAR, "datetime64[s]")])
    if missing:
        when[::5] = np.datetime64("NaT")
    return pd.DataFrame({"when": when, "then": when[::-1].copy(), "n": 1.0})


def parts(column: Callable[[Any], Any], names: list[str]) -> Callable[[Any], Any]:
    return lambda X: pd.DataFrame({name: getattr(column(X).dt, name) for name in names})


def same(function: Callable[[Any], Any], frame: pd.DataFrame) -> None:
    transformer = FunctionTransformer(function)
    expected = transformer.transform(frame).to_numpy()
    actual = sardonyx.compile(transformer, frame).transform(frame)
    np.testing.assert_array_equal(actual, expected)
    assert actual.dtype == expected.dtype


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.filterwarnings("ignore:Series.dt")  # pandas deprecates some names
def test_parts(unit: str, missing: bool) -> None:
    frame = moments(unit, missing=missing)
    names = [name for name in MOMENT_PARTS if name != "microsecond" or unit == "us"]
    by_dtype = [[n for n in names if (MOMENT_PARTS[n][0] is np.bool_) is is_bool] for is_bool in (False, True)]
    for chosen in by_dtype:
        same(parts(lambda X: X["when"], chosen), frame)
    for name in DURATION_PARTS:
        same(parts(lambda X: X["when"] - X["then"], [name]), frame)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("text", [t.strip() for line in EXPRESSIONS.strip().splitlines() for t in line.split(" | ")])
def test_differences_and_comparisons(text: str, missing: bool) -> None:
    same(lambda X: eval(text).to_frame("y"), moments("us", missing=missing))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("unit", ["s", "us"])
def test_names_and_weeks(unit: str, missing: bool) -> None:
    frame = moments(unit, missing=missing)
    same(lambda X: X["when"].dt.isocalendar().astype(float), frame)
    same(lambda X: pd.to_datetime(X["when"]).dt.isocalendar().week.astype(float).to_frame(), frame)
    for name in ("day_name", "month_name"):
        function = FunctionTransformer(lambda X, name=name: getattr(X["when"].dt, name)().fillna("none").to_frame())
        session = sardonyx.compile(function, frame)
        assert session.transform(frame).tolist() == function.transform(frame).to_numpy().tolist()
        unknown = FunctionTransformer(lambda X, name=name: getattr(X["when"].dt, name)().isna().to_frame())
        same(unknown.func, frame)


FORMATS = ["%Y-%m-%d", "%d.%m.%y um %H:%M:%S Uhr", "%a %A %b %B %j %u %w", "%I %p|%f", "%F %T %D %R", "100%% %Y%%"]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("text", FORMATS)
def test_formats(text: str, missing: bool) -> None:
    frame = moments("us", missing=missing)
    function = FunctionTransformer(lambda X: X["when"].dt.strftime(text).fillna("none").to_frame())
    session = sardonyx.compile(function, frame)
    assert session.transform(frame).tolist() == function.transform(frame).to_numpy().tolist()
    assert "Python" not in session.explain()


def test_years_of_other_than_four_digits_are_not_written() -> None:
    frame = moments("s", missing=False)[:5]
    session = sardonyx.compile(FunctionTransformer(lambda X: X["when"].dt.strftime("%Y").to_frame()), frame)
    with pytest.raises(InputError, match="years of other than four digits"):
        session.transform(frame.assign(when=np.datetime64("0999-12-31", "s")))


def test_a_pipeline_in_both_runtimes() -> None:
    def features(X: Any) -> Any:
        X = X.rename(columns={"when": "at"}).assign(hour=lambda d: d["at"].dt.hour)
        X["weekend"] = X["at"].dt.day_of_week >= 5
        return X.drop(columns=["at", "then"])

    X = moments("us", missing=False)
    pipeline = make_pipeline(FunctionTransformer(features), Ridge()).fit(X, np.arange(len(X)))
    assert sardonyx.verify(pipeline, sardonyx.to_onnx(pipeline, X), X).ok
    assert "Python" not in sardonyx.compile(pipeline, X).explain()


def test_rows_without_a_moment_are_refused_where_the_sample_had_them_all() -> None:
    X = moments("us", missing=False)
    numbers = sardonyx.compile(FunctionTransformer(lambda X: X.loc[:, ["n"]].assign(m=X.iloc[:, 2] * 2)), X)
    assert numbers.transform(X).shape == (len(X), 2)
    session = sardonyx.compile(FunctionTransformer(lambda X: X["when"].dt.hour.to_frame()), X)
    with pytest.raises(InputError, match="when: a moment is missing"):
        session.transform(moments("us", missing=True))


def test_counts_that_float64_does_not_hold_are_refused() -> None:
    X = moments("us", missing=False)
    session = sardonyx.compile(FunctionTransformer(lambda X: X["when"].dt.hour.to_frame()), X)
    with pytest.raises(InputError, match=r"beyond 2\*\*53 exactly; cast them to seconds"):
        session.transform(X.assign(when=np.datetime64("2600-01-01", "us")))
    fine = X.assign(when=X["when"].astype("datetime64[ns]"), then=X["then"].astype("datetime64[ns]"))
    with pytest.raises(ConversionError, match=r"cast the data: X\['when'\]\.astype\('datetime64\[us\]'\)"):
        convert(FunctionTransformer(lambda X: X["when"].dt.hour.to_frame()), fine.iloc[2:10])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda X: X, "the column 'when' holds datetime64"),
        (lambda X: X["when"] + 1, "which tensors do not have"),
        (lambda X: X["when"].astype("int64"), "which tensors do not have"),
        (lambda X: np.asarray(X["when"]), "which tensors do not have"),
        (lambda X: X.to_numpy(), "which tensors do not have"),
        (lambda X: X["when"].map(lambda t: t.hour), "which tensors do not have"),
        (lambda X: X["when"].dt.to_period("M"), r"has no \.dt\.to_period while converting; there are year, month"),
        (lambda X: X["when"].dt.strftime("%U"), r"strftime with '%U'; there are %A, %a"),
        (lambda X: X["when"].dt.strftime("100 %%"), "says nothing of the moment"),
        (lambda X: X["when"].dt.day_name("de_DE"), "depends on the machine"),
        (lambda X: pd.to_datetime(X["n"]), "datetime64 before the pipeline"),
        (lambda X: X["when"] == 3, "moments beside 3"),
        (lambda X: X["when"] > pd.Timedelta(days=1), "moments compared with durations"),
        (lambda X: X["when"] > pd.Timestamp("2020-01-01 00:00:00.000000001"), "no whole number of us"),
        (lambda X: pd.Timestamp("2020") - X["when"], "returns a Moments"),
        (lambda X: pd.Timedelta(days=1) - X["when"], "a moment subtracted from a duration"),
    ],
)
def test_what_has_no_form_is_refused(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        convert(FunctionTransformer(function), moments("us", missing=False))
