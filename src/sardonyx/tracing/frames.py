"""`Frame`: what a user's function is called with instead of a pandas DataFrame, a table of columns by name.

Its methods have pandas' meaning; what needs an index or all rows is refused. More of them are in frame_methods.py,
frame_statistics.py and row_functions.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..convert import Columns
from ..graph import Value, op, where
from ..protos import STRING
from .array import FUNCTIONS, ROWS, UFUNCS, Array, cast, constant, is_array, refuse
from .columns import Column, pandas_class, plain
from .moments import Moments, moments_of


class Frame:
    """A table of columns that is being computed."""

    __array_priority__ = 3000

    def __init__(self, columns: dict[Any, Column]) -> None:
        self._columns = columns

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(X, pd.DataFrame)`` must take the branch that it takes with data."""
        return pandas_class("DataFrame", Frame)

    @property
    def columns(self) -> Any:
        """The names."""
        pandas = sys.modules.get("pandas")
        return pandas.Index(list(self._columns)) if pandas is not None else list(self._columns)

    @columns.setter
    def columns(self, names: Any) -> None:
        if len(list(names)) != len(self._columns):
            refuse(f"{len(list(names))} names for {len(self._columns)} columns")
        self._write({n: c.rename(n) for n, c in zip(names, self._columns.values(), strict=True)})

    @property
    def index(self) -> Any:
        """The labels of the rows, of which nothing is known: they may be handed on."""
        return ROWS

    @property
    def shape(self) -> tuple[Any, int]:
        """The unknown number of rows, and the number of columns."""
        return (ROWS, len(self._columns))

    ndim = 2
    #: a batch without rows has no values that an answer could be wrong in
    empty = False

    @property
    def dtypes(self) -> dict[Any, np.dtype[Any]]:
        """Each column's dtype."""
        return {name: column.dtype for name, column in self._columns.items()}

    def __getitem__(self, key: Any) -> Any:
        if is_array(key):
            refuse("X[mask] chooses rows, which there is one of at a time; use np.where")
        if isinstance(key, list | tuple) or hasattr(key, "tolist"):
            return self.made({name: self._column(name) for name in list(key)})
        return self._column(key)

    def _column(self, name: Any) -> Column:
        if name not in self._columns:
            refuse(f"there is no column {name!r}; there are {', '.join(map(repr, self._columns))}")
        column = self._columns[name]
        return column.rename(name)

    def made(self, columns: dict[Any, Column]) -> Frame:
        """Return a frame of these columns, that may be written into."""
        return WritableFrame(columns)

    def _changed(self, inplace: bool, columns: dict[Any, Column]) -> Any:
        """Return a frame of other columns; where it is to be changed in place, take them over."""
        if not inplace:
            return self.made(columns)
        self._write(columns)
        return None

    def _write(self, columns: dict[Any, Column]) -> None:
        refuse("X[...] = ... changes the caller's frame; write X = X.copy() first, or X.assign(...)")

    def __setitem__(self, key: Any, value: Any) -> None:
        self._write({})

    def __delitem__(self, key: Any) -> None:
        self._column(key)
        self._write({k: v for k, v in self._columns.items() if k != key})

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

    def drop(
        self, labels: Any = None, *, axis: Any = 0, columns: Any = None, inplace: bool = False, errors: str = "raise"
    ) -> Any:
        """Return the frame without some columns."""
        gone = columns if columns is not None else labels if axis in (1, "columns") else refuse("drop of rows")
        names = [gone] if isinstance(gone, str) else list(gone)
        for name in names if errors == "raise" else ():
            self._column(name)
        return self._changed(inplace, {k: v for k, v in self._columns.items() if k not in names})

    def rename(self, mapper: Any = None, *, columns: Any = None, axis: Any = None, inplace: bool = False) -> Any:
        """Return the frame under other names."""
        if columns is None:
            columns = mapper if axis in (1, "columns") else refuse("rename of rows")
        new = columns if callable(columns) else lambda name: columns.get(name, name)
        return self._changed(inplace, {new(k): v for k, v in self._columns.items()})

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
        return self.made({name: _as_column(function(column), name) for name, column in self.items()})

    def isna(self) -> Frame:
        """Return where values are missing."""
        return self.each(lambda c: c.isna())

    isnull = isna

    def notna(self) -> Frame:
        """Return where values are not missing."""
        return self.each(lambda c: c.notna())

    def fillna(self, value: Any, *, inplace: bool = False) -> Any:
        """Return the frame with constants in place of what is missing, by column if a dict is given."""
        table = dict(value) if isinstance(value, dict) or hasattr(value, "iloc") else dict.fromkeys(self, value)
        filled = self.each(lambda c: c.fillna(table[c.name]) if c.name in table else c)
        return self._changed(inplace, filled._columns)

    def clip(self, lower: Any = None, upper: Any = None) -> Frame:
        """Return values within constant bounds."""
        return self.each(lambda c: c.clip(lower, upper))

    def infer_objects(self, copy: Any = None) -> Frame:
        """Return the same: no column holds objects."""
        return self.made(dict(self._columns))

    def astype(self, dtype: Any) -> Frame:
        """Cast all columns, or those of a dict."""
        if isinstance(dtype, dict):
            return self.each(lambda c: c.astype(dtype[c.name]) if c.name in dtype else c)
        return self.each(lambda c: c.astype(dtype))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            refuse(f"numpy.{ufunc.__name__}: only the plain function has an ONNX form")
        if ufunc not in UFUNCS:
            refuse(f"numpy.{ufunc.__name__} has no ONNX form here")
        return _columnwise(ufunc, inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        method = getattr(
            type(self), {"around": "round", "amax": "max", "amin": "min"}.get(func.__name__, func.__name__), None
        )
        if method is not None and args and args[0] is self:  # as NumPy does: it calls the method of that name
            return method(self, *args[1:], **{k: v for k, v in kwargs.items() if k != "out"})
        if func not in FUNCTIONS:
            refuse(f"numpy.{func.__name__} of a frame; give it X.to_numpy()")
        arrays = [_matrix(a) if not isinstance(a, list | tuple) else [_matrix(x) for x in a] for a in args]
        return FUNCTIONS[func](*arrays, **kwargs)


def is_frame(x: Any) -> bool:
    """Whether x is a frame that is being traced; ``isinstance`` would ask ``__class__``."""
    return issubclass(type(x), Frame)


def _matrix(x: Any) -> Any:
    return x.to_numpy() if is_frame(x) else x


def _columnwise(ufunc: np.ufunc, inputs: Sequence[Any], axis: Any = 1) -> Any:
    """Apply a ufunc column by column: frames of the same columns, and what has a value for each of them.

    Parameters
    ----------
    axis : {0, 1}
        Whether a column beside a frame stands beside each of its columns (0), or is refused: pandas would take its rows
        for columns.
    """
    first = next(x for x in inputs if is_frame(x))
    names = list(first._columns)
    if ufunc.nout > 1:
        refuse(f"numpy.{ufunc.__name__} of a frame; take one column after the other")
    parts = [_by_column(x, names, axis) for x in inputs]
    return first.made({n: _as_column(UFUNCS[ufunc](*(p[i] for p in parts)), n) for i, n in enumerate(names)})


def _by_column(x: Any, names: list[Any], axis: Any) -> list[Any]:
    """Return what stands beside each column."""
    if is_frame(x):
        if list(x._columns) != names:
            refuse("frames of different columns, which pandas would align by name")
        return [x._column(n) for n in names]
    if is_array(x) and x.ndim == 2 and not x.row_axis and x.dims == (len(names),):
        return [Column(x.value[:, i], n) for i, n in enumerate(names)]
    if type(x) is Column and axis in (0, "index"):
        return [x] * len(names)
    if is_array(x):
        refuse("a frame and a column, whose rows pandas takes for the names of columns; write X.div(column, axis=0)")
    if hasattr(x, "index") and hasattr(x, "iloc"):
        if list(x.index) != names:
            refuse("a frame and a Series of other names")
        x = x.to_numpy()
    if np.ndim(x) == 0:
        return [x] * len(names)
    if np.shape(x) != (len(names),) or axis in (0, "index"):
        refuse(f"a frame of {len(names)} columns and a constant of shape {np.shape(x)}")
    return np.asarray(x).tolist() if not isinstance(x, np.ndarray) else list(x)


def _operator(ufunc: np.ufunc, swapped: bool) -> Callable[[Any, Any], Any]:
    return lambda self, other: _columnwise(ufunc, (other, self) if swapped else (self, other))


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "floordiv": np.floor_divide, "mod": np.remainder,
}.items():  # fmt: skip
    setattr(Frame, f"__{_name}__", _operator(_ufunc, False))
    setattr(Frame, f"__r{_name}__", _operator(_ufunc, True))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Frame, f"__{_name}__", _operator(_ufunc, False))
setattr(Frame, "__hash__", object.__hash__)  # noqa: B010
_UNARY: dict[str, Any] = {"neg": np.negative, "abs": np.absolute, "invert": np.invert}
for _name, _ufunc in _UNARY.items():
    setattr(Frame, f"__{_name}__", lambda self, _ufunc=_ufunc: _columnwise(_ufunc, (self,)))


class WritableFrame(Frame):
    """A frame that nobody else sees, such as a copy."""

    def _write(self, columns: dict[Any, Column]) -> None:
        self._columns = dict(columns)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, list | tuple):
            for i, name in enumerate(key):
                self[name] = value[:, i] if is_array(value) else value[list(value)[i]]
            return
        self._columns[key] = _as_column(value, key, self)


def _as_column(value: Any, name: Any, like: Frame | None = None) -> Any:
    if issubclass(type(value), Moments):
        return value.rename(name)
    if not is_array(value):
        if like is None or np.ndim(value) or not like._columns:
            refuse(f"column {name!r} would be {value!r}; assign an array of rows or one constant")
        first = next(iter(like._columns.values()))
        array = np.asarray(value, object) if isinstance(value, str) else np.asarray(value)
        part = constant(array, array.dtype)
        from .loops import always

        return Column(where(always(first.value), part, part), name)
    if value.ndim == 2 and value.row_axis == 0 and value.dims == (1,):
        value = value[:, 0]
    if value.ndim != 1:
        refuse(f"column {name!r} would be {value!r}")
    return Column(value.value, name)


def from_columns(X: Columns) -> Frame:
    """Return a frame of a step's columns."""
    return Frame({n: _column_of(v, n) for n, v in zip(X.names, X.values, strict=True)})


def _column_of(value: Value, name: Any) -> Any:
    flat: Value = op.Reshape(value, np.array([-1]))
    return Column(flat, name) if value.moment is None else moments_of(flat, value.moment, name)


def to_columns(frame: Frame) -> Columns:
    """Return what a step hands on."""
    values = tuple(op.Unsqueeze(c.value, np.array([1])) for c in frame._columns.values())
    return Columns(tuple(map(str, frame._columns)), values)


__all__ = ["Column", "Frame", "cast", "from_columns", "plain", "to_columns"]
