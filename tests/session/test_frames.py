"""Frames of every library: what is read in place is what the slow way reads, and what scikit-learn answers for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sardonyx
from sardonyx.errors import InputError, MissingMethodError
from sardonyx.inputs.signature import InputSpec, Signature, describe
from sardonyx.inputs.tensors import tensors
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE
from sardonyx.session.frames import FrameReader
from sardonyx.session.session import Session

from ..native.programs import Builder, load


class Capsule:
    """A table that has nothing but the Arrow PyCapsule interface."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def read(X: Any, signature: Signature) -> dict[str, Any] | None:
    """Read X in place, by a program that returns its inputs."""
    builder = Builder(16)
    slots = [builder.input(s.name, s.dtype, s.row_shape) for s in signature.inputs]
    result = FrameReader(signature).run(load(builder.program(*slots), threads=2), None, X)
    return None if result is None else dict(zip(signature.names, result, strict=True))


def check(X: Any, signature: Signature) -> None:
    """Both ways give the same tensors."""
    fast, slow = read(X, signature), tensors(X, signature)
    assert fast is not None
    for name, array in slow.items():
        assert fast[name].dtype == array.dtype
        np.testing.assert_array_equal(fast[name], array)


# ---- both ways read alike --------------------------------------------------------------------------------------------

TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "nan", "Köln", "東京 is a long name", "\U0001f980"]))
FLOATS = st.one_of(st.none(), st.floats(width=32))
COLUMNS = {
    "real": (FLOATS, "float64"),
    "single": (FLOATS, "float32"),
    "whole": (st.integers(-(2**40), 2**40), "int64"),
    "small": (st.integers(-128, 127), "int8"),
    "count": (st.one_of(st.none(), st.integers(0, 2**31)), "float64"),
    "flag": (st.booleans(), "bool"),
    "maybe": (st.one_of(st.none(), st.booleans()), "float64"),
    "city": (TEXTS, "str"),
    "kind": (TEXTS, "str"),
}
ARROW = {
    "real": pa.float64(), "single": pa.float32(), "whole": pa.int64(), "small": pa.int8(), "count": pa.uint32(),
    "flag": pa.bool_(), "maybe": pa.bool_(), "city": pa.string(), "kind": pa.dictionary(pa.int16(), pa.string()),
}  # fmt: skip
PANDAS = {"count": "Int64", "maybe": "boolean", "kind": "category", "single": "float32", "small": "int8"}
ROWS = st.integers(0, 40).flatmap(
    lambda n: st.fixed_dictionaries({k: st.lists(v, min_size=n, max_size=n) for k, (v, _) in COLUMNS.items()})
)


def frames_of(rows: dict[str, list[Any]], cut: int) -> Iterator[Any]:
    table = pa.table({name: pa.array(values, ARROW[name]) for name, values in rows.items()})
    at = table.column_names.index("city")
    yield table
    yield pa.concat_tables([table[:cut], table[cut:]])
    yield pa.concat_tables([table, table])[len(table) - cut :]
    yield table.set_column(at, "city", table["city"].cast(pa.large_string()))
    yield table.set_column(at, "city", table["city"].cast(pa.string_view()))
    yield from table.to_batches()[:1]
    yield pl.DataFrame(table)
    yield pl.concat([pl.DataFrame(table)[:cut], pl.DataFrame(table)[cut:]], rechunk=False)
    yield pl.DataFrame(table).with_columns(pl.col("city").cast(pl.Categorical))
    frame = pd.DataFrame(rows).astype({"whole": "int64", "flag": "bool", "real": "float64", **PANDAS})
    yield frame
    yield frame[::-1].iloc[:cut]
    yield frame.astype({"city": "object", "count": "Float64", "small": "int16"})
    yield frame.astype({"city": pd.StringDtype("python"), "kind": "string[python]"})
    yield table.to_pandas(types_mapper=pd.ArrowDtype)
    yield {name: list(values) for name, values in rows.items()}
    yield [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]


@given(ROWS, st.integers(0, 40), st.sampled_from(["NaN", "None"]))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_frames_are_read_in_place_as_the_slow_way_reads(rows: dict[str, list[Any]], cut: int, missing: str) -> None:
    specs = (InputSpec(n, dtype, 1, missing if dtype == "str" else "None") for n, (_, dtype) in COLUMNS.items())
    signature = Signature(tuple(specs), by_column=True)
    for X in frames_of(rows, min(cut, len(rows["real"]))):
        if isinstance(X, list) and not X:
            continue  # no row, no columns
        check(X, signature)


def test_arrays_by_position() -> None:
    specs = (InputSpec("x0", "str", 1), InputSpec("x1", "float64", 1))
    check(np.array([["a", 1], [None, 2.5], [np.nan, None]], object), Signature(specs, by_column=True))
    numbers = Signature((InputSpec("x0", "float64", 1), InputSpec("x1", "int64", 1)), by_column=True)
    check(np.asfortranarray(np.arange(6).reshape(3, 2)), numbers)
    check(np.arange(12.0).reshape(3, 4)[:, ::2], numbers)


def test_a_matrix_is_made_of_columns() -> None:
    signature = Signature((InputSpec("X", "float64", 3),), by_column=False)
    frame = pd.DataFrame({"c": [1, 2], "a": [0.5, np.nan], "z": ["x", "y"], "b": [True, False]})
    expected = tensors(frame, signature, ["a", "b", "c"])["X"]
    builder = Builder(16)
    program = load(builder.program(builder.input("X", "float64", (3,))))
    for X in (frame, pl.DataFrame(frame), pa.Table.from_pandas(frame), frame.to_dict("list")):
        result = FrameReader(signature, ["a", "b", "c"]).run(program, None, X)
        assert result is not None
        np.testing.assert_array_equal(result[0], expected)


def test_columns_that_are_encoded_otherwise() -> None:
    signature = Signature((InputSpec("a", "str", 1),), by_column=True)
    words = ["p", "p", None, "q"]
    arrays = [
        pa.array(words).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 0, 1, 2]), pa.array(["p", None, "q"])),
        pa.chunked_array([[w] for w in words], pa.string()),
    ]
    for array in arrays:
        check(pa.table({"a": array}), signature)
    runs = pa.RunEndEncodedArray.from_arrays([2, 3, 4], pa.array(["p", None, "q"]))
    values = read(Capsule(pa.table({"a": runs})), signature)
    assert values is not None
    assert values["a"].ravel().tolist() == ["p", "p", MISSING_NONE, "q"]
    check(pl.DataFrame({"a": pl.Series(words, dtype=pl.Enum(["q", "p"]))}), signature)
    check(pd.DataFrame({"a": pd.Categorical(words, ["q", "other", "p"])}), signature)
    check(pd.DataFrame({"a": np.array(words, object)}), signature)
    check(pd.DataFrame({"a": [np.nan, np.nan]}), signature)


def test_many_chunks() -> None:
    signature = Signature((InputSpec("a", "float64", 1), InputSpec("t", "str", 1)), by_column=True)
    chunk = pa.table({"a": [1.0, None, 2.0], "t": ["x", None, "日本"]})
    check(pa.concat_tables([chunk] * 1000), signature)


# ---- scikit-learn's answers ------------------------------------------------------------------------------------------


def mixed(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {"real": rng.normal(size=rows), "gap": rng.normal(size=rows)}
    columns["gap"][rng.random(rows) < 0.2] = np.nan
    columns |= {"whole": rng.integers(0, 9, rows), "flag": rng.random(rows) < 0.5}
    columns["city"] = rng.choice(np.array(["Oslo", "Köln", "東京", np.nan], object), rows)
    columns["kind"] = pd.Categorical(rng.choice(["red", "green", "blue"], rows))
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def model() -> tuple[Any, Session]:
    X = mixed(300, 0)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    prepare = ColumnTransformer(
        [
            ("numbers", numbers, ["real", "gap", "whole"]),
            ("flag", "passthrough", ["flag"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), ["city", "kind"]),
        ]
    )
    estimator = make_pipeline(prepare, LogisticRegression()).fit(X, X["real"] + X["whole"] * 0.2 > 1)
    return estimator, sardonyx.load(sardonyx.to_onnx(estimator, X))


@pytest.mark.parametrize("rows", [0, 1, 2, 1000, 3000])
def test_predictions_are_scikit_learns(model: tuple[Any, Session], rows: int) -> None:
    estimator, session = model
    X = mixed(rows, 1)[["kind", "city", "flag", "whole", "gap", "real"]].assign(unused=0)
    expected = estimator.predict_proba(X) if rows else np.empty((0, 2))
    table = pa.Table.from_pandas(X)
    for given_ in (
        X,
        X.astype({"city": object}),
        pl.from_pandas(X),
        table,
        Capsule(table),
        pa.RecordBatchReader.from_batches(table.schema, table.to_batches()),
        X.to_dict("list"),
        X.astype(object).to_dict("records"),
    ):
        if not rows and isinstance(given_, list):
            continue
        np.testing.assert_allclose(session.predict_proba(given_), expected, rtol=1e-10, atol=1e-12)


def test_a_null_is_what_the_fit_saw(model: tuple[Any, Session]) -> None:
    """scikit-learn saw NaN, which Arrow and JSON have no word for."""
    estimator, session = model
    row = {"real": 0.0, "gap": None, "whole": 1, "flag": True, "city": None, "kind": "red"}
    expected = estimator.predict_proba(pd.DataFrame([row]).astype({"city": "str", "gap": float}))
    for X in (pl.DataFrame([row]), pa.Table.from_pylist([row]), [row], {name: [value] for name, value in row.items()}):
        np.testing.assert_allclose(session.predict_proba(X), expected, rtol=1e-10)
    as_it_is = pd.DataFrame([row], dtype=object).astype({"gap": float, "real": float, "whole": int, "flag": bool})
    np.testing.assert_allclose(session.predict_proba(as_it_is), estimator.predict_proba(as_it_is), rtol=1e-10)


def test_a_sample_of_floats_allows_nulls_among_integers_and_bools() -> None:
    X = pd.DataFrame({"n": pd.array([1, 2, 3, 4] * 10, "Int64"), "m": [1, 2] * 20, "b": [True, False] * 20})
    estimator = HistGradientBoostingClassifier(max_iter=3).fit(X, [0, 1, 1, 0] * 10)
    session = sardonyx.compile(estimator, X.astype("float64"))
    gaps = X.assign(
        n=X["n"].mask(X.index == 3), m=X["m"].mask(X.index == 2), b=X["b"].astype(object).mask(X.index == 5)
    )
    expected = estimator.predict_proba(gaps)
    for rows in (gaps, pl.from_pandas(gaps.convert_dtypes()), pa.Table.from_pandas(gaps.convert_dtypes())):
        np.testing.assert_array_equal(session.predict_proba(rows), expected)
    with pytest.raises(InputError, match="with these columns as float64"):
        sardonyx.compile(estimator, X).predict(gaps)


def test_the_sample_says_what_missing_text_is() -> None:
    def kinds(X: Any) -> list[str]:
        return [spec.missing for spec in describe(X).inputs]

    assert kinds(pd.DataFrame({"a": ["x", None], "b": ["x", "y"]})) == ["NaN", "NaN"]
    assert kinds(pd.DataFrame({"a": np.array(["x", None], object)}, dtype=object)) == ["None"]
    assert kinds(pl.DataFrame({"a": ["x", None], "b": ["x", "y"]})) == ["None", "None"]
    assert kinds({"a": ["x", float("nan")], "b": ["x", None], "c": [None, float("nan")]}) == ["NaN", "None", "None"]


# ---- what does not fit -----------------------------------------------------------------------------------------------


def refusals() -> Iterator[tuple[Any, str]]:
    good = mixed(3, 2)
    yield good.drop(columns="city"), "missing column 'city'"
    yield pl.from_pandas(good).rename({"city": "City"}), r"missing column 'city' \(is it 'City'\?\)"
    yield pa.Table.from_pandas(good).drop_columns(["flag", "real"]), "missing columns 'real', 'flag'"
    yield good.assign(whole=[1, None, 2]), "column 'whole' holds nan in row 1.*nothing missing"
    yield good.assign(whole=pd.array([1, None, 2], "Int64")), "column 'whole' holds nan in row 1"
    yield pl.from_pandas(good).with_columns(whole=pl.Series([1, None, 2])), "column 'whole' holds nan in row 1"
    yield good.assign(whole=["1", "2", "3"]), "column 'whole' holds the text '1'"
    yield good.assign(flag=pd.array([True, None, False], "boolean")), "column 'flag' holds nan"
    yield good.assign(city=[1, 2, 3]), "column 'city' holds int64, and the model takes text"
    yield good.assign(real=pd.to_datetime(["2020-01-01"] * 3)), "column 'real' holds datetime64"
    yield (
        good.assign(real=pd.to_datetime(["2020-01-01"] * 3, utc=True)),
        "column 'real' holds moments of the time zone 'UTC'",
    )
    yield Capsule(pa.Table.from_pandas(good.assign(real=pd.to_datetime(["2020-01-01"] * 3)))), "'real' holds datetime64"
    yield (
        Capsule(pa.table({"real": pa.array([1, 2], pa.timestamp("ms", "UTC"))})),
        "timestamp with a time zone is neither",
    )
    yield pl.from_pandas(good).with_columns(pl.col("real").cast(pl.Int128)), "column 'real' cannot be read: .*128"
    yield pd.concat([good, good[["city"]]], axis=1), "several columns are named 'city'"
    yield pa.table([[1], [2]], names=["city", "city"]), "several columns are named 'city'"
    yield Capsule(pa.table([[1], [2]], names=["city", "city"])), "several columns are named 'city'"
    yield Capsule(pa.chunked_array([[1]])), "one column; give a table"
    yield pl.from_pandas(good).lazy(), r"LazyFrame holds no data yet; give X.collect\(\)"
    yield pd.DataFrame(index=range(3)), "missing columns"
    yield pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "missing columns"
    yield {**good.to_dict("list"), "real": [1.0]}, "differ in their number of rows"


@pytest.mark.parametrize("number", range(len(list(refusals()))))
def test_what_does_not_fit_is_refused_by_name(model: tuple[Any, Session], number: int) -> None:
    X, message = list(refusals())[number]
    if isinstance(X, Capsule) and "timestamp" in message:
        assert message in describe(X).inputs[0].refused
        return
    for _ in range(2):  # what is remembered of a frame refuses alike
        with pytest.raises(InputError, match=message):
            model[1].predict(X)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["timestamp", "duration"])
def test_moments_of_any_library_are_scikit_learns_numbers(unit: str, kind: str) -> None:
    counts = pa.chunked_array([pa.array([7, 2**40, None], pa.int64()), pa.array([-5], pa.int64())])
    table = pa.table({"when": counts.cast(getattr(pa, kind)(unit)), "x": [1.0, 2.0, 3.0, 4.0]})
    sample = table.slice(0, 2)
    estimator = ColumnTransformer([("when", StandardScaler(), ["when"]), ("x", "passthrough", ["x"])]).fit(
        sample.to_pandas()
    )
    session = sardonyx.load(sardonyx.to_onnx(estimator, sample.to_pandas()))
    expected = estimator.transform(table.to_pandas())  # -2**63 for NaT
    for X in (Capsule(table), table, table.to_pandas()):
        np.testing.assert_allclose(session.transform(X), expected, rtol=1e-10)
    with pytest.raises(InputError, match="a Capsule is no sample"):
        sardonyx.to_onnx(estimator, Capsule(sample))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_moments_of_a_time_zone_are_not_read_as_those_of_greenwich(zone: str) -> None:
    when = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=3, freq="7h", unit="us")})
    estimator = ColumnTransformer([("when", StandardScaler(), ["when"])]).fit(when)
    session = sardonyx.compile(estimator, when)
    zoned = when.assign(when=when["when"].dt.tz_localize(zone))
    table = pa.Table.from_pandas(zoned, preserve_index=False)
    arrow_backed = zoned.astype({"when": pd.ArrowDtype(pa.timestamp("us", zone))})
    for X in (zoned, table, pl.from_arrow(table), arrow_backed, {"when": table["when"]}):
        with pytest.raises(InputError, match=f"column 'when' holds moments of the time zone '{zone}'"):
            session.transform(X)
    with pytest.raises(InputError, match=r"column 'when' holds datetime\.date.*takes datetime64"):
        session.transform(when.assign(when=when["when"].dt.date))


def test_column_names_need_not_be_strings() -> None:
    X = pd.DataFrame({0: [1.0, 2.0, 4.0], 1: [5.0, 3.0, 3.0]})
    estimator = LinearRegression().fit(X, [1.0, 2.0, 3.0])
    session = sardonyx.load(sardonyx.to_onnx(estimator, X))
    np.testing.assert_allclose(session.predict(X[[1, 0]]), estimator.predict(X), rtol=1e-10)


def test_frames_of_another_layout_are_read_anew(model: tuple[Any, Session]) -> None:
    estimator, session = model
    X = mixed(5, 3)
    rng = np.random.default_rng(0)
    for _ in range(100):
        shuffled = X[rng.permutation(X.columns)]
        np.testing.assert_allclose(session.predict_proba(shuffled), estimator.predict_proba(X), rtol=1e-10)


def test_polars_is_read_without_pandas_and_pyarrow(model: tuple[Any, Session], tmp_path: Any) -> None:
    model[1].save(tmp_path / "model.sdx")
    code = (
        "import sys, sardonyx, polars; session = sardonyx.load(sys.argv[1])\n"
        "row = dict(real=[0.5], gap=[None], whole=[1], flag=[True], city=['Oslo'], kind=['red'])\n"
        "session.to_frame(polars.DataFrame(row))\n"
        "print([name for name in ('pandas', 'pyarrow', 'sklearn', 'onnx') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.sdx")], capture_output=True, text=True, check=False
    )
    assert result.stdout.strip() == "[]", result.stderr


# ---- frames out ------------------------------------------------------------------------------------------------------


def test_answers_come_as_the_callers_kind(model: tuple[Any, Session]) -> None:
    estimator, session = model
    X = mixed(4, 4).set_index(pd.Index(list("wxyz")))
    expected = pd.DataFrame({"predict": estimator.predict(X)}, index=X.index)
    proba = estimator.predict_proba(X)
    expected = expected.assign(predict_proba_False=proba[:, 0], predict_proba_True=proba[:, 1])
    found = session.to_frame(X)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-10)
    table = pa.Table.from_pandas(X, preserve_index=False)
    for given_, kind in ((pl.from_pandas(X), pl.DataFrame), (table, pa.Table), (table.to_batches()[0], pa.RecordBatch)):
        other = session.to_frame(given_)
        assert type(other) is kind
        frame = other.to_pandas()
        pd.testing.assert_frame_equal(frame, expected.reset_index(drop=True), rtol=1e-10)
    columns = session.to_frame(Capsule(table), "predict")
    assert {name: array.tolist() for name, array in columns.items()} == {"predict": expected["predict"].tolist()}
    with pytest.raises(MissingMethodError, match="has no transform"):
        session.to_frame(X, "transform")


def test_transformed_columns_have_the_estimators_names() -> None:
    X = mixed(50, 5)
    prepare = ColumnTransformer([("keep", "passthrough", ["city", "real"]), ("scale", StandardScaler(), ["whole"])])
    prepare.set_output(transform="pandas").fit(X)
    session = sardonyx.load(sardonyx.to_onnx(prepare, X))
    found = session.to_frame(X)
    assert list(found.columns) == list(prepare.get_feature_names_out()) == ["keep__city", "keep__real", "scale__whole"]
    pd.testing.assert_frame_equal(found, prepare.transform(X), check_dtype=False)
    scaler = StandardScaler().fit(X[["real", "gap"]].to_numpy())
    session = sardonyx.load(sardonyx.to_onnx(scaler, X[["real", "gap"]].to_numpy()))
    assert list(session.to_frame(X[["real", "gap"]])) == ["x0", "x1"]
    reloaded = sardonyx.load(sardonyx.to_onnx(scaler, X[["real", "gap"]]))
    assert list(reloaded.to_frame(X[["real", "gap"]])) == ["real", "gap"]


def test_missing_text_comes_back_as_missing() -> None:
    X = pd.DataFrame({"city": ["Oslo", None]})
    keep = ColumnTransformer([("keep", "passthrough", ["city"])]).fit(X)
    session = sardonyx.load(sardonyx.to_onnx(keep, X))
    assert tensors(pl.from_pandas(X), session.signature)["city"].ravel().tolist() == ["Oslo", MISSING_NAN]
    assert session.to_frame(pa.Table.from_pandas(X)).column(0).null_count == 1
    assert session.to_frame(X)["keep__city"].isna().tolist() == [False, True]


@pytest.mark.parametrize("beside", [[], [1.5, 2.0, -1.0], ["Rome", "", "ü"]], ids=["alone", "numbers", "text"])
def test_numbers_that_the_estimator_answers_with_na_are_nan(beside: list[Any]) -> None:
    X = pd.DataFrame({"n": pd.array([1, None, 3], dtype="Int64")} | ({"beside": beside} if beside else {}))
    keep = ColumnTransformer([("keep", "passthrough", list(X))]).set_output(transform="pandas").fit(X)
    session = sardonyx.load(sardonyx.to_onnx(keep, X))
    assert session.check().ok
    assert session.to_frame(X)["keep__n"].isna().tolist() == [False, True, False]
    assert session.transform(X)[2].tolist() == [3, *beside[2:]]


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_numbers_beside_text_keep_the_dtypes_of_the_frame_that_the_estimator_makes(output: str) -> None:
    X = pd.DataFrame({"age": [1.5, 2, 3], "n": [1, 2, 3], "sure": [True, False, True], "city": ["Rome", "", "ü"]})
    steps = [("scaled", StandardScaler(), ["age"]), ("same", "passthrough", ["n", "sure", "city"])]
    transformer = ColumnTransformer(steps).set_output(transform=output).fit(X)
    session = sardonyx.compile(transformer, X)
    frame = session.to_frame(X)
    expected = ColumnTransformer(steps).set_output(transform="pandas").fit_transform(X)
    assert frame.drop(columns="same__city").dtypes.tolist() == [np.float64, np.int64, np.bool_]
    assert frame.astype(object).equals(expected.astype(object))
    assert session.transform(X)[1].tolist() == [0.0 + expected.iloc[1, 0], 2, False, ""]
