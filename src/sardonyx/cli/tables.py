"""CSV and Parquet files: a sample to convert with, or a stream of batches to run a model on in constant memory.

::

    file ──▶ batches(...)  Arrow batches of at most `batch` rows, typed as the model wants them
                 └─▶ tensors(batch, inputs)  one array an input      model ──▶ columns(outputs)  ──▶ Writer ──▶ file

The model's own inputs decide how a CSV field is read: in a text column ``007`` stays text, in a float32 column a number
is rounded once. Empty fields and the spellings of pandas (``NA``, ``null`` ...) are missing values.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..inputs import MISSING_NAN, MISSING_NONE

CSV, PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")
#: what may separate the fields of a CSV file; the first where none occurs
SEPARATORS = (",", ";", "\t")
#: bytes of CSV parsed at a time
CSV_BLOCK = 1 << 22
#: ONNX tensor types (as ONNX Runtime spells them) that are not Arrow's names
ARROW_NAMES = {"float16": "halffloat"}


# ------------------------------------------------------------------------------------------------------------- a sample


def read_frame(path: Path, rows: int | None = None) -> Any:
    """Read a table as people do before they fit: with pandas, or polars if there is no pandas.

    Parameters
    ----------
    path : Path
        A CSV or Parquet file.
    rows : int, optional
        Read no more than these.
    """
    _check_file(path)
    try:
        import pandas as pd
    except ImportError:
        return _read_polars(path, rows)
    try:
        frame = pd.read_parquet(path) if path.suffix in PARQUET else pd.read_csv(path, nrows=rows, sep=_separator(path))
    except (ValueError, OSError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    if not len(frame):
        raise InputError(f"{path.name} has no rows; give some, which tell the types of the columns.")
    return frame if rows is None else frame.head(rows)


def as_sample(frame: Any, estimator: Any, target: str | None = None) -> Any:
    """Return a table as the estimator was given it: its columns in order, or a matrix if it never saw names.

    Parameters
    ----------
    frame : DataFrame
        The table.
    estimator : object
        The fitted estimator.
    target : str, optional
        A column to leave out.
    """
    if target is not None:
        _check_columns([target], frame.columns)
        frame = frame[[c for c in frame.columns if c != target]]
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        _check_columns(list(names), frame.columns)
        return frame[list(names)]
    expected = getattr(estimator, "n_features_in_", None)
    if expected is not None and expected != len(frame.columns):
        raise InputError(
            f"the estimator takes {expected} columns, the table has {len(frame.columns)}. Is one the --target?"
        )
    return frame.to_numpy()


def _read_polars(path: Path, rows: int | None) -> Any:
    try:
        import polars as pl
    except ImportError as error:
        raise InputError("reading a table needs pandas or polars: pip install pandas") from error
    return (
        pl.read_parquet(path, n_rows=rows)
        if path.suffix in PARQUET
        else pl.read_csv(path, n_rows=rows, separator=_separator(path))
    )


# ------------------------------------------------------------------------------------------------------------- a stream


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns without reading its rows."""
    _check_file(path)
    pa = _arrow()
    try:
        if path.suffix in PARQUET:
            return list(pa.parquet.read_schema(path).names)
        with pa.csv.open_csv(path, parse_options=_parse_options(path)) as reader:
            return list(reader.schema.names)
    except (pa.ArrowInvalid, OSError) as error:
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
    _check_columns(list(keep), names)
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise InputError(f"the table has several columns named {', '.join(map(repr, twice))}; rename all but one.")
    if len(inputs) > 1 or inputs[0].name in names:
        _check_columns([i.name for i in inputs], names)
        return {i.name: [i.name] for i in inputs}
    width = inputs[0].shape[1] if len(inputs[0].shape) > 1 else 1
    chosen = list(features) if features is not None and len(features) == width else [n for n in names if n not in keep]
    _check_columns(chosen, names)
    if len(chosen) != width:
        raise InputError(f"the model takes {width} columns, the table has {len(chosen)}. Leave others out with --keep.")
    return {inputs[0].name: chosen}


def batches(
    path: Path, types: Mapping[str, str], others: Sequence[str], rows: int, progress: Callable[[float], None]
) -> Iterator[Any]:
    """Yield a table as Arrow record batches.

    Parameters
    ----------
    path : Path
        A CSV or Parquet file.
    types : mapping of str to str
        Columns to read, with ONNX Runtime's names of their types (``tensor(double)``).
    others : sequence of str
        More columns to read, in the types that the file gives them.
    rows : int
        Most rows of a batch.
    progress : callable
        Told the share of the file that has been read.
    """
    pa, names = _arrow(), [*types, *(o for o in others if o not in types)]
    try:
        stream = (
            _parquet_batches(path, names, rows, progress)
            if path.suffix in PARQUET
            else _csv_batches(path, types, names, progress)
        )
        for batch in stream:
            for start in range(0, max(1, batch.num_rows), rows):
                yield batch.slice(start, rows)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path.name}: {error}") from error


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


def columns(outputs: Mapping[str, Any], classes: Any) -> dict[str, Any]:
    """Spread results over named columns: ``predict``, ``predict_proba_<class>``, ``transform_0`` ...

    Parameters
    ----------
    outputs : mapping of str to ndarray
        Results by name.
    classes : array, list of arrays or None
        The classes of the model, which name the columns of its scores.
    """
    spread = {}
    for name, raw in outputs.items():
        array = _with_missing(raw)
        if array.ndim == 1:
            spread[name] = array
            continue
        flat = array.reshape(len(array), int(np.prod(array.shape[1:])))
        labels = _labels(name, flat.shape[1], classes)
        spread |= (
            {f"{name}_{label}": flat[:, i] for i, label in enumerate(labels)}
            if flat.shape[1] > 1
            else {name: flat[:, 0]}
        )
    return spread


@contextmanager
def writer(path: Path | None) -> Iterator[Callable[[Any], None]]:
    """Open a table for writing batch by batch; without a path, CSV goes to the standard output.

    The file appears under its name only when all of it has been written.
    """
    if path is None:
        sink: Any = sys.stdout.buffer
        with _closing_writer(sink, ".csv") as write:
            yield write
        return
    if path.suffix not in CSV + PARQUET:
        raise InputError(f"{path.name}: results are written to {', '.join(CSV + PARQUET)} files.")
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as sink, _closing_writer(sink, path.suffix) as write:
            yield write
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


# -------------------------------------------------------------------------------------------------------------- details


def _arrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("reading and writing tables needs pyarrow: pip install 'sardonyx[cli]'") from error
    return pa


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"there is no file {path}.")
    if path.suffix not in CSV + PARQUET:
        raise InputError(f"{path.name}: tables are read from {', '.join(CSV + PARQUET)} files.")


def _check_columns(wanted: Sequence[str], names: Sequence[str]) -> None:
    have = [str(n) for n in names]
    for missing in (w for w in wanted if w not in have):
        close = difflib.get_close_matches(str(missing), have, 1)
        hint = (
            f"did you mean {close[0]!r}?"
            if close
            else f"it has {', '.join(have[:20])}{' ...' if len(have) > 20 else ''}."
        )
        raise InputError(f"the table has no column {missing!r}; {hint}")


def _separator(path: Path) -> str:
    """Return what separates the fields: a tab in .tsv, elsewhere what the header has most of, outside its quotes."""
    if path.suffix == ".tsv":
        return "\t"
    with path.open("rb") as file:
        header = file.readline(CSV_BLOCK)
    unquoted = b"".join(header.split(b'"')[::2])
    return max(SEPARATORS, key=lambda separator: unquoted.count(separator.encode()))


def _parse_options(path: Path) -> Any:
    return _arrow().csv.ParseOptions(delimiter=_separator(path), newlines_in_values=True)


def _arrow_type(onnx_type: str) -> Any:
    pa, name = _arrow(), onnx_type.removeprefix("tensor(").removesuffix(")")
    return pa.type_for_alias(ARROW_NAMES.get(name, name))


def _csv_batches(
    path: Path, types: Mapping[str, str], names: Sequence[str], progress: Callable[[float], None]
) -> Iterator[Any]:
    pa, size = _arrow(), max(1, path.stat().st_size)
    convert = pa.csv.ConvertOptions(
        column_types={name: _arrow_type(kind) for name, kind in types.items()},
        include_columns=list(names),
        strings_can_be_null=True,
    )
    read = pa.csv.ReadOptions(block_size=CSV_BLOCK, use_threads=False)
    with path.open("rb") as file, pa.csv.open_csv(file, read, _parse_options(path), convert) as reader:
        count = 0
        for batch in reader:
            count += batch.num_rows
            progress(min(1.0, file.tell() / size))
            if batch.num_rows:
                yield batch
        if not count:
            yield _no_rows(reader.schema)


def _parquet_batches(path: Path, names: Sequence[str], rows: int, progress: Callable[[float], None]) -> Iterator[Any]:
    with _arrow().parquet.ParquetFile(path) as file:
        done, total = 0, file.metadata.num_rows
        for batch in file.iter_batches(batch_size=rows, columns=list(names)):
            done += batch.num_rows
            progress(done / total)
            yield batch
        if not total:
            schema = file.schema_arrow
            yield _no_rows(_arrow().schema([schema.field(name) for name in names]))


def _array(column: Any) -> Any:
    pa = _arrow()
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


def _labels(name: str, width: int, classes: Any) -> Sequence[Any]:
    if isinstance(classes, list):
        position = name.rpartition("_")[2]
        classes = classes[int(position)] if position.isdigit() and int(position) < len(classes) else None
    return list(classes) if classes is not None and len(classes) == width else range(width)


@contextmanager
def _closing_writer(sink: Any, suffix: str) -> Iterator[Callable[[Any], None]]:
    pa = _arrow()
    opened: list[Any] = []

    def write(table: Mapping[str, Any]) -> None:
        batch = pa.table({name: _column(values) for name, values in table.items()})
        if not opened:
            opened.append(
                pa.parquet.ParquetWriter(sink, batch.schema)
                if suffix in PARQUET
                else _csv_writer(sink, batch.schema, suffix)
            )
        opened[0].write_table(batch.cast(opened[0].schema) if suffix in PARQUET else batch)

    try:
        yield write
    finally:
        for opened_writer in opened:
            opened_writer.close()


def _column(values: Any) -> Any:
    """Return a column for writing; text is text even where all of it is missing."""
    pa = _arrow()
    text = isinstance(values, np.ndarray) and values.dtype.kind == "O"
    return pa.array(values, pa.string() if text else None)


def _no_rows(schema: Any) -> Any:
    """Return a batch without rows: a table without any still has its columns."""
    return _arrow().RecordBatch.from_pylist([], schema=schema)


def _csv_writer(sink: Any, schema: Any, suffix: str) -> Any:
    options = _arrow().csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ",", quoting_style="needed")
    return _arrow().csv.CSVWriter(sink, schema, write_options=options)
