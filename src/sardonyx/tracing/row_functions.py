"""Functions that pandas calls with one row, or with one value, after the other: ``apply(axis=1)``, ``map``, ``apply``.

::

    X.apply(lambda r: r.a / r.b if r.b else 0, axis=1)     `Row`: names and single values; branches are followed
    X["age"].map(lambda v: "old" if v > 60 else "young")   `Scalar`: what Python sees of a value
    X["city"].map({"Rome": 1})                             a look-up; NaN where there is no such key

pandas makes integers of a look-up floats as soon as one key is unknown, and bools objects; here both are floats always,
of the same values. Importing it adds these methods to `Frame` and `Column`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..operators.categories import category_lookup
from ..protos import STRING
from .array import Array, refuse
from .branches import by_value, followed, numpy_value, python_value
from .columns import Column, pandas_class
from .frame_statistics import STATISTICS
from .frames import Frame, WritableFrame, is_frame


class Row(Frame):
    """One row, as pandas hands it to a function: a Series of single values by name."""

    def __init__(self, columns: dict[Any, Column], value: Callable[[Any], Any] = numpy_value) -> None:
        super().__init__(columns)
        self._value = value

    ndim = 1

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(row, pd.Series)`` must take the branch that it takes with data."""
        return pandas_class("Series", Row)

    def made(self, columns: dict[Any, Column]) -> Row:
        """Return another row."""
        return Row(columns, self._value)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, list | tuple) or hasattr(key, "tolist"):
            return self.made({name: Frame._column(self, name) for name in list(key)})
        return self._value(Frame._column(self, key))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._columns:
            return self[name]
        return super().__getattr__(name)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a value by name."""
        return self[key] if key in self._columns else default

    @property
    def index(self) -> Any:
        """The names."""
        return self.columns

    @property
    def python_length(self) -> int:
        """What ``len`` gives."""
        return len(self._columns)

    def __iter__(self) -> Any:
        return iter([self[name] for name in self._columns])

    @property
    def values(self) -> Any:
        """Refused: an array without rows is none here."""
        refuse("a row as an array; name its values, or take its statistics: row.max()")

    to_numpy = values


def _statistic(name: str) -> Callable[..., Any]:
    def of_row(row: Row, axis: Any = None, **options: Any) -> Any:
        result = STATISTICS[name](Frame(row._columns), axis=1, **options)
        return row.made(result._columns) if is_frame(result) else numpy_value(result)

    return of_row


for _name in STATISTICS:
    setattr(Row, _name, _statistic(_name))


def apply(frame: Frame, func: Any, axis: Any = 0, raw: bool = False, args: Any = (), **kwargs: Any) -> Any:
    """Call a function with every column, or, across them, with a row."""
    if isinstance(func, str) or raw or kwargs.pop("result_type", None):
        refuse(f"apply of the name {func!r}; give the function" if isinstance(func, str) else "apply with raw arrays")
    if axis in (0, "index"):
        return frame.each(lambda column: func(column, *args, **kwargs))
    func = followed(func)
    return _over_rows(frame, lambda row: func(row, *args, **kwargs))


def _over_rows(frame: Frame, function: Callable[[Row], Any]) -> Any:
    kinds = [c.value.dtype for _, c in frame.items()]
    objects = any(kind == STRING or kind.kind == "b" for kind in kinds) and len(set(kinds)) > 1
    columns = frame._columns if objects else frame.astype(np.result_type(*kinds))._columns
    if kinds[0] == STRING:
        columns = frame._columns
    row = Row(columns, python_value if objects else numpy_value)
    like = Array(next(iter(columns.values())).value)
    several: list[Any] = []

    def called() -> Any:
        result = function(row)
        if is_frame(result):
            several.append(result)
            return 0.0
        return result

    one = by_value(called, like)
    if not several:
        return Column(one.value)
    if len(several) > 1:
        refuse("a function of a row that gives several values on several ways; give one, or no branches")
    return WritableFrame(dict(several[0]._columns))


def each_value(column: Column, func: Any, *args: Any, na_action: Any = None, **kwargs: Any) -> Any:
    """``Series.map`` and ``Series.apply``: look up in a dict, or call a function of one value."""
    if isinstance(func, Mapping):
        return looked_up(column, dict(func))
    if hasattr(func, "index") and hasattr(func, "iloc"):
        return looked_up(column, {k: v for k, v in func.to_dict().items() if k is not None})  # in an index it is no NaN
    if na_action is not None or isinstance(func, str):
        refuse("map with na_action, or the name of a function")
    value, func = python_value(Array(column.value)), followed(func)
    result = by_value(lambda: func(value, *args, **kwargs), Array(column.value))
    return Column(result.value, column.name)


def applied(column: Column, func: Any, *args: Any, **kwargs: Any) -> Any:
    """``Series.apply``, which calls a ufunc with the column."""
    if isinstance(func, np.ufunc) and not args and not kwargs:
        return column.wrap(func(column))
    return each_value(column, func, *args, **kwargs)


def looked_up(column: Column, table: dict[Any, Any]) -> Column:
    """Return what a table has for each value, NaN where it has nothing; a key of NaN or None is for what is missing."""
    missing = [k for k in table if k is None or k != k]
    keys = [*(k for k in table if not any(k is m for m in missing)), *_missing_keys(column)[: len(missing) * 2]]
    values = [table[k] if k in table else table[missing[-1]] for k in keys]
    if all(isinstance(v, str) for v in values):
        codes = np.array([*values, MISSING_NAN], object)
    elif all(isinstance(v, int | float | np.integer | np.floating | np.bool_) for v in values):
        codes = np.array([*map(float, values), np.nan])
        if any(float(v) != v for v in values if v == v):
            refuse("map to integers that no float64 holds")
    else:
        refuse("map to other than numbers or to other than texts")
    return Column(lookup(column, np.array([*keys, None], object)[:-1], codes), column.name)


def _missing_keys(column: Column) -> list[Any]:
    """Return what stands for missing values in a column."""
    if column.value.dtype == STRING:
        return [MISSING_NAN, MISSING_NONE]
    return [np.nan] if column.value.dtype.kind == "f" else []


def lookup(column: Column, keys: Any, codes: Any) -> Any:
    """Return codes by key, the last one for any other value."""
    value, text = column.value, column.value.dtype == STRING
    if any(isinstance(k, str) != text for k in keys.tolist()):
        refuse(f"column {column.name!r} of {'text' if text else value.dtype} and keys {keys.tolist()!r}")
    known = keys if text else np.array(keys.tolist())
    if not text and value.dtype == np.bool_:
        value, known = value.astype(np.int64), known.astype(np.int64 if known.dtype == np.bool_ else known.dtype)
    wide = value if text else value.astype(np.result_type(value.dtype, known.dtype))
    table = known if text else known.astype(wide.dtype)
    found = category_lookup(wide.reshape(-1, 1), table, codes, column=str(column.name), refuse_unknown=0)
    return found.reshape(-1)


def _each_of_frame(frame: Frame, func: Any, na_action: Any = None, **kwargs: Any) -> Frame:
    return frame.each(lambda column: each_value(column, func, na_action=na_action, **kwargs))


for _cls, _methods in (
    (Frame, {"apply": apply, "map": _each_of_frame, "applymap": _each_of_frame}),
    (Column, {"map": each_value, "apply": applied}),
):
    for _name, _method in _methods.items():
        setattr(_cls, _name, _method)
