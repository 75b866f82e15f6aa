"""Methods that a session has not, as its file has not: ``hasattr`` says no, like scikit-learn's ``available_if``.

Such a session is of a class of its own, in which those methods raise where they are looked up, so that looking up those
that are there costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ..errors import MissingMethodError
from ..registry import ALIASES

if TYPE_CHECKING:
    from .session import Session

#: those of a session that its file may lack
METHODS: Final = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples"),
    *("transform", "inverse_transform", "apply", "kneighbors"),
)


class _Missing:
    """In place of a method that is not there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, session: Session | None, owner: type[Session]) -> Any:
        if session is None:
            return self
        raise missing_method(session, self.name)


def with_methods(cls: type[Session], there: Iterable[str]) -> type[Session]:
    """Return the class of sessions that have these methods only."""
    names = {ALIASES.get(name, name) for name in there}
    missing = tuple(name for name in METHODS if name not in names)
    return _without(cls, missing) if missing else cls


@cache
def _without(cls: type[Session], missing: tuple[str, ...]) -> type[Session]:
    return type(cls.__name__, (cls,), {name: _Missing(name) for name in missing} | {"__module__": cls.__module__})


def missing_method(session: Session, name: str) -> MissingMethodError:
    """Return the error that says what the file has instead."""
    if session.description is None:
        return MissingMethodError(
            f"this file does not say which output is {name}'s, as sardonyx did not write it; use run(None, feeds)."
        )
    return MissingMethodError(
        f"this file has no {name}; it has {', '.join(session.methods)}. "
        f"Convert the estimator again with methods=[..., {name!r}]."
    )
