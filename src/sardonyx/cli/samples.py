"""A table as people read it before they fit: the sample to convert a model with, rows to compare it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InputError
from .formats import format_of, separator
from .tables import check_columns


def read_frame(path: Path, rows: int | None = None) -> Any:
    """Read a table as people do before they fit: with pandas, or polars if there is no pandas.

    Parameters
    ----------
    path : Path
        A CSV, Parquet or Arrow file.
    rows : int, optional
        Read no more than these.
    """
    kind = format_of(path).name
    try:
        import pandas as pd
    except ImportError:
        return _read_polars(path, kind, rows)
    try:
        if kind == "CSV":
            frame = pd.read_csv(path, nrows=rows, sep=separator(path))
        else:
            frame = pd.read_parquet(path) if kind == "Parquet" else pd.read_feather(path)
    except (ValueError, OSError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error
    if not len(frame):
        raise InputError(f"{path.name} has no rows; give some, which tell the types of the columns.")
    return frame if rows is None else frame.head(rows)


def as_sample(frame: Any, estimator: Any, target: str | None = None) -> Any:
    """Return a table as the estimator was given it: columns in order, a matrix if it saw no names, or its one column.

    Parameters
    ----------
    frame : DataFrame
        The table.
    estimator : object
        The fitted estimator.
    target : str, optional
        A column to leave out.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if target is not None:
        check_columns([target], frame.columns)
        if names is not None and target in names:
            raise InputError(f"the estimator was fitted with {target!r} among its columns; leave --target out.")
        frame = frame[[c for c in frame.columns if c != target]]
    if names is not None:
        check_columns(list(names), frame.columns)
        return frame[list(names)]
    expected = getattr(estimator, "n_features_in_", None)
    if expected is not None and expected != len(frame.columns):
        raise InputError(
            f"the estimator takes {expected} columns, the table has {len(frame.columns)}. Is one the --target?"
        )
    if expected is None and len(frame.columns) == 1:  # documents or labels, which no estimator counts columns of
        return frame[frame.columns[0]]
    return frame.to_numpy()


def _read_polars(path: Path, kind: str, rows: int | None) -> Any:
    try:
        import polars as pl
    except ImportError as error:
        raise InputError("reading a table needs pandas or polars: pip install pandas") from error
    if kind == "CSV":
        return pl.read_csv(path, n_rows=rows, separator=separator(path))
    return pl.read_parquet(path, n_rows=rows) if kind == "Parquet" else pl.read_ipc(path, n_rows=rows)
