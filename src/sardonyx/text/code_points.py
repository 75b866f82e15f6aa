"""What Python knows of Unicode, as tables over all code points: how text is folded, which characters a class holds.

The tables are read from the Python that runs (`str.lower`, `unicodedata`, `str.isalnum` ...), so that a converted file
holds the rules that the estimator had, whatever Unicode its readers know. They are cut into pages of 256 code points,
equal pages stored once::

    code point 0x1F600 ──▶ pages[0x1F6] = 41 ──▶ table[41 * 256 + 0x00]

Context matters in one place only: a capital sigma becomes a final one at the end of a word (Unicode's Final_Sigma).
For that, `case_kinds` says which characters are cased and which are ignored when the word's end is looked for.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

#: number of code points, of pages, and of code points in a page
COUNT: Final = 0x110000
PAGE: Final = 256
PAGES: Final = COUNT // PAGE
#: no code point from here on has another case
BEYOND_CASES: Final = 0x20000
#: entries of a fold table from here on are sequences: (offset << 5 | length) of what follows the pages
SEQUENCE: Final = 1 << 22
#: what `case_kinds` says
UNCASED, CASED, IGNORABLE = range(3)
SIGMA: Final = "\u03a3"


@functools.cache
def members(test: Callable[[str], bool]) -> Array:
    """Return for each code point whether a method of str is true of it: ``members(str.isalnum)``."""
    return np.fromiter(map(test, map(chr, range(COUNT))), bool, COUNT)


@functools.cache
def word() -> Array:
    r"""Return which code points ``\w`` matches."""
    result = members(str.isalnum).copy()
    result[ord("_")] = True
    return result


def digit() -> Array:
    r"""Return which code points ``\d`` matches."""
    return members(str.isdecimal)


def space() -> Array:
    r"""Return which code points ``\s`` matches; `str.split` splits at the same ones."""
    return members(str.isspace)


@functools.cache
def case_kinds() -> Array:
    """Return for each code point whether it is cased, ignorable, or neither, as the end of a word is looked for.

    `str` does not tell, but lowers a sigma accordingly: after a cased character and ignorable ones it is final.
    """
    alone = [c for page in range(0, COUNT, PAGE) for c in _lowered_alone(page)]
    direct, behind = _final_sigmas("", alone), _final_sigmas("A", alone)
    result = np.full(COUNT, CASED, np.uint8)
    result[alone] = np.where(direct, CASED, np.where(behind, IGNORABLE, UNCASED))
    return result


def _lowered_alone(start: int) -> list[int]:
    """Return the code points of a page whose lower case is one character: the dotted capital I shifts what follows."""
    page = range(start, start + PAGE)
    return list(page) if len(_text(page).lower()) == PAGE else [c for c in page if len(chr(c).lower()) == 1]


def _text(codes: Iterable[int]) -> str:
    return "".join(map(chr, codes))


def _final_sigmas(before: str, codes: list[int]) -> Array:
    """Return for each code point whether a sigma after it is final; the space after the sigma is neither kind."""
    probe = np.array([*map(ord, before), 0, ord(SIGMA), ord(" ")], np.uint32)
    probes = np.tile(probe, (len(codes), 1))
    probes[:, len(before)] = codes
    lowered = probes.tobytes().decode("utf-32-le", "surrogatepass").lower().encode("utf-32-le", "surrogatepass")
    result: Array = np.frombuffer(lowered, np.uint32).reshape(probes.shape)[:, -2] == ord("\u03c2")
    return result


def without_accents(text: str, kind: str) -> str:
    """Return a text without accents, as scikit-learn's ``strip_accents_unicode`` and ``strip_accents_ascii`` do."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    if kind == "ascii":
        return apart.encode("ascii", "ignore").decode("ascii")
    return "".join(c for c in apart if not unicodedata.combining(c))


@functools.cache
def fold(lowercase: bool, strip_accents: str | None) -> tuple[Array, Array]:
    """Return (pages, table) of what each code point becomes.

    Parameters
    ----------
    lowercase : bool
        As `str.lower` does. A capital sigma becomes a small one here; whether it is final is decided by its context.
    strip_accents : {"unicode", "ascii", None}
        What then happens to its result, as in scikit-learn.

    Returns
    -------
    pages : int32 ndarray of shape (PAGES,)
        The page of the table for each 256 code points.
    table : int32 ndarray
        For each code point what to add to it, or, from `SEQUENCE` on, where in this table its code points are.
    """
    deltas = np.full(COUNT, 0 if strip_accents != "ascii" else SEQUENCE, np.int32)  # SEQUENCE itself: of no characters
    sequences: dict[int, str] = {}
    for code in _special(lowercase, strip_accents):
        after = chr(code).lower() if lowercase else chr(code)
        if strip_accents is not None:
            after = without_accents(after, strip_accents)
        if len(after) == 1:
            deltas[code] = ord(after) - code
        else:
            sequences[code] = after
    return _with_sequences(deltas, sequences)


def _special(lowercase: bool, strip_accents: str | None) -> Iterator[int]:
    """Yield the code points of the pages in which not all stay what they are (or vanish, where only ASCII is kept)."""
    for start in range(0, COUNT, PAGE):
        page = _text(range(start, start + PAGE))
        lowered = page.lower() if lowercase else page
        plain = lowered == page or strip_accents == "ascii"
        if strip_accents is not None:
            plain = plain and unicodedata.is_normalized("NFKD", lowered)
        if strip_accents == "unicode":
            plain = plain and not any(map(unicodedata.combining, page))
        if start == 0 or not plain:
            yield from range(start, start + PAGE)


def _with_sequences(deltas: Array, sequences: dict[int, str]) -> tuple[Array, Array]:
    known: dict[str, int] = {}
    pool: list[int] = []
    for text in sequences.values():
        if text not in known:
            known[text] = len(pool)
            pool += map(ord, text)
    for code, text in sequences.items():
        deltas[code] = SEQUENCE + (known[text] << 5 | len(text))
    pages, table = paged(deltas)
    table[table >= SEQUENCE] += len(table) << 5  # the sequences follow the pages
    return pages, np.concatenate([table, np.array(pool, np.int32)])


def paged(values: Array) -> tuple[Array, Array]:
    """Return (pages, table) of one value for each code point, equal pages stored once."""
    rows = values.reshape(PAGES, PAGE)
    numbers: dict[bytes, int] = {}
    pages = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in rows], np.int32)
    return pages, np.frombuffer(b"".join(numbers), values.dtype).copy()


@functools.cache
def simple_case(*, upper: bool) -> dict[int, str]:
    """Return the characters that another case changes, and what it makes of each: one character of one.

    So do C's ``towupper`` and ``towlower``, and ONNX Runtime with them; Python's ``str.upper`` makes SS of ß.
    """
    other = str.upper if upper else str.lower
    changed = {point: other(chr(point)) for point in range(BEYOND_CASES) if not 0xD800 <= point <= 0xDFFF}
    return {point: text for point, text in changed.items() if text != chr(point) and len(text) == 1}
