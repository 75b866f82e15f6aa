r"""Regular expressions as automata that find what `re.findall` finds.

::

    \b\w\w+\b ──re's own parser──▶ instructions ──▶ automaton           columns: classes of characters, and the end

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

Character classes are read from the Python that runs (code_points.py).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .code_points import COUNT, digit, space, word

Array: TypeAlias = NDArray[Any]

#: limits of what is compiled: instructions, states, classes of characters (six bits of a table of kinds)
MOST_INSTRUCTIONS, MOST_STATES, MOST_CLASSES = 2000, 4000, 64
#: sets of characters, of a megabyte each, and instructions that are followed: expressions come from files
MOST_SETS, MOST_FOLLOWED = 128, 4_000_000


class Unsupported(Exception):
    """A regular expression that has no such automaton; the message names what it uses."""


# ---- instructions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Characters:
    """Reads one character of a set."""

    members: Array


@dataclass(slots=True)
class Split:
    """Goes on at these places, the first preferred."""

    targets: list[int]


@dataclass(frozen=True, slots=True)
class At:
    """Goes on where the place is right: ``boundary``, ``not boundary``, ``start`` or ``end``."""

    place: str


@dataclass(frozen=True, slots=True)
class Match:
    """Ends a match."""


Instruction: TypeAlias = Characters | Split | At | Match

_PLACES: Final = {
    sre.AT_BEGINNING: "start",
    sre.AT_BEGINNING_STRING: "start",
    sre.AT_BOUNDARY: "boundary",
    sre.AT_NON_BOUNDARY: "not boundary",
    sre.AT_END_STRING: "end",
}
_ASCII: Final = np.arange(COUNT) < 128


@dataclass(slots=True)
class _Assembler:
    """Writes the instructions of a parsed expression."""

    flags: int
    code: list[Instruction] = field(default_factory=list)
    sets: dict[Any, Array] = field(default_factory=dict)

    def add(self, instruction: Instruction) -> int:
        if len(self.code) >= MOST_INSTRUCTIONS:
            raise Unsupported("it is too long")
        self.code.append(instruction)
        return len(self.code) - 1

    def sequence(self, items: Any) -> None:
        for kind, value in items:
            self.item(kind, value)

    def item(self, kind: Any, value: Any) -> None:
        if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            self.add(Characters(self.set_of(kind, value)))
        elif kind is sre.BRANCH:
            self.branch(value[1])
        elif kind is sre.SUBPATTERN:
            self.group(*value)
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            self.repeat(*value, greedy=kind is sre.MAX_REPEAT)
        elif kind is sre.AT and value in _PLACES and not self.flags & re.MULTILINE:
            self.add(At(_PLACES[value]))
        else:
            raise Unsupported(f"it uses {str(value if kind is sre.AT else kind).lower()}")

    def group(self, number: Any, add: int, remove: int, items: Any) -> None:
        if (add | remove) & ~(re.IGNORECASE | re.DOTALL):
            raise Unsupported("it changes flags inside")
        outer, self.flags = self.flags, (self.flags | add) & ~remove
        self.sequence(items)
        self.flags = outer

    def branch(self, alternatives: list[Any]) -> None:
        split, ends = Split([]), []
        self.add(split)
        for alternative in alternatives:
            split.targets.append(len(self.code))
            self.sequence(alternative)
            ends.append(Split([]))
            self.add(ends[-1])
        for end in ends:
            end.targets.append(len(self.code))

    def repeat(self, least: int, most: int, items: Any, *, greedy: bool) -> None:
        if items.getwidth()[0] == 0 and most > 1:
            raise Unsupported("it repeats what may be empty")
        for _ in range(least):
            self.sequence(items)
        if most == sre.MAXREPEAT:
            loop = self.add(Split([]))
            self.sequence(items)
            back = self.add(Split([loop]))
            self._choose(loop, loop + 1, back + 1, greedy)
            return
        splits = []
        for _ in range(most - least):
            splits.append(self.add(Split([])))
            self.sequence(items)
        for split in splits:
            self._choose(split, split + 1, len(self.code), greedy)

    def _choose(self, split: int, inside: int, after: int, greedy: bool) -> None:
        instruction = self.code[split]
        assert isinstance(instruction, Split)
        instruction.targets = [inside, after] if greedy else [after, inside]

    def set_of(self, kind: Any, value: Any) -> Array:
        """Return the code points that one item matches; where case is ignored, `re` itself says which."""
        key = kind, _frozen(value), self.flags
        if key not in self.sets:
            if len(self.sets) >= MOST_SETS:
                raise Unsupported(f"it names more than {MOST_SETS} sets of characters")
            any_case = self.flags & re.IGNORECASE and kind is not sre.ANY
            self.sets[key] = _ignoring_case(*key) if any_case else self.members(kind, value)
        return self.sets[key]

    def members(self, kind: Any, value: Any) -> Array:
        result = np.zeros(COUNT, bool)
        if kind is sre.ANY:
            result[:] = True
            result[ord("\n")] = bool(self.flags & re.DOTALL)
        elif kind is sre.IN:
            negate = value[0][0] is sre.NEGATE
            for inner, detail in value[negate:]:
                self.join(result, inner, detail)
            return ~result if negate else result
        elif kind is sre.CATEGORY:
            return self.category(value)
        elif kind in (sre.LITERAL, sre.NOT_LITERAL):
            result[value] = True
            return ~result if kind is sre.NOT_LITERAL else result
        return result

    def join(self, result: Array, kind: Any, value: Any) -> None:
        if kind is sre.RANGE:
            result[value[0] : value[1] + 1] = True
        elif kind is sre.LITERAL:
            result[value] = True
        elif kind is sre.CATEGORY:
            result |= self.category(value)
        else:
            raise Unsupported(f"it uses {str(kind).lower()} in a class")

    def category(self, category: Any) -> Array:
        name = str(category).lower()
        base = digit() if "digit" in name else space() if "space" in name else word()
        if self.flags & re.ASCII:
            base = base & _ASCII
        return ~base if "not" in name else base

    def word(self) -> Array:
        return word() & _ASCII if self.flags & re.ASCII else word()


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


@functools.cache
def _everything() -> str:
    return "".join(map(chr, range(COUNT)))


@functools.lru_cache(maxsize=32)
def _ignoring_case(kind: Any, value: Any, flags: int) -> Array:
    """Return the code points that one item matches in any case, by matching each of them."""
    state = parser.State()
    state.flags, state.str = flags, ""
    item = [(kind, list(value) if kind is sre.IN else value)]
    found = compiler.compile(parser.SubPattern(state, item), flags).finditer(_everything())
    result = np.zeros(COUNT, bool)
    result[[match.start() for match in found]] = True
    result.flags.writeable = False
    return result


# ---- automata --------------------------------------------------------------------------------------------------------


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
        assembler = _Assembler(tree.state.flags)
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


def _determined(assembler: _Assembler, skipped: tuple[int, int]) -> Automaton:
    code, is_word = assembler.code, assembler.word()
    sets = list(assembler.sets.values())
    bounded = any(isinstance(i, At) and "boundary" in i.place for i in code)
    classes, samples = _classes([*sets, *([is_word] if bounded else [])])
    machine = _Machine(code, samples, is_word[samples], bounded)
    transitions = machine.transitions()
    unique = {members.tobytes(): members for members in sets}
    return Automaton(classes, transitions, skipped, tuple(unique.values()), bounded)


def _classes(sets: list[Array]) -> tuple[Array, Array]:
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
class _Machine:
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


# ---- in other words --------------------------------------------------------------------------------------------------


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
    assembler = _Assembler(tree.state.flags)
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


def _prefers_the_whole(assembler: _Assembler) -> bool:
    """Whether backtracking finds a whole piece wherever the piece as a whole matches."""
    code, is_word = assembler.code, assembler.word()
    sets = [i.members for i in code if isinstance(i, Characters)]
    _, samples = _classes([*sets, is_word])
    ordered, free = (
        _Machine(code, samples, is_word[samples], True),
        _Machine(code, samples, is_word[samples], True, False),
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

    assembler: _Assembler

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
