"""sklearn.pipeline: every step becomes an ONNX function, so that the main graph reads like the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.pipeline import FeatureUnion, Pipeline

from ..convert import Columns, Data, as_columns, step, together
from ..errors import ConversionError
from ..registry import METHODS, converter
from ._columns import keeps_frames, named, stack, weighted


def _passes(transformer: Any) -> bool:
    return transformer is None or (isinstance(transformer, str) and transformer == "passthrough")


def transform_step(name: str, transformer: Any, X: Data) -> Data:
    """Return ``transformer.transform(X)`` as a step."""
    result: Data = step(name, transformer, ["transform"], X)["transform"]
    return named(transformer, result)


def _method(method: str) -> Callable[[Any, Data], Any]:
    def convert(est: Any, X: Data) -> Any:
        *transformers, (name, last) = est.steps
        for label, transformer in transformers:
            if not _passes(transformer):
                X = transform_step(label, transformer, X)
        if _passes(last):
            return X
        result = step(name, last, together(method), X)[method]
        return named(last, result) if method == "transform" else result

    return convert


for _name in METHODS:
    converter(Pipeline, method=_name, frame=True, finite=False)(_method(_name))


@converter(Pipeline, method="inverse_transform", frame=True, finite=False)
def pipeline_inverse(est: Any, X: Data) -> Data:
    for name, transformer in reversed(est.steps):
        if not _passes(transformer):
            X = step(name, transformer, ["inverse_transform"], X)["inverse_transform"]
    return X


@converter(FeatureUnion, frame=True, finite=False)
def feature_union(est: Any, X: Data) -> Data:
    weights = est.transformer_weights or {}
    blocks = []
    for name, transformer in est.transformer_list:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        block = X if _passes(transformer) else transform_step(name, transformer, X)
        blocks.append(weighted(block, weights.get(name)))
    if not blocks:
        raise ConversionError(
            "FeatureUnion has no transformers left: every one is 'drop'. Remove it from the pipeline."
        )
    return join(est, blocks)


def join(est: Any, blocks: list[Data]) -> Data:
    """Return the results of parallel transformers side by side, as a frame where `est` returns one."""
    if not keeps_frames(est):
        return stack(blocks)
    columns = tuple(v for block in blocks for v in as_columns(block).values)
    return Columns(tuple(str(n) for n in est.get_feature_names_out()), columns)
