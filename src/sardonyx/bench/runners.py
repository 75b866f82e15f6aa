"""What is timed: our runtime, ONNX Runtime and scikit-learn, each given the same rows in the form it likes best.

Conversion of the rows (frames to tensors, text to objects) is done before the clock starts, for everybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from ..errors import InputError
from .timing import Timing, measure


@dataclass(frozen=True, slots=True)
class Workload:
    """The same rows twice.

    Attributes
    ----------
    rows : int
        How many.
    feeds : dict of str to ndarray
        The tensors of an ONNX runtime.
    X : object
        What the estimator takes, or None when there is no estimator.
    """

    rows: int
    feeds: Mapping[str, Any]
    X: Any = None


#: calls of up to SMALL rows take turns with DIFFERENT rows: nobody predicts the same row all day
SMALL, DIFFERENT = 100, 16
#: turns a workload into the call to be timed
Runner: TypeAlias = Callable[[Workload], Callable[[], object]]


def workload(feeds: Mapping[str, Any], rows: int, X: Any = None, start: int = 0) -> Workload:
    """Repeat or cut data to a number of rows.

    Parameters
    ----------
    feeds : mapping of str to ndarray
        Tensors of any number of rows, at least one.
    rows : int
        Rows wanted.
    X : array or DataFrame, optional
        The same data as the estimator takes them.
    start : int, default 0
        The first row to take.
    """
    have = min((len(a) for a in feeds.values()), default=0)
    if not have:
        raise InputError("no rows to time; give data with at least one row.")
    index = (start + np.arange(rows)) % have
    return Workload(rows, {name: _contiguous(array[index]) for name, array in feeds.items()}, _take(X, index))


def sardonyx_runner(session: Any) -> Runner:
    """Time ``Session.run``."""
    return lambda work: _bind(session.run, None, dict(work.feeds))


def onnxruntime_runner(model: bytes, threads: int = 0) -> Runner:
    """Time ONNX Runtime with its default optimisations.

    Parameters
    ----------
    model : bytes
        The ONNX file.
    threads : int
        Threads that work on one call; 0 is ONNX Runtime's own choice.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda work: _bind(session.run, None, dict(work.feeds))


def sklearn_runner(estimator: Any, methods: Sequence[str]) -> Runner:
    """Time the estimator's own methods."""
    bound = [getattr(estimator, m) for m in methods]
    return lambda work: lambda: [method(work.X) for method in bound]


def compare(
    runners: Mapping[str, Runner | Sequence[Runner]],
    feeds: Mapping[str, Any],
    batches: Sequence[int],
    X: Any = None,
    budget: float = 1.0,
    progress: Callable[[int], None] = lambda rows: None,
    limit: float = math.inf,
    settle: float = 0.0,
) -> list[Timing]:
    """Time runners on the same rows at several batch sizes.

    Parameters
    ----------
    runners : mapping of str to Runner, or to several of which the fastest counts
        By name.
    feeds : mapping of str to ndarray
        Data, repeated as needed.
    batches : sequence of int
        Rows of a call, ascending.
    X : array or DataFrame, optional
        The data as the estimator takes them.
    budget : float
        Seconds for each batch size.
    progress : callable
        Told each batch size when it is done.
    limit : float
        Runners are not called when their time per row promises a longer call, in seconds.
    settle : float
        Seconds between two runners' blocks; see `measure`.
    """
    entries = [(name, one) for name, given in runners.items() for one in ([given] if callable(given) else given)]
    timings: list[Timing] = []
    a_row = dict.fromkeys(range(len(entries)), 0.0)
    for rows in batches:
        works = [workload(feeds, rows, X, i * rows) for i in range(DIFFERENT if rows <= SMALL else 1)]
        calls = {
            str(i): [one(work) for work in works] for i, (_, one) in enumerate(entries) if a_row[i] * rows <= limit
        }
        measured = measure(calls, rows, budget, settle)
        a_row |= {int(t.name): t.per_row for t in measured}
        timings += _fastest([replace(t, name=entries[int(t.name)][0]) for t in measured])
        progress(rows)
    return timings


def _fastest(timings: Sequence[Timing]) -> list[Timing]:
    """Return the fastest of each name, in the order of names."""
    best: dict[str, Timing] = {}
    for timing in timings:
        known = best.setdefault(timing.name, timing)
        best[timing.name] = min(known, timing, key=lambda t: t.seconds)
    return list(best.values())


def _bind(function: Callable[..., object], names: None, feeds: dict[str, Any]) -> Callable[[], object]:
    # not functools.partial: its call costs as much as a lambda's, and this reads as what a user would write
    return lambda: function(names, feeds)


def _contiguous(array: Any) -> Any:
    return array if array.dtype == object else np.ascontiguousarray(array)


def _take(X: Any, index: Any) -> Any:
    if X is None:
        return None
    return X.iloc[index] if hasattr(X, "iloc") else X[index]
