"""What commands print on the standard output, whoever reads it: a terminal, a pipe, a full disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType


class Output(Console):
    """The standard output. A reader that has enough (``| head``) ends the command, and is no error."""

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to who runs the command."""
        raise BrokenPipeError

    def told(self, text: str) -> None:
        """Print a line as it is, however long: names of files hold brackets."""
        self.print(text, markup=False, highlight=False, soft_wrap=True)


class Errors(Output):
    """The standard error."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def refused(self, text: RenderableType) -> None:
        """Print an error in one line, however long."""
        self.print(text, soft_wrap=True)


def spare_what_is_unprintable() -> None:
    """Print a mark for what an output cannot say (``✓`` in ASCII, bytes of a name that are not UTF-8)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextmanager
def written_out() -> Iterator[BinaryIO]:
    """Open the standard output for bytes, all of which it has taken in the end, or is not given again."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError:
        forget_output()
        raise


def forget_output() -> None:
    """Let what is still to be written go nowhere: its reader is gone, and Python would say so at its end."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
