"""``X["when"].dt``: what a user's function gets for a column of moments or durations (datetime64, timedelta64).

::

    float64 input ──▶ int64 counts of a unit since 1970 ──▶ // and % ──▶ days ──▶ year, month, day
    (-2**63: NaT)                                       └─▶ hour, minute, second

A tensor holds no moments, so such a column has parts, differences and comparisons, and nothing else. Parts have pandas'
dtype where the sample has all moments, and rows without one are refused; where the sample lacks some, they are float64
with NaN. Counts come as float64, which holds them up to 2**53 (microseconds until the year 2255): beyond, rows are
refused, and so are nanoseconds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NoReturn

import numpy as np

from ..graph import Moment, Value, op, where
from ..operators.checks import refuse as refuse_rows
from .array import FUNCTIONS, Array, is_array, refuse
from .columns import Column, pandas_class

#: counts of each unit in a second
PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6}
#: what stands for NaT
NOT_A_TIME: Final = np.iinfo(np.int64).min
#: the largest count up to which float64 has every integer
EXACT: Final = 2.0**53

SECONDS_A_DAY: Final = 86_400
#: days from 0000-03-01, where years begin that have their leap day last, and from 0001-01-01, to 1970-01-01
FROM_MARCH, FROM_YEAR_ONE = 719_468, 719_162
#: days of an average month from March on: five of them have 153
FIVE_MONTHS: Final = 153


class Moments:
    """A column of moments or durations; `counts` are int64, of the unit of its dtype.

    Parameters
    ----------
    counts : Array of shape (N,)
    moment : Moment
    name : object
    """

    __array_priority__ = 3000
    ndim = 1

    def __init__(self, counts: Any, moment: Moment, name: Any = None, calendar: Calendar | None = None) -> None:
        self.counts, self.moment, self.name = counts, moment, name
        self.calendar = calendar or Calendar(counts, PER_SECOND.get(self.unit, 1))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(column, pd.Series)`` must take the branch that it takes with data."""
        return pandas_class("Series", Moments)

    @property
    def dtype(self) -> np.dtype[Any]:
        """``datetime64[us]`` or ``timedelta64[us]``."""
        return self.moment.dtype

    @property
    def dt(self) -> Parts:
        """The accessor."""
        return Parts(self)

    def rename(self, index: Any) -> Moments:
        """Return the column under another name."""
        return Moments(self.counts, self.moment, index, self.calendar)

    def copy(self, deep: bool = True) -> Moments:
        """Return the same: nothing writes into it."""
        return self

    def isna(self) -> Column:
        """Return where there is no moment."""
        return Column((self.counts == NOT_A_TIME).value, self.name)

    isnull = isna

    def notna(self) -> Column:
        """Return where there is a moment."""
        return Column((self.counts != NOT_A_TIME).value, self.name)

    notnull = notna

    def __sub__(self, other: Any) -> Moments:
        counts, kind, missing = self._beside(other)
        if self.dtype.kind == "m" and kind == "M":
            refuse("a moment subtracted from a duration")
        missing = missing or self.moment.missing
        made = np.dtype(f"timedelta64[{self.unit}]") if self.dtype.kind == kind else self.dtype
        return Moments(_unless(self._missing_beside(counts), self.counts - counts), Moment(made, missing), self.name)

    def __rsub__(self, other: Any) -> Moments:
        counts, kind, missing = self._beside(other)
        if kind == "m" and self.dtype.kind == "M":
            refuse("a moment subtracted from a duration")
        made = np.dtype(f"timedelta64[{self.unit}]") if self.dtype.kind == kind else np.dtype(f"M8[{self.unit}]")
        missing = missing or self.moment.missing
        return Moments(_unless(self._missing_beside(counts), counts - self.counts), Moment(made, missing), self.name)

    def compared(self, other: Any, compare: Callable[[Any, Any], Any]) -> Column:
        """Return how it compares with another column or a constant; without a moment it is only unequal."""
        counts, kind, _ = self._beside(other)
        if kind != self.dtype.kind:
            refuse("moments compared with durations")
        result, absent = compare(self.counts, counts), self._missing_beside(counts)
        return Column((result | absent if compare is operator.ne else result & ~absent).value, self.name)

    @property
    def unit(self) -> str:
        """What is counted."""
        return np.datetime_data(self.dtype)[0]

    def _missing_beside(self, counts: Any) -> Any:
        absent = self.counts == NOT_A_TIME
        return absent | (counts == NOT_A_TIME) if is_array(counts) else absent

    def _beside(self, other: Any) -> tuple[Any, str, bool]:
        """Return the counts of another column or of a constant, its kind, and whether it may lack moments."""
        if type(other) is Moments:
            return other.counts, other.dtype.kind, other.moment.missing
        asked = getattr(other, "to_numpy", lambda: other)()  # pd.Timestamp and pd.Timedelta
        constant = np.asarray(np.datetime64(other) if isinstance(other, str) else asked)
        if constant.ndim or constant.dtype.kind not in "mM" or np.isnat(constant):
            refuse(f"moments beside {other!r}; give a pd.Timestamp, a pd.Timedelta or such a column")
        converted = constant.astype(f"{constant.dtype.kind}8[{self.unit}]")
        if converted != constant:
            refuse(f"{other!r} is no whole number of {self.unit}, the unit of the column")
        return int(converted.astype(np.int64)), constant.dtype.kind, False

    def _nothing(self, *_: Any, **__: Any) -> NoReturn:
        refuse(
            f"the column {self.name!r} holds {self.dtype}, which tensors do not have. Take parts (X['when'].dt.hour), "
            "differences, of which .dt.total_seconds() makes numbers, or compare it; leave it out of what is returned"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._nothing()

    __getitem__ = __setitem__ = __len__ = __iter__ = __bool__ = __float__ = __int__ = __contains__ = _nothing
    __array__ = __array_ufunc__ = __array_function__ = __neg__ = __abs__ = __invert__ = _nothing
    __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = _nothing
    __hash__ = object.__hash__


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _compare = getattr(operator, _name)
    setattr(Moments, f"__{_name}__", lambda self, other, _compare=_compare: self.compared(other, _compare))


class Parts:
    """``X["when"].dt``: parts of moments, or of durations, as pandas names them."""

    def __init__(self, column: Moments) -> None:
        self._column = column

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        column = self._column
        parts = MOMENT_PARTS if column.dtype.kind == "M" else DURATION_PARTS
        calendar = column.calendar
        if name == "total_seconds" and column.dtype.kind == "m":
            return lambda: self._made(calendar.seconds, np.float64)
        if column.dtype.kind == "M" and (method := self._method(name)) is not None:
            return method
        if name not in parts:
            also = ", day_name(), month_name(), strftime(), isocalendar()" if parts is MOMENT_PARTS else ""
            refuse(f"{column.dtype} has no .dt.{name} while converting; there are {', '.join(parts)}{also}")
        dtype, part = parts[name]
        return self._made(part(calendar), dtype)

    def _method(self, name: str) -> Any:
        """Return a method of moments; None if there is none of that name."""
        from .moment_texts import NAMES, formatted, named  # which stands above this module

        column = self._column
        absent = column.counts == NOT_A_TIME
        if name in NAMES:
            return lambda locale=None: named(name, column.calendar, absent, column.name, locale)
        if name == "strftime":
            return lambda date_format: formatted(date_format, column.calendar, absent, column.name)
        return self._iso if name == "isocalendar" else None

    def _iso(self) -> Any:
        """Return year, week and day of the ISO calendar: a week is in the year that its Thursday is in."""
        from .frames import WritableFrame

        calendar = self._column.calendar
        weekday = (calendar.days + 3) % 7
        thursday = Calendar((calendar.days - weekday + 3) * SECONDS_A_DAY, 1)
        made = {"year": thursday.civil[0], "week": (thursday.day_of_year - 1) // 7 + 1, "day": weekday + 1}
        return WritableFrame({name: self._made(part, np.int64).rename(name) for name, part in made.items()})

    def _made(self, part: Any, dtype: Any) -> Column:
        column = self._column
        absent = column.counts == NOT_A_TIME
        if dtype is np.bool_:
            return Column((part & ~absent).value, column.name)
        if column.moment.missing or dtype is np.float64:
            return Column(where(absent.value, np.nan, part.astype(np.float64).value), column.name)
        message = (
            f"{column.name}: a moment is missing, and the sample had them all; convert with a sample that lacks one"
        )
        return Column(refuse_rows(part.astype(dtype).value, absent.value, message=message), column.name)


class Calendar:
    """What counts say of the clock and of the proleptic Gregorian calendar; nonsense where there is no moment.

    Parameters
    ----------
    counts : Array of shape (N,)
        Of moments or durations.
    per_second : int
        How many of them are a second.
    """

    def __init__(self, counts: Any, per_second: int) -> None:
        self.given, self.per_second = counts, per_second

    @cached_property
    def counts(self) -> Any:
        """Counts, 0 where there is no moment."""
        return _unless(self.given == NOT_A_TIME, self.given, 0)

    @cached_property
    def days(self) -> Any:
        """Days since 1970, or of a duration."""
        return self.counts // (self.per_second * SECONDS_A_DAY)

    @cached_property
    def seconds(self) -> Any:
        """All of them, a fraction too: as pandas adds it up."""
        rest = self.counts % self.per_second
        return (self.counts // self.per_second).astype(np.float64) + rest.astype(np.float64) / float(self.per_second)

    def clock(self, seconds: int, most: int) -> Any:
        """How often so many seconds have passed, modulo `most`."""
        return self.counts // (self.per_second * seconds) % most

    @cached_property
    def microseconds(self) -> Any:
        """Microseconds of the second."""
        return self.counts % self.per_second * (10**6 // self.per_second)

    @cached_property
    def civil(self) -> tuple[Any, Any, Any]:
        """Year, month and day of the proleptic Gregorian calendar.

        Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", ``civil_from_days``: years begin in March, in
        eras of 400 of them.
        """
        shifted = self.days + FROM_MARCH
        era = shifted // 146_097
        of_era = shifted - era * 146_097
        year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
        of_year = of_era - (365 * year + year // 4 - year // 100)
        month = (5 * of_year + 2) // FIVE_MONTHS
        day = of_year - (FIVE_MONTHS * month + 2) // 5 + 1
        after = (month >= 10).astype(np.int64)
        return year + era * 400 + after, month + 3 - 12 * after, day

    @cached_property
    def leap(self) -> Any:
        """Whether the year has a leap day."""
        year = self.civil[0]
        return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))

    @cached_property
    def day_of_year(self) -> Any:
        """The first of January is 1."""
        before = self.civil[0] - 1
        return self.days - (365 * before + before // 4 - before // 100 + before // 400 - FROM_YEAR_ONE) + 1

    @cached_property
    def length(self) -> Any:
        """Days of the month."""
        month = self.civil[1]
        february = (month == 2).astype(np.int64) * (2 - self.leap.astype(np.int64))
        return 30 + (month + (month >= 8).astype(np.int64)) % 2 - february

    def starts(self, months: int) -> Any:
        """Whether it is the first day of a month, of a quarter (3) or of a year (12)."""
        _, month, day = self.civil
        return (day == 1) & (month % months == 1 % months)

    def ends(self, months: int) -> Any:
        """Whether it is the last day of a month, of a quarter or of a year."""
        _, month, day = self.civil
        return (day == self.length) & (month % months == 0)


Part = tuple[Any, Callable[[Calendar], Any]]
_weekday: Part = (np.int32, lambda p: (p.days + 3) % 7)
_day_of_year: Part = (np.int32, lambda p: p.day_of_year)
_length: Part = (np.int32, lambda p: p.length)

#: name -> dtype, what it is of moments
MOMENT_PARTS: Final[dict[str, Part]] = {
    "year": (np.int32, lambda p: p.civil[0]),
    "month": (np.int32, lambda p: p.civil[1]),
    "day": (np.int32, lambda p: p.civil[2]),
    "hour": (np.int32, lambda p: p.clock(3600, 24)),
    "minute": (np.int32, lambda p: p.clock(60, 60)),
    "second": (np.int32, lambda p: p.clock(1, 60)),
    "microsecond": (np.int32, lambda p: p.microseconds),
    "nanosecond": (np.int32, lambda p: p.counts * 0),
    "dayofweek": _weekday,
    "day_of_week": _weekday,
    "weekday": _weekday,
    "dayofyear": _day_of_year,
    "day_of_year": _day_of_year,
    "days_in_month": _length,
    "daysinmonth": _length,
    "quarter": (np.int32, lambda p: (p.civil[1] + 2) // 3),
    "is_leap_year": (np.bool_, lambda p: p.leap),
    "is_month_start": (np.bool_, lambda p: p.starts(1)),
    "is_month_end": (np.bool_, lambda p: p.ends(1)),
    "is_quarter_start": (np.bool_, lambda p: p.starts(3)),
    "is_quarter_end": (np.bool_, lambda p: p.ends(3)),
    "is_year_start": (np.bool_, lambda p: p.starts(12)),
    "is_year_end": (np.bool_, lambda p: p.ends(12)),
}
#: name -> dtype, what it is of durations
DURATION_PARTS: Final[dict[str, Part]] = {
    "days": (np.int64, lambda p: p.days),
    "seconds": (np.int32, lambda p: p.clock(1, SECONDS_A_DAY)),
    "microseconds": (np.int32, lambda p: p.microseconds),
    "nanoseconds": (np.int32, lambda p: p.counts * 0),
}


def moments_of(value: Value, moment: Moment, name: Any) -> Moments:
    """Return a column of the numbers of moments.

    Parameters
    ----------
    value : Value of shape (N,) and dtype float64
        Counts, -2**63 for NaT.
    moment : Moment
        What they count.
    name : object
        The column's name.
    """
    if np.datetime_data(moment.dtype)[0] not in PER_SECOND:
        return _Uncounted(Array(value), moment, name)
    beyond = (np.abs(value) > EXACT) & ~(value == float(NOT_A_TIME))
    message = f"{name}: float64 does not hold {moment.dtype} beyond 2**53 exactly; cast them to seconds"
    return Moments(Array(op.Cast(refuse_rows(value, beyond, message=message), to=7)), moment, name)


class _Uncounted(Moments):
    """Moments of another unit."""

    def _nothing(self, *_: Any, **__: Any) -> NoReturn:
        refuse(
            f"the column {self.name!r} holds {self.dtype}, whose numbers float64 does not hold exactly; cast the data: "
            f"X[{self.name!r}].astype('{self.dtype.name.partition('[')[0]}[us]')"
        )

    def rename(self, index: Any) -> Moments:
        """Return the column under another name."""
        return _Uncounted(self.counts, self.moment, index)

    @property
    def dt(self) -> Parts:
        """There are no parts."""
        self._nothing()

    isna = isnull = notna = notnull = compared = __sub__ = _nothing


def _unless(absent: Any, counts: Any, other: Any = NOT_A_TIME) -> Any:
    return FUNCTIONS[np.where](absent, np.int64(other), counts)
