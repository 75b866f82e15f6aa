"""Texts of moments: ``.dt.day_name()``, ``.dt.month_name()``, ``.dt.strftime("%Y-%m-%d")``.

A part of a moment has few texts, which are looked up, and set side by side::

    "%d.%m.%Y"     ["01", "02", ...]   [".01", ".02", ...]   [".10", ".11", ...]   ["00", "01", ...]
                     day                 month                 century               year of it

Names are English, as pandas' are without a locale. Years have four digits; other rows are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..graph import where
from ..inputs.values import MISSING_NAN
from ..operators.checks import refuse as refuse_rows
from .array import refuse
from .columns import Column
from .row_functions import lookup
from .texts import joined

if TYPE_CHECKING:
    from .moments import Calendar

#: the texts of a part, and which of them a moment has
Part = tuple[list[str], Callable[["Calendar"], Any]]


def _digits(count: int, width: int = 2, first: int = 0) -> list[str]:
    return [f"{number:0{width}}" for number in range(first, first + count)]


DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _weekday(p: Calendar) -> Any:
    return (p.days + 3) % 7


def _month(p: Calendar) -> Any:
    return p.civil[1] - 1


def _hour(p: Calendar) -> Any:
    return p.clock(3600, 24)


_century: Part = (_digits(90, first=10), lambda p: p.civil[0] // 100 - 10)
_year: Part = (_digits(100), lambda p: p.civil[0] % 100)

#: directive -> the parts that it stands for
DIRECTIVES: Final[dict[str, list[Part]]] = {
    "A": [(DAYS, _weekday)],
    "a": [([name[:3] for name in DAYS], _weekday)],
    "u": [(_digits(7, 1, 1), _weekday)],
    "w": [(_digits(7, 1), lambda p: (p.days + 4) % 7)],
    "B": [(MONTHS, _month)],
    "b": [([name[:3] for name in MONTHS], _month)],
    "m": [(_digits(12, first=1), _month)],
    "d": [(_digits(31, first=1), lambda p: p.civil[2] - 1)],
    "j": [(_digits(366, 3, 1), lambda p: p.day_of_year - 1)],
    "Y": [_century, _year],
    "y": [_year],
    "H": [(_digits(24), _hour)],
    "I": [(_digits(12, first=1), lambda p: (p.clock(3600, 24) + 11) % 12)],
    "p": [(["AM", "PM"], lambda p: p.clock(3600 * 12, 2))],
    "M": [(_digits(60), lambda p: p.clock(60, 60))],
    "S": [(_digits(60), lambda p: p.clock(1, 60))],
    "f": [(_digits(1000, 3), lambda p: p.microseconds // 1000), (_digits(1000, 3), lambda p: p.microseconds % 1000)],
}
#: directives that stand for others
WRITTEN_OUT: Final = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%D": "%m/%d/%y", "%R": "%H:%M", "%h": "%b"}
NAMES: Final = {"day_name": "A", "month_name": "B"}


def named(method: str, calendar: Calendar, absent: Any, name: Any, locale: Any = None) -> Column:
    """Return the name of the day or of the month; NaN where there is no moment."""
    if locale is not None:
        refuse(f".dt.{method}(locale={locale!r}), which depends on the machine; leave it out, and map the names")
    return _texts(DIRECTIVES[NAMES[method]], calendar, absent, name)


def formatted(text: str, calendar: Calendar, absent: Any, name: Any) -> Column:
    """Return moments written as a format says; NaN where there is no moment."""
    for short, long in WRITTEN_OUT.items():
        text = re.sub(f"(?<!%)((?:%%)*){short}", rf"\1{long}", text)
    parts: list[Part] = []
    before = ""
    for piece in re.findall(r"%.|[^%]+|%", text, re.DOTALL):
        if piece[0] != "%" or piece == "%%":
            before += piece.replace("%%", "%")
            continue
        if piece[1:] not in DIRECTIVES:
            known = ", ".join(f"%{directive}" for directive in DIRECTIVES)
            refuse(f".dt.strftime with {piece!r}; there are {known}")
        first, *rest = DIRECTIVES[piece[1:]]
        parts += [([before + one for one in first[0]], first[1]), *rest]
        before = ""
    if not parts:
        refuse(f".dt.strftime({text!r}), which says nothing of the moment")
    texts, place = parts[-1]
    return _texts([*parts[:-1], ([one + before for one in texts], place)], calendar, absent, name)


def _texts(parts: list[Part], calendar: Calendar, absent: Any, name: Any) -> Column:
    columns = []
    for texts, place in parts:
        codes = place(calendar).value
        if place is _century[1]:
            year = calendar.civil[0].value
            beyond = ((year < 1000) | (year > 9999)) & ~absent.value
            codes = refuse_rows(codes, beyond, message=f"{name}: years of other than four digits are not written")
        table = np.array([*texts, MISSING_NAN], object)
        keys = np.arange(len(texts)).astype(object)
        columns.append(lookup(Column(where(absent.value, np.int64(-1), codes), name), keys, table))
    return Column(joined(columns) if len(columns) > 1 else columns[0], name)
