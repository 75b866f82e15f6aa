"""Honest timings: all runtimes in one process, interleaved, warm, medians.

Used by ``sardonyx bench``, the demo and benchmarks/. It times and draws; it never decides whether answers are right
(`verify` does) and no test asserts a time.

::

    runners.py   what is timed, each given its rows as it likes them     timing.py   the clock     plot.py   pictures
"""

from __future__ import annotations

from .plot import save_plot, save_speedups
from .runners import Runner, Workload, compare, onnxruntime_runner, sardonyx_runner, sklearn_runner, workload
from .timing import Timing, duration, measure, ratio

#: rows of a call: one request, a small batch, ... a night's job
BATCHES = (1, 10, 100, 1_000, 10_000, 100_000)

__all__ = [
    "BATCHES",
    "Runner",
    "Timing",
    "Workload",
    "compare",
    "duration",
    "measure",
    "onnxruntime_runner",
    "ratio",
    "sardonyx_runner",
    "save_plot",
    "save_speedups",
    "sklearn_runner",
    "workload",
]
