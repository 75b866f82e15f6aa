"""A file's description of itself survives writing and reading; a malformed one is refused, never used."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sardonyx.description import Description, Method, Proof
from sardonyx.description.arrays import read_array, write_array
from sardonyx.errors import ModelError
from sardonyx.inputs.signature import InputSpec, Signature


def description() -> Description:
    return Description(
        estimator="Pipeline",
        signature=Signature((InputSpec("age", "float64", 1), InputSpec("city", "str", 1)), by_column=True),
        methods={"predict": Method(("predict",), dtypes=("<U2",)), "kneighbors": Method(("d", "i"), "tuple")},
        version="1",
        sklearn="2",
        features=("age", "city"),
        classes=np.array(["a", "日本"]),
        proof=Proof({"age": np.array([[0.1], [np.nan]])}, {"predict": np.array(["a", "b"], dtype=object)}),
    )


def test_round_trip() -> None:
    before = description()
    after = Description.parse(before.to_json())
    assert after.to_json() == before.to_json()
    assert (after.signature, after.methods, after.features) == (before.signature, before.methods, before.features)
    assert isinstance(after.classes, np.ndarray)
    assert after.classes.dtype == "<U2"
    assert after.proof is not None
    np.testing.assert_array_equal(after.proof.inputs["age"], [[0.1], [np.nan]])


@given(
    npst.arrays(
        npst.boolean_dtypes() | npst.integer_dtypes() | npst.floating_dtypes(sizes=(32, 64)),
        npst.array_shapes(min_side=0),
    )
)
def test_arrays_are_written_exactly(array: Any) -> None:
    after = read_array(json.loads(json.dumps(write_array(array))))
    assert after.shape == array.shape
    assert after.dtype == array.dtype.newbyteorder("=")
    assert after.tobytes() == array.astype(after.dtype).tobytes()


@given(st.lists(st.text() | st.none() | st.booleans() | st.integers(-(2**70), 2**70)))
def test_objects_are_written_exactly(items: list[Any]) -> None:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    assert read_array(json.loads(json.dumps(write_array(array)))).tolist() == items


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, inner in items for p in paths(inner, (*path, key)))]


def test_every_field_is_checked() -> None:
    """Whatever stands in place of any field, the result is a ModelError or a description of the right types."""
    fields = json.loads(description().to_json())
    strangers = [None, -1, 2**70, 0.5, True, "x", [], {}, [None], {"x": 1}, [[1]], "=" * 7, [-1], {"dtype": "V8"}]
    for path in paths(fields)[1:]:
        for stranger in strangers:
            changed = copy.deepcopy(fields)
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = stranger
            try:
                parsed = Description.parse(json.dumps(changed))
            except ModelError:
                continue
            Description.parse(parsed.to_json())


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[" * 100_000, '{"estimator": 1}', '{"version": "' + "x" * 10, "\ud800"],
)
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"description of itself|Convert"):
        Description.parse(text)


def test_truncated_and_mutated_text_is_refused_or_read() -> None:
    text, rng = description().to_json(), random.Random(0)
    for _ in range(500):
        at = rng.randrange(len(text))
        for changed in (text[:at], text[:at] + chr(rng.randrange(32, 127)) + text[at + 1 :]):
            with contextlib.suppress(ModelError):
                Description.parse(changed)


@pytest.mark.parametrize(
    "written",
    [
        {"dtype": "<f8", "shape": [2**40], "data": ""},
        {"dtype": "<f8", "shape": [2**70, 0, 1], "data": "AAAA"},
        {"dtype": "<f8", "shape": [-1], "data": ""},
        {"dtype": "<f8", "shape": [1], "data": "!!!!"},
        {"dtype": "<f8", "shape": [1], "data": "AAAA"},
        {"dtype": "|V8", "shape": [1], "data": "AAAA"},
        {"dtype": "<U300000000", "shape": [1], "items": ["a"]},
        {"dtype": "<U3", "shape": [1], "items": [1]},
        {"dtype": "|O", "shape": [1], "items": [[1]]},
        {"dtype": "nonsense", "shape": [1], "items": [1]},
    ],
)
def test_malformed_arrays_are_refused(written: Any) -> None:
    with pytest.raises((ModelError, TypeError)):
        read_array(written)
