"""Rows that are bags: what they become, what is refused, and what a file says of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction import FeatureHasher
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.utils import murmurhash3_32

import sardonyx
from sardonyx import _native
from sardonyx.convert import convert, read_description
from sardonyx.description import Description
from sardonyx.errors import InputError, ModelError
from sardonyx.inputs.bags import HashedFeatures, LabelSets

NAMES = ["", "a", "ab", "abc", "abcd", "ü", "日本", "x" * 300, "nul\0", b"bytes"]


def test_hashes_are_murmurhash3() -> None:
    assert _native.hash_texts(NAMES).tolist() == [murmurhash3_32(name) for name in NAMES]
    with pytest.raises(TypeError):
        _native.hash_texts([1])
    with pytest.raises(TypeError):
        _native.hash_texts("a")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        ("dict", [{"a": 1}, {"a": None}], "row 1 says None of 'a'"),
        ("dict", [{3: 1}], "names are text"),
        ("dict", ["abc"], "a row is a dict"),
        ("dict", {"a": 1}, "not one dict"),
        ("pair", [[("a", 1, 2)]], r"a row is a list of pairs \(name, value\)"),
        ("pair", [["ab"], 3], "row 1 is 3"),
        ("string", [["a"], "abc"], "row 1 is 'abc'.*a list of texts"),
        ("string", [["\ud800"]], "half a character"),
    ],
)
def test_rows_that_are_no_features_are_refused(kind: str, rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        HashedFeatures(8, kind, True).entries(rows, np.dtype(np.float64))


def test_rows_that_are_no_labels_are_refused() -> None:
    for rows in ([1], [["a"], None], [[["a"]]]):
        with pytest.raises(InputError, match="a tuple, list or set of labels"):
            LabelSets(np.array(["a"])).entries(rows, np.dtype(np.int64))


def test_a_session_takes_bags_of_any_size() -> None:
    rows = [{"a"}, {"b", "c"}, set()]
    session = sardonyx.compile(MultiLabelBinarizer().fit(rows), rows)
    more = [list("abcabc"), (), ["never"]]
    np.testing.assert_array_equal(session.transform(more), [[1, 1, 1], [0, 0, 0], [0, 0, 0]])
    assert sardonyx.load(convert(MultiLabelBinarizer().fit(rows), rows)).methods == ("transform",)
    hasher = FeatureHasher(n_features=1 << 20)
    hashed = sardonyx.compile(hasher, [{"a": 1}])
    wide = [{str(k): k for k in range(500)}, {}]
    assert (hashed.transform(wide) != hasher.transform(wide)).nnz == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"kind": "hashed"', '"kind": "mashed"'),
        ('"n_features": 8', '"n_features": 9'),
        ('"n_features": 8', '"n_features": 0'),
        ('"input_type": "dict"', '"input_type": "frame"'),
        ('"alternate_sign": true', '"alternate_sign": 1'),
    ],
)
def test_damaged_descriptions_of_hashes_are_refused(old: str, new: str) -> None:
    description = read_description(convert(FeatureHasher(n_features=8), [{"a": 1}]))
    assert description is not None
    assert old in description.to_json()
    with pytest.raises(ModelError):
        Description.parse(description.to_json().replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"form": "tuples"', '"form": "array"'),
        ('"form": "tuples"', '"form": "lists"'),
        ('"tables": [{', '"tables": [1, {'),
        ('"shape": [2]', '"shape": [2, 1]'),
    ],
)
def test_damaged_descriptions_of_tables_are_refused(old: str, new: str) -> None:
    binarizer = MultiLabelBinarizer().fit([[1], [2]])
    description = read_description(convert(binarizer, np.eye(2), methods="inverse_transform"))
    assert description is not None
    assert old in description.to_json()
    with pytest.raises(ModelError):
        Description.parse(description.to_json().replace(old, new))


def test_answers_of_other_width_than_the_tables_are_refused() -> None:
    binarizer = MultiLabelBinarizer().fit([[1], [2]])
    model = convert(binarizer, np.eye(2), methods="inverse_transform")
    damaged = model.metadata_props[0].value.replace('"shape": [2]', '"shape": [1]').replace("AAAAAgAAAAAAAAA=", "AAA=")
    model.metadata_props[0].value = damaged
    with pytest.raises(ModelError):
        sardonyx.load(model).inverse_transform(np.eye(2))
