"""The shorter form that standard operators follow finds what `re` finds; classes are spelled out as RE2 has them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sardonyx.text.re2 import as_re2, piece_form

from .test_patterns import PATTERNS

ASCII_TEXTS = st.text(st.sampled_from("abcABz1. '#;_\n\x00"), max_size=16)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if piece_form(p)])
def test_pieces_that_match_are_the_tokens(pattern: str) -> None:
    form = piece_form(pattern)
    assert form is not None
    expression = re.compile(form.expression.replace(r"\x{10FFFF}", r"\U0010ffff"), re.ASCII)

    @given(ASCII_TEXTS)
    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    def check(text: str) -> None:
        for separator in form.separators:
            text = text.replace(separator, form.separators[0])
        pieces = [piece for piece in (text.split(form.separators[0]) if form.separators else [text]) if piece]
        if all(expression.fullmatch(piece) or not expression.search(piece) for piece in pieces):
            found = [piece for piece in pieces if expression.fullmatch(piece)]
            assert found == [match.group() for match in re.finditer(pattern, text)]

    check()


def test_patterns_that_prefer_a_shorter_match_have_no_pieces() -> None:
    assert piece_form(r"a|ab") is None
    assert piece_form(r"\A\w+") is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\w+", "[A-Za-z0-9_]+"),
        (r"[\w.]+", "[A-Za-z0-9_.]+"),
        (r"\D\S", r"[^0-9][^\t\n\f\r ]"),
        (r"[]\d]", "[]0-9]"),
        (r"[^]\s]x\[\w", r"[^]\t\n\f\r ]x\[[A-Za-z0-9_]"),
        (r"\\w", r"\\w"),
        (r"[^\W\d]\b", r"[^\W0-9]\b"),
    ],
)
def test_classes_of_re2_are_spelled_out(pattern: str, expected: str) -> None:
    assert as_re2(pattern) == expected
