"""The tables say of every code point what the Python that runs says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from sardonyx.text.code_points import CASED, COUNT, IGNORABLE, PAGE, SEQUENCE, case_kinds, digit, fold, space, word

STRIP: Final[dict[str | None, Callable[[str], str]]] = {
    None: str,
    "ascii": strip_accents_ascii,
    "unicode": strip_accents_unicode,
}
EVERY = range(COUNT)
Array = NDArray[np.bool_]


@pytest.mark.parametrize(("lowercase", "accents"), list(itertools.product([False, True], STRIP)))
def test_fold(lowercase: bool, accents: str | None) -> None:
    pages, table = fold(lowercase, accents)
    entries = table[pages.repeat(PAGE) * PAGE + np.tile(np.arange(PAGE), len(pages))].tolist()
    strip, sequences = STRIP[accents], table.tolist()
    for code in EVERY if lowercase or accents is None else range(0, COUNT, 5):
        entry = entries[code]
        if entry < SEQUENCE:
            got = chr(code + entry)
        else:
            at, length = (entry - SEQUENCE) >> 5, (entry - SEQUENCE) & 31
            got = "".join(map(chr, sequences[at : at + length]))
        text = chr(code).lower() if lowercase else chr(code)
        if not text.isascii() or text != got:
            assert got == strip(text), hex(code)


@pytest.mark.parametrize(("members", "pattern"), [(word(), r"\w"), (digit(), r"\d"), (space(), r"\s")])
def test_classes(members: Array, pattern: str) -> None:
    found = re.findall(pattern, "".join(map(chr, EVERY)))
    assert np.flatnonzero(members).tolist() == list(map(ord, found))


def test_case_kinds_decide_final_sigmas() -> None:
    kinds = case_kinds()
    cased = [chr(c) for c in np.flatnonzero(kinds == CASED)[::37]]
    ignorable = [chr(c) for c in np.flatnonzero(kinds == IGNORABLE)[::17]]
    others = [chr(c) for c in np.flatnonzero(kinds == 0)[::9001]]
    rng = np.random.default_rng(0)
    for _ in range(3000):
        before, after = ([str(rng.choice(group)) for group in (cased, ignorable, others)] for _ in range(2))
        text = "".join(rng.permutation(before)) + "Σ" + "".join(rng.permutation(after))
        at = len(text.split("Σ")[0].lower())
        assert text.lower()[at] == ("ς" if is_final(text, text.index("Σ")) else "σ")


def is_final(text: str, at: int) -> bool:
    kinds = case_kinds()
    before = [k for c in reversed(text[:at]) if (k := kinds[ord(c)]) != IGNORABLE]
    after = [k for c in text[at + 1 :] if (k := kinds[ord(c)]) != IGNORABLE]
    return before[:1] == [CASED] and after[:1] != [CASED]
