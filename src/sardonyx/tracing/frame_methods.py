"""More of pandas: methods of frames and columns that are other ones in disguise.

::

    X.loc[:, ["a"]], X.iloc[:, :2], X.filter(...), X.select_dtypes(...)      columns by name, by place, by kind
    X.where(...), X.abs(), X.round(2), X.add(1), X ** 2, X.apply(np.log)     column by column
    X.loc[X["a"] > 0, "b"] = 1                                               rows by a mask
    X["city"].replace({"Rome": "Roma"})                                      look-ups

Importing it adds them to `Frame` and `Column`. What pandas answers in one dtype or another, as the rows happen to be,
is refused: integers out of a `map`, which are floats as soon as one key is unknown.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..graph import where
from ..inputs.values import MISSING_NAN, is_missing
from ..protos import STRING
from .array import FUNCTIONS, UFUNCS, Array, constant, is_array, refuse
from .frames import Column, Frame, WritableFrame, _columnwise, is_frame, plain
from .masks import Chosen, same
from .moments import Moments

# ---- columns by name, place and kind ---------------------------------------------------------------------------------


class _By:
    """``X.loc`` and ``X.iloc``: all rows, and some columns."""

    def __init__(self, frame: Frame, labels: Any) -> None:
        self.frame, self.labels = frame, labels

    def __getitem__(self, key: Any) -> Any:
        mask, names = self._taken_apart(key)
        if mask is None:
            return self.frame[names]
        if isinstance(names, list):
            refuse("X.loc[mask, names] of several columns; take one after the other")
        return Chosen(self.frame[names], mask)

    def _taken_apart(self, key: Any) -> tuple[Any, Any]:
        """Return the mask of rows, if there is one, and the names."""
        if not isinstance(key, tuple) or len(key) != 2 or not (is_array(key[0]) or key[0] == slice(None)):
            refuse("loc and iloc choose rows; choose all of them: X.loc[:, names]")
        chosen = self.labels(key[1])
        names = chosen if isinstance(chosen, str) or not hasattr(chosen, "tolist") else chosen.tolist()
        return (key[0] if is_array(key[0]) else None), names

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, tuple) and isinstance(key[1], str) and key[1] not in self.frame:
            mask, names = (key[0] if is_array(key[0]) else None), key[1]
        else:
            mask, names = self._taken_apart(key)
        if mask is None or isinstance(names, list):
            if mask is not None:
                refuse("X.loc[mask, names] = ... of several columns; write one after the other")
            self.frame[names] = value
            return
        self.frame[names] = _set_where(self.frame, names, mask, value)


def _set_where(frame: Frame, name: Any, mask: Any, value: Any) -> Any:
    """Return a column that holds other values where a mask does; a new one is NaN elsewhere."""
    condition = Array(mask.value)
    if type(value) is Chosen:
        if not same(value.mask.value, mask.value):
            refuse("values chosen by one mask written where another one holds")
        value = value.array
    if name not in frame:
        rest = MISSING_NAN if isinstance(value, str) else np.nan
        return Column(FUNCTIONS[np.where](condition, plain(value), rest).value, name)
    column = frame[name]
    if column.value.dtype != STRING and not is_array(value) and not isinstance(value, str):
        lossless = np.asarray(value, column.dtype) == value or (value != value and column.dtype.kind == "f")
        if not lossless:
            refuse(f"writing {value!r} into the column {name!r} of {column.dtype}")
        value = column.dtype.type(value)
    result = FUNCTIONS[np.where](condition, plain(value), column.to_numpy())
    if column.value.dtype != STRING and result.dtype != column.dtype:
        refuse(f"writing {result.dtype} into the column {name!r} of {column.dtype}")
    return Column(result.value, name)


def _empty(frame: Frame) -> Any:
    """Return pandas' own empty frame of the same columns, text as objects."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        refuse("pandas is not imported")
    kinds = {n: c.dtype if type(c) is Moments or c.value.dtype != STRING else object for n, c in frame.items()}
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


def _replacements(to_replace: Any, value: Any) -> dict[Any, Any]:
    if isinstance(to_replace, Mapping):
        return dict(to_replace)
    if isinstance(to_replace, list):
        return dict(zip(to_replace, value if isinstance(value, list) else [value] * len(to_replace), strict=True))
    return {to_replace: value}


def _replace(column: Column, to_replace: Any, value: Any = None) -> Column:
    """Return the column with constants in place of others, of the same kind."""
    table = _replacements(to_replace, value)
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
    table = _replacements(to_replace, value)
    missing = [old for old in table if is_missing(old)]
    if None in missing or (missing and any(c.value.dtype == STRING for _, c in frame.items())):
        refuse("replacing what is missing among text; use fillna")
    kinds = {text: {old: table[old] for old in table if isinstance(old, str) == text} for text in (True, False)}
    return frame.each(lambda c: _replace(c, kinds[c.value.dtype == STRING]))


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
    def of_frame(frame: Frame, other: Any, axis: Any = 1) -> Any:
        return _columnwise(ufunc, (other, frame) if swapped else (frame, other), axis)

    return of_frame


def _of_column(ufunc: np.ufunc, swapped: bool) -> Callable[..., Any]:
    def of_column(column: Column, other: Any, fill_value: Any = None) -> Any:
        both = [column, other]
        if fill_value is not None:
            if type(other) is not Column or ufunc not in (np.add, np.subtract, np.multiply, np.true_divide):
                refuse("fill_value of other than the sum, difference, product or quotient of two columns")
            filled = [where(b.isna().value & ~a.isna().value, True, False) for a, b in (both, both[::-1])]
            both = [
                c.wrap(FUNCTIONS[np.where](Array(f), fill_value, c)) for c, f in zip(both, filled[::-1], strict=True)
            ]
        return UFUNCS[ufunc](*(both[::-1] if swapped else both))

    return of_column


def _case_when(column: Column, caselist: Any) -> Any:
    """Return what the first condition that holds decides."""
    result: Any = column
    for condition, other in reversed(list(caselist)):
        result = FUNCTIONS[np.where](condition(column) if callable(condition) else condition, other, result)
    return column.wrap(result)


def _get(frame: Frame, key: Any, default: Any = None) -> Any:
    return frame[key] if isinstance(key, list) or key in frame else default


def _reindex(frame: Frame, *, columns: Any) -> Frame:
    return frame.made(dict(frame[list(columns)]._columns))


def _set_axis(frame: Frame, labels: Any, *, axis: Any = 0) -> Frame:
    if axis not in (1, "columns"):
        refuse("set_axis of rows")
    result = frame.copy()
    result.columns = labels
    return result


def _pop(frame: Frame, item: Any) -> Column:
    column: Column = frame[item]
    del frame[item]
    return column


def _insert(frame: Frame, loc: int, column: Any, value: Any, allow_duplicates: bool = False) -> None:
    if column in frame:
        refuse(f"insert of a column {column!r} that is there already")
    names = list(frame)
    frame[column] = value
    order = [*names[:loc], column, *names[loc:]]
    frame._write({name: frame._columns[name] for name in order})


def _dot(frame: Frame, other: Any) -> Any:
    if hasattr(other, "iloc") and list(other.index) != list(frame):
        refuse("the product of a frame and one of other names")
    result = UFUNCS[np.matmul](frame.to_numpy(), np.asarray(other))
    if result.ndim == 1:
        return Column(result.value)
    names = list(getattr(other, "columns", range(result.dims[0])))
    return WritableFrame({n: Column(result.value[:, i], n) for i, n in enumerate(names)})


#: what an expression of `eval` may hold: arithmetic and comparisons of columns and numbers
_PLAIN = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Name, ast.Load, ast.Constant, ast.Add, ast.Sub, ast.Mult,
    ast.Div, ast.Pow, ast.USub, ast.UAdd, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip


def _eval(frame: Frame, expr: str, *, inplace: bool = False) -> Any:
    name, assigned, rest = re.match(r"(?s)\s*(?:(\w+)\s*(=)(?!=))?(.*)", expr).groups()  # type: ignore[union-attr]
    tree = ast.parse(rest.strip(), mode="eval")
    compared = [n for n in ast.walk(tree) if isinstance(n, ast.Compare) and len(n.ops) > 1]
    if inplace or compared or not all(isinstance(n, _PLAIN) for n in ast.walk(tree)):
        refuse(f"eval({expr!r}) of other than arithmetic and comparisons; write it with columns")
    result = eval(compile(tree, "eval", "eval"), {"__builtins__": {}}, dict(frame.items()))
    return frame.assign(**{name: result}) if assigned else result


METHODS: dict[str, Any] = {
    "get": _get, "reindex": _reindex, "set_axis": _set_axis, "pop": _pop, "insert": _insert, "dot": _dot,
    "eval": _eval, "__matmul__": _dot,
    "squeeze": lambda frame, axis=None: frame[next(iter(frame))] if len(frame._columns) == 1 else frame,
    "transform": lambda frame, func, axis=0, *args, **kw: frame.apply(func, axis, args=args, **kw),
    "loc": property(_loc), "iloc": property(_iloc), "filter": _filter, "select_dtypes": _select_dtypes,
    "add_prefix": _renamed(lambda name, affix: f"{affix}{name}"),
    "add_suffix": _renamed(lambda name, affix: f"{name}{affix}"),
    "where": _conditional(False), "mask": _conditional(True), "replace": _replace_all,
    "abs": lambda frame: _columnwise(np.absolute, (frame,)),
    "round": lambda frame, decimals=0: frame.each(lambda c: c.wrap(FUNCTIONS[np.round](c.to_numpy(), decimals))),
    "pipe": lambda frame, func, *args, **kwargs: func(frame, *args, **kwargs),
    "__pow__": _arithmetic(np.power, False),
}  # fmt: skip
COLUMN_METHODS: dict[str, Any] = {
    "replace": _replace, "case_when": _case_when,
    "abs": UFUNCS[np.absolute],
    "round": lambda column, decimals=0: column.wrap(FUNCTIONS[np.round](column.to_numpy(), decimals)),
    "pipe": METHODS["pipe"],
}  # fmt: skip
ARITHMETIC = {
    "floordiv": np.floor_divide, "mod": np.remainder,
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "truediv": np.true_divide,
    "pow": np.power, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": np.not_equal,
}  # fmt: skip

for _name, _ufunc in ARITHMETIC.items():
    METHODS[_name], COLUMN_METHODS[_name] = _arithmetic(_ufunc, False), _of_column(_ufunc, False)
    if _name in ("floordiv", "mod"):  # integers divided by zero are pandas' own
        COLUMN_METHODS[_name] = getattr(Column, f"__{_name}__")
    if _name in ("add", "sub", "mul", "div", "truediv", "pow"):
        METHODS[f"r{_name}"], COLUMN_METHODS[f"r{_name}"] = _arithmetic(_ufunc, True), _of_column(_ufunc, True)
for _cls, _methods in ((Frame, METHODS), (Column, COLUMN_METHODS)):
    for _name, _method in _methods.items():
        setattr(_cls, _name, _method)

__all__ = ["COLUMN_METHODS", "METHODS"]
