"""More of pandas: methods of frames and columns that are other ones in disguise.

::

    X.loc[:, ["a"]], X.iloc[:, :2], X.filter(...), X.select_dtypes(...)      columns by name, by place, by kind
    X.where(...), X.abs(), X.round(2), X.add(1), X ** 2, X.apply(np.log)     column by column
    X.apply(lambda row: row["a"] / row["b"], axis=1)                         a row is the frame, all of one dtype
    X["city"].map({"Rome": 1.0}), X["city"].replace({"Rome": "Roma"})        look-ups

Importing it adds them to `Frame` and `Column`. What pandas answers in one dtype or another, as the rows happen to be,
is refused: integers out of a `map`, which are floats as soon as one key is unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..graph import where
from ..inputs.values import MISSING_NAN
from ..operators.categories import category_lookup
from ..protos import STRING
from .array import FUNCTIONS, UFUNCS, constant, is_array, refuse
from .frames import Column, Frame, WritableFrame, _columnwise, is_frame

# ---- columns by name, place and kind ---------------------------------------------------------------------------------


class _By:
    """``X.loc`` and ``X.iloc``: all rows, and some columns."""

    def __init__(self, frame: Frame, labels: Any) -> None:
        self.frame, self.labels = frame, labels

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, tuple) or len(key) != 2 or key[0] != slice(None):
            refuse("loc and iloc choose rows; choose all of them: X.loc[:, names]")
        chosen = self.labels(key[1])
        return self.frame[chosen if isinstance(chosen, str) or not hasattr(chosen, "tolist") else chosen.tolist()]


def _empty(frame: Frame) -> Any:
    """Return pandas' own empty frame of the same columns, text as objects."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        refuse("pandas is not imported")
    kinds = {n: object if c.value.dtype == STRING else c.dtype for n, c in frame.items()}
    return pandas.DataFrame({name: pandas.Series(dtype=kind) for name, kind in kinds.items()})


def _loc(frame: Frame) -> _By:
    return _By(frame, lambda key: _empty(frame).loc[:, key].columns if not isinstance(key, str) else key)


def _iloc(frame: Frame) -> _By:
    names = np.array(list(frame), object)
    return _By(frame, lambda key: names[key])


def _filter(frame: Frame, items: Any = None, like: Any = None, regex: Any = None, axis: Any = None) -> Frame:
    return WritableFrame(dict(frame[list(_empty(frame).filter(items, like, regex, axis).columns)]._columns))


def _select_dtypes(frame: Frame, include: Any = None, exclude: Any = None) -> Frame:
    kinds = [k for given in (include, exclude) for k in (given if isinstance(given, list | tuple) else [given])]
    if any(str(k) in ("object", "O", "str", "string", "category") or k in (object, str) for k in kinds):
        refuse("select_dtypes of text, of which there are several kinds; name the columns")
    return WritableFrame(dict(frame[list(_empty(frame).select_dtypes(include, exclude).columns)]._columns))


def _renamed(text: Callable[[str, str], str]) -> Callable[[Frame, str], Frame]:
    return lambda frame, affix: frame.rename(columns=lambda name: text(name, affix))


# ---- column by column ------------------------------------------------------------------------------------------------


def _apply(frame: Frame, func: Any, axis: Any = 0, **kwargs: Any) -> Any:
    """Call a function with every column, or, across them, with the frame as a row."""
    if isinstance(func, str):
        refuse(f"apply of the name {func!r}; give the function")
    if axis in (0, "index"):
        return frame.each(lambda column: func(column, **kwargs))
    return _over_rows(frame, func, kwargs)


def _over_rows(frame: Frame, func: Any, kwargs: dict[str, Any]) -> Any:
    kinds = [c.value.dtype for _, c in frame.items()]
    if any(kind == STRING or kind.kind == "b" for kind in kinds):
        refuse("rows of text or booleans beside numbers hold objects of Python; take columns: X['a'] + X['b']")
    row = frame.astype(np.result_type(*kinds))
    result = func(row, **kwargs)
    if not is_array(result) or result.ndim != 1:
        refuse(f"a function of a row that gives {type(result).__name__}; give one number a row")
    return Column(result.value)


def _each_value(column: Column, func: Any, *options: Any, **more: Any) -> Any:
    """``Series.map`` and ``Series.apply``: look up in a dict, or call a function of one value with the column."""
    if isinstance(func, Mapping):
        return _looked_up(column, dict(func))
    if options or more:
        refuse("map and apply with more than a function or a dict")
    if not isinstance(func, np.ufunc) and column.dtype.kind != "f":
        refuse("a function of single values, which here are objects of Python; write it for the column: f(X['a'])")
    return column.wrap(func(column))


def _looked_up(column: Column, table: dict[Any, Any]) -> Column:
    keys, values = np.array(list(table), object), list(table.values())
    if any(k is None or k != k for k in table):
        refuse("map of missing values; use fillna first")
    if all(isinstance(v, str) for v in values):
        codes = np.array([*values, MISSING_NAN], object)
    elif all(isinstance(v, float | np.floating) for v in values):
        codes = np.array([*values, np.nan], np.float64)
    else:
        refuse(
            "map to integers or bools, which pandas makes floats or objects of where a key is unknown; map to floats"
        )
    return Column(_lookup(column, keys, codes), column.name)


def _lookup(column: Column, keys: Any, codes: Any) -> Any:
    value = column.value
    if (value.dtype == STRING) != all(isinstance(k, str) for k in keys.tolist()):
        refuse(
            f"column {column.name!r} of {'text' if value.dtype == STRING else value.dtype} and keys {keys.tolist()!r}"
        )
    known = keys if value.dtype == STRING else np.array(keys.tolist())
    wide = value if value.dtype == STRING else value.astype(np.result_type(value.dtype, known.dtype))
    table = known if value.dtype == STRING else known.astype(wide.dtype)
    found = category_lookup(wide.reshape(-1, 1), table, codes, column=str(column.name), refuse_unknown=0)
    return found.reshape(-1)


def _replace(column: Column, to_replace: Any, value: Any = None) -> Column:
    """Return the column with constants in place of others, of the same kind."""
    table = dict(to_replace) if isinstance(to_replace, Mapping) else {to_replace: value}
    text = column.value.dtype == STRING
    if column.dtype.kind in "iu":  # what no integer is equal to changes nothing
        table = {old: new for old, new in table.items() if isinstance(old, str) or old == np.floor(old)}
    for old, new in table.items():
        fits = isinstance(new, str) if text else np.can_cast(np.min_scalar_type(new), column.dtype, "same_kind")
        if isinstance(old, str) != text or not fits or new is None:
            refuse(f"replacing {old!r} by {new!r} in a column of {'text' if text else column.dtype}")
    result = column.value
    for old, new in table.items():
        kind = np.dtype(object) if text else column.dtype
        same = UFUNCS[np.isnan](column) if old != old else UFUNCS[np.equal](column, old)
        result = where(same.value, constant(new, kind), result)
    return Column(result, column.name)


def _replace_all(frame: Frame, to_replace: Any, value: Any = None) -> Frame:
    if isinstance(to_replace, Mapping) and any(isinstance(v, Mapping) for v in to_replace.values()):
        return frame.each(lambda c: _replace(c, to_replace[c.name]) if c.name in to_replace else c)
    table = dict(to_replace) if isinstance(to_replace, Mapping) else {to_replace: value}
    kinds = {isinstance(old, str) for old in table}
    return frame.each(lambda c: _replace(c, table) if kinds == {c.value.dtype == STRING} else c)


def _conditional(swapped: bool) -> Callable[..., Frame]:
    def apply(frame: Frame, cond: Any, other: Any = np.nan) -> Frame:
        held = cond(frame) if callable(cond) and not is_frame(cond) else cond
        if not is_frame(held) or list(held) != list(frame) or is_array(other) or is_frame(other) or np.ndim(other):
            refuse("where and mask of a frame take a frame of the same columns, and one constant")

        def one(column: Column) -> Any:
            if column.value.dtype == STRING or column.dtype.kind == "b":
                refuse(f"where and mask of the column {column.name!r} of text or bools; take it apart")
            test = held[column.name]
            return column.wrap(FUNCTIONS[np.where](test, *((other, column) if swapped else (column, other))))

        return frame.each(one)

    return apply


def _arithmetic(ufunc: np.ufunc, swapped: bool) -> Callable[..., Any]:
    def of_frame(frame: Frame, other: Any) -> Frame:
        return _columnwise(ufunc, (other, frame) if swapped else (frame, other))

    return of_frame


def _of_column(ufunc: np.ufunc, swapped: bool) -> Callable[..., Any]:
    return lambda column, other: UFUNCS[ufunc](*((other, column) if swapped else (column, other)))


METHODS: dict[str, Any] = {
    "loc": property(_loc), "iloc": property(_iloc), "filter": _filter, "select_dtypes": _select_dtypes,
    "add_prefix": _renamed(lambda name, affix: f"{affix}{name}"),
    "add_suffix": _renamed(lambda name, affix: f"{name}{affix}"),
    "apply": _apply, "where": _conditional(False), "mask": _conditional(True), "replace": _replace_all,
    "abs": lambda frame: _columnwise(np.absolute, (frame,)),
    "round": lambda frame, decimals=0: frame.each(lambda c: c.wrap(FUNCTIONS[np.round](c.to_numpy(), decimals))),
    "pipe": lambda frame, func, *args, **kwargs: func(frame, *args, **kwargs),
    "__pow__": _arithmetic(np.power, False),
}  # fmt: skip
COLUMN_METHODS: dict[str, Any] = {
    "map": _each_value, "apply": _each_value, "replace": _replace,
    "abs": UFUNCS[np.absolute],
    "round": lambda column, decimals=0: column.wrap(FUNCTIONS[np.round](column.to_numpy(), decimals)),
    "pipe": METHODS["pipe"],
}  # fmt: skip
ARITHMETIC = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "truediv": np.true_divide,
    "pow": np.power, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": np.not_equal,
}  # fmt: skip

for _name, _ufunc in ARITHMETIC.items():
    METHODS[_name], COLUMN_METHODS[_name] = _arithmetic(_ufunc, False), _of_column(_ufunc, False)
    if _name in ("add", "sub", "mul", "div", "truediv", "pow"):
        METHODS[f"r{_name}"], COLUMN_METHODS[f"r{_name}"] = _arithmetic(_ufunc, True), _of_column(_ufunc, True)
for _cls, _methods in ((Frame, METHODS), (Column, COLUMN_METHODS)):
    for _name, _method in _methods.items():
        setattr(_cls, _name, _method)

__all__ = ["COLUMN_METHODS", "METHODS"]
