"""Text: one Python text of each row (`Text`); the methods of a column of them are in text_columns.py.

::

    X["name"].map(lambda s: s.split(",")[1].strip())        Text: Python's methods, whatever the text
    X["name"].str.split(",").str[1].str.strip()             pandas': what is missing stays missing
    X["city"].str.contains("x", regex=False)                RegexFullMatch: native, in every runtime

Each method is a `TextMethod` node, which our runtime calls in Python. Where pandas' answer depends on whether Arrow
gives it (text/methods.py), such rows are refused.
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
from .columns import missing
from .replaced import Function, replaces

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
        check_constant(name, arguments)
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
SAME = (
    "lower", "upper", "title", "casefold", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "removeprefix",
    "removesuffix", "zfill", "count", "find", "rfind", "isalpha", "isalnum", "isdigit", "isdecimal", "isnumeric",
    "isspace", "islower", "isupper", "istitle", "isascii",
)  # fmt: skip


def _python(name: str) -> Callable[..., Any]:
    return lambda text, *arguments: text.method(name, *arguments)


for _name in SAME:
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
        return Tokens(string.method("find_tokens", *pattern_of(pattern, flags)))

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


def check_constant(name: str, arguments: Any) -> None:
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
        return lambda text: Tokens(text.method("find_tokens", *pattern_of(pattern, 0)))
    if getattr(str, name, None) is not func:
        return func
    return lambda text, *args: getattr(text, name)(*args)


@replaces(re, "sub")
def _sub(original: Function) -> Function:
    def sub(pattern: Any, repl: Any, string: Any, count: int = 0, flags: int = 0) -> Any:
        if type(string) is not Text:
            return original(pattern, repl, string, count, flags)
        return string.method("sub", *pattern_of(pattern, flags, repl), count)

    return sub


def pattern_of(pattern: Any, flags: int, *between: Any) -> list[Any]:
    text = pattern if isinstance(pattern, str) else pattern.pattern
    given = flags if isinstance(pattern, str) else pattern.flags & ~re.UNICODE
    re.compile(text, given)
    return [text, *between, int(given)]
