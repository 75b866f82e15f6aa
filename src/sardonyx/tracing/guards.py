"""``if np.isnan(X).any(): raise ValueError(...)``: what a function refuses if any row is bad.

Whether any row of a batch meets a condition is no business of one row, unless the answer is an exception: then it is
the row that is refused. So a function that asks is called once more for each question, with yes for an answer, which
must raise; and its result is made with no for all answers, and refuses such rows::

    call 1     any negative?  yes ──▶ raise ValueError("negative")      remembered: refuse x < 0, "negative"
    call 2     any negative?  no  ──▶ np.sqrt(X)                        Require(np.sqrt(X), x >= 0)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from ..convert import Columns, Data
from ..errors import ConversionError
from ..graph import Value
from ..operators.checks import require
from .array import Array, refuse
from .watching import nothing_caught

T = TypeVar("T")
#: questions that are followed
MOST = 32


@dataclass
class _Questions:
    """What was asked in a call: the last answer is yes if one is to be tried, all others are no."""

    tried: int | None
    conditions: list[Value] = field(default_factory=list)

    def ask(self, condition: Value) -> bool:
        self.conditions.append(condition)
        if len(self.conditions) > MOST:
            refuse(f"more than {MOST} questions about all rows")
        return self.tried == len(self.conditions) - 1


_questions: ContextVar[_Questions | None] = ContextVar("questions", default=None)


class AnyRow:
    """Whether a condition holds in any row; only `if` may ask, and only to raise.

    Parameters
    ----------
    condition : Value of shape (N,)
        Bools.
    negated : bool
        What is asked is whether it holds in none.
    """

    def __init__(self, condition: Value, negated: bool = False) -> None:
        self.condition, self.negated = condition, negated

    def __bool__(self) -> bool:
        questions = _questions.get()
        if questions is None:
            refuse("a question about all rows")
        return questions.ask(self.condition) != self.negated

    def any(self, axis: Any = None) -> AnyRow:
        """Return the same: there is one answer."""
        return self

    all = item = any

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        refuse(_ONLY)

    def __array__(self, *_: Any, **__: Any) -> Any:
        refuse(_ONLY)

    __hash__ = object.__hash__
    __add__ = __radd__ = __mul__ = __rmul__ = __and__ = __or__ = __rand__ = __ror__ = __invert__ = __array__
    __lt__ = __le__ = __gt__ = __ge__ = __float__ = __int__ = __index__ = __sub__ = __rsub__ = __array__


class RowsThatHold(AnyRow):
    """In how many rows a condition holds: ``X.isna().sum().sum() > 0`` asks whether in any."""

    def sum(self, axis: Any = None) -> RowsThatHold:
        """Return the same: the sum of counts is no other question."""
        return self

    def _compared(self, number: Any, *, whether_any: bool) -> AnyRow:
        if type(number) is not int or number != 0:
            refuse(_ONLY)
        return AnyRow(self.condition, negated=not whether_any)

    def __gt__(self, other: Any) -> Any:
        return self._compared(other, whether_any=True)

    def __ne__(self, other: object) -> Any:
        return self._compared(other, whether_any=True)

    def __eq__(self, other: object) -> Any:
        return self._compared(other, whether_any=False)

    __hash__ = object.__hash__


def counted_in_all(condition: Array) -> RowsThatHold:
    """Return ``condition.sum()`` of bools."""
    return RowsThatHold(asked_of_all(condition, of_all=False).condition)


_ONLY = "whether any row meets a condition depends on the other rows; `if` may ask it, to raise an exception"


def asked_of_all(condition: Array, *, of_all: bool) -> AnyRow:
    """Return ``condition.any()``, or ``condition.all()``: whether the opposite holds in none."""
    truth = condition.astype(np.bool_)
    value = ~truth.value if of_all else truth.value
    while value.ndim > 1:
        value = value.astype(np.int64).max(value.ndim - 1) > 0
    return AnyRow(value, negated=of_all)


def guarded(call: Callable[[], T], finish: Callable[[T], Data], watched: Callable[..., Any] | None) -> Data:
    """Return what a call makes, which refuses the rows that it raises an exception for.

    Parameters
    ----------
    call : callable
        Without arguments.
    finish : callable
        Makes data of what it returns.
    watched : callable, optional
        The user's function, to be refused if it catches an exception.
    """
    with nothing_caught(watched) if watched is not None else nullcontext():
        questions, result = _answered(call, None)
    refusals = []
    for i in range(len(questions.conditions)):
        try:
            _answered(call, i)
        except ConversionError:
            raise
        except Exception as error:
            refusals.append(f"{type(error).__name__}: {error}")
        else:
            refuse(_ONLY)
    data = finish(result)
    for condition, message in zip(questions.conditions, refusals, strict=True):
        data = _refusing(data, ~condition, message)
    return data


def _answered(call: Callable[[], T], tried: int | None) -> tuple[_Questions, T]:
    questions = _Questions(tried)
    token = _questions.set(questions)
    try:
        return questions, call()
    finally:
        _questions.reset(token)


def _refusing(data: Data, fine: Value, message: str) -> Data:
    """Return data that refuse the rows that are not fine; one column is enough to do it."""
    if isinstance(data, Columns):
        first, *rest = data.values
        return Columns(data.names, (require(first, _like(fine, first), message=message), *rest))
    result: Value = require(data, _like(fine, data), message=message)
    return result


def _like(fine: Value, data: Value) -> Value:
    return fine if data.ndim == 1 else fine.reshape(-1, *[1] * (data.ndim - 1))
