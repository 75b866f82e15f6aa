"""Exceptions that a traced function catches: what it does then, it might do because it is traced.

::

    try: return float(s)          float() cannot read a traced text, which is no reason to answer 0 for every row
    except ValueError: return 0

So a function that catches any exception while it is traced is refused. Libraries that catch their own are not watched.
"""

from __future__ import annotations

import functools
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from .array import refuse

_LIBRARIES, _PYTHON = sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")
#: libraries whose functions are known here: what they catch is about their arguments
_KNOWN = ("numpy", "pandas")
_OURS = str(Path(__file__).parents[1])
#: exceptions that end loops
_ENDS = (StopIteration, GeneratorExit)


@contextmanager
def nothing_caught(function: Callable[..., Any]) -> Iterator[None]:
    """Refuse what happens inside if it ends without an exception, though user code raised one and caught it.

    Parameters
    ----------
    function : callable
        The user's; what is written in its own package is user code, and what is in no package of libraries.
    """
    home, seen = _home(function), []

    def watch(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "call" and not _is_users(frame.f_code.co_filename, home):
            return None
        if event == "exception" and not issubclass(arg[0], _ENDS):
            seen.append((frame.f_code.co_filename, frame.f_lineno, arg[1]))
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)
    if seen:
        filename, line, error = seen[0]
        refuse(
            f"{filename}, line {line}: the function catches {type(error).__name__} ({error}), which may be there only "
            "because it is traced; ask for what it is about instead, as with np.where, isinstance or pd.isna"
        )


def _home(function: Callable[..., Any]) -> str:
    """Return the folder of the library that a function is of; nothing if it is of none, or of a known one."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    filename = code.co_filename if code is not None else ""
    if not filename.startswith(_LIBRARIES):
        return ""
    library = Path(filename).relative_to(_LIBRARIES).parts[0]
    return "" if library in _KNOWN else str(Path(_LIBRARIES, library))


@functools.lru_cache(maxsize=1024)
def _is_users(filename: str, home: str) -> bool:
    if home and filename.startswith(home):
        return True
    return not filename.startswith((_OURS, _LIBRARIES, _PYTHON, "<frozen"))
