"""Models of the standard's conformance suite made to have rows: their first dimension freed, other inputs constant.

::

    x: float[3, 4]   y: float[3, 4]         x: float[N, 4]   y: float[N, 4]          both vary
    ───────────────────────────────  ──▶    x: float[N, 4]   y = the test's own      only the first does

As the suite writes them, shapes are fixed, so that no native kernel, which works row by row, would see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper


def freed(model: onnx.ModelProto, inputs: list[Any]) -> Iterator[tuple[onnx.ModelProto, list[Any]]]:
    """Yield the model with all inputs of the first one's length varying, then with the first one alone."""
    tensors = all(value.type.HasField("tensor_type") for value in model.graph.input)
    if not inputs or not tensors or any(isinstance(x, list) for x in inputs):
        return
    values = [np.asarray(x) for x in inputs]
    if not values[0].ndim:
        return
    names = [value.name for value in model.graph.input]
    if len(names) != len(values):
        return
    alike = [i for i, x in enumerate(values) if x.ndim and len(x) == len(values[0])]
    for varying in [alike, [0]] if len(alike) > 1 else [[0]]:
        yield _with_rows(model, values, varying), [values[i] for i in varying]


def _with_rows(model: onnx.ModelProto, values: list[Any], varying: list[int]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph, given = copy.graph, list(model.graph.input)
    del graph.input[:]
    for i, (info, value) in enumerate(zip(given, values, strict=True)):
        if i in varying:
            added = graph.input.add()
            added.CopyFrom(info)
            added.type.tensor_type.shape.dim[0].Clear()
            added.type.tensor_type.shape.dim[0].dim_param = "N"
        else:
            graph.initializer.append(_tensor(value, info.name))
    return copy


def _tensor(value: Any, name: str) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)
