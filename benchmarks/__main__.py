"""Time the benchmarks and write what was measured: docs/benchmarks.md, its pictures, and the table in README.md."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from rich.console import Console

from sardonyx import bench
from sardonyx.cli import report

from . import engines, models, scaling
from .engines import ONNXRUNTIME, OURS, SKL2ONNX, SKLEARN

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
#: the rows of README's table: benchmark, rows a call
HIGHLIGHTS = (
    ("linear_50", 1),
    ("forest_regressor_100_6_50", 10_000),
    ("forest_classifier_100_deep_50", 10_000),
    ("svr_rbf_50", 1_000),
    ("titanic_logistic", 1),
    ("titanic_forest", 10_000),
    ("boosting", 10_000),
)
#: packages whose versions matter
PACKAGES = (
    *("numpy", "scikit-learn", "onnxruntime", "skl2onnx", "scikit-learn-intelex", "treelite", "tl2cgen", "ydf"),
    *("timber-compiler", "lightgbm", "lleaves", "xgboost", "hummingbird-ml"),
)
#: seconds of the longest call that is waited for
LIMIT = 1.0
#: seconds between two engines: threads of ONNX Runtime spin for a while, on the cores that the next one needs
SETTLE = 0.03


@dataclass(frozen=True, slots=True)
class Measured:
    """A benchmark, its timings, and why some engines have none."""

    benchmark: models.Benchmark
    timings: list[bench.Timing]
    absent: dict[str, str]

    def speedups(self, others: Iterable[str] | None = None) -> dict[int, float]:
        """Return rows -> how many times faster than the fastest of the other engines (of all, by default)."""
        found = {}
        for rows, seconds in report.by_rows(self.timings).items():
            times = [s for name, s in seconds.items() if name != OURS and (others is None or name in others)]
            if times:
                found[rows] = min(times) / seconds[OURS]
        return found


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which benchmarks; by default all: {', '.join(models.names())}")
    parser.add_argument("--seconds", type=float, default=0.4, help="for each batch size")
    parser.add_argument("--quick", action="store_true", help="few batch sizes, short, writes nothing")
    options = parser.parse_args()
    if unknown := set(options.names) - set(models.names()):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(models.names())}")
    whole = not options.quick and not options.names
    scaled = scaling.measure() if whole else None  # before the threads of other engines are there
    console, results = Console(width=None if sys.stdout.isatty() else 220), {}
    for name in options.names or models.names():
        results[name] = measure(models.make(name), 0.1 if options.quick else options.seconds, options.quick)
        console.print(report.timing_table(results[name].timings, OURS, results[name].benchmark.title), "")
    console.print(summary(results))
    if scaled is not None:
        write(results, scaled)
    return 0


def measure(benchmark: models.Benchmark, seconds: float, quick: bool) -> Measured:
    """Convert, prove and time one benchmark."""
    prepared = engines.prepare(benchmark)
    runners: dict[str, list[bench.Runner]] = {}
    absent: dict[str, str] = {}
    for name, found in engines.runners(prepared):
        if isinstance(found, str):
            absent[name] = found
        else:
            runners[name] = found
    batches = [1, 1000] if quick else benchmark.batches
    timings = bench.compare(runners, prepared.feeds, batches, benchmark.X, seconds, limit=LIMIT, settle=SETTLE)
    return Measured(benchmark, timings, absent)


# ---- what follows from the figures -----------------------------------------------------------------------------------


def summary(results: Mapping[str, Measured]) -> str:
    """Return the figures that the project holds itself to."""
    article = [r for r in results.values() if r.benchmark.group == models.ARTICLE]
    lines = [
        _means(
            "the article's grid",
            article,
            "ONNX Runtime (the faster of our file and skl2onnx's)",
            (ONNXRUNTIME, SKL2ONNX),
        ),
        _means("the article's grid", article, "the best other engine of each cell", None),
        _means("all models", list(results.values()), "ONNX Runtime", (ONNXRUNTIME, SKL2ONNX)),
        _means("all models", list(results.values()), "the best other engine of each cell", None),
    ]
    return "\n".join(line for line in lines if line)


def _means(cells: str, results: list[Measured], against: str, others: tuple[str, ...] | None) -> str:
    ratios = {(r.benchmark.title, rows): x for r in results for rows, x in r.speedups(others).items()}
    if not ratios:
        return ""
    (title, rows), least = min(ratios.items(), key=lambda item: item[1])
    mean = f"**{geometric_mean(ratios.values()):.1f}×** in geometric mean"
    worst = f"at least {least:.2f}× ({title}, {rows:,} rows)"
    return f"- {cells}, {len(ratios)} cells, against {against}: {mean}, {worst}"


# ---- the page --------------------------------------------------------------------------------------------------------


def write(results: dict[str, Measured], scaled: scaling.Scaling) -> None:
    """Write the page, its pictures and README's table."""
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    for family in families(results):
        lines = {r.benchmark.title: r.speedups((ONNXRUNTIME, SKL2ONNX)) for r in families(results)[family]}
        bench.save_speedups(lines, ONNXRUNTIME, pictures / f"{_slug(family)}.png")
    scaling.save(scaled, pictures / "scaling.png")
    (ROOT / "docs" / "benchmarks.md").write_text(page(results, scaled), encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_block(readme.read_text(encoding="utf-8"), highlights(results)), encoding="utf-8")


def families(results: Mapping[str, Measured]) -> dict[str, list[Measured]]:
    """Return what shares a picture."""
    found: dict[str, list[Measured]] = {}
    for result in results.values():
        found.setdefault(result.benchmark.family, []).append(result)
    return found


METHOD = (
    "Each model is converted, proven against scikit-learn, then timed in all engines in one process: warm,\n"
    "interleaved in rounds that each start with another engine, medians; calls of up to 100 rows take turns with\n"
    "different rows. Every engine gets the rows in the form it likes best; converting frames to tensors is not timed,\n"
    "for anybody. ONNX Runtime runs our file and skl2onnx's own, with one thread and with two, the faster counts.\n"
    "scikit-learn computes the same methods on the same rows; engines that know one method are timed with that one.\n"
    "×3 is three times as long as sardonyx takes; — took too long, or has no model. `scripts/bench` repeats all of it."
)


def page(results: Mapping[str, Measured], scaled: scaling.Scaling) -> str:
    """Return docs/benchmarks.md."""
    parts = [f"# Benchmarks\n\n<!-- written by scripts/bench -->\n\n{machine()}\n\n{METHOD}\n", summary(results) + "\n"]
    parts += ["## Scaling\n", scaling.markdown(scaled), "\n![scaling](pictures/scaling.png)\n"]
    for family, members in families(results).items():
        parts.append(f"## {family}\n\n![times faster](pictures/{_slug(family)}.png)\n")
        parts += [_section(result) for result in members]
    return "\n".join(parts)


def _section(result: Measured) -> str:
    absent = "; ".join(f"{name}: {why}" for name, why in result.absent.items())
    note = f"\nNot timed: {absent}.\n" if absent else ""
    title = f"### {result.benchmark.title}\n\nMethods {', '.join(result.benchmark.methods)}; median time of a call.\n"
    return f"{title}\n{report.timing_markdown(result.timings, OURS)}\n{note}"


def highlights(results: Mapping[str, Measured]) -> str:
    """Return README's table."""
    columns = (OURS, ONNXRUNTIME, SKL2ONNX, SKLEARN)
    lines = [f"| model | rows | {' | '.join(columns)} |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, rows in HIGHLIGHTS:
        seconds = report.by_rows(results[name].timings)[rows]
        times = [bench.duration(seconds[n]) if n in seconds else "no model" for n in columns]
        lines.append(f"| {results[name].benchmark.title} | {rows:,} | **{times[0]}** | {' | '.join(times[1:])} |")
    return "\n".join([*lines, "", f"Median time of a call. {machine(PACKAGES[:4])} [All figures](docs/benchmarks.md)."])


def with_block(text: str, block: str) -> str:
    """Return a page with what is between the markers replaced."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{block}\n{END}", text, flags=re.DOTALL)


def machine(packages: Iterable[str] = PACKAGES) -> str:
    """Return what the figures were measured on, and when."""
    versions = [f"{name} {version}" for name in packages if (version := _version(name))]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"{_processor()}, {os.cpu_count()} cores, {today}; Python {platform.python_version()}, {', '.join(versions)}."
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _slug(family: str) -> str:
    return re.sub(r"\W+", "_", family.lower())


def _processor() -> str:
    info: Any = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return found[1].replace("(R)", "").replace("(TM)", "") if found else platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
