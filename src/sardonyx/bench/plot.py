"""Draw timings, microseconds a row over the batch size, and what follows from them; all axes are logarithmic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from .timing import Timing

#: a fixed colour for each runtime, the same in every picture; others follow matplotlib's cycle
COLOURS = {"sardonyx": "#c2410c", "ONNX Runtime": "#2563eb", "scikit-learn": "#6b7280"}


def save_plot(panels: Mapping[str, Sequence[Timing]], path: str | PathLike[str]) -> bool:
    """Write a PNG of the time per row; return False, and write nothing, if matplotlib is not installed.

    Parameters
    ----------
    panels : mapping of str to sequence of Timing
        Title -> timings of several names and batch sizes; drawn side by side.
    path : path
        Where to write.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot: no display, no global state
    except ImportError:
        return False
    figure = Figure(figsize=(6.4 * len(panels), 4.2), layout="constrained")
    for axes, (title, timings) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        _draw(axes, title, timings)
    figure.savefig(path, dpi=144)
    return True


def save_speedups(lines: Mapping[str, Mapping[int, float]], against: str, path: str | PathLike[str]) -> bool:
    """Write a PNG of how many times faster models are than with another engine, over the batch size.

    Parameters
    ----------
    lines : mapping of str to mapping of int to float
        Title of a model -> rows of a call -> times faster.
    against : str
        The other engine.
    path : path
        Where to write; nothing, and False returned, if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    axes = figure.subplots()
    for title, points in lines.items():
        axes.loglog(list(points), list(points.values()), marker="o", markersize=4, linewidth=1.6, label=title)
    axes.axhline(1, color="#6b7280", linewidth=1, linestyle="--")
    axes.set_xlabel("rows a call")
    axes.set_ylabel(f"times faster than {against}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.grid(True, which="major", color="#e5e7eb", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=144)
    return True


def _draw(axes: Any, title: str, timings: Sequence[Timing]) -> None:
    for name in dict.fromkeys(t.name for t in timings):
        points = [t for t in timings if t.name == name]
        rows, micros = [t.rows for t in points], [t.per_row * 1e6 for t in points]
        (line,) = axes.loglog(rows, micros, marker="o", markersize=4, linewidth=2, color=COLOURS.get(name), label=name)
        bounds = [t.low / t.rows * 1e6 for t in points], [t.high / t.rows * 1e6 for t in points]
        axes.fill_between(rows, *bounds, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("rows a call")
    axes.set_ylabel("µs a row (median; band: quartiles)")
    axes.xaxis.set_major_formatter(lambda rows, _: f"{rows:,.0f}")
    axes.yaxis.set_major_formatter(lambda micros, _: f"{micros:,g}")
    axes.legend(frameon=False, fontsize=9)
    axes.grid(True, which="major", color="#e5e7eb", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
