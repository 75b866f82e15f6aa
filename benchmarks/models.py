"""What is timed. A benchmark is a fitted estimator, rows and methods; the first two are the project's bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sardonyx import bench
from sardonyx.demo import CATEGORIES, METHODS, NUMBERS, load_passengers, make_models


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A fitted estimator, rows for it, and the methods to time."""

    title: str
    estimator: Any
    X: Any
    methods: tuple[str, ...]
    batches: Sequence[int] = bench.BATCHES


_makers: dict[str, Callable[[], Benchmark]] = {}


def benchmark(maker: Callable[[], Benchmark]) -> Callable[[], Benchmark]:
    """Register a benchmark under its function's name."""
    _makers[maker.__name__] = maker
    return maker


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return list(_makers)


def make(name: str) -> Benchmark:
    """Fit a benchmark's estimator."""
    return _makers[name]()


def _rows(features: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(10_000, features))
    return X, X[:, 0] - 2 * X[:, 1] * (X[:, 2] > 0) + np.sin(X[:, 3]) + rng.normal(scale=0.1, size=len(X))


@benchmark
def linear() -> Benchmark:
    X, y = _rows(50)
    return Benchmark("LinearRegression, 50 features", LinearRegression().fit(X, y), X, ("predict",))


@benchmark
def forest() -> Benchmark:
    X, y = _rows(50)
    estimator = RandomForestRegressor(100, max_depth=6, random_state=0).fit(X[:3000], y[:3000])
    return Benchmark("RandomForestRegressor, 100 trees of depth 6, 50 features", estimator, X, ("predict",))


@benchmark
def deep_forest() -> Benchmark:
    X, y = _rows(20)
    estimator = RandomForestClassifier(100, random_state=0).fit(X[:5000], y[:5000] > 0)
    return Benchmark("RandomForestClassifier, 100 trees of any depth, 20 features", estimator, X, METHODS)


@benchmark
def boosting() -> Benchmark:
    X, y = _rows(20)
    estimator = HistGradientBoostingClassifier(random_state=0).fit(X, y > 0)
    return Benchmark("HistGradientBoostingClassifier, 100 trees of 31 leaves, 20 features", estimator, X, METHODS)


@benchmark
def scaled_logistic() -> Benchmark:
    X, y = _rows(30)
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.digitize(y, [-1, 1]))
    return Benchmark("StandardScaler and LogisticRegression, 30 features, 3 classes", estimator, X, METHODS)


def _titanic(name: str, title: str) -> Benchmark:
    people = load_passengers()
    X = people.X[NUMBERS + CATEGORIES]
    return Benchmark(
        f"Titanic: imputation, scaling, one-hot encoding, {title}", make_models()[name].fit(X, people.y), X, METHODS
    )


@benchmark
def titanic_logistic() -> Benchmark:
    return _titanic("logistic", "logistic regression")


@benchmark
def titanic_forest() -> Benchmark:
    return _titanic("model", "random forest of 100 trees of depth 6")
