r"""Python's regular expressions, of which no pattern and no text takes longer than it may.

::

    pattern, text ──▶ how many ways may backtracking go?  few   Python's `re`
                                                          many  the same search with a memory (backtracking.py)

`re` tries ``(a+)+$`` on ``"a" * 40 + "b"`` for hours, and patterns come with files from outside. What it would try is
bounded beforehand, from the pattern's form and the text's length. The answers are the same either way.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

from .backtracking import Assembler, End, Places, Search

#: ways that `re` may try in one text
MOST_WAYS: Final = 10_000_000


def _ways(items: Any, n: int) -> tuple[int, int]:
    """Return how many ways there are at most through a part of a pattern in a text of n characters, and its length."""
    ways, size = 1, 1
    for kind, value in items:
        part, length = _ways_of(kind, value, n)
        ways, size = min(ways * part, MOST_WAYS + 1), size + length
    return ways, size


def _ways_of(kind: Any, value: Any, n: int) -> tuple[int, int]:
    if kind is sre.SUBPATTERN:
        return _ways(value[3], n)
    if kind is sre.ATOMIC_GROUP:
        return _ways(value, n)
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return _ways(value[1], n)
    if kind in (sre.BRANCH, sre.GROUPREF_EXISTS):
        parts = [_ways(part or (), n) for part in (value[1] if kind is sre.BRANCH else value[1:])]
        return sum(ways for ways, _ in parts), sum(size for _, size in parts)
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, most, body = value
        return _ways_repeated(int(least), int(most), body, n)
    return 1, 1


def _ways_repeated(least: int, most: int, items: Any, n: int) -> tuple[int, int]:
    ways, size = _ways(items, n)
    narrow, wide = items.getwidth()
    rounds = max(least, min(most, n // max(narrow, 1) + 1))
    if ways == 1 and narrow == wide > 0:
        return rounds - min(least, rounds) + 1, size  # where it may end
    each = max(ways, 2)  # and each round may be the last
    return (MOST_WAYS + 1 if rounds > 24 else min(each ** (rounds + 1), MOST_WAYS + 1)), size


# ---- matches ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A match, with what is asked of `re.Match` here."""

    text: str
    places: Places
    names: Any

    def span(self, group: int = 0) -> tuple[int, int]:
        """Return where a group begins and ends."""
        return self.places[2 * group], self.places[2 * group + 1]

    def group(self, group: int = 0) -> str | None:
        """Return what a group read; None if it took no part."""
        start, end = self.span(group)
        return self.text[start:end] if end >= 0 else None

    def groups(self) -> tuple[str | None, ...]:
        """Return what each group read."""
        return tuple(self.group(i) for i in range(1, len(self.places) // 2))

    def expand(self, template: str) -> str:
        """Return a template filled in, by `re`: in a match of a pattern whose groups read the same."""
        whole, parts = self.group() or "", self.groups()
        names = {number: f"?P<{name}>" for name, number in self.names.items()}
        groups = [
            f"(?:({names.get(i, '')}x)|)" if part is None else f"({names.get(i, '')}.{{{len(part)}}})"
            for i, part in enumerate(parts, 1)
        ]
        same = re.compile(f"(?s).{{{len(whole)}}}(?={''.join(groups)}\\Z)")
        match = same.match(whole + "".join(part or "" for part in parts))
        assert match is not None, "the pattern is made for this text"
        return match.expand(template)


AnyMatch: TypeAlias = "re.Match[str] | Found"


class Pattern:
    """A regular expression, with the methods of `re.Pattern` that files may ask for.

    Raises
    ------
    re.error
        If it is none, or one of absurd size.
    InputError
        Of the methods: a text takes more steps than it may.
    """

    def __init__(self, pattern: str, flags: int = 0) -> None:
        try:
            self._re = re.compile(pattern, flags)
            self._tree = parser.parse(pattern, flags)
        except (RecursionError, OverflowError) as error:
            raise re.error("a pattern of absurd size") from error
        self._code: Assembler | None = None
        self._fast, self._slow = -1, 1 << 62  # lengths of texts: the longest that is fast, the shortest that is not

    def _is_fast(self, text: str) -> bool:
        n = len(text)
        if self._fast < n < self._slow:
            ways, size = _ways(self._tree, n)
            if ways * size * (n + 1) <= MOST_WAYS:
                self._fast = n
            else:
                self._slow = n
        return n <= self._fast

    def search(self, text: str) -> AnyMatch | None:
        """Return the first match."""
        return self._re.search(text) if self._is_fast(text) else next(self._all(text), None)

    def match(self, text: str) -> AnyMatch | None:
        """Return the match at the beginning."""
        return self._re.match(text) if self._is_fast(text) else self._at_start(text, lambda at: True)

    def fullmatch(self, text: str) -> AnyMatch | None:
        """Return the match that is all of the text."""
        return self._re.fullmatch(text) if self._is_fast(text) else self._at_start(text, lambda at: at == len(text))

    def finditer(self, text: str) -> Iterator[AnyMatch]:
        """Yield the matches one after the other."""
        return self._re.finditer(text) if self._is_fast(text) else self._all(text)

    def findall(self, text: str) -> list[Any]:
        """Return what all matches read: their groups if they have any."""
        if self._is_fast(text):
            return self._re.findall(text)
        found = [tuple(part or "" for part in (m.groups() or (m.group(),))) for m in self._all(text)]
        return [parts[0] if len(parts) == 1 else parts for parts in found]

    def sub(self, repl: str, text: str, count: int = 0) -> str:
        """Return the text with matches replaced."""
        if self._is_fast(text):
            return self._re.sub(repl, text, count)
        result, at = "", 0
        for i, found in enumerate(self._all(text)):
            if count and i >= count:
                break
            start, end = found.span()
            result, at = result + text[at:start] + found.expand(repl), end
        return result + text[at:]

    def split(self, text: str) -> list[str | Any]:
        """Return what stands between matches, and what their groups read."""
        if self._is_fast(text):
            return self._re.split(text)
        result: list[str | Any] = []
        at = 0
        for found in self._all(text):
            start, end = found.span()
            result, at = [*result, text[at:start], *found.groups()], end
        return [*result, text[at:]]

    # ---- with a memory

    def _assembled(self) -> Assembler:
        if self._code is None:
            assembler = Assembler(2 * self._tree.state.groups)
            assembler.check_places()
            try:
                assembler.sequence(self._tree, self._tree.state.flags)
            except RecursionError as error:
                raise re.error("a pattern of absurd size") from error
            assembler.add(End())
            self._code = assembler
        return self._code

    def _begun(self, text: str) -> tuple[Search, Places]:
        made = self._assembled()
        first_loop = 0 if made.refers else 2 * self._tree.state.groups
        return Search(made.code, text, first_loop), (-1,) * made.slots

    def _found(self, text: str, start: int, result: tuple[int, Places]) -> Found:
        end, places = result
        read = places[2 : 2 * self._tree.state.groups]
        return Found(text, (start, end, *read), self._re.groupindex)

    def _at_start(self, text: str, ends: Callable[[int], bool]) -> Found | None:
        search, places = self._begun(text)
        result = search.run(0, 0, places, set(), ends)
        return None if result is None else self._found(text, 0, result)

    def _all(self, text: str) -> Iterator[Found]:
        """Yield matches as `re` does: one that reads nothing may stand behind another, not behind its like."""
        search, places = self._begun(text)
        start, seen, moved = 0, set[Any](), True
        while start <= len(text):
            least = start if moved else start + 1
            result = search.run(0, start, places, seen, partial(operator.le, least))
            if result is None:
                start, moved = start + 1, True
                continue
            yield self._found(text, start, result)
            seen = set()  # states that led to a match
            moved, start = result[0] > start, result[0]
