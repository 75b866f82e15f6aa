"""How time grows: with the rows of a call, with trees, with depth; and what a second thread brings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sklearn.base import RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.svm import SVR

import sardonyx
from sardonyx import bench

from .models import rows

TREES, DEPTHS = (1, 3, 10, 30, 100, 300), (2, 4, 6, 8, 10, 12, 15)
#: rows of a call where trees and depth are counted
ROWS = 10_000
SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Scaling:
    """Nanoseconds a row by model and rows of a call, with one thread and with two; by trees; by depth (one thread)."""

    one: dict[str, dict[int, float]]
    two: dict[str, dict[int, float]]
    trees: dict[int, float]
    depth: dict[int, float]


def measure() -> Scaling:
    """Fit, convert and time."""
    X, y = rows(20)
    estimators: dict[str, Any] = {
        "linear model": LinearRegression(),
        "100 trees of depth 6": RandomForestRegressor(100, max_depth=6, random_state=0, n_jobs=-1),
        "100 trees of any depth": RandomForestRegressor(100, random_state=0, n_jobs=-1),
        "SVR, rbf": SVR(),
    }
    fitted = {name: est.fit(X[:1000], y[:1000]) for name, est in estimators.items()}
    by_rows = {name: _time(est, X, bench.BATCHES) for name, est in fitted.items()}
    return Scaling(
        one={name: times[0] for name, times in by_rows.items()},
        two={name: times[1] for name, times in by_rows.items()},
        trees={n: _forest(X, y, n, 8) for n in TREES},
        depth={depth: _forest(X, y, 100, depth) for depth in DEPTHS},
    )


def _forest(X: Any, y: Any, trees: int, depth: int) -> float:
    estimator = RandomForestRegressor(trees, max_depth=depth, random_state=0, n_jobs=-1).fit(X[:3000], y[:3000])
    return _time(estimator, X, (ROWS,))[0][ROWS]


def _time(estimator: RegressorMixin, X: Any, batches: tuple[int, ...]) -> tuple[dict[int, float], dict[int, float]]:
    model = sardonyx.to_onnx(estimator, X[:100])
    sessions = [sardonyx.load(model, threads=threads) for threads in (1, 2)]
    runners = {str(i): bench.sardonyx_runner(session) for i, session in enumerate(sessions)}
    timings = bench.compare(runners, sessions[0].feeds(X), batches, X, SECONDS)
    one, two = ({t.rows: t.per_row * 1e9 for t in timings if t.name == name} for name in runners)
    return one, two


def markdown(scaling: Scaling) -> str:
    """Return what a second thread brings."""
    batches = list(next(iter(scaling.one.values())))
    lines = [f"| two threads against one | {' | '.join(f'{n:,} rows' for n in batches)} |"]
    lines.append(f"| --- | {' | '.join(['---:'] * len(batches))} |")
    for name, one in scaling.one.items():
        lines.append(f"| {name} | {' | '.join(f'{one[n] / scaling.two[name][n]:.2f}×' for n in batches)} |")
    return "\n".join(lines)


def save(scaling: Scaling, path: Path) -> None:
    """Draw nanoseconds a row over rows, trees and depth."""
    figure = Figure(figsize=(14, 4.2), layout="constrained")
    panels = {
        "rows a call": scaling.one,
        "trees of depth 8": {"": scaling.trees},
        "depth of 100 trees": {"": scaling.depth},
    }
    for axes, (title, lines) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for name, points in lines.items():
            axes.loglog(list(points), list(points.values()), marker="o", markersize=4, label=name)
        axes.set_xlabel(title)
        axes.set_ylabel("ns a row, one thread")
        axes.grid(True, which="major", color="#e5e7eb", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        if len(lines) > 1:
            axes.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=144)
