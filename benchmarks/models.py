"""What is timed. A benchmark is a fitted estimator, rows and methods.

``article``: the grid of forests, support vector machines and linear models that converters are compared with.
``beyond``: larger and other models, and whole pipelines. Fitting is kept short: the time of a call depends on the
sizes in the titles, not on how good a model is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from sardonyx import bench
from sardonyx.cli.demo import CATEGORIES, METHODS, NUMBERS, load_passengers, make_models

ARTICLE, BEYOND = "article", "beyond"
PREDICT = ("predict",)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A fitted estimator, rows for it, and the methods to time.

    `family` is what shares a picture; `X_fit` and `y` are what it was fitted to, for engines that fit models of their
    own.
    """

    title: str
    estimator: Any
    X: Any
    methods: tuple[str, ...]
    family: str
    group: str = BEYOND
    X_fit: Any = None
    y: Any = None
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


def rows(features: int, seed: int = 0) -> tuple[Any, Any]:
    """Return 10,000 rows of normal numbers and a target that trees and kernels have to work for."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(10_000, features))
    return X, X[:, 0] - 2 * X[:, 1] * (X[:, 2] > 0) + np.sin(X[:, 3]) + rng.normal(scale=0.1, size=len(X))


def _fitted(title: str, estimator: Any, X: Any, y: Any, n: int, methods: tuple[str, ...], family: str) -> Benchmark:
    return Benchmark(title, estimator.fit(X[:n], y[:n]), X, methods, family, X_fit=X[:n], y=y[:n])


# ---- the article's grid ----------------------------------------------------------------------------------------------


def _forest(trees: int, depth: int | None, features: int, classes: bool) -> Benchmark:
    X, y = rows(features)
    kind = RandomForestClassifier if classes else RandomForestRegressor
    title = (
        f"{kind.__name__}, {trees} trees of {'any depth' if depth is None else f'depth {depth}'}, {features} features"
    )
    estimator = kind(trees, max_depth=depth, random_state=0)
    methods = METHODS if classes else PREDICT
    return _fitted(title, estimator, X, y > 0 if classes else y, 2000, methods, kind.__name__)


def _svr(kernel: str, features: int) -> Benchmark:
    X, y = rows(features)
    return _fitted(f"SVR, {kernel} kernel, {features} features", SVR(kernel=kernel), X, y, 1000, PREDICT, "SVR")


def _linear(features: int) -> Benchmark:
    X, y = rows(features)
    return _fitted(f"LinearRegression, {features} features", LinearRegression(), X, y, 5000, PREDICT, "linear models")


def _logistic(classes: int, features: int) -> Benchmark:
    X, y = rows(features)
    labels = np.searchsorted(np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]), y)
    title = f"LogisticRegression, {classes} classes, {features} features"
    return _fitted(title, LogisticRegression(), X, labels, 5000, METHODS, "linear models")


def _register_grid() -> None:
    def add(name: str, maker: Callable[..., Benchmark], *arguments: Any) -> None:
        _makers[name] = lambda: replace(maker(*arguments), group=ARTICLE)

    for features in (5, 50):
        for trees in (10, 100):
            for depth in (6, None):
                size = f"{trees}_{'deep' if depth is None else depth}_{features}"
                add(f"forest_regressor_{size}", _forest, trees, depth, features, False)
                add(f"forest_classifier_{size}", _forest, trees, depth, features, True)
        for kernel in ("linear", "poly", "rbf", "sigmoid"):
            add(f"svr_{kernel}_{features}", _svr, kernel, features)
        add(f"linear_{features}", _linear, features)
        for classes in (2, 5):
            add(f"logistic_{classes}_{features}", _logistic, classes, features)


_register_grid()


# ---- beyond ----------------------------------------------------------------------------------------------------------


@benchmark
def extra_trees() -> Benchmark:
    X, y = rows(20)
    estimator = ExtraTreesRegressor(500, random_state=0)
    return _fitted("ExtraTreesRegressor, 500 trees of any depth, 20 features", estimator, X, y, 1000, PREDICT, "trees")


@benchmark
def deep_forest() -> Benchmark:
    X, y = rows(20)
    title = "RandomForestClassifier, 100 trees of any depth, 20 features, 5,000 rows to learn from"
    return _fitted(title, RandomForestClassifier(100, random_state=0), X, y > 0, 5000, METHODS, "trees")


@benchmark
def gradient_boosting() -> Benchmark:
    X, y = rows(20)
    estimator = GradientBoostingRegressor(random_state=0)
    return _fitted("GradientBoostingRegressor, 100 trees of depth 3", estimator, X, y, 3000, PREDICT, "boosting")


def _hist(classes: int) -> Benchmark:
    X, y = rows(20)
    labels = np.searchsorted(np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]), y)
    title = f"HistGradientBoostingClassifier, {classes} classes, 100 rounds of 31 leaves, 20 features"
    return _fitted(title, HistGradientBoostingClassifier(random_state=0), X, labels, 10_000, METHODS, "boosting")


@benchmark
def boosting() -> Benchmark:
    return _hist(2)


@benchmark
def boosting_5() -> Benchmark:
    return _hist(5)


@benchmark
def lightgbm() -> Benchmark:
    from lightgbm import LGBMRegressor

    X, y = rows(20)
    estimator = LGBMRegressor(n_estimators=500, num_leaves=31, verbose=-1, random_state=0)
    return _fitted("LGBMRegressor, 500 trees of 31 leaves, 20 features", estimator, X, y, 10_000, PREDICT, "boosting")


@benchmark
def xgboost() -> Benchmark:
    from xgboost import XGBRegressor

    X, y = rows(20)
    estimator = XGBRegressor(n_estimators=300, max_depth=6, random_state=0)
    return _fitted("XGBRegressor, 300 trees of depth 6, 20 features", estimator, X, y, 10_000, PREDICT, "boosting")


@benchmark
def isolation_forest() -> Benchmark:
    X, y = rows(20)
    methods = ("predict", "decision_function")
    return _fitted("IsolationForest, 100 trees", IsolationForest(random_state=0), X, y, 5000, methods, "trees")


@benchmark
def svc() -> Benchmark:
    X, y = rows(20)
    labels = np.digitize(y, [-1, 1])
    return _fitted("SVC, rbf kernel, 3 classes, 20 features", SVC(), X, labels, 1000, PREDICT, "kernels")


@benchmark
def nearest_neighbors() -> Benchmark:
    X, y = rows(20)
    return _fitted("KNeighborsClassifier, k=5, 5,000 × 20", KNeighborsClassifier(), X, y > 0, 5000, METHODS, "kernels")


@benchmark
def gaussian_process() -> Benchmark:
    X, y = rows(20)
    estimator = GaussianProcessRegressor(optimizer=None)
    return _fitted("GaussianProcessRegressor, rbf, 500 × 20", estimator, X, y, 500, PREDICT, "kernels")


@benchmark
def kernel_ridge() -> Benchmark:
    X, y = rows(20)
    return _fitted("KernelRidge, rbf, 1,000 × 20", KernelRidge(kernel="rbf"), X, y, 1000, PREDICT, "kernels")


@benchmark
def neural_network() -> Benchmark:
    X, y = rows(20)
    estimator = MLPRegressor(hidden_layer_sizes=(100,), early_stopping=True, random_state=0)
    return _fitted("MLPRegressor, 100 hidden units, 20 features", estimator, X, y, 5000, PREDICT, "kernels")


@benchmark
def digits() -> Benchmark:
    X, y = load_digits(return_X_y=True)
    estimator = make_pipeline(PCA(30), SVC()).fit(X, y)
    return Benchmark("PCA to 30 and SVC on digits", estimator, X, PREDICT, "pipelines")


@benchmark
def scaled_logistic() -> Benchmark:
    X, y = rows(30)
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.digitize(y, [-1, 1]))
    title = "StandardScaler and LogisticRegression, 30 features, 3 classes"
    return Benchmark(title, estimator, X, METHODS, "pipelines")


@benchmark
def text() -> Benchmark:
    """The paragraphs of the Python language reference, which comes with Python; which half of it are they from?"""
    from pydoc_data.topics import topics

    split = [(p.strip(), name < "f") for name, page in sorted(topics.items()) for p in page.split("\n\n") if p.strip()]
    parts = [(p, early) for p, early in split if p.isascii()]  # what ONNX Runtime runs too
    X, y = np.array([p for p, _ in parts], dtype=object), np.array([early for _, early in parts])
    order = np.random.default_rng(0).permutation(len(X))
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, y)
    title = "TfidfVectorizer and LogisticRegression, paragraphs of English"
    return Benchmark(title, estimator, X[order], METHODS, "pipelines")


def _titanic(name: str, title: str) -> Benchmark:
    people = load_passengers()
    X = people.X[NUMBERS + CATEGORIES]
    estimator = make_models()[name].fit(X, people.y)
    return Benchmark(f"Titanic: imputation, scaling, one-hot encoding, {title}", estimator, X, METHODS, "pipelines")


@benchmark
def titanic_logistic() -> Benchmark:
    return _titanic("logistic", "logistic regression")


@benchmark
def titanic_forest() -> Benchmark:
    return _titanic("model", "random forest of 100 trees of depth 6")
