"""Frames in, frames out: columns handed to the native core as they lie in memory, and answers as the caller's kind.

::

    pandas   blocks of the frame ───────────────┬─▶ {input: column} ─▶ native core     no value becomes a Python object
    dict of columns, list of dicts, array ──────┘                        │  ▲
    polars, pyarrow, Arrow streams ──────────────────────────────────────┼──┘          nor does a column
                                                                         └─▶ None: the slow way, `inputs.tensors`,
                                                                             converts or explains

`FrameReader` only finds the columns; whether every value fits its input exactly is the native core's to say.
What it does not take goes through `inputs`, which has the last word. No library of frames is imported for reading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._native import Program, arrow_column, coded_column, masked_column
from ..description import Method
from ..inputs.signature import Signature

Array: TypeAlias = NDArray[Any]

#: finds columns by name (by position in arrays); None where the slow way has to look
Finder: TypeAlias = Callable[[Any, "tuple[str, ...]"], Sequence[Any] | None]

#: reads frames of one kind: (program, outputs, X)
Way: TypeAlias = Callable[[Program, "Sequence[str] | None", Any], "list[Array] | None"]

#: layouts of pandas' frames to remember
MOST_LAYOUTS: Final = 64


class FrameReader:
    """Finds the columns that a model takes in frames of every kind.

    Parameters
    ----------
    signature : Signature
        What the model takes.
    features : sequence of str, optional
        Names of a matrix's columns, to read frames by.
    order : sequence of str, optional
        The names of the inputs in the native core's order, if that is another.
    """

    def __init__(
        self, signature: Signature, features: Sequence[str] | None = None, order: Sequence[str] | None = None
    ) -> None:
        self._inputs = signature.names
        self._by_column = signature.by_column
        self._names = signature.names if signature.by_column else tuple(features or ())
        if signature.records is not None:
            self._names = ()  # which key is which input, `records` knows
        self._features = None if signature.by_column else self._names
        missing = {spec.name: spec.missing for spec in signature.inputs}
        nulls = bytes(missing[name] == "NaN" for name in order or signature.names)
        self.nulls = nulls if any(nulls) else None  # where arrays and pandas say None or NaN, there are none
        self._places = tuple(map(signature.features.index, signature.names))
        self._width = len(signature.features)
        self._ways: dict[type, Way] = {}
        self._layouts: dict[tuple[Any, ...], tuple[int, ...] | None] = {}
        self._last: tuple[Any, tuple[int, ...] | None] = (None, None)  # an Index of pandas, which never changes

    def run(self, program: Program, outputs: Sequence[str] | None, X: Any) -> list[Array] | None:
        """Return what a program answers for columns that it reads in place.

        Parameters
        ----------
        program : Program
            The native core.
        outputs : sequence of str or None
            Their names; None for all.
        X : DataFrame, dict of columns, list of dicts or array

        Returns
        -------
        list of ndarray or None
            None if X is of no known kind, lacks a column, or a value does not fit exactly.
        """
        way = self._ways.get(type(X))
        if way is None:
            way = self._ways[type(X)] = self._way(X)
        return way(program, outputs, X)

    def _way(self, X: Any) -> Way:
        if not self._names:
            return _nowhere
        if isinstance(X, Mapping):
            return partial(self._run_columns, _in_mapping, self.nulls)
        if isinstance(X, list):
            return partial(self._run_columns, _in_records, self.nulls)
        if isinstance(X, np.ndarray):
            return partial(self._run_columns, self._in_array, None) if self._by_column else _nowhere
        if hasattr(X, "_mgr"):
            return partial(self._run_columns, self._in_pandas, None)
        return self._run_table if hasattr(X, "__arrow_c_stream__") else _nowhere

    def _run_table(self, program: Program, outputs: Sequence[str] | None, X: Any) -> list[Array] | None:
        return program._run_table(outputs, X, self._features, self.nulls)

    def _run_columns(
        self, find: Finder, nulls: bytes | None, program: Program, outputs: Sequence[str] | None, X: Any
    ) -> list[Array] | None:
        found = find(X, self._names)
        if found is None:
            return None
        columns = dict(zip(self._inputs, found, strict=True)) if self._by_column else {self._inputs[0]: tuple(found)}
        return program._run_columns(outputs, columns, nulls)

    def _in_pandas(self, frame: Any, names: tuple[str, ...]) -> Sequence[Any] | None:
        """Read the blocks that a pandas frame consists of: asking it for columns would cost more than a prediction."""
        try:
            positions = self._positions_in(frame.columns, names)
            manager = frame._mgr
            blocks = [block.values for block in manager.blocks]
            numbers, places = manager.blknos.tolist(), manager.blklocs.tolist()
            return positions and [_column_of_block(blocks[numbers[i]], places[i]) for i in positions]
        except (AttributeError, TypeError, KeyError, IndexError):  # another pandas than those known, or another dtype
            return None

    def _positions_in(self, index: Any, names: tuple[str, ...]) -> tuple[int, ...] | None:
        """Return the positions of the columns; frames cut from one have its very Index, and to read that takes long."""
        last, positions = self._last
        if last is not index:
            positions = self._positions(tuple(index.tolist()), names)
            self._last = index, positions
        return positions

    def _in_array(self, X: Array, names: tuple[str, ...]) -> Sequence[Any] | None:
        return [X[:, i] for i in self._places] if X.ndim == 2 and X.shape[1] == self._width else None

    def _positions(self, given: tuple[Any, ...], names: tuple[str, ...]) -> tuple[int, ...] | None:
        if given not in self._layouts:
            if len(self._layouts) >= MOST_LAYOUTS:
                self._layouts.clear()
            at = {str(name): position for position, name in enumerate(given)}
            whole = len(at) == len(given) and all(name in at for name in names)
            self._layouts[given] = tuple(at[name] for name in names) if whole else None
        return self._layouts[given]


def _nowhere(program: Program, outputs: Sequence[str] | None, X: Any) -> None:
    return None


def _in_mapping(X: Mapping[Any, Any], names: tuple[str, ...]) -> Sequence[Any] | None:
    try:
        return [X[name] for name in names]
    except KeyError:
        return None


def _in_records(X: list[Any], names: tuple[str, ...]) -> Sequence[Any] | None:
    if not X or not all(isinstance(row, Mapping) for row in X):
        return None
    try:
        return [[row[name] for row in X] for name in names]
    except KeyError:
        return None


# ---- pandas' arrays --------------------------------------------------------------------------------------------------


def _column_of_block(values: Any, place: int) -> Any:
    return values[place] if type(values) is np.ndarray else EXTENSIONS[type(values).__name__](values)


def _arrow(values: Any) -> Any:
    return arrow_column(values._pa_array, True)


def _masked(values: Any) -> Any:
    return masked_column(values._data, values._mask)


def _plain(values: Any) -> Any:
    return values._ndarray


def _coded(values: Any) -> Any:
    categories = values.dtype.categories._values
    return coded_column(
        values._ndarray, categories if type(categories) is np.ndarray else _column_of_block(categories, 0)
    )


#: how pandas' own arrays are read, by the names of their classes
EXTENSIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "ArrowStringArray": _arrow,
    "ArrowStringArrayNumpySemantics": _arrow,
    "ArrowExtensionArray": _arrow,
    "BooleanArray": _masked,
    "IntegerArray": _masked,
    "FloatingArray": _masked,
    "StringArray": _plain,
    "StringArrayNumpySemantics": _plain,
    "NumpyExtensionArray": _plain,
    "Categorical": _coded,
}


# ---- frames out ------------------------------------------------------------------------------------------------------


def named_columns(entry: Method, classes: Any, arrays: Sequence[Array]) -> dict[str, Array]:
    """Return a method's outputs as columns with names.

    Those of a transform are the estimator's own (``get_feature_names_out``), scores are called after their class
    (``predict_proba_setosa``), others numbered (``apply_0``); a single one has its output's name (``predict``).

    Parameters
    ----------
    entry : Method
        What the file says of the method.
    classes : ndarray, list of ndarray or None
        The classes of the model.
    arrays : sequence of ndarray of shape (n_samples, ...)
        The outputs.

    Returns
    -------
    dict of str to ndarray of shape (n_samples,)
    """
    flat = [array.reshape(len(array), math.prod(array.shape[1:])) for array in arrays]
    columns = [array[:, i] for array in flat for i in range(array.shape[1])]
    names = entry.names if len(entry.names) == len(columns) else _numbered(entry, classes, [a.shape[1] for a in flat])
    return dict(zip(names, columns, strict=True))


def _numbered(entry: Method, classes: Any, widths: Sequence[int]) -> list[str]:
    names: list[str] = []
    for number, (name, width) in enumerate(zip(entry.outputs, widths, strict=True)):
        labels = _labels(classes, number if entry.form == "list" else None, width)
        names += [name] if width == 1 else [f"{name}_{label}" for label in labels]
    return names


def _labels(classes: Any, output: int | None, width: int) -> Sequence[Any]:
    """Return what tells the columns of one output apart: the classes, if there are as many, else numbers."""
    if isinstance(classes, list):
        classes = classes[output] if output is not None and output < len(classes) else None
    return range(width) if classes is None or len(classes) != width else classes.tolist()


def frame_like(X: Any, columns: Mapping[str, Array]) -> Any:
    """Return columns as a frame of the kind of X, with its index if it has one; as a dict, if X is no frame.

    Parameters
    ----------
    X : DataFrame, Table, RecordBatch or anything else
        What was given.
    columns : mapping of str to ndarray of shape (n_samples,)
        What was computed.
    """
    for base in type(X).__mro__:
        make = MAKERS.get((base.__module__.partition(".")[0], base.__name__))
        if make is not None:
            return make(X, columns)
    return dict(columns)


def _pandas_frame(X: Any, columns: Mapping[str, Array]) -> Any:
    import pandas as pd

    return pd.DataFrame(dict(columns), index=X.index)


def _polars_frame(X: Any, columns: Mapping[str, Array]) -> Any:
    import polars as pl

    return pl.DataFrame({name: pl.Series(_values(array)) for name, array in columns.items()})


def _arrow_table(X: Any, columns: Mapping[str, Array]) -> Any:
    import pyarrow as pa

    return pa.table({name: _values(array) for name, array in columns.items()})


def _arrow_batch(X: Any, columns: Mapping[str, Array]) -> Any:
    import pyarrow as pa

    return pa.record_batch({name: pa.array(_values(array)) for name, array in columns.items()})


def _values(array: Array) -> Any:
    """Return text as a list: only there do libraries tell it from other objects, and None from text."""
    if array.dtype.kind != "O":
        return array.tolist() if array.dtype.kind == "U" else array
    return [None if value != value else value for value in array.tolist()]


#: how frames are made, by package and class
MAKERS: Final[dict[tuple[str, str], Callable[[Any, Mapping[str, Array]], Any]]] = {
    ("pandas", "DataFrame"): _pandas_frame,
    ("polars", "DataFrame"): _polars_frame,
    ("pyarrow", "Table"): _arrow_table,
    ("pyarrow", "RecordBatch"): _arrow_batch,
}
