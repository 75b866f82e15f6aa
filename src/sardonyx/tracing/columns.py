"""`Column`: what a user's function gets for a column of a pandas DataFrame.

It is an array with a name and those methods of a Series that are exact here. Where pandas differs from NumPy (sums that
leave NaN out, integers divided by zero) the meaning is pandas'; what needs an index or all rows is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..graph import Value, op, where
from ..inputs.values import MISSING_NAN, MISSING_NONE, is_missing
from ..operators.checks import refuse as refuse_rows
from ..protos import STRING
from .array import FUNCTIONS, ROWS, UFUNCS, Array, cast, constant, is_array, refuse


class Column(Array):
    """One column of a frame: a flat array with a name."""

    def __init__(self, value: Value, name: Any = None) -> None:
        super().__init__(value)
        self.name = name

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(column, pd.Series)`` must take the branch that it takes with data."""
        return pandas_class("Series", Column)

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
        return Column(missing(self.value), self.name)

    isnull = isna

    def notna(self) -> Array:
        """Return where values are not missing."""
        return Column(~missing(self.value), self.name)

    notnull = notna

    def fillna(self, value: Any) -> Array:
        """Return the column with a constant, or another column's values, in place of what is missing."""
        if type(value) is Column:
            return self.filled_from(value)
        if is_array(value) or np.ndim(value) or value is None:
            refuse("fillna with other than one constant or a column")
        text = self.value.dtype == STRING
        if text and isinstance(value, float) and np.isnan(value):
            value = MISSING_NAN  # None becomes NaN
        if text and not isinstance(value, str):
            refuse("fillna of text with other than text")
        if not text and self.dtype.kind != "f":
            return self.copy()
        fill = constant(value, np.dtype(object) if text else self.dtype)
        return Column(where(missing(self.value), fill, self.value), self.name)

    def filled_from(self, other: Column) -> Array:
        """Return the column with another one's values where its own are missing."""
        text = [c.value.dtype == STRING for c in (self, other)]
        if any(text) and not all(text):
            refuse("a column of text filled with numbers, or the other way round")
        if not all(text) and np.result_type(self.dtype, other.dtype) != self.dtype and self.dtype.kind == "f":
            refuse(f"a column of {self.dtype} filled with {other.dtype}; cast it to float64 first")
        if not all(text) and self.dtype.kind != "f":
            return self.copy()
        given = other.value if all(text) else cast(other.value, self.dtype)
        return Column(where(missing(self.value), given, self.value), self.name)

    combine_first = filled_from

    def squeeze(self, axis: Any = None) -> Array:
        """Return the column: a row is no number."""
        return self

    @property
    def index(self) -> Any:
        """The labels of the rows, of which nothing is known: they may be handed on."""
        return ROWS

    def clip(self, lower: Any = None, upper: Any = None) -> Any:
        """Return values within constant bounds."""
        return self.wrap(FUNCTIONS[np.clip](self.to_numpy(), lower, upper))

    def isin(self, values: Any) -> Any:
        """Return where values are among constants."""
        values = sorted(values, key=repr) if isinstance(values, set | frozenset) else list(values)  # files are alike
        text = self.value.dtype == STRING
        if any(isinstance(value, str) != text and not is_missing(value) for value in values):
            refuse(f"membership of {'text' if text else self.dtype} in constants of another kind")
        return self.wrap(FUNCTIONS[np.isin](self.to_numpy(), values))

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

    def to_frame(self, name: Any = None) -> Any:
        """Return a frame of this column."""
        from .frames import Frame

        return Frame({name or self.name: Column(self.value, name or self.name)})

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """Cast as pandas does; to constant categories too."""
        if hasattr(dtype, "categories") or dtype == "category":
            from .tabular import categorical

            return categorical(self, getattr(dtype, "categories", None))
        if dtype in (object, "object", str, "str", "string") and self.value.dtype == STRING:
            return self.copy()
        if np.dtype(dtype).kind in "iu" and self.value.dtype.kind == "f":
            message = f"{self.name}: non-finite values (NA or inf) cannot be converted to integers"
            return Column(refuse_rows(self.value, ~np.isfinite(self.value), message=message), self.name)._cast(dtype)
        return self._cast(dtype)

    def _cast(self, dtype: Any) -> Any:
        return super().astype(dtype)

    def rename(self, index: Any) -> Column:
        """Return the column under another name."""
        return Column(self.value, index)

    def _over_rows(self, *_: Any, **__: Any) -> NoReturn:
        refuse(
            "a statistic of a whole column depends on the other rows. Learn it in the fit of a transformer, such as "
            "StandardScaler, SimpleImputer, or one of your own"
        )

    def sum(self, axis: Any = 0, **_: Any) -> Any:
        """In how many rows it holds, which `if` may compare with 0, to raise."""
        if self.dtype != np.bool_:
            self._over_rows()
        from .guards import counted_in_all

        return counted_in_all(self.to_numpy())

    mean = std = var = min = max = median = quantile = mode = cumsum = diff = shift = rank = _over_rows
    value_counts = unique = nunique = sort_values = rolling = groupby = ptp = prod = _over_rows

    def any(self, axis: Any = 0, **_: Any) -> Any:
        """Whether it holds in any row, which `if` may ask, to raise."""
        return FUNCTIONS[np.any](self.to_numpy())

    def all(self, axis: Any = 0, **_: Any) -> Any:
        """Whether it holds in all rows, which `if` may ask, to raise."""
        return FUNCTIONS[np.all](self.to_numpy())

    argmax = argmin = idxmax = idxmin = sort = _over_rows


def plain(x: Any) -> Any:
    """Return columns, also in lists, as arrays."""
    if isinstance(x, list | tuple):
        return type(x)(map(plain, x))
    return x.to_numpy() if type(x) is Column else x


def _guarded(ufunc: np.ufunc, swapped: bool) -> Callable[[Column, Any], Any]:
    """Division of integers and remainders, for which pandas has rules of its own where the divisor is zero."""

    def apply(self: Column, other: Any) -> Any:
        divisor, divided = (self, other) if swapped else (other, self)
        exact = is_array(divided) and divided.dtype.kind == "f" and ufunc is not np.divmod
        if not exact and (is_array(divisor) or np.ndim(divisor) or not divisor):
            refuse(
                f"{ufunc.__name__} of integers by other than a constant that is not 0, where pandas' dtype depends on "
                "the rows; cast to float first"
            )
        return UFUNCS[ufunc](other, self) if swapped else UFUNCS[ufunc](self, other)

    return apply


for _name, _ufunc in {"floordiv": np.floor_divide, "mod": np.remainder, "divmod": np.divmod}.items():
    setattr(Column, f"__{_name}__", _guarded(_ufunc, False))
    setattr(Column, f"__r{_name}__", _guarded(_ufunc, True))


def pandas_class(name: str, own: type) -> type:
    pandas = sys.modules.get("pandas")  # whose own names are replaced while tracing
    return getattr(getattr(pandas, name), "original", getattr(pandas, name)) if pandas is not None else own


def missing(value: Value) -> Value:
    if value.dtype == STRING:
        sentinels = [constant(np.array(s, object), np.dtype(object)) for s in (MISSING_NAN, MISSING_NONE)]
        return op.Equal(value, sentinels[0]) | op.Equal(value, sentinels[1])
    if value.dtype.kind == "f":
        return op.IsNaN(value)
    wide = value.astype(np.int64)
    return ~(wide == wide)
