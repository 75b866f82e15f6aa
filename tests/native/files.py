"""Bytes of program files that were changed, and what becomes of them: refused, or loaded and run, but no crash."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sardonyx import _native
from sardonyx.errors import InputError, ProgramError


def changed(file: bytes, changes: Iterable[tuple[int, bytes]]) -> bytes:
    """Return a file with other bytes at some positions, counted round and round."""
    result = bytearray(file)
    for position, value in changes:
        at = position % len(result)
        result[at : at + len(value)] = value[: len(result) - at]
    return bytes(result)


def try_every_byte(file: bytes, value: int) -> None:
    """Try the file with one byte after the other changed to a value."""
    for at in range(len(file)):
        try_file(changed(file, [(at, bytes([value]))]))
    assert try_file(file)


def try_file(file: bytes) -> bool:
    """Load and run; say whether it was taken."""
    try:
        program = _native.Program.from_bytes(file)
    except ProgramError:
        return False
    if any(np.prod(shape, dtype=float) > 1e6 for _, _, shape in (*program.inputs, *program.outputs)):
        return True
    for rows in (0, 1, 40):
        feeds = {
            name: np.full((rows, *shape), "ü", object) if dtype == "str" else np.ones((rows, *shape), dtype)
            for name, dtype, shape in program.inputs
        }
        try:
            program.run(None, feeds)
        except (InputError, MemoryError):
            assert rows > 0
    return True
