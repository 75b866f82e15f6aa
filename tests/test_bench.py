"""The stopwatch: what it reports follows from what it was given. No test here asserts how long something takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sardonyx import bench
from sardonyx.bench.timing import MOST, Timing, measure
from sardonyx.errors import InputError


def test_measure_reports_every_call_in_order() -> None:
    calls = {"a": 0, "b": 0}

    def call(name: str) -> None:
        calls[name] += 1

    timings = measure({"a": lambda: call("a"), "b": lambda: call("b")}, rows=10, budget=60.0)
    assert [t.name for t in timings] == ["a", "b"]
    for t in timings:
        assert t.rounds == MOST
        assert calls[t.name] > t.rounds
        assert 0 < t.low <= t.seconds <= t.high
        assert t.per_row == t.seconds / 10


def test_measure_gives_up_on_very_slow_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000_000, 100))
    monkeypatch.setattr("sardonyx.bench.timing.time.perf_counter", lambda: float(next(clock)))
    (timing,) = measure({"slow": lambda: None}, budget=1.0)
    assert timing.rounds == 1
    assert timing.seconds == timing.low == timing.high == 100.0


def test_measure_passes_errors_on() -> None:
    with pytest.raises(ZeroDivisionError):
        measure({"wrong": lambda: 1 / 0})


def test_ratio_is_how_many_times_faster() -> None:
    timings = [Timing("fast", 1, 2.0, 2.0, 2.0, 5), Timing("slow", 1, 6.0, 6.0, 6.0, 5), Timing("slow", 2, 1, 1, 1, 5)]
    assert bench.ratio(timings, "fast", to="slow", rows=1) == 3.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5e-9, "0 ns"),
        (123e-9, "123 ns"),
        (1.234e-6, "1.23 µs"),
        (250e-6, "250 µs"),
        (0.0123, "12.3 ms"),
        (61.0, "61 s"),
    ],
)
def test_duration_has_a_fitting_unit(seconds: float, text: str) -> None:
    assert bench.duration(seconds) == text


@pytest.mark.parametrize("rows", [1, 3, 4, 11])
def test_workload_repeats_rows_for_everybody(rows: int) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]})
    feeds = {"a": frame[["a"]].to_numpy(), "b": frame[["b"]].to_numpy(dtype=object)}
    work = bench.workload(feeds, rows, frame)
    assert work.rows == rows
    assert work.X["a"].tolist() == work.feeds["a"][:, 0].tolist() == [[1.0, 2.0, 3.0][i % 3] for i in range(rows)]
    assert work.X["b"].tolist() == work.feeds["b"][:, 0].tolist()


def test_workload_needs_a_row() -> None:
    with pytest.raises(InputError, match="at least one row"):
        bench.workload({"X": np.zeros((0, 3))}, 5)


def test_compare_gives_every_runner_the_same_rows() -> None:
    seen: dict[str, set[int]] = {"a": set(), "b": set()}

    def runner(name: str) -> bench.Runner:
        return lambda work: lambda: seen[name].add(len(work.feeds["X"]))

    done: list[int] = []
    batches = (1, 7)
    timings = bench.compare(
        {n: runner(n) for n in seen}, {"X": np.ones((3, 2))}, batches, budget=0.01, progress=done.append
    )
    assert [(t.name, t.rows) for t in timings] == [("a", 1), ("b", 1), ("a", 7), ("b", 7)]
    assert seen == {"a": {1, 7}, "b": {1, 7}}
    assert done == [1, 7]


def test_the_fastest_of_several_runners_counts_and_slow_ones_are_left_out() -> None:
    called: dict[str, list[float]] = {"quick": [], "slow": []}

    def runner(name: str, seconds: float) -> bench.Runner:
        def run(work: bench.Workload) -> Callable[[], object]:
            def call() -> None:
                time.sleep(seconds * work.rows)
                called[name].append(work.feeds["X"][0, 0])

            return call

        return run

    slow = runner("slow", 0.01)
    runners = {"a": [slow, runner("quick", 0.0)], "b": [slow]}
    timings = bench.compare(runners, {"X": np.arange(20.0)[:, None]}, (1, 200), budget=0.01, limit=0.5)
    assert [(t.name, t.rows) for t in timings] == [("a", 1), ("b", 1), ("a", 200)]
    assert all(t.seconds < 0.005 for t in timings if t.name == "a")
    assert len(set(called["quick"])) > 1  # small calls take turns with different rows


def test_save_speedups_writes_a_picture(tmp_path: Path) -> None:
    assert bench.save_speedups({"one": {1: 20.0, 100: 3.0}}, "another", tmp_path / "s.png")
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


def test_save_plot_writes_a_picture(tmp_path: Path) -> None:
    timings = [Timing(name, rows, rows * 1e-6, rows * 0.9e-6, rows * 1.1e-6, 5) for name in "ab" for rows in (1, 100)]
    assert bench.save_plot({"one": timings, "two": timings}, tmp_path / "t.png")
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
