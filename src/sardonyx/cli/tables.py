"""A table streams through a model: batches in, named columns out, in constant memory.

::

    file ──▶ batches(...)   Arrow batches of at most `batch` rows, read while the one before is computed
                 └─▶ feeds(batch, chosen)   columns in place     model ──▶ columns(outputs)  ──▶ writer ──▶ file
                     tensors(batch, ...)    arrays, the slow way

The model's own inputs decide how a CSV field is read: in a text column ``007`` stays text, in a float32 column a number
is rounded once. Empty fields and the spellings of pandas (``NA``, ``null`` ...) are missing values. How a file is read
and written is its format's (formats.py).
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from .._native import arrow_columns
from ..description import Description, Method
from ..errors import InputError
from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..session.frames import named_columns
from ..session.writing import whole
from .formats import CSV, Progress, arrow, format_named, format_of
from .printing import written_out

#: how Arrow begins what it says of a field that it cannot convert
_FIELD: Final = re.compile(r"In CSV column #(?P<column>\d+): (?P<what>.*)", re.DOTALL)


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns without reading its rows."""
    kind = format_of(path)
    try:
        return kind.names(path)
    except (arrow().ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error


def choose_columns(
    inputs: Sequence[Any], names: Sequence[str], features: Sequence[str] | None, keep: Sequence[str]
) -> dict[str, list[str]]:
    """Decide which columns of a table feed which input.

    Parameters
    ----------
    inputs : sequence
        The model's inputs (``.name``, ``.shape``).
    names : sequence of str
        The table's columns.
    features : sequence of str, optional
        The names that a model of one matrix was fitted with.
    keep : sequence of str
        Columns that are copied to the output, and are no features of a matrix without names.

    Returns
    -------
    dict of str to list of str
        Input name -> columns, in order.
    """
    check_columns(list(keep), names)
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise InputError(f"the table has several columns named {', '.join(map(repr, twice))}; rename all but one.")
    if len(inputs) > 1 or inputs[0].name in names:
        check_columns([i.name for i in inputs], names)
        return {i.name: [i.name] for i in inputs}
    width = inputs[0].shape[1] if len(inputs[0].shape) > 1 else 1
    chosen = list(features) if features is not None and len(features) == width else [n for n in names if n not in keep]
    check_columns(chosen, names)
    if len(chosen) != width:
        raise InputError(f"the model takes {width} columns, the table has {len(chosen)}. Leave others out with --keep.")
    return {inputs[0].name: chosen}


def check_columns(wanted: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a table that lacks columns."""
    have = [str(n) for n in names]
    for missing in (w for w in wanted if w not in have):
        close = difflib.get_close_matches(str(missing), have, 1)
        hint = (
            f"did you mean {close[0]!r}?"
            if close
            else f"it has {', '.join(have[:20])}{' ...' if len(have) > 20 else ''}."
        )
        raise InputError(f"the table has no column {missing!r}; {hint}")


def batches(
    path: Path, types: Mapping[str, str], others: Sequence[str], rows: int, progress: Progress
) -> Iterator[Any]:
    """Yield a table as Arrow record batches; the next is read while the caller works on one.

    Parameters
    ----------
    path : Path
        A CSV, Parquet or Arrow file.
    types : mapping of str to str
        Columns to read, with ONNX Runtime's names of their types (``tensor(double)``).
    others : sequence of str
        More columns to read, in the types that the file gives them.
    rows : int
        Most rows of a batch.
    progress : callable
        Told the share of the file that has been read.
    """
    names = [*types, *(o for o in others if o not in types)]
    stream = format_of(path).batches(path, types, names, rows, progress)
    try:
        for batch in _ahead(stream):
            for start in range(0, max(1, batch.num_rows), rows):
                yield batch.slice(start, rows)
    except (arrow().ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name}: {_in_names(str(error), path, types)}") from error


def _in_names(text: str, path: Path, types: Mapping[str, str]) -> str:
    """Return what Arrow says of a field that it cannot read, with the column's name and what the model takes there."""
    found = _FIELD.match(text)
    if found is None:
        return text
    name = column_names(path)[int(found["column"])]
    wanted = f"; the model takes {types[name]} there" if name in types else ""
    coded = "; save the file in UTF-8" if "UTF8" in found["what"] else ""
    return f"column {name!r}: {found['what']}{coded or wanted}."


def _ahead(stream: Iterator[Any]) -> Iterator[Any]:
    """Yield what a stream yields; a thread of its own asks for the next one meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, stream, None)
        while (batch := coming.result()) is not None:
            coming = thread.submit(next, stream, None)
            yield batch


def feeds(batch: Any, inputs: Sequence[Any], chosen: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return an Arrow batch as one column an input, or a tuple of columns, for the native core to read in place.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Rows.
    inputs : sequence
        The model's inputs (``.name``, ``.shape``).
    chosen : mapping of str to sequence of str
        Input name -> columns (`choose_columns`).
    """
    columns = arrow_columns(batch)
    parts = {name: tuple(columns[c] for c in names) for name, names in chosen.items()}
    wide = {i.name for i in inputs if len(i.shape) > 1 and i.shape[1] != 1}
    return {name: part if name in wide else part[0] for name, part in parts.items()}


def tensors(batch: Any, inputs: Sequence[Any], chosen: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return an Arrow batch as one array an input: (N, columns), missing text as the file's own sentinel.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Rows.
    inputs : sequence
        The model's inputs (``.name``, ``.shape``).
    chosen : mapping of str to sequence of str
        Input name -> columns (`choose_columns`).
    """
    feeds = {}
    for i in inputs:
        array = np.column_stack([_array(batch.column(c)) for c in chosen[i.name]])
        feeds[i.name] = array if len(i.shape) > 1 else array[:, 0]
    return feeds


def columns(outputs: Mapping[str, Any], description: Description | None) -> dict[str, Any]:
    """Spread results over named columns (`frames.named_columns`); outputs that belong to no method are numbered.

    Parameters
    ----------
    outputs : mapping of str to ndarray
        Results by name.
    description : Description or None
        What the file says of itself.
    """
    known = {name: _with_missing(array) for name, array in outputs.items()}
    methods = description.methods if description else {}
    entries = {name: entry for name, entry in methods.items() if all(output in known for output in entry.outputs)}
    covered = {output for entry in entries.values() for output in entry.outputs}
    entries |= {name: Method((name,)) for name in known if name not in covered}
    classes = description.classes if description else None
    spread: dict[str, Any] = {}
    for entry in entries.values():
        spread |= named_columns(entry, classes, [known[output] for output in entry.outputs])
    return spread


def beside(kept: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a table, those of the data first.

    Raises
    ------
    InputError
        If a result has the name of a column that is kept.
    """
    if twice := [name for name in kept if name in results]:
        raise InputError(
            f"--keep {' '.join(twice)}: results are called so too; choose others with --methods, or rename the column."
        )
    return {**kept, **results}


@contextmanager
def writer(path: Path | None) -> Iterator[Callable[[Any], None]]:
    """Open a table for writing batch by batch; without a path, CSV goes to the standard output.

    The file appears under its name only when all of it has been written.
    """
    if path is None and sys.stdout is None:
        raise InputError("the standard output is closed; name a file with --output.")
    if path is None:
        with (
            _refusing("the standard output"),
            written_out() as sink,
            _closing_writer(sink, CSV.writer, ".csv") as write,
        ):
            yield write
        return
    kind = format_named(path, "results are written to")
    with (
        _refusing(str(path)),
        whole(path) as file,
        file.open("wb") as sink,
        _closing_writer(sink, kind.writer, path.suffix) as write,
    ):
        yield write


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Say what cannot be written, and why; a reader that has enough (``| head``) is no trouble."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{name} cannot be written: {error.strerror}.") from error


# -------------------------------------------------------------------------------------------------------------- details


def _array(column: Any) -> Any:
    pa = arrow()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.fill_null(MISSING_NAN).to_numpy(zero_copy_only=False)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if column.null_count and pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())  # nulls of numbers become NaN, those of bools would become None
    return column.to_numpy(zero_copy_only=False)


def _with_missing(array: Any) -> Any:
    """Text that stands for a missing value becomes one again."""
    if array.dtype.kind not in "OU":
        return array
    return np.where((array == MISSING_NAN) | (array == MISSING_NONE), None, array.astype(object))


@contextmanager
def _closing_writer(sink: Any, make: Callable[[Any, Any, str], Any], suffix: str) -> Iterator[Callable[[Any], None]]:
    opened: list[Any] = []

    def write(table: Mapping[str, Any]) -> None:
        batch = arrow().table({name: _column(values) for name, values in table.items()})
        if not opened:
            opened.append((make(sink, batch.schema, suffix), batch.schema))
        first, schema = opened[0]
        first.write_table(batch if batch.schema.equals(schema) else batch.cast(schema))

    try:
        yield write
    finally:
        for opened_writer, _ in opened:
            opened_writer.close()


def _column(values: Any) -> Any:
    """Return a column for writing; text is text even where all of it is missing."""
    text = isinstance(values, np.ndarray) and values.dtype.kind == "O"
    return arrow().array(values, arrow().string() if text else None)
