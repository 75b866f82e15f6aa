"""Answers that no tensor holds: rows of several lengths or types. What stands for them in a file, and the way back.

::

    form      an answer                          in the file                    tables
    tuples    [("a", "b"), ()]                   (N, k) bool: which labels      the k labels
    terms     [array(["cat", "sat"]), ...]       (N, k) bool: which terms       the k terms
    dicts     [{"age": 4.0}, {}]                 (N, k) numbers, 0 is absent    the k keys
    objects   array([[1, "b"], [None, "c"]])     (N, f) int64: which values     the values of each of the f features

The tables are part of the file's description of itself (description.py). `decode` is what a session answers; `encode`
is how the estimator's own answer is compared with the outputs of any runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..description import CODED, Method
from ..errors import ModelError

Array: TypeAlias = NDArray[Any]


def is_coded(method: Method) -> bool:
    """Whether a method's output stands for rows that no tensor holds."""
    return method.form in CODED


def decode(method: Method, output: Any) -> Any:
    """Return what the estimator answers, for what the file says.

    Parameters
    ----------
    method : Method
        Of one of the forms `CODED`.
    output : ndarray or CSR matrix of shape (n_samples, width)

    Raises
    ------
    ModelError
        If the output does not fit the tables.
    """
    width = len(method.tables) if method.form == "objects" else len(method.tables[0])
    if output.ndim != 2 or output.shape[1] != width:
        raise ModelError(f"the file describes {width} columns, its model gives {output.shape}. Convert it again.")
    return _DECODERS[method.form](method, output)


def encode(method: Method, answer: Any) -> Array:
    """Return the output that stands for an estimator's answer.

    Raises
    ------
    ValueError
        If the answer holds what no table has.
    """
    if method.form == "objects":
        return _encode_objects(method.tables, np.asarray(answer))
    places = {key: i for i, key in enumerate(method.tables[0].tolist())}
    output = np.zeros((len(answer), len(places)), bool if method.form != "dicts" else method.dtypes[0])
    for row, said in zip(output, answer, strict=True):
        items = said.items() if method.form == "dicts" else [(key, True) for key in said]
        for key, value in items:
            row[places[_plain(key)]] = value
    return output


def rows_of(answer: Any) -> Array:
    """Return a list of rows as an array of objects, of shape (n_samples,), which compares row by row."""
    rows = np.empty(len(answer), dtype=object)
    rows[:] = [row.tolist() if isinstance(row, np.ndarray) else row for row in answer]
    return rows


def _plain(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key


def _entries(output: Any) -> Iterator[tuple[Array, Array]]:
    """Yield the columns of each row that are not zero, and what stands there."""
    if isinstance(output, np.ndarray):
        for row in output:
            columns = np.flatnonzero(row)
            yield columns, row[columns]
        return
    for begin, end in pairwise(output.indptr.tolist()):
        columns, values = output.indices[begin:end], output.data[begin:end]
        yield columns[values != 0], values[values != 0]


def _tuples(method: Method, output: Any) -> list[tuple[Any, ...]]:
    return [tuple(method.tables[0].take(columns)) for columns, _ in _entries(output)]


def _terms(method: Method, output: Any) -> list[Array]:
    return [method.tables[0].take(columns) for columns, _ in _entries(output)]


def _dicts(method: Method, output: Any) -> list[dict[Any, Any]]:
    keys = method.tables[0].tolist()
    return [{keys[i]: value for i, value in zip(columns, values, strict=True)} for columns, values in _entries(output)]


def _objects(method: Method, output: Any) -> Array:
    """Return the values, in the dtype that the estimator has where there is no None among them."""
    result = np.empty(output.shape, dtype=object)
    for column, table in enumerate(method.tables):
        codes = output[:, column]
        if ((codes < 0) | (codes >= len(table))).any():
            raise ModelError("the model gives a code without a value. Convert it again.")
        result[:, column] = table[codes]
    dtype = np.dtype(method.dtypes[0])
    return result if dtype.kind == "O" or (result == np.array(None)).any() else result.astype(dtype)


def _encode_objects(tables: Sequence[Array], answer: Array) -> Array:
    output = np.empty(answer.shape, np.int64)
    for column, table in enumerate(tables):
        places = {_key(value): i for i, value in reversed(list(enumerate(table.tolist())))}
        output[:, column] = [places[_key(value)] for value in answer[:, column].tolist()]
    return output


def _key(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and value != value else (isinstance(value, str), value)


_DECODERS: Final[dict[str, Callable[[Method, Any], Any]]] = {
    "tuples": _tuples,
    "terms": _terms,
    "dicts": _dicts,
    "objects": _objects,
}
