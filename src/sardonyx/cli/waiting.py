"""What is seen while a command works, on the standard error: a word, or a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def status(text: str) -> Iterator[None]:
    """Show a word until the block ends."""
    with Console(stderr=True).status(f"{text} ..."):
        yield


@contextmanager
def progress(name: str) -> Iterator[Callable[[float], None]]:
    """Show a bar; what is yielded takes the share that is done."""
    with _bar(TaskProgressColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def counted(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar of `total` pieces; what is yielded is called after each."""
    with _bar(MofNCompleteColumn()) as bar:
        task = bar.add_task(name, total=total)
        yield lambda _: bar.advance(task)


def _bar(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}", markup=False), BarColumn(), *columns)
    return Progress(*shown, console=console, transient=True, disable=not console.is_terminal)
