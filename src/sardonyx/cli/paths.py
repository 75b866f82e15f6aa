"""Files that commands read and write: what is there, and what must not be overwritten."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..session.writing import whole


def check_file(path: Path) -> None:
    """Refuse to read what is no file.

    Raises
    ------
    InputError
        Saying what is there instead.
    """
    if path.is_file():
        return
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file.")
    if path.exists():
        raise InputError(f"{path} is a pipe or a device; write what it gives into a file first, and name that.")
    raise InputError(f"there is no file {path}.")


def check_apart(output: Path | None, *read: Path) -> None:
    """Refuse to write over a file that is read.

    Raises
    ------
    InputError
        Naming it.
    """
    for path in read:
        if output is not None and output.exists() and path.exists() and output.samefile(path):
            raise InputError(f"--output {output} is a file that is read here; give another name.")


def write(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when all of it has been written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        with whole(path) as file:
            file.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
