"""Rows that are dicts: what the case table does not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_union

import sardonyx
from sardonyx.convert import convert
from sardonyx.description import Description
from sardonyx.errors import ConversionError, InputError, ModelError

ROWS: list[dict[Any, Any]] = [{"n": 1.5, "t": "x"}, {"t": ["x", "y"], "k": "a"}, {"k": 2}, {}]


def test_none_is_nan_and_an_absent_key_is_zero() -> None:
    vectorizer = DictVectorizer().fit(ROWS)
    session = sardonyx.compile(vectorizer, ROWS)
    rows = [{"n": None}, {"n": np.nan, "k": None}, {"n": True}, {"n": np.int8(3), "k": np.float32(0.1)}]
    result, expected = session.transform(rows), vectorizer.transform(rows)
    assert type(result) is type(expected)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.toarray(), expected.toarray())
    np.testing.assert_array_equal(session.transform(rows[0]).toarray(), expected[:1].toarray())
    np.testing.assert_array_equal(session.transform(iter(rows)).toarray(), expected.toarray())


def test_keys_are_the_inputs(tmp_path: Path) -> None:
    session = sardonyx.compile(DictVectorizer().fit(ROWS), ROWS)
    assert [(i.name, i.shape) for i in session.get_inputs()] == [
        ("k", ["N", 1]), ("k=", ["N", 1]), ("n", ["N", 1]), ("t", ["N", 2]),
    ]  # fmt: skip
    session.save(tmp_path / "dicts.sdx")
    again = sardonyx.load(tmp_path / "dicts.sdx")
    np.testing.assert_array_equal(again.transform(ROWS).toarray(), session.transform(ROWS).toarray())
    assert again.to_frame(ROWS)["t=y"].tolist() == [0, 1, 0, 0]


def test_whole_numbers_are_cut_as_numpy_cuts_them() -> None:
    rows = [{"n": 2.9, "t": "x"}, {"n": -2.9}]
    vectorizer = DictVectorizer(dtype=np.int64, sparse=False).fit(rows)
    result = sardonyx.compile(vectorizer, rows).transform(rows)
    np.testing.assert_array_equal(result, vectorizer.transform(rows))
    assert result.dtype == np.int64


def test_restricted_features_are_ignored() -> None:
    vectorizer = DictVectorizer().fit(ROWS).restrict([0, 3], indices=True)
    session = sardonyx.compile(vectorizer, ROWS)
    np.testing.assert_array_equal(session.transform(ROWS).toarray(), vectorizer.transform(ROWS).toarray())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"t": ["x", "y", "x"]}, "row 1 has 3 known texts of the key 't', and the model takes 2"),
        ({"t=x": 2.0}, "row 1 says 't=x' by .*'t=x': 2.0.*reads it from texts of the key 't'"),
        ({"n": {"x": 1}}, "Unsupported value Type <class 'dict'> for n"),
        ({"never seen": np.bool_(True)}, "Unsupported value Type"),
        ({"t": ["x", 1]}, "Only iterables of string are supported"),
        ({"n": np.array(1.0)}, "no number, text or list of texts"),
        ({"n": 1j}, "'n' holds 1j, which is no float64"),
        ("n", "give a list of dicts, not str"),
    ],
)
def test_other_rows_are_refused(row: Any, message: str) -> None:
    session = sardonyx.compile(DictVectorizer().fit(ROWS), ROWS)
    with pytest.raises(InputError, match=message):
        session.transform([{}, row])


def test_other_fits_and_samples_are_refused() -> None:
    fitted = DictVectorizer().fit(ROWS)
    with pytest.raises(ConversionError, match="in two ways"):
        convert(fitted, [{"t": "x"}, {"t=x": 1}])
    with pytest.raises(ConversionError, match="give a list of dicts"):
        convert(fitted, ROWS[0])
    with pytest.raises(ConversionError, match="give a list of dicts, not ndarray"):
        convert(fitted, np.ones((3, 4)))
    with pytest.raises(ConversionError, match="key 3, which is no text"):
        convert(DictVectorizer().fit([{3: 1.0}]), [{3: 1.0}])
    with pytest.raises(ConversionError, match=r"dtype=.*give one of float64"):
        convert(DictVectorizer(dtype=np.int8).fit(ROWS), ROWS)
    with pytest.raises(ConversionError, match="the fit saw no keys"):
        convert(DictVectorizer().fit([{}]), [{}])
    with pytest.raises(ConversionError, match="stands for texts that are absent"):
        convert(DictVectorizer().fit([{"t": "\ufdd0None"}]), ROWS)
    with pytest.raises(ConversionError, match="convert one by one"):
        convert(make_union(fitted, DictVectorizer().fit(ROWS[:2])), ROWS)
    with pytest.raises(ConversionError, match="takes 5 columns"):
        convert(fitted, np.ones((2, 4)), methods=["inverse_transform"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"owners": [0, 1, 2, 3, 3]', '"owners": [0, 1, 2, 3, 4]'),
        ('"owners": [0, 1, 2, 3, 3]', '"owners": [0]'),
        ('"width": 2}]', '"width": 3}]'),
        ('"separator": "="', '"separator": 1'),
    ],
)
def test_damaged_descriptions_are_refused(old: str, new: str) -> None:
    text = next(p.value for p in convert(DictVectorizer().fit(ROWS), ROWS).metadata_props)
    assert old in text
    with pytest.raises(ModelError, match="not legal"):
        Description.parse(text.replace(old, new))
