"""``X["city"].str``: pandas' methods of a column of text. Importing it adds them to `Column`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, op, where
from ..operators.texts import text_method
from ..protos import STRING
from .array import Array, constant, refuse
from .columns import Column, missing
from .frames import WritableFrame
from .joining import full
from .texts import SAME, check_constant, joined, pattern_of

#: what makes a pattern other than a text
SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")


class TextMethods:
    """``X["city"].str``: pandas' methods of a column of text."""

    def __init__(self, column: Column) -> None:
        if column.value.dtype != STRING:
            refuse("Can only use .str accessor with string values")
        self.column = column

    def _made(self, method: str, *arguments: Any) -> Column:
        check_constant(method, arguments)
        return Column(text_method(self.column.value, method, *arguments, moot=True), self.column.name)

    def len(self) -> Column:
        """Return the numbers of characters."""
        return self._made("len")

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self.slice(key.start, key.stop, key.step)
        return self._made("character", key, 0)

    get = __getitem__

    def slice(self, start: Any = None, stop: Any = None, step: Any = None) -> Column:
        """Return a part of each text."""
        return self._made("slice", start, stop, step)

    def strip(self, to_strip: Any = None) -> Column:
        """Return texts without whitespace, or other characters, around them."""
        return self._made("strip", *([] if to_strip is None else [to_strip]))

    def lstrip(self, to_strip: Any = None) -> Column:
        """Return texts without whitespace, or other characters, before them."""
        return self._made("lstrip", *([] if to_strip is None else [to_strip]))

    def rstrip(self, to_strip: Any = None) -> Column:
        """Return texts without whitespace, or other characters, behind them."""
        return self._made("rstrip", *([] if to_strip is None else [to_strip]))

    def contains(self, pat: Any, case: bool = True, flags: int = 0, na: Any = None, regex: bool = True) -> Any:
        """Whether texts contain a text, or a match of a pattern."""
        flags |= 0 if case else re.IGNORECASE
        if not flags and (not regex or not SPECIAL.search(pat)):
            return self._told(_part_of(self.column.value, pat, "(.|\n)*", "(.|\n)*"), na)
        given = pattern_of(pat if regex else re.escape(pat), flags)
        return self._told(self._made("search", *given).value, na)

    def match(self, pat: Any, case: bool = True, flags: int = 0, na: Any = None) -> Any:
        """Whether texts begin with a match of a pattern."""
        return self._told(self._made("match", *pattern_of(pat, flags | (0 if case else re.IGNORECASE))).value, na)

    def fullmatch(self, pat: Any, case: bool = True, flags: int = 0, na: Any = None) -> Any:
        """Whether texts are matches of a pattern."""
        return self._told(self._made("fullmatch", *pattern_of(pat, flags | (0 if case else re.IGNORECASE))).value, na)

    def startswith(self, pat: Any, na: Any = None) -> Any:
        """Whether texts start with a text, or one of several."""
        return self._told(_part_of(self.column.value, pat, "", "(.|\n)*"), na)

    def endswith(self, pat: Any, na: Any = None) -> Any:
        """Whether texts end with a text, or one of several."""
        return self._told(_part_of(self.column.value, pat, "(.|\n)*", ""), na)

    def _told(self, found: Value, na: Any) -> Any:
        absent = missing(self.column.value)
        return Column(found | absent if na is True else found & ~absent, self.column.name)

    def replace(
        self, pat: Any, repl: Any, n: int = -1, case: Any = None, flags: int = 0, regex: bool = False
    ) -> Column:
        """Return texts with a part, or the matches of a pattern, replaced."""
        if callable(repl) or isinstance(pat, dict):
            refuse("str.replace by a function, or of several texts at once")
        if not regex and not flags and case is not False:
            return self._made("replace", pat, repl, n)
        given = pattern_of(pat if regex else re.escape(pat), flags | (re.IGNORECASE if case is False else 0), repl)
        return self._made("sub", *given, max(n, 0))

    def split(self, pat: Any = None, *, n: int = -1, expand: bool = False, regex: Any = None) -> SplitColumn:
        """Return the pieces, of which one can be taken."""
        return self._split(pat, n, expand, regex, 0)

    def rsplit(self, pat: Any = None, *, n: int = -1, expand: bool = False) -> SplitColumn:
        """Return the pieces, cut from the right."""
        return self._split(pat, n, expand, False, 1)

    def _split(self, pat: Any, n: int, expand: bool, regex: Any, last: int) -> SplitColumn:
        if expand or regex or (pat is not None and len(pat) > 1 and regex is None and SPECIAL.search(pat)):
            refuse("str.split into columns, whose number the data decide, or at a pattern; take pieces: .str[0]")
        return SplitColumn(self, pat, n or -1, last)

    def extract(self, pat: str, flags: int = 0, expand: bool = True) -> Any:
        """Return the groups of the first match."""
        expression = re.compile(pat, flags)
        names = {place: name for name, place in expression.groupindex.items()}
        groups = [self._made("extract", pat, int(flags), k) for k in range(1, expression.groups + 1)]
        if not groups:
            refuse("str.extract of a pattern without a group")
        if len(groups) == 1 and not expand:
            groups[0].name = names.get(1, self.column.name)
            return groups[0]
        return WritableFrame({names.get(k + 1, k): Column(g.value, names.get(k + 1, k)) for k, g in enumerate(groups)})

    def count(self, pat: str, flags: int = 0) -> Column:
        """Return how often a pattern matches."""
        return self._made("count_matches", *pattern_of(pat, flags))

    def find(self, sub: str, start: int = 0, end: Any = None) -> Column:
        """Return where a text begins, -1 where it is not in there."""
        return self._made("find", sub, start, end)

    def rfind(self, sub: str, start: int = 0, end: Any = None) -> Column:
        """Return where a text begins for the last time."""
        return self._made("rfind", sub, start, end)

    def pad(self, width: int, side: str = "left", fillchar: str = " ") -> Column:
        """Return texts as wide as asked for at least."""
        return self._made({"left": "rjust", "right": "ljust", "both": "center"}[side], width, fillchar)

    def ljust(self, width: int, fillchar: str = " ") -> Column:
        """Return texts padded on the right."""
        return self._made("ljust", width, fillchar)

    def rjust(self, width: int, fillchar: str = " ") -> Column:
        """Return texts padded on the left."""
        return self._made("rjust", width, fillchar)

    def center(self, width: int, fillchar: str = " ") -> Column:
        """Return texts padded on both sides."""
        return self._made("center", width, fillchar)

    def cat(self, others: Any = None, sep: Any = "", na_rep: Any = None) -> Column:
        """Return texts with those of other columns behind them."""
        parts = list(others) if isinstance(others, list | tuple) else [others]
        if na_rep is not None or not all(type(p) is Column for p in parts):
            refuse("str.cat of other than columns, or with na_rep")
        values = [self.column.value]
        for part in parts:
            values += [full_text(part.value, sep or ""), part.value]
        return Column(joined(values), self.column.name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        refuse(f"the text method .str.{name}")


def _of_pandas(name: str) -> Callable[..., Column]:
    return lambda methods, *arguments: methods._made(name, *arguments)


for _name in SAME:
    if _name not in ("count", "find", "rfind", "strip", "lstrip", "rstrip", "isascii"):
        setattr(TextMethods, _name, _of_pandas(_name))


class SplitColumn:
    """``X["name"].str.split(",")``: lists of texts; ``.str[i]`` and ``.str.get(i)`` take one."""

    def __init__(self, methods: TextMethods, sep: Any, most: int, last: int) -> None:
        self.methods, self.sep, self.most, self.last = methods, sep, most, last

    @property
    def str(self) -> SplitColumn:
        """The accessor."""
        return self

    def __getitem__(self, place: Any) -> Column:
        if not isinstance(place, int):
            refuse("several pieces of a text that is split; take one: .str[0]")
        return self.methods._made("piece", self.sep, self.most, self.last, place, 0)

    get = __getitem__

    def len(self) -> Any:
        """Return how many pieces there are."""
        if self.sep is None or self.most >= 0:
            refuse("the number of pieces between whitespace, or of some of them")
        pieces: Any = self.methods._made("count_matches", re.escape(self.sep), 0)
        return pieces + 1

    def __getattr__(self, name: Any) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        refuse("lists of texts, of which .str[i] takes one")


def _part_of(value: Value, parts: Any, before: str, after: str) -> Value:
    """Return where a text, or one of several, stands between two patterns; RE2 and Python agree on it."""
    wanted = parts if isinstance(parts, tuple) else (parts,)
    if not all(isinstance(p, str) and "\0" not in p for p in wanted):
        refuse("a search for other than texts")
    expression = "|".join(map(re.escape, wanted))
    present = where(missing(value), constant("", np.dtype(object)), value)
    found: Value = op.RegexFullMatch(present, pattern=f"{before}({expression}){after}")
    return found


def full_text(like: Value, text: str) -> Value:
    """Return one text for each row."""
    always = full(Array(like), True, np.bool_).value
    part = constant(text, np.dtype(object))
    return where(always, part, part)


def _added(swapped: bool) -> Any:
    own = getattr(Column, "__radd__" if swapped else "__add__")

    def add(column: Column, other: Any) -> Any:
        if column.value.dtype != STRING:
            return own(column, other)
        if isinstance(other, str):
            return TextMethods(column)._made("around", *((other, "") if swapped else ("", other)))
        return Column(joined([column.value, other.value]), column.name)

    return add


setattr(Column, "str", property(TextMethods))  # noqa: B010
setattr(Column, "__radd__", _added(True))  # noqa: B010
setattr(Column, "__add__", _added(False))  # noqa: B010
