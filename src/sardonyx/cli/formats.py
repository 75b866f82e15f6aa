"""The files that tables come in, read and written batch by batch: CSV, Parquet, Arrow (Feather).

::

    format_of(path) ─▶ Format    names(path)                        the columns, without reading rows
                                 batches(path, types, names, ...)   Arrow record batches
                                 writer(sink, schema, suffix)       takes tables, one after the other

A format registers itself in `FORMATS`; commands know formats by nothing but their suffixes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..errors import InputError
from .paths import check_file

#: what may separate the fields of a CSV file; the first where none occurs
SEPARATORS: Final = (",", ";", "\t")
#: bytes of CSV parsed at a time, of which pyarrow reads 32 ahead; the larger ones are for rows that fit into no other
CSV_BLOCKS: Final = (1 << 20, 1 << 24, 1 << 28)
#: bytes of a column of Parquet read at a time: whole row groups need not fit into memory
PARQUET_BUFFER: Final = 1 << 20
#: ONNX tensor types (as ONNX Runtime spells them) that are not Arrow's names
ARROW_NAMES: Final = {"float16": "halffloat"}

#: told the share of a file that has been read
Progress: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. Its functions raise what pyarrow raises."""

    name: str
    suffixes: tuple[str, ...]
    names: Callable[[Path], list[str]]
    batches: Callable[[Path, Mapping[str, str], Sequence[str], int, Progress], Iterator[Any]]
    writer: Callable[[Any, Any, str], Any]


def format_of(path: Path) -> Format:
    """Return the format of a file that is there.

    Raises
    ------
    InputError
        If there is no such file, or its suffix is of no table.
    """
    check_file(path)
    return format_named(path, "tables are read from")


def format_named(path: Path, what: str) -> Format:
    """Return the format that a file's name asks for; the error says what is done with such files."""
    for known in FORMATS:
        if path.suffix in known.suffixes:
            return known
    suffixes = ", ".join(suffix for known in FORMATS for suffix in known.suffixes)
    raise InputError(f"{path.name or path}: {what} {suffixes} files.")


def arrow() -> Any:
    """Return pyarrow, with what reads and writes files."""
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("reading and writing tables needs pyarrow: pip install 'sardonyx[cli]'") from error
    return pa


def no_rows(schema: Any) -> Any:
    """Return a batch without rows: a table without any still has its columns."""
    return arrow().RecordBatch.from_pylist([], schema=schema)


# ----------------------------------------------------------------------------------------------------------------- CSV


def separator(path: Path) -> str:
    """Return what separates the fields: a tab in .tsv, elsewhere what the header has most of, outside its quotes."""
    if path.suffix == ".tsv":
        return "\t"
    with path.open("rb") as file:
        header = file.readline(CSV_BLOCKS[1])
    unquoted = b"".join(header.split(b'"')[::2])
    return max(SEPARATORS, key=lambda character: unquoted.count(character.encode()))


@contextmanager
def _open_csv(path: Path, block: int, file: Any, convert: Any = None) -> Iterator[Any]:
    pa = arrow()
    read = pa.csv.ReadOptions(block_size=block, use_threads=False)
    parse = pa.csv.ParseOptions(delimiter=separator(path), newlines_in_values=True)
    with pa.csv.open_csv(file, read, parse, convert) as reader:
        yield reader


def _is_too_long(error: Exception, block: int) -> bool:
    """Whether a row did not fit into a block, and may fit into a larger one."""
    return "block size" in str(error) and block < CSV_BLOCKS[-1]


def _csv_names(path: Path) -> list[str]:
    for block in CSV_BLOCKS:
        try:
            with path.open("rb") as file, _open_csv(path, block, file) as reader:
                return list(reader.schema.names)
        except arrow().ArrowInvalid as error:
            if not _is_too_long(error, block):
                raise
    raise AssertionError  # the last block returns or raises


def _arrow_type(onnx_type: str) -> Any:
    name = onnx_type.removeprefix("tensor(").removesuffix(")")
    return arrow().type_for_alias(ARROW_NAMES.get(name, name))


def _csv_batches(
    path: Path, types: Mapping[str, str], names: Sequence[str], rows: int, progress: Progress
) -> Iterator[Any]:
    size = max(1, path.stat().st_size)
    kinds = {name: _arrow_type(kind) for name, kind in types.items()}
    done = 0
    for block in CSV_BLOCKS:
        try:
            for batch in _csv_rows(path, block, kinds, names, done, lambda read: progress(min(1.0, read / size))):
                kinds = {field.name: field.type for field in batch.schema}
                done += batch.num_rows
                yield batch
            return
        except arrow().ArrowInvalid as error:
            if not _is_too_long(error, block):
                raise


def _csv_rows(
    path: Path, block: int, kinds: Mapping[str, Any], names: Sequence[str], begin: int, told: Callable[[int], None]
) -> Iterator[Any]:
    """Yield batches of the rows from `begin` on; one without rows if the file has none."""
    convert = arrow().csv.ConvertOptions(column_types=kinds, include_columns=list(names), strings_can_be_null=True)
    count = 0
    with path.open("rb") as file, _open_csv(path, block, file, convert) as reader:
        for batch in reader:
            rows = batch.slice(min(batch.num_rows, max(0, begin - count)))
            count += batch.num_rows
            told(file.tell())
            if rows.num_rows:
                yield rows
        if not count:
            yield no_rows(reader.schema)


def _csv_writer(sink: Any, schema: Any, suffix: str) -> Any:
    options = arrow().csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ",", quoting_style="needed")
    return arrow().csv.CSVWriter(sink, schema, write_options=options)


# ------------------------------------------------------------------------------------------------------------- Parquet


def _parquet_names(path: Path) -> list[str]:
    return list(arrow().parquet.read_schema(path).names)


def _parquet_batches(
    path: Path, types: Mapping[str, str], names: Sequence[str], rows: int, progress: Progress
) -> Iterator[Any]:
    with arrow().parquet.ParquetFile(path, buffer_size=PARQUET_BUFFER, pre_buffer=False) as file:
        done, total = 0, file.metadata.num_rows
        for batch in file.iter_batches(batch_size=rows, columns=list(names)):
            done += batch.num_rows
            progress(done / total)
            yield batch
        if not total:
            yield no_rows(arrow().schema([file.schema_arrow.field(name) for name in names]))


def _parquet_writer(sink: Any, schema: Any, suffix: str) -> Any:
    return arrow().parquet.ParquetWriter(sink, schema)


# --------------------------------------------------------------------------------------------------------------- Arrow


def _is_stream(path: Path) -> bool:
    """Whether Arrow data come as a stream, which has no index of its batches; files begin with a mark."""
    with path.open("rb") as file:
        return file.read(6) != b"ARROW1"


def _ipc_names(path: Path) -> list[str]:
    pa = arrow()
    with pa.OSFile(str(path)) as source:
        reader = pa.ipc.open_stream(source) if _is_stream(path) else pa.ipc.open_file(source)
        return list(reader.schema.names)


def _ipc_batches(
    path: Path, types: Mapping[str, str], names: Sequence[str], rows: int, progress: Progress
) -> Iterator[Any]:
    pa, size, count = arrow(), max(1, path.stat().st_size), 0
    with pa.OSFile(str(path)) as source:
        if _is_stream(path):
            reader = pa.ipc.open_stream(source)
            stream = iter(reader)
        else:
            reader = pa.ipc.open_file(source)
            stream = (reader.get_batch(number) for number in range(reader.num_record_batches))
        for batch in stream:
            count += batch.num_rows
            progress(min(1.0, source.tell() / size))
            if batch.num_rows:
                yield batch.select(list(names))
        if not count:
            yield no_rows(pa.schema([reader.schema.field(name) for name in names]))


def _ipc_writer(sink: Any, schema: Any, suffix: str) -> Any:
    return arrow().ipc.new_stream(sink, schema) if suffix == ".arrows" else arrow().ipc.new_file(sink, schema)


CSV: Final = Format("CSV", (".csv", ".tsv", ".txt"), _csv_names, _csv_batches, _csv_writer)
PARQUET: Final = Format("Parquet", (".parquet", ".pq"), _parquet_names, _parquet_batches, _parquet_writer)
IPC: Final = Format("Arrow", (".arrow", ".feather", ".ipc", ".arrows"), _ipc_names, _ipc_batches, _ipc_writer)
FORMATS: Final = (CSV, PARQUET, IPC)
