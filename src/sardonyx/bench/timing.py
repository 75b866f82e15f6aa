"""Time several calls against each other.

A machine's speed drifts (clock, neighbours, caches), so calls are never timed one after the other but in rounds::

    warm up     A B C
    round 1     A A A  B B B  C C C      each block repeats a call until it lasts BLOCK seconds; its first call is
    round 2     B B B  C C C  A A A      not timed (caches are the previous one's); rounds start with another one
    ...         until the budget is spent; the median of the rounds is reported, quartiles tell how steady it was
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TypeAlias

#: seconds a block lasts at least, far above the clock's resolution
BLOCK = 0.002
#: rounds that a median should have at least, and has at most
FEWEST, MOST = 5, 200
#: a round more is not worth this many budgets
PATIENCE = 10


#: one call, or calls that take turns: the same work on other rows
Calls: TypeAlias = "Callable[[], object] | Sequence[Callable[[], object]]"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one call took.

    Attributes
    ----------
    name : str
        What was called.
    rows : int
        Rows given to a call.
    seconds : float
        Median over the rounds, per call.
    low, high : float
        Quartiles over the rounds, per call.
    rounds : int
        Number of rounds.
    """

    name: str
    rows: int
    seconds: float
    low: float
    high: float
    rounds: int

    @property
    def per_row(self) -> float:
        """Seconds a row."""
        return self.seconds / self.rows


def measure(calls: Mapping[str, Calls], rows: int = 1, budget: float = 1.0, settle: float = 0.0) -> list[Timing]:
    """Time calls against each other.

    Parameters
    ----------
    calls : mapping of str to callable or sequence of callables
        What to call, by name; several take turns.
    rows : int
        Rows that a call handles; only noted in the result.
    budget : float
        Seconds to spend in all; slow calls still get `FEWEST` rounds, very slow ones (`PATIENCE`) one at least.
    settle : float
        Seconds to wait before each block, so that threads of the one before it have stopped spinning.

    Returns
    -------
    list of Timing
        In the order of `calls`.
    """
    names = list(calls)
    with _quiet():
        repeats = {name: _repeats(_turns(calls[name])) for name in names}
        samples: dict[str, list[float]] = {name: [] for name in names}
        start = time.perf_counter()
        for number in range(MOST):
            spent = time.perf_counter() - start
            if number and spent > (budget if number >= FEWEST else PATIENCE * budget):
                break
            for name in _rotated(names, number):
                time.sleep(settle)
                samples[name].append(_block(_turns(calls[name]), repeats[name]))
    return [_timing(name, rows, samples[name]) for name in names]


def ratio(timings: Sequence[Timing], name: str, to: str, rows: int) -> float:
    """Return how many times faster `name` is than `to` at this number of rows."""
    seconds = {t.name: t.seconds for t in timings if t.rows == rows}
    return seconds[to] / seconds[name]


def duration(seconds: float) -> str:
    """Return a duration with three figures and its unit: ``1.23 µs``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 100 else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the garbage collector out of the blocks, as `timeit` does."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _turns(calls: Calls) -> Sequence[Callable[[], object]]:
    return (calls,) if callable(calls) else calls


def _repeats(calls: Sequence[Callable[[], object]]) -> int:
    """Warm calls up and return how often they fit into a block."""
    for call in calls:
        call()
    repeats = 1
    while (elapsed := _block(calls, repeats) * repeats) < BLOCK / 2:
        repeats = max(repeats * 2, int(repeats * BLOCK / max(elapsed, 1e-7)) // 2)
    return max(1, round(repeats * BLOCK / elapsed)) if elapsed < BLOCK else repeats


def _block(calls: Sequence[Callable[[], object]], repeats: int) -> float:
    steps = list(islice(cycle(calls), repeats))
    if repeats > 1:
        calls[-1]()
    start = time.perf_counter()
    for call in steps:
        call()
    return (time.perf_counter() - start) / repeats


def _rotated(names: list[str], number: int) -> list[str]:
    first = number % len(names)
    return names[first:] + names[:first]


def _timing(name: str, rows: int, samples: list[float]) -> Timing:
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive") if len(samples) > 1 else samples * 3
    return Timing(name, rows, middle, low, high, len(samples))
