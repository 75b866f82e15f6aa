r"""Backtracking with a memory: the search of Python's `re` in time that is bounded.

::

    (ab|c)*d ──re's own parser──▶  0 Split 1, 10     6 Decided c      a state: instruction, place in the text,
                                   1 Save 2          7 Split 8        and where the rounds of loops began,
                                   2 Split 3, 6      8 Save 3         where one may read nothing
                                   3 Decided a       9 Split 0
                                   4 Decided b      10 Decided d
                                   5 Split 8        11 End

`re` tries all ways through a text. Where a state led to nothing before, it does so again, unless a reference back to a
group makes a difference; so none is tried twice (J. Davis, F. Servant, D. Lee, "Using Selective Memoization to Defeat
Regular Expression Denial of Service", 2021). Time is then the pattern's length times the text's. What takes more than
`MOST_STEPS` all the same is refused. Alternatives are tried in `re`'s order, and it says itself what it makes of single
characters and places. What is done with matches is told in matching.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from re import _compiler as compiler  # type: ignore[attr-defined]
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

from ..errors import InputError
from .assembler import Split

#: steps of one search; instructions of a pattern, and the places that it remembers
MOST_STEPS, MOST_INSTRUCTIONS, MOST_PLACES = 1_000_000, 20_000, 250

#: where groups begin and end, and where the rounds of loops began
Places: TypeAlias = tuple[int, ...]
Decide: TypeAlias = Callable[[str, int], bool]


# ---- instructions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decided:
    """Goes on, `width` characters further, where the text is as it must be."""

    decide: Decide
    width: int


@dataclass(frozen=True, slots=True)
class Save:
    """Remembers the place."""

    slot: int


@dataclass(slots=True)
class Again:
    """Goes on behind a round of a loop that read nothing, otherwise at its beginning."""

    slot: int
    start: int
    end: int = 0


@dataclass(frozen=True, slots=True)
class Back:
    """Reads again what a group read."""

    group: int


@dataclass(slots=True)
class Whether:
    """Goes on at the next instruction if a group took part, elsewhere if not."""

    group: int
    otherwise: int = 0


@dataclass(frozen=True, slots=True)
class Inner:
    """Searches from `start` on: what stands ahead or behind, wanted or not; or (`moves`) what is not tried again."""

    start: int
    behind: int = 0
    wanted: bool = True
    moves: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Ends a match."""


Instruction: TypeAlias = Decided | Split | Save | Again | Back | Whether | Inner | End


@lru_cache(maxsize=1024)
def _letter(code: tuple[Any, ...], flags: int) -> Callable[[str], bool]:
    """Return what a part of a pattern that reads one character says of it: `re` itself."""
    match = _compiled_part(code, flags)
    return lru_cache(maxsize=512)(lambda character: match(character) is not None)


def _compiled_part(item: Any, flags: int) -> Any:
    state = parser.State()
    state.flags = flags
    return compiler.compile(parser.SubPattern(state, [item])).match


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


def _character(kind: Any, value: Any, flags: int) -> Decided:
    is_one = _letter((kind, _hashable(value)), flags)
    return Decided(lambda text, at: at < len(text) and is_one(text[at]), 1)


def _place(kind: Any, value: Any, flags: int) -> Decided:
    match = _compiled_part((kind, value), flags)
    return Decided(lambda text, at: match(text, at) is not None, 0)


@dataclass(slots=True)
class Assembler:
    """Makes instructions of a parsed pattern."""

    slots: int
    code: list[Instruction] = field(default_factory=list)
    #: whether what a group read decides how it goes on: then nothing is known of a state that failed
    refers: bool = False

    def add(self, instruction: Instruction) -> int:
        """Add an instruction and return its place."""
        self.code.append(instruction)
        if len(self.code) > MOST_INSTRUCTIONS:
            raise re.error(f"a pattern of more than {MOST_INSTRUCTIONS} instructions")
        return len(self.code) - 1

    def check_places(self) -> None:
        """Refuse a pattern with too many places to remember."""
        if self.slots > MOST_PLACES:
            raise re.error(f"a pattern that takes long, with more than {MOST_PLACES} places to remember")

    def sequence(self, items: Any, flags: int) -> None:
        """Add the instructions of a part of a pattern."""
        for kind, value in items:
            self._item(kind, value, flags)

    def _item(self, kind: Any, value: Any, flags: int) -> None:
        if kind is sre.SUBPATTERN:
            self._group(value, flags)
        elif kind is sre.BRANCH:
            self._branch(value[1], flags)
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            self._repeat(value, flags, greedy=kind is sre.MAX_REPEAT)
        elif kind is sre.POSSESSIVE_REPEAT:
            self._inner(lambda: self._repeat(value, flags, greedy=True), moves=True)
        elif kind is sre.ATOMIC_GROUP:
            self._inner(lambda: self.sequence(value, flags), moves=True)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            behind = value[1].getwidth()[0] if value[0] < 0 else 0
            self._inner(lambda: self.sequence(value[1], flags), behind=behind, wanted=kind is sre.ASSERT)
        elif kind is sre.GROUPREF:
            self._back(value, flags)
        elif kind is sre.GROUPREF_EXISTS:
            self._whether(value, flags)
        elif kind is sre.FAILURE:
            self.add(Split([]))
        else:
            self.add((_place if kind is sre.AT else _character)(kind, value, flags))

    def _group(self, value: Any, flags: int) -> None:
        group, more, fewer, items = value
        kept = flags & ~parser.TYPE_FLAGS if more & parser.TYPE_FLAGS else flags
        if group is not None:
            self.add(Save(2 * group))
        self.sequence(items, (kept | more) & ~fewer)
        if group is not None:
            self.add(Save(2 * group + 1))

    def _branch(self, alternatives: Any, flags: int) -> None:
        split, leaving = Split([]), []
        self.add(split)
        for items in alternatives:
            split.targets.append(len(self.code))
            self.sequence(items, flags)
            leaving.append(Split([]))
            self.add(leaving[-1])
        for leave in leaving:
            leave.targets.append(len(self.code))

    def _repeat(self, value: Any, flags: int, *, greedy: bool) -> None:
        least, most, items = value
        for _ in range(int(least)):
            self.sequence(items, flags)
        if most == sre.MAXREPEAT:
            self._rounds(items, flags, greedy=greedy, loops=True)
            return
        leaving = [self._rounds(items, flags, greedy=greedy) for _ in range(int(most) - int(least))]
        for split, again in leaving:
            split.targets.insert(len(split.targets) if greedy else 0, len(self.code))
            if again is not None:
                again.end = len(self.code)

    def _rounds(self, items: Any, flags: int, *, greedy: bool, loops: bool = False) -> tuple[Split, Again | None]:
        """Add one round that may be left out, or any number of them."""
        split, again = Split([]), None
        start = self.add(split)
        split.targets.append(len(self.code))
        if items.getwidth()[0] == 0:
            again = Again(self.slots, start)
            self.slots += 1
            self.check_places()
            self.add(Save(again.slot))
        self.sequence(items, flags)
        if again is not None:
            self.add(again)
            again.start = start if loops else len(self.code)
        elif loops:
            self.add(Split([start]))
        if loops:
            split.targets.insert(1 if greedy else 0, len(self.code))
            if again is not None:
                again.end = len(self.code)
        return split, again

    def _inner(self, body: Callable[[], None], *, behind: int = 0, wanted: bool = True, moves: bool = False) -> None:
        skip = Split([])
        self.add(skip)
        start = len(self.code)
        body()
        self.add(End())
        skip.targets.append(len(self.code))
        self.add(Inner(start, behind, wanted, moves))

    def _back(self, group: int, flags: int) -> None:
        if flags & re.IGNORECASE:
            raise re.error("a reference back to a group, whatever its case, in a pattern that takes long")
        self.refers = True
        self.add(Back(group))

    def _whether(self, value: Any, flags: int) -> None:
        group, yes, no = value
        self.refers = True
        test, leave = Whether(group), Split([])
        self.add(test)
        self.sequence(yes, flags)
        self.add(leave)
        test.otherwise = len(self.code)
        self.sequence(no or (), flags)
        leave.targets.append(len(self.code))


# ---- the search ------------------------------------------------------------------------------------------------------


State: TypeAlias = tuple[int, int, Places]


def _noted(places: Places, slot: int, at: int) -> Places:
    return (*places[:slot], at, *places[slot + 1 :])


@dataclass(slots=True)
class Search:
    """One text searched. `first_loop`: places before it are of groups, which matter to references alone."""

    code: list[Instruction]
    text: str
    first_loop: int
    steps: int = 0

    def run(self, pc: int, at: int, places: Places, seen: set[State], ends: Callable[[int], bool]) -> Any:
        """Return where the first match by preference ends, and its places; None if there is none."""
        waiting: list[State] = [(pc, at, places)]
        while waiting:
            state: State | None = waiting.pop()
            while state is not None:
                pc, at, places = state
                instruction = self.code[pc]
                self._count(len(instruction.targets) if isinstance(instruction, Split) else 1)
                if isinstance(instruction, End):
                    if ends(at):
                        return at, places
                    break
                if isinstance(instruction, Split):
                    state = self._split(instruction, state, seen, waiting)
                else:
                    state = self._next(instruction, pc, at, places)
        return None

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise InputError(f"a regular expression takes more than {MOST_STEPS} steps on a text that begins with "
                             f"{self.text[:40]!r}; write it without repetitions within repetitions.")  # fmt: skip

    def _split(self, split: Split, state: State, seen: set[State], waiting: list[State]) -> State | None:
        pc, at, places = state
        key = (pc, at, places[self.first_loop :])
        if key in seen or not split.targets:
            return None
        seen.add(key)
        waiting += [(target, at, places) for target in reversed(split.targets[1:])]
        return split.targets[0], at, places

    def _next(self, instruction: Instruction, pc: int, at: int, places: Places) -> State | None:
        if isinstance(instruction, Decided):
            return (pc + 1, at + instruction.width, places) if instruction.decide(self.text, at) else None
        if isinstance(instruction, Save):
            return pc + 1, at, _noted(places, instruction.slot, at)
        if isinstance(instruction, Again):
            target = instruction.end if places[instruction.slot] == at else instruction.start
            return target, at, _noted(places, instruction.slot, -1)  # states differ by what matters later alone
        if isinstance(instruction, Back):
            start, end = places[2 * instruction.group : 2 * instruction.group + 2]
            self._count(max(0, end - start))
            read = end >= 0 and self.text.startswith(self.text[start:end], at)
            return (pc + 1, at + end - start, places) if read else None
        if isinstance(instruction, Whether):
            return (pc + 1 if places[2 * instruction.group + 1] >= 0 else instruction.otherwise), at, places
        assert isinstance(instruction, Inner), "all others are told"
        return self._within(instruction, pc, at, places)

    def _within(self, inner: Inner, pc: int, at: int, places: Places) -> State | None:
        start = at - inner.behind
        found = self.run(inner.start, start, places, set(), lambda _: True) if start >= 0 else None
        if (found is not None) != inner.wanted:
            return None
        return (pc + 1, at, places) if found is None else (pc + 1, found[0] if inner.moves else at, found[1])
