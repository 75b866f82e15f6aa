"""Time the benchmarks and write what was measured: docs/benchmarks.md, its pictures, and the table in README.md."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import sklearn
from rich.console import Console

import sardonyx
from sardonyx import bench, report

from . import models, peers

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
#: the rows of README's table: benchmark, rows a call
HIGHLIGHTS = (
    ("linear", 1),
    ("forest", 10_000),
    ("titanic_logistic", 1),
    ("titanic_forest", 1),
    ("titanic_forest", 10_000),
    ("boosting", 10_000),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A benchmark and its timings."""

    benchmark: models.Benchmark
    timings: list[bench.Timing]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which benchmarks; by default all: {', '.join(models.names())}")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each batch size")
    parser.add_argument("--quick", action="store_true", help="few batch sizes, short, writes nothing")
    options = parser.parse_args()
    if unknown := set(options.names) - set(models.names()):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(models.names())}")
    console, results = Console(), {}
    for name in options.names or models.names():
        results[name] = measure(models.make(name), 0.2 if options.quick else options.seconds, options.quick)
        console.print(report.timing_table(results[name].timings, "sardonyx", results[name].benchmark.title), "")
    if not options.quick and not options.names:
        write(results)
    return 0


def measure(benchmark: models.Benchmark, seconds: float, quick: bool) -> Measured:
    """Convert, prove and time one benchmark."""
    model = sardonyx.to_onnx(benchmark.estimator, benchmark.X[:1000], methods=benchmark.methods)
    session = sardonyx.load(model)
    feeds = session.feeds(benchmark.X)
    runners = {
        "sardonyx": bench.sardonyx_runner(session),
        "ONNX Runtime": bench.onnxruntime_runner(model.SerializeToString()),
        **peers.skl2onnx_runner(benchmark, feeds),
        "scikit-learn": bench.sklearn_runner(benchmark.estimator, benchmark.methods),
    }
    batches = [1, 1000] if quick else benchmark.batches
    return Measured(benchmark, bench.compare(runners, feeds, batches, benchmark.X, seconds))


def write(results: dict[str, Measured]) -> None:
    """Write the page, its pictures and README's table."""
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    for name, result in results.items():
        bench.save_plot({result.benchmark.title: result.timings}, pictures / f"{name}.png")
    (ROOT / "docs" / "benchmarks.md").write_text(page(results), encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_block(readme.read_text(encoding="utf-8"), highlights(results)), encoding="utf-8")


def page(results: dict[str, Measured]) -> str:
    """Return docs/benchmarks.md."""
    sections = [
        f"## {r.benchmark.title}\n\n`{name}`, methods {', '.join(r.benchmark.methods)}; median time of a call.\n\n"
        f"{report.timing_markdown(r.timings, 'sardonyx')}\n\n![time per row](pictures/{name}.png)\n"
        for name, r in results.items()
    ]
    return "\n".join(
        [f"# Benchmarks\n\n<!-- written by scripts/bench -->\n\n{machine()}\n\n{METHOD}\n", bars(results), *sections]
    )


METHOD = (
    "Each model is converted, proven against scikit-learn, then timed in all runtimes in one process: warm,\n"
    "interleaved in rounds that each start with another runtime, medians. Every runtime gets the rows in the form\n"
    "it likes best and its default number of threads; converting frames to tensors is not timed, for anybody.\n"
    "ONNX Runtime runs the same file; skl2onnx's own file of the estimator is timed beside it where it runs on the\n"
    "same tensors (of float64: its forests of regressors, and gradient boosting, do not).\n"
    "scikit-learn computes the same methods on the same rows. ×3 is three times as long as sardonyx takes.\n"
    "`scripts/bench` repeats all of it."
)


def bars(results: dict[str, Measured]) -> str:
    """Return the two figures that the project holds itself to."""
    one = bench.ratio(results["linear"].timings, "sardonyx", "ONNX Runtime", 1)
    many = bench.ratio(results["forest"].timings, "sardonyx", "ONNX Runtime", 10_000)
    return (
        f"- one row, linear model of 50 features: **{one:.1f}×** the speed of ONNX Runtime\n"
        f"- 10,000 rows, 100 trees of depth 6: **{many:.1f}×** the speed of ONNX Runtime\n"
    )


def highlights(results: dict[str, Measured]) -> str:
    """Return README's table."""
    columns = ("sardonyx", "ONNX Runtime", peers.SKL2ONNX, "scikit-learn")
    lines = [f"| model | rows | {' | '.join(columns)} |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, rows in HIGHLIGHTS:
        seconds = report.by_rows(results[name].timings)[rows]
        times = [bench.duration(seconds[n]) if n in seconds else "no model" for n in columns]
        lines.append(f"| {results[name].benchmark.title} | {rows:,} | **{times[0]}** | {' | '.join(times[1:])} |")
    return "\n".join([*lines, "", f"Median time of a call. {machine()} [All figures](docs/benchmarks.md)."])


def with_block(text: str, block: str) -> str:
    """Return a page with what is between the markers replaced."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{block}\n{END}", text, flags=re.DOTALL)


def machine() -> str:
    """Return what the figures were measured on."""
    versions = {"Python": platform.python_version(), "NumPy": np.__version__, "scikit-learn": sklearn.__version__}
    versions["ONNX Runtime"] = onnxruntime.__version__
    return f"{_processor()}, {os.cpu_count()} cores; {', '.join(f'{k} {v}' for k, v in versions.items())}."


def _processor() -> str:
    info: Any = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return found[1].replace("(R)", "").replace("(TM)", "") if found else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
