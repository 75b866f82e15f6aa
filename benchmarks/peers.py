"""Other converters' files of the same estimators, where they convert them and the result runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import is_classifier

from sardonyx import bench

from .models import Benchmark

SKL2ONNX = "skl2onnx in ONNX Runtime"


def skl2onnx_runner(benchmark: Benchmark, feeds: Mapping[str, Any]) -> dict[str, bench.Runner]:
    """Return the runner of skl2onnx's own file, by its name; nothing where there is none."""
    try:
        runner = _runner(benchmark)
        runner(bench.workload(feeds, 1))()
    except Exception as error:  # whatever goes wrong over there means the same here: there is nothing to time
        print(f"{benchmark.title}: no answer from skl2onnx ({type(error).__name__})")
        return {}
    return {SKL2ONNX: runner}


def _runner(benchmark: Benchmark) -> bench.Runner:
    import skl2onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"zipmap": False} if is_classifier(benchmark.estimator) else None
        model = skl2onnx.to_onnx(benchmark.estimator, benchmark.X[:1], options=options)
    names = {value.name for value in model.graph.input}
    inner = bench.onnxruntime_runner(model.SerializeToString())

    def run(work: bench.Workload) -> Callable[[], object]:
        return inner(replace(work, feeds={name: tensor for name, tensor in work.feeds.items() if name in names}))

    return run
