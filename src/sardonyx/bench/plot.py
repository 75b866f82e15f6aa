"""Draw timings: microseconds a row over the batch size, both logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from .timing import Timing

#: a fixed colour for each runtime, the same in every picture; others follow matplotlib's cycle
COLOURS = {"sardonyx": "#c2410c", "ONNX Runtime": "#2563eb", "scikit-learn": "#6b7280"}


def save_plot(timings: Sequence[Timing], path: str | PathLike[str], title: str) -> bool:
    """Write a PNG of the time per row; return False, and write nothing, if matplotlib is not installed.

    Parameters
    ----------
    timings : sequence of Timing
        Of several names and batch sizes.
    path : path
        Where to write.
    title : str
        What was timed.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot: no display, no global state
    except ImportError:
        return False
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(t.name for t in timings):
        points = [t for t in timings if t.name == name]
        rows, micros = [t.rows for t in points], [t.per_row * 1e6 for t in points]
        low, high = [t.low / t.rows * 1e6 for t in points], [t.high / t.rows * 1e6 for t in points]
        (line,) = axes.loglog(rows, micros, marker="o", markersize=4, linewidth=2, color=COLOURS.get(name), label=name)
        axes.fill_between(rows, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
        axes.annotate(f" {name}", (rows[-1], micros[-1]), color=line.get_color(), va="center", fontsize=9)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("rows a call")
    axes.set_ylabel("µs a row (median; band: quartiles)")
    axes.grid(True, which="major", color="#e5e7eb", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    figure.savefig(path, dpi=144)
    return True
