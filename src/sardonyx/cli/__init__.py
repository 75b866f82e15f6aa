"""The command ``sardonyx``: convert, verify, check, run, show, bench, demo.

`main` works without the extra `cli`: it then says what to install. Everything else is imported behind it::

    commands.py      the commands and their exit codes      estimators.py   fitted estimators from files
    tables.py        tables streaming through a model        formats.py      CSV, Parquet, Arrow
    samples.py       the table a model was fitted on         files.py        models and estimators from files
    report.py        what is printed                         waiting.py      what is seen meanwhile
    demo.py          who survived the Titanic                paths.py        what may be read, and written over
    printing.py      where it is printed
"""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

#: exit codes: all well; the model disagrees or a check failed; wrong usage or bad input; Ctrl-C, as shells have it
OK, DISAGREES, USAGE, INTERRUPTED = 0, 1, 2, 130
#: packages of the extra `cli` without which no command runs
NEEDED = ("cyclopts", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        0 if all is well, 1 if a model disagrees or a check failed, 2 for wrong usage or bad input.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        print(f"The command line needs {' and '.join(missing)}: pip install 'sardonyx[cli]'", file=sys.stderr)
        return USAGE
    from .commands import run_app
    from .printing import spare_what_is_unprintable

    spare_what_is_unprintable()
    with _ending_as_interrupted():
        return run_app(sys.argv[1:] if arguments is None else arguments)


@contextmanager
def _ending_as_interrupted() -> Iterator[None]:
    """Leave on SIGTERM as on Ctrl-C, so that what is half written is taken away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)  # as shells have it
