"""Functions of pandas itself: ``pd.cut``, ``pd.concat``, ``pd.get_dummies``, ``pd.isna``, ``pd.DataFrame({...})``.

pandas has no protocol as NumPy has: while a function is traced, these names of the module are replaced by what follows;
data go to the own ones. Categories must be constants: those of the data would differ from batch to batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..graph import where
from ..protos import STRING
from .array import FUNCTIONS, ROWS, UFUNCS, Array, is_array, refuse
from .branches import Scalar
from .frames import Column, Frame, WritableFrame, _as_column, is_frame, plain
from .moments import Moments
from .replaced import Function, replaces, rows_of_trace
from .row_functions import Row, lookup


def _traced(x: Any) -> bool:
    return is_array(x) or is_frame(x) or type(x) is Categories


def _for_columns(function: Any) -> Any:
    """Replace a function of pandas where its first argument is traced."""

    def maker(original: Function) -> Function:
        return lambda x, *args, **kw: function(x, *args, **kw) if _traced(x) else original(x, *args, **kw)

    return maker


# ---- frames and columns made anew ------------------------------------------------------------------------------------


class _Class(type):
    """A class of pandas while tracing: what is made of traced arrays is traced, all else is the own class."""

    original: type
    traced: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.original)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.original)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.original, name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = cls.traced(*args, **kwargs)
        return cls.original(*args, **kwargs) if made is None else made


def _frame(data: Any = None, index: Any = None, columns: Any = None, dtype: Any = None, copy: Any = None) -> Any:
    """``pd.DataFrame`` of a dict of columns, of a matrix, or of nothing but an index; None where nothing is traced."""
    parts = list(data.values()) if isinstance(data, Mapping) else data if isinstance(data, list | tuple) else [data]
    if not any(_traced(x) for x in parts) and index is not ROWS:
        return None
    made = _frame_of(data, None if columns is None else list(columns))
    return made if dtype is None else made.astype(dtype)


def _frame_of(data: Any, names: list[Any] | None) -> Frame:
    if isinstance(data, Mapping):
        made = WritableFrame({})
        for name, part in data.items():
            made[name] = part
        return made if names is None else made.made(made[names]._columns)
    if data is None:
        return WritableFrame({})
    if is_frame(data):
        return data.copy() if names is None else data[names].copy()
    matrix = plain(data) if is_array(data) else FUNCTIONS[np.column_stack](plain(data))
    if not is_array(data):
        refuse("pd.DataFrame of a list; give a dict of columns, or a matrix: np.column_stack([...])")
    if matrix.ndim == 1:
        return WritableFrame({(names or [getattr(data, "name", None) or 0])[0]: Column(matrix.value)})
    names = list(range(matrix.dims[0])) if names is None else names
    if matrix.row_axis or matrix.ndim != 2 or matrix.dims != (len(names),):
        refuse(f"pd.DataFrame of {matrix!r} with {len(names)} columns")
    return WritableFrame({n: Column(matrix.value[:, i], n) for i, n in enumerate(names)})


def _series(data: Any = None, index: Any = None, dtype: Any = None, name: Any = None, copy: Any = None) -> Any:
    """``pd.Series`` of an array, or, in a function of a row, of a dict or list of single values."""
    if isinstance(data, Mapping | list | tuple):
        table = dict(data) if isinstance(data, Mapping) else dict(zip(index or range(len(data)), data, strict=True))
        if not any(map(_traced, table.values())):
            return None
        like = Frame({0: Column(rows_of_trace())})
        return Row({k: _as_column(v, k, like if not is_array(v) else None) for k, v in table.items()})
    if index is ROWS and not _traced(data):
        data = _as_column(data, name, WritableFrame({}))
    if not is_array(data):
        return None
    made = _as_column(plain(data), name if name is not None else getattr(data, "name", None))
    return made if dtype is None else made.astype(dtype)


def _class(made: Any) -> Any:
    return lambda original: _Class(original.__name__, (), {"original": original, "traced": staticmethod(made)})


replaces("pandas", "DataFrame")(_class(_frame))
replaces("pandas", "Series")(_class(_series))


@replaces("pandas", "concat")
def _concat(original: Function) -> Function:
    def call(objs: Any, *, axis: Any = 0, **options: Any) -> Any:
        parts = list(objs.values()) if isinstance(objs, Mapping) else list(objs)
        if not any(map(_traced, parts)):
            return original(objs, axis=axis, **options)
        if axis not in (1, "columns") or options or isinstance(objs, Mapping):
            refuse("pd.concat of rows, or with options; put columns side by side: pd.concat([a, b], axis=1)")
        frames = [p if is_frame(p) else p.to_frame() if type(p) is Column else _frame_of(p, None) for p in parts]
        names = [name for f in frames for name in f]
        if len(set(names)) < len(names):
            refuse(f"pd.concat of several columns of one name: {names}")
        return WritableFrame({name: column for f in frames for name, column in f.items()})

    return call


# ---- missing values, numbers -----------------------------------------------------------------------------------------


def _missing(x: Any) -> Any:
    if is_frame(x) or type(x) is Column:
        return x.isna()
    found = Column(x.value).isna() if x.ndim == 1 else UFUNCS[np.isnan](x)
    return Scalar(found.value) if issubclass(type(x), Scalar) else x.like(found.value)


def _present(x: Any) -> Any:
    missing = _missing(x)
    return ~missing if is_frame(missing) else UFUNCS[np.logical_not](missing)


replaces("pandas", "isna", "isnull")(_for_columns(_missing))
replaces("pandas", "notna", "notnull")(_for_columns(_present))


def _to_numeric(arg: Any, errors: str = "raise", downcast: Any = None, **_: Any) -> Any:
    if is_frame(arg) or arg.value.dtype == STRING or downcast:
        refuse("pd.to_numeric of text, or with downcast; turn text into numbers before the pipeline")
    return arg


replaces("pandas", "to_numeric")(_for_columns(_to_numeric))


@replaces("pandas", "to_datetime")
def _to_datetime(original: Function) -> Function:
    def call(arg: Any, *args: Any, **options: Any) -> Any:
        if type(arg) is Moments:
            return arg
        if _traced(arg):
            refuse(
                "pd.to_datetime of text or numbers: which texts are dates depends on all of them. Make the column "
                "datetime64 before the pipeline"
            )
        return original(arg, *args, **options)

    return call


# ---- intervals and categories ----------------------------------------------------------------------------------------


class Categories:
    """A column of constant categories, by their places; -1 is none of them."""

    def __init__(self, codes: Column, categories: list[Any]) -> None:
        self._codes, self.categories = codes, categories

    @property
    def codes(self) -> Array:
        """The places, int8 as pandas' are."""
        return self._codes.astype(np.int8).to_numpy()

    @property
    def cat(self) -> Any:
        """The accessor of a column."""
        return SimpleNamespace(codes=self._codes.astype(np.int8), categories=self.categories)

    def astype(self, dtype: Any) -> Any:
        """Return the categories themselves: numbers, or text; none of them is NaN."""
        table = np.array([*self.categories, np.nan], object)
        if all(isinstance(c, str) for c in self.categories):
            return self._looked_up(np.array([*self.categories, "\ufdd0NaN"], object))
        if not all(isinstance(c, int | float | np.integer | np.floating) for c in self.categories):
            refuse(f"categories {self.categories!r} as {dtype}")
        numbers = self._looked_up(table.astype(np.float64))
        return numbers if np.dtype(dtype).kind in "fO" else numbers.astype(dtype)

    def _looked_up(self, table: Any) -> Column:
        return Column(lookup(self._codes, np.arange(len(self.categories)).astype(object), table), self._codes.name)

    def map(self, table: Any) -> Any:
        """Return what a dict has for each category."""
        from .row_functions import each_value

        return each_value(self.astype(object), table)

    def to_frame(self) -> Any:
        """Refused: a model has no categories."""
        self._refused()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        self._refused()

    def _refused(self) -> Any:
        refuse("a categorical column, of which .cat.codes, .astype(...) and pd.get_dummies have a form here")


def _cut(
    x: Any, bins: Any, right: bool = True, labels: Any = None, retbins: bool = False, precision: int = 3,
    include_lowest: bool = False, duplicates: str = "raise", ordered: bool = True,
) -> Any:  # fmt: skip
    edges = np.asarray(bins)
    if is_frame(x) or is_array(bins) or edges.ndim != 1 or retbins or not (np.diff(edges) > 0).all():
        refuse("pd.cut of a column into other than given, ascending edges")
    given = Array(x.value)
    ids: Any = np.searchsorted(edges, given, side="left" if right else "right")
    if include_lowest:
        ids = FUNCTIONS[np.where](given == edges[0], 1, ids)
    outside = (ids == len(edges)) | (ids == 0)
    if given.dtype.kind == "f":
        outside = outside | np.isnan(given)
    name = x.name if type(x) is Column else None
    codes = Column(FUNCTIONS[np.where](outside, -1, ids - 1).value, name)
    if labels is False:  # NaN makes them floats
        return Column(where(codes.value == -1, np.nan, codes.value.astype(np.float64)), name)
    if labels is None:
        refuse("pd.cut with intervals for labels; give labels=False, or a list of them")
    if len(labels) != len(edges) - 1:
        refuse("pd.cut with as many labels as edges: there is one less")
    return Categories(codes, list(labels))


replaces("pandas", "cut")(_for_columns(_cut))


def categorical(column: Any, dtype: Any) -> Categories:
    """Return a column as one of constant categories."""
    wanted = getattr(dtype, "categories", dtype)
    if wanted is None or isinstance(wanted, str):
        refuse("categories that the data have, which differ from batch to batch; give them: pd.CategoricalDtype([...])")
    keys = list(wanted)
    own = column if type(column) is Column else Column(plain(column).value)
    codes = lookup(own, np.array([*keys, None], object)[:-1], np.append(np.arange(len(keys)), -1))
    return Categories(Column(codes, own.name), keys)


def _categorical_class(values: Any, categories: Any = None, ordered: Any = None, dtype: Any = None) -> Any:
    return categorical(values, categories if dtype is None else dtype) if is_array(values) else None


replaces("pandas", "Categorical")(_class(_categorical_class))


def _get_dummies(
    data: Any, prefix: Any = None, prefix_sep: str = "_", dummy_na: bool = False, columns: Any = None,
    sparse: bool = False, drop_first: bool = False, dtype: Any = None,
) -> Any:  # fmt: skip
    if type(data) is not Categories or columns is not None or dummy_na:
        refuse(
            "pd.get_dummies of categories that the data have; use OneHotEncoder, or a column of given ones: "
            "X['a'].astype(pd.CategoricalDtype([...]))"
        )
    kind = np.bool_ if dtype is None else np.dtype(dtype)
    names = [c if prefix is None else f"{prefix}{prefix_sep}{c}" for c in data.categories]
    hot = {n: Column((data._codes.value == i).astype(kind), n) for i, n in enumerate(names)}
    return WritableFrame(dict(list(hot.items())[bool(drop_first) :]))


replaces("pandas", "get_dummies")(_for_columns(_get_dummies))
