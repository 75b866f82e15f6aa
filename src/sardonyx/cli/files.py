"""What commands read from files: estimators, models, programs."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

import sardonyx

from ..errors import InputError, ModelError
from ..lowering.sdx import MAGIC
from ..session.session import Session
from .estimators import load_estimator
from .paths import check_file
from .printing import Errors

if TYPE_CHECKING:
    import onnx


def load_fitted(path: Path, trust: Sequence[str] | None) -> Any:
    """Read an estimator; what scikit-learn warns of (another version wrote the file) is printed, once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = load_estimator(path, trust or ())
    for text in dict.fromkeys(str(w.message).strip().splitlines()[0] for w in caught):
        Errors().refused(Text.assemble(("warning: ", "yellow"), text))
    return estimator


def load_session(path: Path, threads: int = 0) -> Session:
    """Load a model, ONNX or a compiled program."""
    check_file(path)
    return sardonyx.load(path, threads=threads)


def is_program(path: Path) -> bool:
    """Whether a file is a compiled program, which is no ONNX model."""
    check_file(path)
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_model(path: Path) -> onnx.ModelProto:
    """Read an ONNX file."""
    from ..session.loading import parse_onnx

    try:
        return parse_onnx(path.read_bytes(), str(path.parent))
    except ModelError as error:
        raise InputError(f"{path.name}: {error}") from error


def compiled(model: onnx.ModelProto) -> bytes:
    """Return the content of the compiled program of a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.sdx"
        sardonyx.load(model).save(path)
        return path.read_bytes()
