"""sklearn.pipeline: every step becomes an ONNX function, so that the main graph reads like the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from ..convert import Data, step, together
from ..registry import METHODS, converter


def _method(method: str) -> Callable[[Any, Data], Any]:
    def convert(est: Any, X: Data) -> Any:
        *transformers, (name, last) = est.steps
        for label, transformer in transformers:
            if transformer is not None and transformer != "passthrough":
                X = step(label, transformer, ["transform"], X)["transform"]
        return step(name, last, together(method), X)[method]

    return convert


for _name in METHODS:
    converter(Pipeline, method=_name, frame=True, finite=False)(_method(_name))
