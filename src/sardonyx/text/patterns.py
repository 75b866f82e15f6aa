r"""Regular expressions as automata that find what `re.findall` finds.

::

    \b\w\w+\b ──assembler.py──▶ instructions ──▶ automaton              columns: classes of characters, and the end

        0  \b                       state    other  \w   end
        1  \w                       0 dead       0   0     0            an entry is 2 * the next state,
        2  \w                       ...                                  + 1 if a match ends before this character
        3  split 2, 4
        4  \b
        5  match

Python's `re` backtracks: of all matches at the leftmost place it takes the one that its alternatives and quantifiers
prefer. A state here is the list of instructions that backtracking would still try, in that order; what stands behind a
match in it is never tried, so it is cut off. That is exact for characters, classes, concatenation, alternation, greedy
and lazy quantifiers, ``\b``, ``\B``, ``\A``, ``\Z``, ``(?i)`` (R. Cox, "Regular Expression Matching: the Virtual
Machine Approach", 2009). Everything else, and what can match nothing at all or loops over nothing, is `Unsupported`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .assembler import Assembler, At, Characters, Instruction, Match, Split, Unsupported
from .code_points import COUNT

Array: TypeAlias = NDArray[Any]

#: limits: states, classes of characters (six bits of a table of kinds), instructions that are followed
MOST_STATES, MOST_CLASSES, MOST_FOLLOWED = 4000, 64, 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    r"""What finds the matches of an expression in a text, from left to right.

    Attributes
    ----------
    classes : uint8 ndarray of shape (COUNT,)
        The class of each code point.
    transitions : int32 ndarray of shape (states, classes + 1)
        By state and class of the next character, the last column for the end of the text: twice the next state (0: no
        longer match is possible), plus one if a match ends before this character. Row 0 holds the state in which to
        start after a character of each class, and at the beginning.
    skipped : tuple of int
        How many characters of a match stand before and after its group, if it has one.
    members : tuple of ndarray
        The sets of code points that the expression names.
    bounded : bool
        Whether it asks for boundaries of words.
    """

    classes: Array
    transitions: Array
    skipped: tuple[int, int]
    members: tuple[Array, ...]
    bounded: bool


Threads: TypeAlias = tuple[int, ...]


@functools.lru_cache(maxsize=32)
def compile_pattern(pattern: str) -> Automaton:
    """Return the automaton of a regular expression.

    Raises
    ------
    Unsupported
        If there is none that finds exactly what `re.findall` finds.
    re.error
        If it is no regular expression.
    """
    try:
        tree = parser.parse(pattern)
        assembler = Assembler(tree.state.flags)
        if assembler.flags & re.LOCALE:
            raise Unsupported("it depends on the locale")
        skipped = _skipped(tree)
        assembler.sequence(tree)
    except RecursionError:
        raise Unsupported("its groups are nested too deeply") from None
    assembler.add(Match())
    return _determined(assembler, skipped)


def _skipped(tree: Any) -> tuple[int, int]:
    """Return how many characters of each match stand before and after its group."""
    groups = [i for i, (kind, value) in enumerate(tree) if kind is sre.SUBPATTERN and value[0] is not None]
    if tree.state.groups == 1:
        return 0, 0
    if tree.state.groups > 2 or not groups:
        raise Unsupported("its group is not the only one, or stands inside another part")
    (at,) = groups
    before, after = (parser.SubPattern(tree.state, list(part)) for part in (tree[:at], tree[at + 1 :]))
    widths = [part.getwidth() for part in (before, after)]
    if any(least != most for least, most in widths):
        raise Unsupported("what stands beside its group has no fixed length")
    return widths[0][0], widths[1][0]


def _determined(assembler: Assembler, skipped: tuple[int, int]) -> Automaton:
    code, is_word = assembler.code, assembler.word()
    sets = list(assembler.sets.values())
    bounded = any(isinstance(i, At) and "boundary" in i.place for i in code)
    classes, samples = classes_of([*sets, *([is_word] if bounded else [])])
    machine = Machine(code, samples, is_word[samples], bounded)
    transitions = machine.transitions()
    unique = {members.tobytes(): members for members in sets}
    return Automaton(classes, transitions, skipped, tuple(unique.values()), bounded)


def classes_of(sets: list[Array]) -> tuple[Array, Array]:
    """Return the class of each code point, and a code point of each class: those of a class are in the same sets."""
    keys = np.zeros(COUNT, np.int64)
    for row in np.packbits(np.array(sets, bool), axis=0):
        keys = _renumbered(keys * 256 + row)
        if keys.max() >= MOST_CLASSES:
            raise Unsupported(f"it tells more than {MOST_CLASSES} classes of characters apart")
    samples = np.zeros(int(keys.max()) + 1, np.int64)
    samples[keys[::-1]] = np.arange(COUNT)[::-1]
    return keys.astype(np.uint8), samples


def _renumbered(keys: Array) -> Array:
    """Return the rank of each number among those that occur."""
    occurs = np.zeros(int(keys.max()) + 1, bool)
    occurs[keys] = True
    result: Array = (np.cumsum(occurs) - 1)[keys]
    return result


@dataclass(slots=True)
class Machine:
    """Explores the states: (threads, whether a character stands before, whether that is a word's)."""

    code: list[Instruction]
    samples: Array
    is_word: Array
    bounded: bool
    cuts: bool = True  # at a match, what stands behind it
    followed: int = 0
    states: dict[tuple[Threads, bool, bool], int] = field(default_factory=dict)
    order: list[tuple[Threads, bool, bool]] = field(default_factory=list)

    def transitions(self) -> Array:
        """Return the table of an automaton."""
        end = len(self.samples)
        starts = [self.state((0,), c != end, c != end and bool(self.is_word[c])) for c in range(end + 1)]
        rows: list[list[int]] = [starts]
        while len(rows) <= len(self.order):
            threads, begun, in_word = self.order[len(rows) - 1]
            rows.append([self.entry(threads, begun, in_word, c) for c in range(end + 1)])
        result = np.array(rows, np.int32)
        if (result[np.unique(starts)] & 1).any():
            raise Unsupported("it matches the empty string")
        return result

    def state(self, threads: Threads, begun: bool, in_word: bool) -> int:
        """Return the number of a state, a new one if it was not met before; 0 is the dead one."""
        if not threads:
            return 0
        key = (threads, begun, in_word and self.bounded)
        if key not in self.states:
            if len(self.order) >= MOST_STATES:
                raise Unsupported("it has too many states")
            self.order.append(key)
            self.states[key] = len(self.order)
        return self.states[key]

    def entry(self, threads: Threads, begun: bool, in_word: bool, column: int) -> int:
        """Return 2 * the next state + whether a match ends here, before a character of a class, or at the end."""
        if self.followed > MOST_FOLLOWED:
            raise Unsupported("its states are too large")
        at_end = column == len(self.samples)
        follows_word = not at_end and bool(self.is_word[column])
        places = {
            "start": not begun,
            "end": at_end,
            "boundary": in_word != follows_word,
            "not boundary": in_word == follows_word,
        }
        after: dict[int, None] = {}
        ends = 0
        for at in self._reached(threads, places):
            instruction = self.code[at]
            if isinstance(instruction, Characters):
                if not at_end and instruction.members[self.samples[column]]:
                    after[at + 1] = None
                continue
            ends = 1
            if self.cuts:
                break
        return 2 * self.state(tuple(after), True, follows_word) + ends

    def _reached(self, threads: Iterable[int], places: dict[str, bool]) -> Iterator[int]:
        """Yield the characters to read and matches that threads come to here, in order of preference."""
        seen: set[int] = set()
        stack = list(reversed(list(threads)))
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            self.followed += 1
            instruction = self.code[at]
            if isinstance(instruction, Split):
                stack += reversed(instruction.targets)
            elif isinstance(instruction, At):
                stack += [at + 1] if places[instruction.place] else []
            else:
                yield at


def find_all(automaton: Automaton, text: str) -> list[str]:
    """Return what ``re.findall`` does: what the native core does with an automaton, in Python."""
    table, (before, after) = automaton.transitions, automaton.skipped
    codes = [int(automaton.classes[ord(c)]) for c in text]
    end = table.shape[1] - 1
    found, position = [], 0
    while position < len(text):
        state, at, last = int(table[0, codes[position - 1] if position else end]), position, -1
        while state:
            entry = int(table[state, codes[at] if at < len(text) else end])
            last = at if entry & 1 else last
            state, at = entry >> 1, at + 1
        if last > position:
            found.append(text[position + before : last - after])
        position = max(last, position + 1)
    return found
