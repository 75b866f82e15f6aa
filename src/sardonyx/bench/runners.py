"""What is timed: our runtime, ONNX Runtime and scikit-learn, each given the same rows in the form it likes best.

Conversion of the rows (frames to tensors, text to objects) is done before the clock starts, for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


#: turns a workload into the call to be timed
Runner: TypeAlias = Callable[[Workload], Callable[[], object]]


def workload(feeds: Mapping[str, Any], rows: int, X: Any = None) -> Workload:
    """Repeat or cut data to a number of rows.

    Parameters
    ----------
    feeds : mapping of str to ndarray
        Tensors of any number of rows, at least one.
    rows : int
        Rows wanted.
    X : array or DataFrame, optional
        The same data as the estimator takes them.
    """
    have = min((len(a) for a in feeds.values()), default=0)
    if not have:
        raise InputError("no rows to time; give data with at least one row.")
    index = np.arange(rows) % have
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
    runners: Mapping[str, Runner],
    feeds: Mapping[str, Any],
    batches: Sequence[int],
    X: Any = None,
    budget: float = 1.0,
    progress: Callable[[int], None] = lambda rows: None,
) -> list[Timing]:
    """Time runners on the same rows at several batch sizes.

    Parameters
    ----------
    runners : mapping of str to Runner
        By name.
    feeds : mapping of str to ndarray
        Data, repeated as needed.
    batches : sequence of int
        Rows of a call.
    X : array or DataFrame, optional
        The data as the estimator takes them.
    budget : float
        Seconds for each batch size.
    progress : callable
        Told each batch size when it is done.
    """
    timings: list[Timing] = []
    for rows in batches:
        work = workload(feeds, rows, X)
        timings += measure({name: runner(work) for name, runner in runners.items()}, rows, budget)
        progress(rows)
    return timings


def _bind(function: Callable[..., object], names: None, feeds: dict[str, Any]) -> Callable[[], object]:
    # not functools.partial: its call costs as much as a lambda's, and this reads as what a user would write
    return lambda: function(names, feeds)


def _contiguous(array: Any) -> Any:
    return array if array.dtype == object else np.ascontiguousarray(array)


def _take(X: Any, index: Any) -> Any:
    if X is None:
        return None
    return X.iloc[index] if hasattr(X, "iloc") else X[index]
