"""How much faster than ONNX Runtime a kernel machine could be at all, on this machine.

``python -m benchmarks.bounds`` times, in turns, ONNX Runtime, Sardonyx, and nothing but the dot products of the rows
with the support vectors: one call of the BLAS that NumPy brings, on all cores. A kernel of float64 needs these
products, and then an exponential, a tanh or a power of each: even with those for nothing, it would be no more than
``at most`` times faster, unless it makes the products faster than the BLAS (ours are a little, of so few features).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import sardonyx
from sardonyx import bench

from . import models

BENCHMARKS, ROWS, ROUNDS = ("svr_poly_50", "svr_rbf_50", "svr_sigmoid_50"), 10_000, 9


def seconds(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the median of each call's times; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
            time.sleep(0.03)  # threads spin for a while after their work
    return {name: median(found) for name, found in times.items()}


def measure(name: str) -> dict[str, float]:
    """Return seconds of ONNX Runtime (the faster of one thread and two), Sardonyx, and the dot products."""
    benchmark = models.make(name)
    X = np.resize(benchmark.X, (ROWS, benchmark.X.shape[1]))
    vectors = np.ascontiguousarray(benchmark.estimator.support_vectors_.T)
    model = sardonyx.to_onnx(benchmark.estimator, X[:100])
    session = sardonyx.load(model)
    work = bench.workload(session.feeds(X), ROWS, X)
    products = np.empty((ROWS, vectors.shape[1]))
    found = seconds(
        {
            "one": bench.onnxruntime_runner(model.SerializeToString(), 1)(work),
            "two": bench.onnxruntime_runner(model.SerializeToString(), 2)(work),
            "sardonyx": bench.sardonyx_runner(session)(work),
            "products": lambda: np.matmul(X, vectors, out=products),
        }
    )
    return {"ONNX Runtime": min(found["one"], found["two"])} | {n: found[n] for n in ("sardonyx", "products")}


def main() -> None:
    """Print the table."""
    table = Table("model", "ONNX Runtime", "sardonyx", "dot products alone", "faster", "at most")
    for name in BENCHMARKS:
        ort, ours, products = measure(name).values()
        figures = [f"{x / ROWS * 1e6:.2f} µs" for x in (ort, ours, products)]
        table.add_row(models.make(name).title, *figures, f"{ort / ours:.1f}×", f"{ort / products:.1f}×")
    Console().print(table)


if __name__ == "__main__":
    main()
