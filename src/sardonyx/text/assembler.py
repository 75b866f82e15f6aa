r"""Parsed regular expressions as instructions, which automata (patterns.py) and searches (backtracking.py) are made of.

::

    \b\w\w+\b ──re's own parser──▶ 0 \b   1 \w   2 \w   3 split 2, 4   4 \b   5 match

Character classes are read from the Python that runs (code_points.py). What has no such instructions (lookaround,
references to groups, the locale) is `Unsupported`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .code_points import COUNT, digit, space, word

Array: TypeAlias = NDArray[Any]

#: limits of what is assembled: instructions, and sets of characters, of a megabyte each: expressions come from files
MOST_INSTRUCTIONS, MOST_SETS = 2000, 128


class Unsupported(Exception):
    """A regular expression that has no such automaton; the message names what it uses."""


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
class Assembler:
    """Writes the instructions of a parsed expression."""

    flags: int
    code: list[Instruction] = field(default_factory=list)
    sets: dict[Any, Array] = field(default_factory=dict)

    def add(self, instruction: Instruction) -> int:
        """Write an instruction, and return its place."""
        if len(self.code) >= MOST_INSTRUCTIONS:
            raise Unsupported("it is too long")
        self.code.append(instruction)
        return len(self.code) - 1

    def sequence(self, items: Any) -> None:
        """Write what stands one behind the other."""
        for kind, value in items:
            self.item(kind, value)

    def item(self, kind: Any, value: Any) -> None:
        """Write one thing of those that `re` parses an expression into."""
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
        """Write what stands in parentheses, under flags of its own."""
        if (add | remove) & ~(re.IGNORECASE | re.DOTALL):
            raise Unsupported("it changes flags inside")
        outer, self.flags = self.flags, (self.flags | add) & ~remove
        self.sequence(items)
        self.flags = outer

    def branch(self, alternatives: list[Any]) -> None:
        """Write alternatives, the first preferred."""
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
        """Write a repetition: what is not optional so many times, then a loop or as many choices as are left."""
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
        """Return the code points that one item matches as it is written."""
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
        """Add one part of a class in brackets."""
        if kind is sre.RANGE:
            result[value[0] : value[1] + 1] = True
        elif kind is sre.LITERAL:
            result[value] = True
        elif kind is sre.CATEGORY:
            result |= self.category(value)
        else:
            raise Unsupported(f"it uses {str(kind).lower()} in a class")

    def category(self, category: Any) -> Array:
        r"""Return the code points of ``\w``, ``\d``, ``\s`` or their opposites."""
        name = str(category).lower()
        base = digit() if "digit" in name else space() if "space" in name else word()
        if self.flags & re.ASCII:
            base = base & _ASCII
        return ~base if "not" in name else base

    def word(self) -> Array:
        """Return the code points between which there is no boundary."""
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
