"""Automata find what `re.findall` finds, and the shorter form that standard operators follow finds the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sardonyx.text.patterns import Unsupported, as_re2, compile_pattern, find_all, piece_form

PATTERNS = [
    r"(?u)\b\w\w+\b", r"[a-z]+", r"\S+", r"\b[A-Za-z]{2,}\b", r"[^\W\d_]+", r"a|ab|abc",
    r"(?:a|ab)(?:c|bcd)", r"\b(\w+)\b", r"#(\w+);", r"\w+?\b", r"a*?b", r"(?:ab)+c?", r"\d+(?:\.\d+)?",
    r"\w+(?:'\w+)?", r"\A\w+", r"\w+\Z", r"\Bb\w", r"(?a)\w+", r"(?s).{3}", r".{2,3}?", r"[A-Z][a-z]*|[a-z]+|\d",
    r"a?(?:ab)?b", r"(?:a|b|ab)+?c", r"(?:a?b?c)+", r"[ab]{2,4}b", r"(?x) \w+ # words", r"\w\b\W\b\w",
    r"(?i)[a-k]+é?", r"(?i)σ|[^b\W]b", r"(?i:ab)+|(?s:.)1", r"(?ai)[a-k]s*", r"(?i)(?-i:A)b\b",
]  # fmt: skip
#: what backtracking and boundaries may trip over
TEXTS = st.text(st.sampled_from("abcAB1. '#;_é²日\n\u0301Σ\ud800ςÉ\u212a\u017f"), max_size=16)
ASCII_TEXTS = st.text(st.sampled_from("abcABz1. '#;_\n\x00"), max_size=16)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_finds_what_re_finds(pattern: str) -> None:
    automaton = compile_pattern(pattern)

    @given(TEXTS)
    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    def check(text: str) -> None:
        assert find_all(automaton, text) == re.findall(pattern, text)

    check()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"\w*", "empty"),
        (r"(a)(b)", "group"),
        (r"a(?=b)", "assert"),
        (r"(\w)\1", "fixed length|groupref"),
        (r"a$", "at_end"),
        (r"(?:a*)*b", "empty"),
        (r"(?:(a)|b)", "group"),
        (r"(a)+", "group"),
        (r"a++", "possessive"),
        (r"(?a:\w)b", "flags"),
        (r"(?m)^a", "at_beginning"),
        (r"a{1,3000}", "long"),
    ],
)
def test_what_has_no_automaton_is_named(pattern: str, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        compile_pattern(pattern)


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
