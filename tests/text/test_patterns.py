"""Automata find what `re.findall` finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sardonyx.text.assembler import Unsupported
from sardonyx.text.patterns import compile_pattern, find_all

PATTERNS = [
    r"(?u)\b\w\w+\b", r"[a-z]+", r"\S+", r"\b[A-Za-z]{2,}\b", r"[^\W\d_]+", r"a|ab|abc",
    r"(?:a|ab)(?:c|bcd)", r"\b(\w+)\b", r"#(\w+);", r"\w+?\b", r"a*?b", r"(?:ab)+c?", r"\d+(?:\.\d+)?",
    r"\w+(?:'\w+)?", r"\A\w+", r"\w+\Z", r"\Bb\w", r"(?a)\w+", r"(?s).{3}", r".{2,3}?", r"[A-Z][a-z]*|[a-z]+|\d",
    r"a?(?:ab)?b", r"(?:a|b|ab)+?c", r"(?:a?b?c)+", r"[ab]{2,4}b", r"(?x) \w+ # words", r"\w\b\W\b\w",
    r"(?i)[a-k]+é?", r"(?i)σ|[^b\W]b", r"(?i:ab)+|(?s:.)1", r"(?ai)[a-k]s*", r"(?i)(?-i:A)b\b",
]  # fmt: skip
#: what backtracking and boundaries may trip over
TEXTS = st.text(st.sampled_from("abcAB1. '#;_é²日\n\u0301Σ\ud800ςÉ\u212a\u017f"), max_size=16)


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
