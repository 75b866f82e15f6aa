r"""Regular expressions as RE2 and other libraries read them: ONNX's operators of text take those.

::

    \b\w\w+\b ──▶ cut at what no token holds: " .,"     keep the pieces that match (?:[a-z0-9_]){2,} as a whole

That finds the tokens of ASCII text where backtracking prefers the whole piece wherever the piece as a whole matches:
both automata, with its preferences and without, are walked side by side.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .assembler import Assembler, At, Characters, Match
from .patterns import Machine, classes_of, compile_pattern

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class PieceForm:
    """How to find the tokens of ASCII text with less: cut it, and keep the pieces that match as a whole.

    Attributes
    ----------
    separators : str
        The ASCII characters to cut at; no token holds one of them.
    expression : str
        What a piece is to match, in the syntax of RE2. A piece that holds a match but is none has tokens that this form
        cannot find.
    """

    separators: str
    expression: str


@functools.lru_cache(maxsize=32)
def piece_form(pattern: str) -> PieceForm | None:
    """Return the form that finds the tokens of an expression in ASCII text, if there is one."""
    tree = parser.parse(pattern)
    assembler = Assembler(tree.state.flags)
    assembler.sequence(tree)
    assembler.add(Match())
    if tree.state.groups > 1 or any(isinstance(i, At) and "boundary" not in i.place for i in assembler.code):
        return None
    automaton = compile_pattern(pattern)
    inside = np.logical_or.reduce([members[:128] for members in automaton.members])
    if automaton.bounded:
        inside = inside | assembler.word()[:128]
    if not _prefers_the_whole(assembler):
        return None
    if _changes_flags(tree):
        return None
    return PieceForm("".join(map(chr, np.flatnonzero(~inside).tolist())), _Re2(assembler).sequence(tree))


def _changes_flags(tree: Any) -> bool:
    """Whether a parsed expression has groups with flags of their own."""
    parts = [(kind, value) for kind, value in tree if isinstance(value, tuple)]
    return any(
        (kind is sre.SUBPATTERN and bool(value[1] or value[2]))
        or any(_changes_flags(part) for part in _inner(kind, value))
        for kind, value in parts
    )


def _inner(kind: Any, value: Any) -> list[Any]:
    if kind is sre.BRANCH:
        return list(value[1])
    return [value[-1]] if kind in (sre.SUBPATTERN, sre.MAX_REPEAT, sre.MIN_REPEAT) else []


def _prefers_the_whole(assembler: Assembler) -> bool:
    """Whether backtracking finds a whole piece wherever the piece as a whole matches."""
    code, is_word = assembler.code, assembler.word()
    sets = [i.members for i in code if isinstance(i, Characters)]
    _, samples = classes_of([*sets, is_word])
    ordered, free = (
        Machine(code, samples, is_word[samples], True),
        Machine(code, samples, is_word[samples], True, False),
    )
    end = len(samples)
    first = (ordered.state((0,), True, False), free.state((0,), True, False))
    seen, pending = {first}, [first]
    while pending:
        pair = pending.pop()
        for column in range(end + 1):
            entries = [m.entry(*m.order[s - 1], column) if s else 0 for m, s in zip((ordered, free), pair, strict=True)]
            if column == end and (entries[0] ^ entries[1]) & 1:
                return False
            after = (entries[0] >> 1, entries[1] >> 1)
            if column != end and after not in seen and after[1]:
                seen.add(after)
                pending.append(after)
    return True


@dataclass(frozen=True, slots=True)
class _Re2:
    """Writes a parsed expression in the syntax of RE2, for ASCII text."""

    assembler: Assembler

    def sequence(self, items: Any) -> str:
        return "".join(self.item(kind, value) for kind, value in items)

    def item(self, kind: Any, value: Any) -> str:
        if kind is sre.AT:
            return r"\b" if value is sre.AT_BOUNDARY else r"\B"
        if kind is sre.SUBPATTERN:
            return f"(?:{self.sequence(value[3])})"
        if kind is sre.BRANCH:
            return f"(?:{'|'.join(map(self.sequence, value[1]))})"
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, items = value
            bounds = f"{{{least},{'' if most == sre.MAXREPEAT else most}}}"
            return f"(?:{self.sequence(items)}){bounds}{'' if kind is sre.MAX_REPEAT else '?'}"
        return self.characters(self.assembler.set_of(kind, value)[:128])

    @staticmethod
    def characters(members: Array) -> str:
        codes = np.flatnonzero(members)
        if not len(codes):
            return r"[^\x00-\x{10FFFF}]"
        runs = np.split(codes, np.flatnonzero(np.diff(codes) > 1) + 1)
        return "[" + "".join(rf"\x{run[0]:02x}-\x{run[-1]:02x}" for run in runs) + "]"


# ---- as other libraries read them ------------------------------------------------------------------------------------

#: RE2's classes of characters, which are of ASCII
_CLASSES: Final = {"w": "A-Za-z0-9_", "d": "0-9", "s": r"\t\n\f\r "}
_PIECE: Final = re.compile(r"\\(.)|(\[\^?\]?)|(\])|([^\\\[\]]+)", re.DOTALL)


def as_re2(pattern: str) -> str:
    r"""Return a pattern in which the classes that RE2 knows of ASCII only are spelled out.

    What is left as it is means another thing there: ``\b``, and ``\W`` and the like within a set.
    """
    result, in_set = "", False
    for found in _PIECE.finditer(pattern):
        escaped, opening, closing = found[1], found[2], found[3]
        if escaped and escaped.lower() in _CLASSES and (escaped.islower() or not in_set):
            members = _CLASSES[escaped.lower()]
            result += members if in_set else f"[{'^' * escaped.isupper()}{members}]"
            continue
        in_set = (in_set or bool(opening)) and not closing
        result += found[0]
    return result
