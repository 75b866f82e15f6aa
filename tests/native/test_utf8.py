"""Text of Arrow arrays: what is UTF-8, and what is not, by vectors of bytes and by characters."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OrdinalEncoder

import sardonyx
from sardonyx.errors import InputError

SESSION = sardonyx.compile(
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(np.array([["a"]], object)),
    pa.table({"x": ["a"]}).to_pandas(),
)

#: pieces of UTF-8 and of what is not, at the edges of its rules
PIECES = [
    *(b"a", b"abcdefg", b"\x7f", b"\xc2\x80", b"\xdf\xbf", b"\xe0\xa0\x80", b"\xed\x9f\xbf", b"\xee\x80\x80"),
    *(b"\xef\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf"),
]
BROKEN = [
    *(b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf"),
    *(
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
        b"\xc2",
        b"\xe1\x80",
        b"\xf1\x80\x80",
        b"\xf8\x88\x80\x80\x80",
    ),
]


def is_taken(texts: list[bytes | None], layout: pa.DataType) -> bool:
    offsets = np.cumsum([0, *(len(t or b"") for t in texts)]).astype(np.int32)
    bits = np.packbits([t is not None for t in texts], bitorder="little").tobytes()
    data = b"".join(t or b"" for t in texts)
    array = pa.Array.from_buffers(pa.string(), len(texts), [pa.py_buffer(b) for b in (bits, offsets.tobytes(), data)])
    try:
        SESSION.transform(pa.table({"x": array.cast(layout, safe=False)}))
    except InputError:
        return False
    return True


def is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("layout", [pa.string(), pa.large_string(), pa.string_view()])
@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.lists(st.sampled_from(PIECES * 9 + BROKEN), max_size=6).map(b"".join)),
        min_size=1,
        max_size=20,
    )
)
def test_texts_are_taken_if_each_is_utf8(layout: pa.DataType, texts: list[bytes | None]) -> None:
    assert is_taken(texts, layout) == all(is_utf8(t) for t in texts if t is not None)


@pytest.mark.parametrize("character", PIECES[3:])
@pytest.mark.parametrize("before", [0, 13, 14, 15, 16, 31, 40])
def test_characters_cut_in_two(character: bytes, before: int) -> None:
    start = b"x" * before
    assert is_taken([start, character, start], pa.string())
    for at in range(1, len(character)):
        assert not is_taken([start + character[:at], character[at:] + b"y" * 40], pa.string())
        assert not is_taken([b"y" * 40 + character[:at]], pa.string())


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("before", range(30, 49, 3))
def test_broken_bytes_anywhere(broken: bytes, before: int) -> None:
    assert not is_taken([b"x" * before + broken + b"y" * 5], pa.string())
    assert not is_taken(["ä".encode() * 20, b"x" * before + broken], pa.string())


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("before", [0, 3, 7, 10, 11])
def test_short_texts_in_views(broken: bytes, before: int) -> None:
    good = ["東京".encode(), b"", None, b"x" * 12, "Köln".encode(), b"y" * 9 + "京".encode(), b"z" * 30]
    assert is_taken(good, pa.string_view())
    assert not is_taken([*good, b"x" * before + broken, b"a"], pa.string_view())


def test_a_missing_view_may_hold_anything() -> None:
    views = b"".join(len(t).to_bytes(4, "little") + t.ljust(12, b"\xff") for t in (b"a", b"\xff\xfe", b"b"))
    for bits, taken in ((b"\x05", True), (b"\x07", False)):
        array = pa.Array.from_buffers(pa.string_view(), 3, [pa.py_buffer(bits), pa.py_buffer(views)])
        if taken:
            np.testing.assert_array_equal(SESSION.transform(pa.table({"x": array}))[[0, 2], 0], [0, -1])
            continue
        with pytest.raises(InputError, match="not UTF-8"):
            SESSION.transform(pa.table({"x": array}))
