"""Files that commands read and write: estimators, models, programs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import sardonyx

from ..errors import InputError, ModelError
from ..lowering.sdx import MAGIC
from ..session.session import Session
from .estimators import load_estimator

if TYPE_CHECKING:
    import onnx


def load_fitted(path: Path, trust: Sequence[str] | None) -> Any:
    """Read an estimator; what scikit-learn warns of (another version wrote the file) is printed, once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = load_estimator(path, trust or ())
    for text in dict.fromkeys(str(w.message).strip().splitlines()[0] for w in caught):
        Console(stderr=True, soft_wrap=True).print("[yellow]warning:[/]", text, markup=True, highlight=False)
    return estimator


def load_session(path: Path, threads: int = 0) -> Session:
    """Load a model, ONNX or a compiled program."""
    return sardonyx.load(_existing(path), threads=threads)


def is_program(path: Path) -> bool:
    """Whether a file is a compiled program, which is no ONNX model."""
    with _existing(path).open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_model(path: Path) -> onnx.ModelProto:
    """Read an ONNX file."""
    from ..session.loading import parse_onnx

    try:
        return parse_onnx(path.read_bytes(), str(path.parent))
    except ModelError as error:
        raise InputError(f"{path.name}: {error}") from error


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the path of a model, .onnx or .sdx.")
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when all of it has been written."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
