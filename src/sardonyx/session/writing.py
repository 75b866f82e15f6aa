"""Writing files, so that none is there by halves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path to write to; the file appears under its own name when all of it is there.

    A link stays one: what it leads to is written. Pipes and devices are written as it comes.
    """
    file = Path(os.path.realpath(path))
    if file.exists() and not file.is_file():
        yield file
        return
    beside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
