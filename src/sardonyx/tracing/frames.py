"""`Frame` and `Column`: what a user's function is called with instead of a pandas DataFrame and its columns.

A column is an array with a name and pandas' few methods that are exact here. Where pandas differs from NumPy (sums that
leave NaN out, integers divided by zero) the meaning is pandas'; what needs an index or all rows is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..convert import Columns
from ..graph import Value, op, where
from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..protos import STRING
from .array import FUNCTIONS, UFUNCS, Array, cast, constant, is_array, refuse


class Column(Array):
    """One column of a frame: a flat array with a name."""

    def __init__(self, value: Value, name: Any = None) -> None:
        super().__init__(value)
        self.name = name

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(column, pd.Series)`` must take the branch that it takes with data."""
        return _pandas_class("Series", Column)

    def wrap(self, array: Array) -> Array:
        """Return a result as a column, where it is flat."""
        return Column(array.value, self.name) if array.ndim == 1 else array

    def like(self, value: Value, row_axis: int | None = None) -> Array:
        """Return a column of its own."""
        return Column(value, self.name) if value.ndim == 1 else Array(value, row_axis or 0)

    def view(self, value: Value, row_axis: int, key: tuple[Any, ...] | None = None) -> Array:
        """Return an array that would share memory with this one: a view is an array."""
        return Array(value, row_axis, self.owner)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = Array.__array_function__(self, func, types, tuple(map(plain, args)), kwargs)
        return self.wrap(result) if func in (np.clip, np.round, np.around) else result

    def __getitem__(self, key: Any) -> Any:
        refuse("indexing a column chooses rows; columns as arrays are X['a'].to_numpy()[:, None]")

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse("writing into a column; write X = X.copy(); X['a'] = ... or use np.where")

    def to_numpy(self, dtype: Any = None) -> Array:
        """Return the array."""
        array = Array(self.value)
        return array if dtype is None else array.astype(dtype)

    @property
    def values(self) -> Array:
        """The array."""
        return self.to_numpy()

    def isna(self) -> Array:
        """Return where values are missing."""
        return Column(_missing(self.value), self.name)

    isnull = isna

    def notna(self) -> Array:
        """Return where values are not missing."""
        return Column(~_missing(self.value), self.name)

    notnull = notna

    def fillna(self, value: Any) -> Array:
        """Return the column with a constant in place of what is missing."""
        if is_array(value) or np.ndim(value) or value is None:
            refuse("fillna with other than one constant")
        if self.value.dtype == STRING and not isinstance(value, str):
            refuse("fillna of text with other than text")
        if self.value.dtype != STRING and self.dtype.kind != "f":
            return self.copy()
        fill = constant(value, np.dtype(object) if self.value.dtype == STRING else self.dtype)
        return Column(where(_missing(self.value), fill, self.value), self.name)

    def clip(self, lower: Any = None, upper: Any = None) -> Any:
        """Return values within constant bounds."""
        return self.wrap(FUNCTIONS[np.clip](self.to_numpy(), lower, upper))

    def isin(self, values: Any) -> Any:
        """Return where values are among constants."""
        return self.wrap(FUNCTIONS[np.isin](self.to_numpy(), list(values)))

    def between(self, left: Any, right: Any, inclusive: str = "both") -> Any:
        """Return where values are between two."""
        lower = np.greater_equal if inclusive in ("both", "left") else np.greater
        upper = np.less_equal if inclusive in ("both", "right") else np.less
        return UFUNCS[np.logical_and](UFUNCS[lower](self, left), UFUNCS[upper](self, right))

    def where(self, cond: Any, other: Any = np.nan) -> Any:
        """Return values where a condition holds, else others."""
        return self.wrap(FUNCTIONS[np.where](cond, self, other))

    def mask(self, cond: Any, other: Any = np.nan) -> Any:
        """Return values where a condition does not hold, else others."""
        return self.wrap(FUNCTIONS[np.where](cond, other, self))

    def to_frame(self, name: Any = None) -> Frame:
        """Return a frame of this column."""
        return Frame({name or self.name: Column(self.value, name or self.name)})

    def rename(self, index: Any) -> Column:
        """Return the column under another name."""
        return Column(self.value, index)

    def _over_rows(self, *_: Any, **__: Any) -> NoReturn:
        refuse(
            "a statistic of a whole column depends on the other rows. Learn it in the fit of a transformer, such as "
            "StandardScaler, SimpleImputer, or one of your own"
        )

    sum = mean = std = var = min = max = median = quantile = mode = cumsum = diff = shift = rank = _over_rows
    value_counts = unique = nunique = sort_values = rolling = groupby = ptp = prod = any = all = _over_rows
    argmax = argmin = idxmax = idxmin = sort = _over_rows

    @property
    def str(self) -> NoReturn:
        """Methods of text, which the standard has none of that are Python's."""
        refuse(
            "text methods (.str) have no exact ONNX form: the standard knows no characters as Python does. "
            "Change the text before the pipeline"
        )


def plain(x: Any) -> Any:
    """Return columns, also in lists, as arrays."""
    if isinstance(x, list | tuple):
        return type(x)(map(plain, x))
    return x.to_numpy() if type(x) is Column else x


def _guarded(ufunc: np.ufunc, swapped: bool) -> Callable[[Column, Any], Any]:
    """Division of integers and remainders, for which pandas has rules of its own where the divisor is zero."""

    def apply(self: Column, other: Any) -> Any:
        divisor = self if swapped else other
        if is_array(divisor) or np.ndim(divisor) or not divisor:
            refuse(f"{ufunc.__name__} of columns by other than one constant that is not 0: pandas has its own rules")
        return UFUNCS[ufunc](other, self) if swapped else UFUNCS[ufunc](self, other)

    return apply


for _name, _ufunc in {"floordiv": np.floor_divide, "mod": np.remainder, "divmod": np.divmod}.items():
    setattr(Column, f"__{_name}__", _guarded(_ufunc, False))
    setattr(Column, f"__r{_name}__", _guarded(_ufunc, True))


def _pandas_class(name: str, own: type) -> type:
    pandas = sys.modules.get("pandas")
    return getattr(pandas, name) if pandas is not None else own


def _missing(value: Value) -> Value:
    if value.dtype == STRING:
        sentinels = [constant(np.array(s, object), np.dtype(object)) for s in (MISSING_NAN, MISSING_NONE)]
        return op.Equal(value, sentinels[0]) | op.Equal(value, sentinels[1])
    if value.dtype.kind == "f":
        return op.IsNaN(value)
    wide = value.astype(np.int64)
    return ~(wide == wide)


class Frame:
    """A table of columns that is being computed."""

    __array_priority__ = 3000

    def __init__(self, columns: dict[Any, Column]) -> None:
        self._columns = columns

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(X, pd.DataFrame)`` must take the branch that it takes with data."""
        return _pandas_class("DataFrame", Frame)

    @property
    def columns(self) -> Any:
        """The names."""
        pandas = sys.modules.get("pandas")
        return pandas.Index(list(self._columns)) if pandas is not None else list(self._columns)

    @property
    def shape(self) -> tuple[Any, int]:
        """The unknown number of rows, and the number of columns."""
        from .array import ROWS

        return (ROWS, len(self._columns))

    ndim = 2

    @property
    def dtypes(self) -> dict[Any, np.dtype[Any]]:
        """Each column's dtype."""
        return {name: column.dtype for name, column in self._columns.items()}

    def __getitem__(self, key: Any) -> Any:
        if is_array(key):
            refuse("X[mask] chooses rows, which there is one of at a time; use np.where")
        if isinstance(key, list | tuple) or hasattr(key, "tolist"):
            return Frame({name: self._column(name) for name in list(key)})
        return self._column(key)

    def _column(self, name: Any) -> Column:
        if name not in self._columns:
            refuse(f"there is no column {name!r}; there are {', '.join(map(repr, self._columns))}")
        column = self._columns[name]
        return Column(column.value, name)

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse("X[...] = ... changes the caller's frame; write X = X.copy() first, or X.assign(...)")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._columns:
            return self._column(name)
        if not hasattr(self.__class__, name):
            raise AttributeError(f"frames have no .{name}")
        refuse(f"frames have no .{name} while converting; columns are X['name'], arrays X.to_numpy()")

    def __contains__(self, name: Any) -> bool:
        return name in self._columns

    def __iter__(self) -> Any:
        return iter(self._columns)

    def __len__(self) -> int:
        refuse("the number of rows is not known while converting")

    def __bool__(self) -> bool:
        refuse("a frame has no truth value")

    def __array__(self, *_: Any, **__: Any) -> Any:
        refuse("this function reads the values of a frame, which are not known while converting")

    def items(self) -> Any:
        """Names and columns."""
        return [(name, self._column(name)) for name in self._columns]

    def copy(self, deep: bool = True) -> Frame:
        """Return a frame that may be written into."""
        return WritableFrame(dict(self._columns))

    def assign(self, **columns: Any) -> Frame:
        """Return a frame with more or other columns."""
        result = WritableFrame(dict(self._columns))
        for name, value in columns.items():
            result[name] = value(result) if callable(value) else value
        return result

    def drop(self, labels: Any = None, *, axis: Any = 0, columns: Any = None) -> Frame:
        """Return the frame without some columns."""
        gone = columns if columns is not None else labels if axis in (1, "columns") else refuse("drop of rows")
        names = [gone] if isinstance(gone, str) else list(gone)
        for name in names:
            self._column(name)
        return WritableFrame({k: v for k, v in self._columns.items() if k not in names})

    def rename(self, *, columns: Any) -> Frame:
        """Return the frame under other names."""
        new = columns if callable(columns) else lambda name: columns.get(name, name)
        return WritableFrame({new(k): v for k, v in self._columns.items()})

    def to_numpy(self, dtype: Any = None) -> Array:
        """Return one matrix, in the dtype that holds all columns."""
        kinds = [c.value.dtype for c in self._columns.values()]
        if len({k == STRING for k in kinds}) > 1:
            refuse("text beside numbers in one array; take the columns apart: X[['a', 'b']]")
        if dtype is not None and not any(k == STRING for k in kinds):
            return self.astype(dtype).to_numpy()
        if any(k == np.bool_ for k in kinds) and not all(k == np.bool_ for k in kinds):
            refuse("booleans beside numbers are an array of objects; cast them: X['a'].astype(float)")
        array: Array = FUNCTIONS[np.column_stack]([Array(c.value) for c in self._columns.values()])
        return array

    @property
    def values(self) -> Array:
        """One matrix."""
        return self.to_numpy()

    def each(self, function: Callable[[Column], Any]) -> Frame:
        """Return the frame with every column changed."""
        return WritableFrame({name: _as_column(function(column), name) for name, column in self.items()})

    def isna(self) -> Frame:
        """Return where values are missing."""
        return self.each(lambda c: c.isna())

    isnull = isna

    def notna(self) -> Frame:
        """Return where values are not missing."""
        return self.each(lambda c: c.notna())

    def fillna(self, value: Any) -> Frame:
        """Return the frame with constants in place of what is missing, by column if a dict is given."""
        if isinstance(value, dict):
            return self.each(lambda c: c.fillna(value[c.name]) if c.name in value else c)
        return self.each(lambda c: c.fillna(value))

    def clip(self, lower: Any = None, upper: Any = None) -> Frame:
        """Return values within constant bounds."""
        return self.each(lambda c: c.clip(lower, upper))

    def astype(self, dtype: Any) -> Frame:
        """Cast all columns, or those of a dict."""
        if isinstance(dtype, dict):
            return self.each(lambda c: c.astype(dtype[c.name]) if c.name in dtype else c)
        return self.each(lambda c: c.astype(dtype))

    def _known(self) -> tuple[Array, Array]:
        matrix = self.to_numpy()
        if matrix.dtype.kind != "f":
            matrix = matrix if matrix.dtype.kind != "b" else matrix.astype(np.int64)
        known = Array(~_missing(matrix.value))
        return matrix, known

    def sum(self, axis: Any = None) -> Column:
        """Return the sums of rows, NaN left out."""
        _columns_only(axis)
        return Column(FUNCTIONS[np.nansum](self._known()[0], 1).value)

    def mean(self, axis: Any = None) -> Column:
        """Return the means of rows, NaN left out."""
        _columns_only(axis)
        return Column(FUNCTIONS[np.nanmean](self._known()[0], 1).value)

    def max(self, axis: Any = None) -> Column:
        """Return the maxima of rows, NaN left out."""
        _columns_only(axis)
        return Column(FUNCTIONS[np.nanmax](self._known()[0], 1).value)

    def min(self, axis: Any = None) -> Column:
        """Return the minima of rows, NaN left out."""
        _columns_only(axis)
        return Column(FUNCTIONS[np.nanmin](self._known()[0], 1).value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            refuse(f"numpy.{ufunc.__name__}: only the plain function has an ONNX form")
        if ufunc not in UFUNCS:
            refuse(f"numpy.{ufunc.__name__} has no ONNX form here")
        return _columnwise(ufunc, inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in (np.where, np.column_stack, np.hstack, np.concatenate):
            arrays = [_matrix(a) if not isinstance(a, list | tuple) else [_matrix(x) for x in a] for a in args]
            return FUNCTIONS[func](*arrays, **kwargs)
        refuse(f"numpy.{func.__name__} of a frame; give it X.to_numpy()")


def is_frame(x: Any) -> bool:
    """Whether x is a frame that is being traced; ``isinstance`` would ask ``__class__``."""
    return issubclass(type(x), Frame)


def _matrix(x: Any) -> Any:
    return x.to_numpy() if is_frame(x) else x


def _columns_only(axis: Any) -> None:
    if axis not in (1, "columns"):
        refuse("a statistic of whole columns depends on the other rows; name the axis: axis=1")


def _columnwise(ufunc: np.ufunc, inputs: Sequence[Any]) -> Frame:
    """Apply a ufunc column by column, frames of the same columns and single constants together."""
    frames = [x for x in inputs if type(x) in (Frame, WritableFrame)]
    names = list(frames[0]._columns)
    if any(list(f._columns) != names for f in frames):
        refuse("frames of different columns, which pandas would align by name")
    if any(is_array(x) or np.ndim(x) for x in inputs if type(x) not in (Frame, WritableFrame)):
        refuse("a frame and an array; take X.to_numpy(), or one column after the other")
    if ufunc.nout > 1 or ufunc in (np.floor_divide, np.remainder):
        refuse(f"numpy.{ufunc.__name__} of a frame; take one column after the other")
    results = {}
    for name in names:
        columns = [x._column(name) if type(x) in (Frame, WritableFrame) else x for x in inputs]
        results[name] = _as_column(UFUNCS[ufunc](*columns), name)
    return WritableFrame(results)


def _operator(ufunc: np.ufunc, swapped: bool) -> Callable[[Any, Any], Any]:
    return lambda self, other: _columnwise(ufunc, (other, self) if swapped else (self, other))


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor,
}.items():  # fmt: skip
    setattr(Frame, f"__{_name}__", _operator(_ufunc, False))
    setattr(Frame, f"__r{_name}__", _operator(_ufunc, True))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Frame, f"__{_name}__", _operator(_ufunc, False))
setattr(Frame, "__hash__", object.__hash__)  # noqa: B010
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Frame, f"__{_name}__", lambda self, _ufunc=_ufunc: _columnwise(_ufunc, (self,)))


class WritableFrame(Frame):
    """A frame that nobody else sees, such as a copy."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, list | tuple):
            for i, name in enumerate(key):
                self[name] = value[:, i] if is_array(value) else value[list(value)[i]]
            return
        self._columns[key] = _as_column(value, key, self)


def _as_column(value: Any, name: Any, like: Frame | None = None) -> Column:
    if not is_array(value):
        if like is None or np.ndim(value) or not like._columns:
            refuse(f"column {name!r} would be {value!r}; assign an array of rows or one constant")
        first = next(iter(like._columns.values()))
        array = np.asarray(value, object) if isinstance(value, str) else np.asarray(value)
        part = constant(array, array.dtype)
        from .ufuncs import always

        return Column(where(always(first.value), part, part), name)
    if value.ndim == 2 and value.row_axis == 0 and value.dims == (1,):
        value = value[:, 0]
    if value.ndim != 1:
        refuse(f"column {name!r} would be {value!r}")
    return Column(value.value, name)


def from_columns(X: Columns) -> Frame:
    """Return a frame of a step's columns."""
    return Frame({n: Column(op.Reshape(v, np.array([-1])), n) for n, v in zip(X.names, X.values, strict=True)})


def to_columns(frame: Frame) -> Columns:
    """Return what a step hands on."""
    values = tuple(op.Unsqueeze(c.value, np.array([1])) for c in frame._columns.values())
    return Columns(tuple(map(str, frame._columns)), values)


__all__ = ["Column", "Frame", "cast", "from_columns", "plain", "to_columns"]
