"""Operators of ai.onnx.ml that other converters emit, as steps of general kernels.

They give float32, whatever they take. What ONNX Runtime and the standard disagree about is left to the reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rules import Array, Builder, Const, NodeView, Row, Values, decline, lowers
from .elementwise import FLOATS, cast_row, elementwise
from .reduce import reduce_axes
from .shape import concat_rows

ML = "ai.onnx.ml"


def _floats(node: NodeView, name: str) -> Array:
    given: Any = node.attributes.get(name)
    return np.array(given if given is not None else decline(f"{name} is not given"), dtype=np.float32)


@lowers("Scaler", domain=ML)
def scaler(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    x = x if x.dtype in FLOATS else cast_row(b, x, "float32")
    offset, scale = (Const(_floats(node, name).astype(x.dtype)) for name in ("offset", "scale"))
    if len(x.shape) != 1 or any(c.array.size not in (1, x.width) for c in (offset, scale)):
        decline("offset or scale do not fit the columns")
    scaled = elementwise(b, "Mul", [elementwise(b, "Sub", [x, offset], FLOATS), scale], FLOATS)
    return (cast_row(b, scaled, "float32"),)


@lowers("Normalizer", domain=ML)
def normalizer(b: Builder, node: NodeView) -> Values:
    x = cast_row(b, node.row(0), "float32")
    kernel = {"L1": "ReduceL1", "L2": "ReduceL2"}.get(node.text("norm", "MAX")) or decline("the norm is MAX")
    if len(x.shape) != 1:
        decline("rows are not vectors")
    norm = reduce_axes(b, kernel, x, [0], keep=True)
    is_zero = elementwise(b, "Equal", [norm, Const(np.zeros((), dtype=np.float32))], FLOATS, "bool")
    (divisor,) = b.step("Where", [is_zero, Const(np.ones((), dtype=np.float32)), norm], [("float32", (1,))])
    return (elementwise(b, "Div", [x, divisor], FLOATS),)


@lowers("FeatureVectorizer", domain=ML)
def feature_vectorizer(b: Builder, node: NodeView) -> Values:
    rows: list[Row] = [cast_row(b, node.row(i), "float32") for i in range(len(node.inputs))]
    if any(len(row.shape) != 1 for row in rows) or node.integers("inputdimensions") != tuple(r.width for r in rows):
        decline("the inputs are not vectors of the dimensions given")
    return (concat_rows(b, rows, 0),)
