"""Engines to time: each registers itself here, and says why it does not apply where it does not.

An engine is a function of a `Benchmark` that returns what turns a `Workload` into the call to be timed; of several
runners (``threads`` 1 and 2) the faster one counts, batch by batch. Every engine gets the rows in the form it likes
best, prepared before the clock starts, and answers the benchmark's methods if it can; those that know one method only
are timed with that one. Packages that are not installed are named: ``pip install -e .[bench]`` brings most of them.
"""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier

import sardonyx
from sardonyx import bench

from .models import Benchmark

OURS, ONNXRUNTIME, SKL2ONNX, SKLEARN = "sardonyx", "ONNX Runtime", "skl2onnx in ONNX Runtime", "scikit-learn"
#: threads an engine is tried with
THREADS = (1, 2)
#: nodes up to which generated C compiles in seconds
MOST_COMPILED_NODES = 20_000


class DoesNotApply(Exception):
    """An engine has no model for a benchmark, for this reason."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What all engines may use of a benchmark: our model of it, and its tensors."""

    benchmark: Benchmark
    session: Any
    model: bytes
    feeds: Mapping[str, Any]

    @property
    def estimator(self) -> Any:
        """The fitted estimator."""
        return self.benchmark.estimator

    def matrix(self) -> Any:
        """Return the rows as one matrix, or say that there is none."""
        if not isinstance(self.benchmark.X, np.ndarray):
            raise DoesNotApply("takes matrices of numbers only")
        return self.benchmark.X


Engine = Callable[[Prepared], "list[bench.Runner]"]
_engines: dict[str, Engine] = {}


def engine(name: str) -> Callable[[Engine], Engine]:
    """Register an engine under the name that tables show."""

    def register(function: Engine) -> Engine:
        _engines[name] = function
        return function

    return register


def prepare(benchmark: Benchmark) -> Prepared:
    """Convert a benchmark's estimator, which proves it, and load it."""
    model = sardonyx.to_onnx(benchmark.estimator, benchmark.X[:1000], methods=benchmark.methods)
    session = sardonyx.load(model)
    return Prepared(benchmark, session, model.SerializeToString(), session.feeds(benchmark.X))


def runners(prepared: Prepared) -> Iterator[tuple[str, list[bench.Runner] | str]]:
    """Yield each engine's name with its runners, tried on one row, or with the reason why there is none."""
    for name, make in _engines.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = make(prepared)
                for runner in found:
                    runner(bench.workload(prepared.feeds, 1, prepared.benchmark.X))()
            yield name, found
        except DoesNotApply as reason:
            yield name, str(reason)
        except ImportError as error:
            yield name, f"{error.name or 'a package'} is not installed"
        except Exception as error:  # whatever goes wrong over there means the same here: there is nothing to time
            yield (
                name,
                f"{type(error).__name__}: {str(error).strip().splitlines()[0][:100] if str(error).strip() else ''}",
            )


# ---- ours, and the two that everybody has ----------------------------------------------------------------------------


@engine(OURS)
def ours(prepared: Prepared) -> list[bench.Runner]:
    return [bench.sardonyx_runner(prepared.session)]


@engine(ONNXRUNTIME)
def onnxruntime(prepared: Prepared) -> list[bench.Runner]:
    return [bench.onnxruntime_runner(prepared.model, threads) for threads in THREADS]


@engine(SKL2ONNX)
def skl2onnx(prepared: Prepared) -> list[bench.Runner]:
    import skl2onnx

    benchmark = prepared.benchmark
    options = {"zipmap": False} if is_classifier(benchmark.estimator) else None
    model = skl2onnx.to_onnx(benchmark.estimator, benchmark.X[:1], options=options)
    names = {value.name for value in model.graph.input}
    return [_only(names, bench.onnxruntime_runner(model.SerializeToString(), threads)) for threads in THREADS]


def _only(names: set[str], inner: bench.Runner) -> bench.Runner:
    return lambda work: inner(replace(work, feeds={name: a for name, a in work.feeds.items() if name in names}))


@engine(SKLEARN)
def sklearn(prepared: Prepared) -> list[bench.Runner]:
    return [bench.sklearn_runner(prepared.estimator, prepared.benchmark.methods)]


# ---- scikit-learn's own interface, faster ----------------------------------------------------------------------------


@engine("scikit-learn-intelex")
def intelex(prepared: Prepared) -> list[bench.Runner]:
    """The same class of the package, fitted anew to the same data."""
    estimator, benchmark = prepared.estimator, prepared.benchmark
    module = type(estimator).__module__.split(".")
    if module[0] != "sklearn" or benchmark.y is None:
        raise DoesNotApply("has estimators, no pipelines")
    twin = getattr(importlib.import_module(f"sklearnex.{module[1]}"), type(estimator).__name__, None)
    if twin is None:
        raise DoesNotApply(f"has no {type(estimator).__name__}")
    fitted = twin(**clone(estimator).get_params(deep=False)).fit(benchmark.X_fit, benchmark.y)
    return [bench.sklearn_runner(fitted, benchmark.methods)]


# ---- trees -----------------------------------------------------------------------------------------------------------


def _float32(call: Callable[[Any], object]) -> bench.Runner:
    """Time a function of a matrix of float32."""

    def run(work: bench.Workload) -> Callable[[], object]:
        X = np.ascontiguousarray(work.X, np.float32)
        return lambda: call(X)

    return run


def _treelite(prepared: Prepared) -> Any:
    import treelite

    prepared.matrix()
    estimator = prepared.estimator
    if hasattr(estimator, "booster_"):
        return treelite.frontend.from_lightgbm(estimator.booster_)
    if hasattr(estimator, "get_booster"):
        return treelite.frontend.from_xgboost(estimator.get_booster())
    if not hasattr(estimator, "estimators_") and not hasattr(estimator, "_predictors"):
        raise DoesNotApply("takes trees only")
    return treelite.sklearn.import_model(estimator)


@engine("treelite")
def treelite(prepared: Prepared) -> list[bench.Runner]:
    import treelite

    model = _treelite(prepared)

    def with_threads(threads: int) -> bench.Runner:
        return _float32(lambda X: treelite.gtil.predict(model, X, nthread=threads))

    return [with_threads(threads) for threads in THREADS]


@engine("tl2cgen")
def tl2cgen(prepared: Prepared) -> list[bench.Runner]:
    import tl2cgen

    model = _treelite(prepared)
    _small_enough(prepared)
    path = Path(tempfile.mkdtemp()) / "model.so"
    tl2cgen.export_lib(model, toolchain="gcc", libpath=path, params={"parallel_comp": 2}, verbose=False)

    def with_threads(threads: int) -> bench.Runner:
        predictor = tl2cgen.Predictor(path, nthread=threads)

        def run(work: bench.Workload) -> Callable[[], object]:
            X = tl2cgen.DMatrix(np.ascontiguousarray(work.X, np.float32))
            return lambda: predictor.predict(X)

        return run

    return [with_threads(threads) for threads in THREADS]


def _small_enough(prepared: Prepared) -> None:
    nodes = _count_nodes(prepared.estimator)
    if nodes > MOST_COMPILED_NODES:
        raise DoesNotApply(f"compiling {nodes:,} nodes takes minutes")


def _count_nodes(estimator: Any) -> int:
    if hasattr(estimator, "booster_"):
        return len(estimator.booster_.trees_to_dataframe())
    if hasattr(estimator, "get_booster"):
        return len(estimator.get_booster().trees_to_dataframe())
    if hasattr(estimator, "_predictors"):
        return sum(len(tree.nodes) for trees in estimator._predictors for tree in trees)
    return sum(tree.tree_.node_count for tree in np.ravel(getattr(estimator, "estimators_", [])))


@engine("timber-compiler")
def timber(prepared: Prepared) -> list[bench.Runner]:
    import joblib
    from timber.runtime.predictor import TimberPredictor

    prepared.matrix()
    _small_enough(prepared)
    path = Path(tempfile.mkdtemp()) / "model.pkl"
    joblib.dump(prepared.estimator, path)
    predictor = TimberPredictor.from_model(str(path))
    return [_float32(predictor.predict)]


@engine("ydf")
def ydf(prepared: Prepared) -> list[bench.Runner]:
    import ydf

    prepared.matrix()
    if type(prepared.estimator).__module__.split(".")[0] != "sklearn" or not hasattr(prepared.estimator, "estimators_"):
        raise DoesNotApply("takes some of scikit-learn's trees only")
    model = ydf.from_sklearn(prepared.estimator)
    return [_float32(lambda X: model.predict({"features": X}))]


@engine("lightgbm")
def lightgbm(prepared: Prepared) -> list[bench.Runner]:
    booster = getattr(prepared.estimator, "booster_", None)
    if booster is None:
        raise DoesNotApply("runs its own models only")

    def with_threads(threads: int) -> bench.Runner:
        return lambda work: lambda: booster.predict(work.X, num_threads=threads)

    return [with_threads(threads) for threads in THREADS]


@engine("lleaves")
def lleaves(prepared: Prepared) -> list[bench.Runner]:
    booster = getattr(prepared.estimator, "booster_", None)
    if booster is None:
        raise DoesNotApply("compiles LightGBM's models only")
    import lleaves

    path = Path(tempfile.mkdtemp()) / "model.txt"
    booster.save_model(path)
    model = lleaves.Model(model_file=str(path))
    model.compile()

    def with_threads(threads: int) -> bench.Runner:
        return lambda work: lambda: model.predict(work.X, n_jobs=threads)

    return [with_threads(threads) for threads in THREADS]


@engine("xgboost")
def xgboost(prepared: Prepared) -> list[bench.Runner]:
    if not hasattr(prepared.estimator, "get_booster"):
        raise DoesNotApply("runs its own models only")

    def with_threads(threads: int) -> bench.Runner:
        booster = prepared.estimator.get_booster().copy()
        booster.set_param({"nthread": threads})
        return _float32(booster.inplace_predict)

    return [with_threads(threads) for threads in THREADS]


@engine("hummingbird-ml")
def hummingbird(prepared: Prepared) -> list[bench.Runner]:
    from hummingbird.ml import convert

    model = convert(prepared.estimator, "torch", prepared.matrix()[:1])
    return [_float32(model.predict)]
