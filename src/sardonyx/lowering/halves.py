"""Floats of 16 bits: operators compute them in float32 and round what they give, once.

::

    x float16 ─▶ Cast ─▶ float32 ─▶ operator ─▶ float32 ─▶ Cast ─▶ float16

A float32 has more than twice their digits, so sums, products, quotients and roots come out as if computed in float16
itself (Figueroa, "When is double rounding innocuous?", 1995); sums of many numbers are better than that. What only
moves elements takes them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, defs, numpy_helper

from .builder import HALVES
from .kinds import Across, Const, Row, Value, Values
from .node_view import Attributes, NodeView

#: what their bits are not looked at by
MOVING: Final = frozenset(
    {"Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Slice"}
    | {
        "Gather",
        "GatherElements",
        "GatherND",
        "Expand",
        "Tile",
        "Where",
        "Shape",
        "Size",
        "Cast",
        "CastLike",
        "EyeLike",
    }
)

#: what the standard defines by other operators, each of which rounds
ROUNDING_WITHIN: Final = frozenset({"Softmax", "LogSoftmax"})

Caster = Callable[[Any, str], Any]


def has_halves(node: NodeView) -> bool:
    """Whether a node computes with floats of 16 bits."""
    return any(_half(value) for value in node.inputs) and (node.op_type not in MOVING or bool(node.proto.domain))


def rounds_within(node: NodeView) -> bool:
    """Whether an operator is to be computed by its body, with halves between its steps."""
    return node.op_type in ROUNDING_WITHIN and node.version >= 13 and has_halves(node)


def _half(value: Value | None) -> str:
    """Return the type of a value if it is one of them, else nothing."""
    value = value.row if isinstance(value, Across) else value
    return value.dtype if isinstance(value, Row | Const) and value.dtype in HALVES else ""


def widened(node: NodeView, cast: Caster) -> NodeView:
    """Return the node with its inputs and its attributes in float32."""
    inputs = tuple(_as(value, "float32", cast) if _half(value) else value for value in node.inputs)
    tensors = [a.name for a in node.proto.attribute if a.t.data_type in (TensorProto.FLOAT16, TensorProto.BFLOAT16)]
    if not tensors:
        return replace(node, inputs=inputs)
    proto = onnx.NodeProto()
    proto.CopyFrom(node.proto)
    for attribute in proto.attribute:
        if attribute.name in tensors:
            wide = numpy_helper.to_array(attribute.t).astype(np.float32)
            attribute.t.CopyFrom(numpy_helper.from_array(wide))
    return replace(node, proto=proto, inputs=inputs, attributes=Attributes(proto, node.attributes.large))


def narrowed(node: NodeView, results: Values, cast: Caster) -> Values | None:
    """Return outputs in the types that the operator gives; None if it is not the standard's."""
    domain = "" if node.proto.domain == "ai.onnx" else node.proto.domain
    try:
        schema = defs.get_schema(node.op_type, node.version, domain)
    except defs.SchemaError:
        return None
    kinds = {_formal(schema.inputs, i).type_str: kind for i, v in enumerate(node.inputs) if (kind := _half(v))}
    types = [kinds.get(_formal(schema.outputs, i).type_str) for i in range(len(results))]
    return tuple(_as(v, t, cast) if t and _of_float32(v) else v for v, t in zip(results, types, strict=True))


def _formal(parameters: Any, place: int) -> Any:
    return parameters[min(place, len(parameters) - 1)]


def _of_float32(value: Value) -> bool:
    value = value.row if isinstance(value, Across) else value
    return isinstance(value, Row | Const) and value.dtype == "float32"


def _as(value: Value | None, dtype: str, cast: Caster) -> Any:
    return replace(value, row=cast(value.row, dtype)) if isinstance(value, Across) else cast(value, dtype)
