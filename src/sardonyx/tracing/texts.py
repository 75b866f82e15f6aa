"""Text: one Python text of each row (`Text`), and the methods of a column of them (``X["city"].str``).

::

    X["name"].map(lambda s: s.split(",")[1].strip())        Text: Python's methods, whatever the text
    X["name"].str.split(",").str[1].str.strip()             pandas': what is missing stays missing
    X["city"].str.contains("x", regex=False)                RegexFullMatch: native, in every runtime

Each method is a `TextMethod` node, which our runtime calls in Python. Where pandas' answer depends on whether Arrow
gives it (text/methods.py), such rows are refused. Importing it adds ``.str`` to `Column`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Value, op, where
from ..inputs.values import MISSING_NAN
from ..operators.texts import text_method
from ..protos import STRING
from ..text.methods import kind_of
from .array import Array, constant, is_array, refuse
from .branches import PythonScalar, Scalar, current_way
from .columns import Column, missing
from .frames import WritableFrame
from .joining import full
from .replaced import Function, replaces

#: what makes a pattern other than a text
SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")

# ---- one text --------------------------------------------------------------------------------------------------------


class Text(Scalar):
    """One text of each row, as Python sees it; what is missing is no text but a float."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(s, str)`` is false of what is missing: both ways are followed."""
        way = current_way()
        if way is None:
            return str
        return float if way.ask(f"missing {self.value.name}", Array(missing(self.value))) else str

    def wrap(self, array: Array) -> Array:
        """Return what comes of a comparison."""
        return PythonScalar(array.value, array.row_axis)

    def like(self, value: Value, row_axis: int | None = None) -> Array:
        """Return another text, or a number."""
        return Text(value) if value.dtype == STRING else PythonScalar(value)

    def method(self, name: str, *arguments: Any) -> Any:
        """Return what a method of Python's makes of it."""
        _constant(name, arguments)
        result = text_method(self.value, name, *arguments, moot=False)
        if kind_of(name) is int:
            result = result.astype(np.int64)
        return self.like(result)

    @property
    def python_length(self) -> Any:
        """Return what ``len`` gives."""
        return self.method("len")

    def __bool__(self) -> bool:
        nothing: Any = self.__eq__("")
        return bool(~nothing)

    def __ne__(self, other: object) -> Any:
        return PythonScalar(missing(self.value)) if other is self else super().__ne__(other)

    __hash__ = Scalar.__hash__

    def __contains__(self, part: Any) -> bool:
        return bool(self.method("contains", part))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self.method("slice", key.start, key.stop, key.step)
        return self.method("character", key, 1)

    def __add__(self, other: Any) -> Any:
        if is_array(other):
            return Text(joined([self.value, other.value]))
        return self.method("around", "", other)

    def __radd__(self, other: Any) -> Any:
        return self.method("around", other, "")

    def split(self, sep: Any = None, maxsplit: int = -1) -> Pieces:
        """Return the pieces, of which one can be taken."""
        return Pieces(self, sep, maxsplit, 0)

    def rsplit(self, sep: Any = None, maxsplit: int = -1) -> Pieces:
        """Return the pieces, cut from the right."""
        return Pieces(self, sep, maxsplit, 1)

    def replace(self, old: Any, new: Any, count: int = -1) -> Any:
        """Return the text with a part replaced."""
        return self.method("replace", old, new, count)

    def startswith(self, prefix: Any) -> Any:
        """Whether it starts with a text, or one of several."""
        return _any_of(self, "startswith", prefix)

    def endswith(self, suffix: Any) -> Any:
        """Whether it ends with a text, or one of several."""
        return _any_of(self, "endswith", suffix)

    def ljust(self, width: int, fillchar: str = " ") -> Any:
        """Return it padded on the right."""
        return self.method("ljust", width, fillchar)

    def rjust(self, width: int, fillchar: str = " ") -> Any:
        """Return it padded on the left."""
        return self.method("rjust", width, fillchar)

    def center(self, width: int, fillchar: str = " ") -> Any:
        """Return it padded on both sides."""
        return self.method("center", width, fillchar)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(str, name):
            raise AttributeError(f"'str' object has no attribute {name!r}")
        refuse(f"str.{name} of one text")


#: methods of Python whose arguments are those of `METHODS`
_SAME = (
    "lower", "upper", "title", "casefold", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "removeprefix",
    "removesuffix", "zfill", "count", "find", "rfind", "isalpha", "isalnum", "isdigit", "isdecimal", "isnumeric",
    "isspace", "islower", "isupper", "istitle", "isascii",
)  # fmt: skip


def _python(name: str) -> Callable[..., Any]:
    return lambda text, *arguments: text.method(name, *arguments)


for _name in _SAME:
    setattr(Text, _name, _python(_name))


@dataclass(frozen=True)
class Tokens:
    """A list of texts of unknown length, as one text with a mark between them."""

    text: Text


def as_tokens(result: Any) -> Any:
    """Return the list of texts that a tokenizer gives as one text."""
    if type(result) is Tokens:
        return result.text
    if type(result) is not Pieces or result.most >= 0:
        refuse(
            f"a tokenizer that gives {type(result).__name__}; s.split(), re.findall(pattern, s) and list have a form"
        )
    return result.text.method("split_tokens", result.sep)


@replaces(re, "findall")
def _findall(original: Function) -> Function:
    def findall(pattern: Any, string: Any, flags: int = 0) -> Any:
        if type(string) is not Text:
            return original(pattern, string, flags)
        return Tokens(string.method("find_tokens", *_pattern(pattern, flags)))

    return findall


class Pieces:
    """What ``s.split(...)`` gives: a list of texts of unknown length."""

    def __init__(self, text: Text, sep: Any, most: int, last: int) -> None:
        self.text, self.sep, self.most, self.last = text, sep, most, last

    def __getitem__(self, place: Any) -> Any:
        if not isinstance(place, int):
            refuse("several pieces of a text that is split; take one: s.split(',')[0]")
        return self.text.method("piece", self.sep, self.most, self.last, place, 1)

    @property
    def python_length(self) -> Any:
        """Return how many pieces there are."""
        if self.sep is None or self.most >= 0:
            refuse("the number of pieces between whitespace, or of some of them")
        return self.text.method("count", self.sep) + 1

    def __iter__(self) -> Any:
        refuse("a loop over the pieces of a text, whose number differs from row to row")

    def __len__(self) -> int:
        return self.__iter__()

    __contains__ = __bool__ = __len__


def _constant(name: str, arguments: Any) -> None:
    if any(not isinstance(x, str | int | None) or is_array(x) for x in arguments):
        refuse(f"str.{name} with other than constant texts and numbers")


def _any_of(text: Text, method: str, parts: Any) -> Any:
    results = [text.method(method, part) for part in (parts if isinstance(parts, tuple) else (parts,))]
    found = results[0]
    for result in results[1:]:
        found = found | result
    return found


def joined(values: list[Value]) -> Value:
    """Return texts one after the other; missing where one is."""
    if values[0].graph.opset[""] < 20 or any(v.dtype != STRING for v in values):
        refuse("text and numbers together, or joined texts before ai.onnx 20")
    result, absent = values[0], missing(values[0])
    for value in values[1:]:
        result, absent = op.StringConcat(result, value), absent | missing(value)
    return where(absent, constant(MISSING_NAN, np.dtype(object)), result)


def function_of(func: Any) -> Any:
    """Return ``str.lower`` and its like, which Python calls with nothing but a text, as calls of the method."""
    if func is list:
        return lambda text: Tokens(text.method("characters"))
    pattern, name = getattr(func, "__self__", None), getattr(func, "__name__", "")
    if isinstance(pattern, re.Pattern) and name == "findall":
        return lambda text: Tokens(text.method("find_tokens", *_pattern(pattern, 0)))
    if getattr(str, name, None) is not func:
        return func
    return lambda text, *args: getattr(text, name)(*args)


@replaces(re, "sub")
def _sub(original: Function) -> Function:
    def sub(pattern: Any, repl: Any, string: Any, count: int = 0, flags: int = 0) -> Any:
        if type(string) is not Text:
            return original(pattern, repl, string, count, flags)
        return string.method("sub", *_pattern(pattern, flags, repl), count)

    return sub


def _pattern(pattern: Any, flags: int, *between: Any) -> list[Any]:
    text = pattern if isinstance(pattern, str) else pattern.pattern
    given = flags if isinstance(pattern, str) else pattern.flags & ~re.UNICODE
    re.compile(text, given)
    return [text, *between, int(given)]


# ---- a column of texts -----------------------------------------------------------------------------------------------


class TextMethods:
    """``X["city"].str``: pandas' methods of a column of text."""

    def __init__(self, column: Column) -> None:
        if column.value.dtype != STRING:
            refuse("Can only use .str accessor with string values")
        self.column = column

    def _made(self, method: str, *arguments: Any) -> Column:
        _constant(method, arguments)
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
        given = _pattern(pat if regex else re.escape(pat), flags)
        return self._told(self._made("search", *given).value, na)

    def match(self, pat: Any, case: bool = True, flags: int = 0, na: Any = None) -> Any:
        """Whether texts begin with a match of a pattern."""
        return self._told(self._made("match", *_pattern(pat, flags | (0 if case else re.IGNORECASE))).value, na)

    def fullmatch(self, pat: Any, case: bool = True, flags: int = 0, na: Any = None) -> Any:
        """Whether texts are matches of a pattern."""
        return self._told(self._made("fullmatch", *_pattern(pat, flags | (0 if case else re.IGNORECASE))).value, na)

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
        given = _pattern(pat if regex else re.escape(pat), flags | (re.IGNORECASE if case is False else 0), repl)
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
        return self._made("count_matches", *_pattern(pat, flags))

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


for _name in _SAME:
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
