"""Data of every kind become a model's tensors exactly, or are refused with an error that helps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sardonyx.errors import InputError
from sardonyx.inputs.signature import InputSpec, Signature, describe
from sardonyx.inputs.tensors import coerce_feeds, tensors
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE, coerce

MATRIX = Signature((InputSpec("X", "float64", 2),), by_column=False)
FRAME = Signature(
    (InputSpec("age", "float64", 1), InputSpec("n", "int64", 1), InputSpec("city", "str", 1)), by_column=True
)


def dtypes(X: Any) -> list[str]:
    return [spec.dtype for spec in describe(X).inputs]


# ---- the sample


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f8", "float64"), ("f4", "float32"), ("f2", "float64"), (">f8", "float64"), ("i4", "int32"), ("?", "bool")],
)
def test_describe_keeps_the_dtype_of_an_array(dtype: str, expected: str) -> None:
    assert describe(np.zeros((3, 2), dtype)).inputs == (InputSpec("X", expected, 2),)


def test_describe_takes_columns_of_every_frame_library() -> None:
    columns = {"a": [1.5, 2.5], "b": [1, 2], "c": ["x", "日本"], "d": [True, False]}
    expected = ["float64", "int64", "str", "bool"]
    for frame in (pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns), columns):
        signature = describe(frame)
        assert signature.by_column
        assert signature.names == ("a", "b", "c", "d")
        assert [s.dtype for s in signature.inputs] == expected


def test_describe_reads_nullable_and_categorical_columns() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, 2], "Int64"),
            "gap": pd.array([1, None], "Int64"),
            "flag": pd.array([True, None], "boolean"),
            "text": pd.array(["a", None], "string"),
            "kind": pd.Categorical(["a", None]),
            "code": pd.Categorical([1, 2]),
            "objects": pd.Series([1, None], dtype=object),
        }
    )
    assert dtypes(frame) == ["int64", "float64", "float64", "str", "str", "int64", "float64"]


def test_describe_splits_an_object_array_of_mixed_columns() -> None:
    signature = describe(np.array([["a", 1, 2.5], ["b", 2, None]], dtype=object))
    assert signature.by_column
    assert [(s.name, s.dtype) for s in signature.inputs] == [("x0", "str"), ("x1", "int64"), ("x2", "float64")]
    assert describe(np.array([["a", "b"], ["c", None]], dtype=object)).inputs == (InputSpec("X", "str", 2),)


def test_describe_takes_vectors_only_where_asked() -> None:
    labels = np.array(["a", "b"])
    assert describe(labels, vector=True).inputs == (InputSpec("X", "str", None),)
    with pytest.raises(InputError, match="Expected 2D array, got 1D array instead"):
        describe(labels)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns are named 'a'"),
        (pd.DataFrame({"": [1]}), "a column has no name"),
        (np.array([[10**25]], dtype=object), "X holds integers beyond 64 bits"),
        (np.zeros((1, 2), complex), "X has dtype complex128"),
        (np.zeros((1, 2, 3)), "Expected 2D array, got 3D"),
    ],
)
def test_describe_refuses(X: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        describe(X)


def test_describe_leaves_what_no_model_takes_to_those_that_read_it() -> None:
    when = pd.to_datetime(["2020-01-01"], utc=True)
    signature = describe(pd.DataFrame({"a": [1.5], "when": when, "both": pd.Series([1], dtype=object), "b": [b"x"]}))
    assert [bool(spec.refused) for spec in signature.inputs] == [False, True, False, True]
    assert "column 'when' holds moments of the time zone 'UTC'" in signature.inputs[1].refused
    assert signature.reading({"a", "both"}).names == ("a", "both")
    assert signature.reading({"a", "both"}).features == ("a", "when", "both", "b")


def test_describe_knows_moments_and_durations() -> None:
    days = np.array(["2020-01-01", "NaT"], "M8[D]")
    (spec,) = describe({"a": days}).inputs
    assert (spec.dtype, spec.moment) == ("float64", "datetime64[D]")
    assert describe((days - days[:1]).reshape(1, 2)).inputs[0].moment == "timedelta64[D]"
    np.testing.assert_array_equal(tensors({"a": days}, describe({"a": days}))["a"], [[18262.0], [-(2.0**63)]])
    with pytest.raises(InputError, match=r"holds datetime64\[s\], and the model takes datetime64\[D\]; use .astype"):
        tensors({"a": days.astype("M8[s]")}, describe({"a": days}))
    with pytest.raises(InputError, match="and the model takes int64; convert it to numbers"):
        tensors({"a": days}, describe({"a": [1, 2]}))


# ---- values


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([1, -(2**53)]), "float64"),
        (np.array([2**63 - 1024], np.uint64), "float64"),
        (np.array([1.0, -3.0, -0.0]), "int64"),
        (np.array([0.5, np.nan, np.inf, -np.inf]), "float32"),
        (np.array([True, False]), "float64"),
        (np.array([0, 1]), "bool"),
        (np.array([1, None, np.nan, pd.NA], dtype=object), "float64"),
        (np.array([2**62, 5], dtype=object), "int64"),
        (np.array([-(2.0**63)]), "int64"),
    ],
)
def test_coerce_keeps_values(values: Any, dtype: str) -> None:
    result = coerce(values, dtype, "a")
    assert result.dtype == dtype
    for given_, kept in zip(values.tolist(), result.tolist(), strict=True):
        missing = given_ is None or given_ is pd.NA or given_ != given_
        assert np.isnan(kept) if missing else given_ == kept


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        (np.array([0.0, 0.1]), "float32", r"holds 0.1 in row 1, which float32 cannot hold exactly; use .astype"),
        (np.array([1e300]), "float32", "cannot hold exactly"),
        (np.array([2**53 + 1]), "float64", "which float64 cannot hold exactly"),
        (np.array([2**63 - 1]), "float64", "which float64 cannot hold exactly"),
        (np.array([2**24 + 1]), "float32", "which float32 cannot hold exactly"),
        (np.array([2**53 + 1, None], dtype=object), "float64", "cannot hold exactly"),
        (np.array([2**53 + 1, 0.5], dtype=object), "float64", "cannot hold exactly"),
        (np.array([2.5]), "int64", "column 'a' holds 2.5 in row 0, and the model takes int64"),
        (np.array([2.0**63]), "int64", "and the model takes int64"),
        (np.array([np.inf]), "int64", "and the model takes int64"),
        (np.array([1, np.nan]), "int64", "nothing missing"),
        (np.array([300]), "uint8", "and the model takes uint8"),
        (np.array([-1]), "uint64", "and the model takes uint64"),
        (np.array([2**63], np.uint64), "int64", "and the model takes int64"),
        (np.array([2]), "bool", "and the model takes bool"),
        (np.array(["1.5"]), "float64", "column 'a' holds text, and the model takes float64"),
        (np.array([1.5, "x"], dtype=object), "float64", "column 'a' holds the text 'x'"),
        (np.array([1 + 2j]), "float64", "holds complex128"),
        (np.array([object()]), "float64", "and the model takes float64"),
        (np.array([[1], [1, 2]], dtype=object), "float64", "and the model takes float64"),
        (np.array([1, 2]), "str", "column 'a' holds int64, and the model takes text"),
        (np.array(["x", 1], dtype=object), "str", "holds 1, and the model takes text"),
        (np.array([b"x"]), "str", "and the model takes text"),
    ],
)
def test_coerce_refuses_to_change_values(values: Any, dtype: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        coerce(values, dtype, "a")


NUMERIC = ["float64", "float32", "int64", "int32", "int8", "uint8", "uint64", "bool"]


@given(
    st.sampled_from(NUMERIC).flatmap(lambda d: npst.arrays(d, st.integers(0, 4))),
    st.sampled_from(NUMERIC),
)
def test_coerce_never_changes_a_number(values: Any, dtype: str) -> None:
    try:
        result = coerce(values, dtype, "a")
    except InputError:
        return
    assert [repr(v) for v in _exact(result)] == [repr(v) for v in _exact(values)]


def _exact(values: Any) -> list[Any]:
    """Python's own numbers, which compare exactly: integers where integral."""
    return [v if v != v or v in (np.inf, -np.inf) else int(v) if v == int(v) else float(v) for v in values.tolist()]


def test_missing_text_becomes_a_sentinel() -> None:
    values = np.array(["a", "", None, np.nan, pd.NA, float("nan"), np.str_("ü")], dtype=object)
    expected = ["a", "", MISSING_NONE, MISSING_NAN, MISSING_NAN, MISSING_NAN, "ü"]
    assert coerce(values, "str", "a").tolist() == expected
    assert coerce(np.array([np.nan, np.nan]), "str", "a").tolist() == [MISSING_NAN] * 2
    assert coerce(np.array(["a", "日本"]), "str", "a").tolist() == ["a", "日本"]
    assert coerce(np.array(["a", "b"], dtype=np.dtypes.StringDType()), "str", "a").tolist() == ["a", "b"]


def test_missing_values_in_a_list_of_text_stay_missing() -> None:
    X = {"city": ["Köln", None, float("nan"), "nan"]}
    signature = describe(X)
    assert signature.inputs == (InputSpec("city", "str", 1),)
    assert tensors(X, signature)["city"].ravel().tolist() == ["Köln", MISSING_NONE, MISSING_NAN, "nan"]


def test_coerce_takes_any_layout() -> None:
    base = np.arange(24.0).reshape(4, 6)
    foreign = base.astype(">f8")
    unaligned = np.frombuffer(b"\0" + base.tobytes(), np.uint8)[1:].view(np.float64).reshape(4, 6)
    for array in (np.asfortranarray(base), base[::2, ::-1], foreign, unaligned):
        result = coerce(array, "float64", "X")
        assert result.flags.c_contiguous
        assert result.flags.aligned
        assert result.dtype.isnative
        np.testing.assert_array_equal(result, array)
    assert np.shares_memory(coerce(base, "float64", "X"), base)


# ---- data


def frames() -> list[Any]:
    columns = {"city": ["Oslo", "日本"], "n": [1, 2], "age": [1.5, 2.5], "unused": ["x", "y"]}
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    array = np.array([[1.5, 1, "Oslo"], [2.5, 2, "日本"]], dtype=object)
    return [pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns), columns, records, array, array.tolist()]


@pytest.mark.parametrize("X", frames(), ids=["pandas", "polars", "arrow", "dict", "records", "objects", "lists"])
def test_columns_are_found_by_name_in_any_order(X: Any) -> None:
    feeds = tensors(X, FRAME)
    assert {name: (a.shape, a.ravel().tolist()) for name, a in feeds.items()} == {
        "age": ((2, 1), [1.5, 2.5]),
        "n": ((2, 1), [1, 2]),
        "city": ((2, 1), ["Oslo", "日本"]),
    }
    assert [a.dtype for a in feeds.values()] == [np.float64, np.int64, object]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"Age": [1.0], "n": [1], "city": ["x"]}), r"missing column 'age' \(is it 'Age'\?\)"),
        (pd.DataFrame({"age": [1.0]}), "missing columns 'n', 'city'; given: 'age'; the model takes"),
        (np.zeros((2, 2)), "X has 2 columns, but the model takes 3: 'age', 'n', 'city'"),
        (np.zeros(3), r"Reshape your data either using array.reshape\(-1, 1\)"),
        ({"age": [1.0], "n": [1, 2], "city": ["x"]}, "differ in their number of rows"),
        (pd.DataFrame({"age": [1.0], "n": [np.nan], "city": ["x"]}), "column 'n' holds nan in row 0"),
        (pd.DataFrame({"age": ["x"], "n": [1], "city": ["x"]}), "column 'age' holds the text 'x'.* takes float64"),
    ],
)
def test_wrong_columns_are_refused_by_name(X: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tensors(X, FRAME)


def test_integers_beside_missing_values_stay_exact() -> None:
    big = 2**53 + 1
    signature = Signature((InputSpec("id", "float64", 1),), by_column=True)
    for column in (pd.array([big, None], "Int64"), pd.array([big, None], "int64[pyarrow]")):
        with pytest.raises(InputError, match="cannot hold exactly"):
            tensors(pd.DataFrame({"id": column}), signature)
    with pytest.raises(InputError, match="cannot hold exactly"):
        tensors(pl.DataFrame({"id": [big, None]}), signature)
    np.testing.assert_array_equal(tensors(pl.DataFrame({"id": [5, None]}), signature)["id"], [[5], [np.nan]])


@pytest.mark.parametrize(
    "X",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]], np.int8),
        sp.csr_matrix([[1.0, 2], [3, 4]]),
        sp.coo_array([[1.0, 2], [3, 4]]),
        pd.DataFrame({"p": [1, 3], "q": [2, 4]}),
        pl.DataFrame({"p": [1, 3], "q": [2.0, 4.0]}),
        np.array([[1, 2], [3, 4]], dtype=object),
        {"X": [[1, 2], [3, 4]]},
    ],
)
def test_a_matrix_is_taken_from_anything(X: Any) -> None:
    np.testing.assert_array_equal(tensors(X, MATRIX)["X"], [[1.0, 2.0], [3.0, 4.0]])


def test_a_frame_for_a_matrix_is_read_by_the_features_names() -> None:
    frame = pd.DataFrame({"q": [2.0], "other": [9.0], "p": [1.0]})
    np.testing.assert_array_equal(tensors(frame, MATRIX, ["p", "q"])["X"], [[1.0, 2.0]])
    with pytest.raises(InputError, match="missing column 'r'"):
        tensors(frame, MATRIX, ["p", "r"])
    with pytest.raises(InputError, match="X has 3 features, but the model is expecting 2 features as input"):
        tensors(frame, MATRIX)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(2), r"array.reshape\(1, -1\) if it contains a single sample"),
        (np.zeros((1, 3)), "X has 3 features, but the model is expecting 2 features as input"),
        (np.array([["a", "b"]]), "X holds text, and the model takes float64"),
        (3.0, "Expected 2D array, got 0D"),
    ],
)
def test_a_wrong_matrix_is_refused(X: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tensors(X, MATRIX)


def test_feeds_of_run() -> None:
    ports = [("X", "float32", (2,)), ("t", "str", (1,))]
    feeds = coerce_feeds({"t": ["a", None], "X": [[1, 2], [3, 4]]}, ports)
    assert feeds["X"].dtype == np.float32
    assert feeds["t"].tolist() == [["a"], [MISSING_NONE]]
    for wrong, message in [
        ({"X": [[1, 2]]}, "missing input 't'"),
        ({"X": [[1, 2]], "T": ["a"]}, r"missing input 't' \(is it 'T'\?\)"),
        ({"X": [[1, 2]], "t": ["a"], "u": 1}, "no input 'u'"),
        ({"X": [[1, 2]], "t": ["a", "b"]}, "differ in their number of rows"),
        ([[1, 2]], "run takes a dict of the inputs 'X', 't', not list"),
    ]:
        with pytest.raises(InputError, match=message):
            coerce_feeds(wrong, ports)


def test_bytes_are_to_be_decoded() -> None:
    signature = describe(np.array([["a"]], object))
    with pytest.raises(InputError, match=r"holds b'caf', and the model takes text; decode it first: value.decode"):
        tensors(np.array([[b"caf"]], object), signature)
    with pytest.raises(
        InputError, match=r"holds \|S3, and the model takes text; decode the bytes, in UTF-8 with np.char.d"
    ):
        tensors(np.array([[b"caf"]]), signature)
    for sample in (np.array([[b"caf"]]), np.array([[b"caf"]], object)):
        with pytest.raises(InputError, match=r"For text, decode the bytes, in UTF-8 with np\.char\.decode"):
            describe(sample)
