"""Rows made to hurt: what breaks a conversion that looks right on ordinary data.

::

    the user's sample ──▶ 8 of its rows ──▶ one column changed at a time ──▶ batches, by what was done to them
                                             NaN · infinity · zeros of both signs, extremes, one float32 ulp aside ·
                                             split thresholds of the model's trees, and their neighbours ·
                                             empty, unknown and non-ASCII text · missing text · one row · ...

Each batch comes in the sample's own container, so that the estimator can be asked too; it may refuse rows.
This module compares nothing (verification.py does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..inputs.containers import as_array, columns_of, is_frame, is_sparse, plain
from ..inputs.signature import dtype_of

if TYPE_CHECKING:
    import onnx

Array: TypeAlias = NDArray[Any]

#: columns that are changed one at a time, at most; rows of the sample that serve as the others
MOST_COLUMNS, BASE_ROWS = 64, 8
#: thresholds of trees that are tried, at most
MOST_THRESHOLDS = 256

TEXT: Final = ("", "never seen ☃", "Größe 日本", " ", "nan")


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows in the container of the user's sample, and what was done to them."""

    label: str
    X: Any
    rows: int


def rows_of(X: Any, indices: Array) -> Any:
    """Return some rows of any kind of data, in the same container."""
    if isinstance(X, Mapping):
        return {name: rows_of(column, indices) for name, column in X.items()}
    if hasattr(X, "iloc"):
        return X.iloc[indices]
    if hasattr(X, "take") and hasattr(X, "column_names"):
        return X.take(indices)
    return [X[i] for i in indices] if isinstance(X, list | tuple) else X[indices]


def number_of_rows(X: Any) -> int:
    """Return the number of rows of any kind of data."""
    if isinstance(X, Mapping):
        return len(next(iter(X.values())))
    if not hasattr(X, "shape") and not hasattr(X, "__len__"):
        raise InputError(f"a {type(X).__name__} is no sample that estimators take; give an array or a DataFrame.")
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def spread(rows: int, most: int) -> Array:
    """Return the positions of at most `most` rows, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64)) if rows else np.zeros(0, np.int64)


def hurting_batches(X: Any, model: onnx.ModelProto | None = None) -> Iterator[Batch]:
    """Yield batches of rows made to hurt, from a sample of at least one row.

    Parameters
    ----------
    X : array-like, DataFrame, dict of columns or sparse matrix of shape (n_samples, n_features)
        The sample.
    model : ModelProto, optional
        The converted model: the thresholds of its trees are tried too.
    """
    table = _table(X)
    if table is None:
        return
    changes: dict[str, list[tuple[int, Any]]] = {}
    for column in spread(len(table.columns), MOST_COLUMNS).tolist():
        for label, values in _changes(table.columns[column]):
            changes.setdefault(label, []).extend((column, value) for value in values)
    if model is not None:
        changes["at thresholds"] = list(_at_thresholds(table, _thresholds(model)))
    for label, chosen in changes.items():
        if chosen:
            yield table.changed(label, chosen)


def nudged(X: Any, seed: int) -> Any:
    """Return data whose finite floats are moved to a neighbouring float each, at random up or down.

    With an odd seed they move by up to as many units in the last place as there are columns: what rounding makes of a
    sum of n products is what exact arithmetic makes of factors that are off by n units at most (N. J. Higham, Accuracy
    and Stability of Numerical Algorithms, 2002, section 3.1). A step of one unit changes little of how long sums round.
    A matrix of integers becomes one of floats beside them: what an estimator rounds, it rounds there too.
    """
    rng = np.random.default_rng(seed)
    if is_frame(X) or isinstance(X, Mapping):
        columns = {name: plain(column).ravel() for name, column in columns_of(X).items()}
        most = len(columns) if seed % 2 else 1
        return _frame(X, {name: _nudge_objects(a, rng, most) for name, a in columns.items() if a.dtype.kind in "fO"})
    if is_sparse(X):
        moved, most = X.tocsr(copy=True), X.shape[1] if seed % 2 else 1
        moved.data = _nudge(moved.data, rng, most) if moved.data.dtype.kind == "f" else moved.data
        return moved
    if _are_bags(X):
        return X
    array = as_array(X)
    most = array[:1].size if seed % 2 else 1
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    return _nudge_objects(array, rng, most) if array.dtype.kind in "fO" else X


def _nudge_objects(array: Array, rng: np.random.Generator, most: int) -> Array:
    """Return floats moved, also those in an array of objects; other objects are left as they are."""
    if array.dtype != object:
        return _nudge(array, rng, most)
    try:
        return _nudge(array.astype(np.float64), rng, most).astype(object)
    except (TypeError, ValueError):
        return array


def _are_bags(X: Any) -> bool:
    """Whether X is rows of several lengths, or sets, which no array holds."""
    rows = [row for row in X if isinstance(row, list | tuple | set | frozenset)] if isinstance(X, list) else []
    return bool(rows) and (len({len(row) for row in rows}) > 1 or not all(isinstance(row, list) for row in rows))


def _nudge(array: Array, rng: np.random.Generator, most: int) -> Array:
    way = np.where(rng.random(array.shape) < 0.5, -np.inf, np.inf).astype(array.dtype)
    with np.errstate(all="ignore"):
        gap = np.nextafter(array, way) - array
        steps = rng.integers(1, max(most, 1), array.shape, endpoint=True).astype(array.dtype)
        return np.where(np.isfinite(array) & (array != 0), array + gap * steps, array)


# ---- what is done to a column ----------------------------------------------------------------------------------------


def _changes(column: Array) -> Iterator[tuple[str, list[Any]]]:
    try:
        kind = dtype_of(column, "")
    except InputError:  # moments, or what no model takes
        return
    if kind == "str":
        yield "text", list(TEXT)
        if column.dtype == object:
            yield "missing text", [None, np.nan]
    elif kind == "bool":
        yield "bools", [False, True]
    elif kind.startswith("float"):
        yield "NaN", [np.nan]
        yield "infinity", [np.inf, -np.inf]
        yield "numbers", _floats(column)
    else:
        yield "numbers", _integers(column)


def _floats(column: Array) -> list[float]:
    values = column.astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        values = np.ones(1)
    low, high, one = values.min(), values.max(), values[len(values) // 2]
    single = np.float32(one)
    aside = [float(np.nextafter(single, np.float32(way))) for way in (-np.inf, np.inf)]
    beyond = [low - 10 * (high - low + 1), high + 10 * (high - low + 1)]
    return [0.0, -0.0, float(single), *aside, *map(float, beyond), 1e-30, float(np.nextafter(one, np.inf))]


def _integers(column: Array) -> list[int]:
    limits = np.iinfo(column.dtype if column.dtype.kind in "iu" else np.int64)
    low, high = int(column.min()), int(column.max())
    return [v for v in (0, -1, low - 1, high + 1, 2 * high + 1) if limits.min <= v <= limits.max]


def _at_thresholds(table: _Table, thresholds: list[tuple[int | None, float]]) -> Iterator[tuple[int, Any]]:
    kinds = [table.columns[0].dtype.kind] * len(table.columns) if table.alike else [c.dtype.kind for c in table.columns]
    floats = [i for i, kind in enumerate(kinds) if kind == "f"]
    chosen = [thresholds[i] for i in spread(len(thresholds), MOST_THRESHOLDS).tolist()] if floats else []
    for number, (feature, value) in enumerate(chosen):
        column = feature if feature in floats else floats[number % len(floats)]
        single = np.float32(value)
        near = (
            value, np.nextafter(value, -np.inf), np.nextafter(value, np.inf),
            single, np.nextafter(single, np.float32(-np.inf)), np.nextafter(single, np.float32(np.inf)),
        )  # fmt: skip
        yield from ((column, float(v)) for v in near)


def _thresholds(model: onnx.ModelProto) -> list[tuple[int | None, float]]:
    """Return (feature, threshold) of the trees of a model; the feature is None where the file does not say it."""
    from onnx import helper, numpy_helper

    found: dict[tuple[int | None, float], None] = {}
    scopes = [model.graph.node, *(function.node for function in model.functions)]
    for node in (node for nodes in scopes for node in nodes):
        given = {a.name: helper.get_attribute_value(a) for a in node.attribute if not a.ref_attr_name}
        splits = next(
            (given[n] for n in ("nodes_splits", "nodes_values_as_tensor", "nodes_values") if n in given), None
        )
        if splits is None:
            continue
        values = np.asarray(splits if isinstance(splits, list) else numpy_helper.to_array(splits)).ravel().tolist()
        features = list(given.get("nodes_featureids", ())) or [None] * len(values)
        found.update(dict.fromkeys(zip(features, values, strict=False)))
    for tensor in model.graph.initializer:
        if any(word in tensor.name for word in ("split", "threshold")):
            numbers = numpy_helper.to_array(tensor)
            if numbers.dtype.kind == "f":
                found.update(dict.fromkeys((None, v) for v in numbers.ravel().tolist()))
    return [pair for pair in found if np.isfinite(pair[1])]


# ---- containers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Columns of a few base rows as arrays, and how to make data of the user's kind from changed ones."""

    columns: Sequence[Array]
    rebuild: Callable[[Array, dict[int, Array]], Any]
    alike: bool = False  # all columns are of one dtype

    def changed(self, label: str, changes: list[tuple[int, Any]]) -> Batch:
        """Return a batch with one row for each (column, value), which is put into a base row."""
        base = np.arange(len(changes)) % len(self.columns[0])
        new: dict[int, Array] = {}
        for row, (column, value) in enumerate(changes):
            if column not in new:
                new[column] = self.columns[column][base]
            new[column][row] = value
        return Batch(label, self.rebuild(base, new), len(changes))


def _table(X: Any) -> _Table | None:
    base = rows_of(X, spread(number_of_rows(X), BASE_ROWS))
    if is_frame(X) or isinstance(X, Mapping):
        arrays = {name: plain(column) for name, column in columns_of(base).items()}
        names = list(arrays)
        return _Table(
            [a.ravel() for a in arrays.values()],
            lambda rows, new: _frame(rows_of(base, rows), {names[i]: a for i, a in new.items()}),
        )
    if is_sparse(X):
        csr = base.tocsr()
        return _Table(_SparseColumns(csr), lambda rows, new: _sparse_matrix(type(X), csr[rows], new), alike=True)
    if all(isinstance(row, Mapping) for row in base):
        return _table_of_records(list(base))
    if _are_bags(base):
        return None
    matrix = as_array(base)
    if matrix.ndim == 1:
        return _Table([matrix], lambda rows, new: new.get(0, matrix[rows]))
    return _Table(list(matrix.T), lambda rows, new: _matrix(matrix[rows], new)) if matrix.ndim == 2 else None


def _table_of_records(base: list[Mapping[Any, Any]]) -> _Table:
    """Columns of rows that are dicts, one for each key; where keys or kinds differ, the kind of the first value."""
    columns: dict[Any, Array] = {}
    for key in dict.fromkeys(key for row in base for key in row):
        values = [row[key] for row in base if key in row]
        alike = [v for v in values if type(v) is type(values[0])]
        text = isinstance(alike[0], str) or not isinstance(alike[0], int | float)
        column = np.empty(len(base), dtype=object) if text else np.resize(np.array(alike), len(base))
        if text:
            column[:] = [v if isinstance(v, str) else "" for v in np.resize(np.array(alike, object), len(base))]
        columns[key] = column
    keys = list(columns)

    def rebuild(rows: Array, new: dict[int, Array]) -> list[dict[Any, Any]]:
        said = [dict(base[row]) for row in rows.tolist()]
        for column, values in new.items():
            for row, value in zip(said, values.tolist(), strict=True):
                row[keys[column]] = value
        return said

    return _Table(list(columns.values()), rebuild)


def _matrix(matrix: Array, new: dict[int, Array]) -> Array:
    wide = matrix.astype(np.result_type(matrix, *new.values())) if matrix.dtype.kind == "U" else matrix.copy()
    for column, values in new.items():
        wide[:, column] = values
    return wide


class _SparseColumns(Sequence[Array]):
    """Columns of a sparse matrix, perhaps a million, made dense when they are asked for."""

    def __init__(self, csr: Any) -> None:
        self.csr = csr

    def __len__(self) -> int:
        return int(self.csr.shape[1])

    def __getitem__(self, index: Any) -> Any:
        column: Array = self.csr[:, [index]].toarray().ravel()
        return column


def _sparse_matrix(kind: type, csr: Any, new: dict[int, Array]) -> Any:
    wide = csr.tolil()
    for column, values in new.items():
        for row, value in enumerate(values.tolist()):
            wide[row, column] = value
    return kind(wide.tocsr())


def _frame(frame: Any, new: dict[str, Array]) -> Any:
    """Return a frame with some columns replaced, each in the dtype that it had."""
    if isinstance(frame, Mapping):
        return {**frame, **new}
    if hasattr(frame, "iloc"):
        changed = frame.copy()
        for name in [c for c in frame.columns if str(c) in new]:
            changed[name] = _series(frame[name], new[str(name)])
        return changed
    if hasattr(frame, "with_columns"):
        return frame.with_columns(
            [type(frame[c])(c, _nullable(v), dtype=frame[c].dtype, strict=False) for c, v in new.items()]
        )
    for name, values in new.items():
        at = frame.column_names.index(name)
        frame = frame.set_column(at, name, [_nullable(values)])
    return frame


def _series(column: Any, values: Array) -> Any:
    """Return values as a pandas Series like `column`; what is no category of it is missing, or the first."""
    categories = getattr(column.dtype, "categories", None)
    if categories is not None:
        known = set(categories)
        other = categories[0] if categories.dtype.kind in "iub" else None  # integers cannot be missing
        values = np.array([v if v in known else other for v in values.tolist()], dtype=object)
    try:
        return type(column)(values, index=column.index).astype(column.dtype)
    except (TypeError, ValueError, OverflowError):  # integers that may be missing: so is what is none
        whole = np.where(np.abs(values) < 2**53, np.rint(values), np.nan)
        return type(column)(whole, index=column.index).astype(column.dtype)


def _nullable(values: Array) -> list[Any]:
    return [None if v is None or (values.dtype == object and v != v) else v for v in values.tolist()]
