"""Inputs and outputs of a model as ONNX Runtime describes them: name, type, shape. Needs onnx only to read a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import onnx

#: NumPy's name of a dtype -> ONNX Runtime's name of the element type
ELEMENT_NAMES: Final = {"float64": "double", "float32": "float", "str": "string"}


@dataclass(frozen=True, slots=True)
class NodeArg:
    """An input or output as ONNX Runtime has it: ``type`` like ``tensor(double)``, ``shape`` like ``["N", 5]``."""

    name: str
    type: str
    shape: list[int | str | None]


def tensor_type(dtype: str) -> str:
    """Return ONNX Runtime's name of the type of tensors of a dtype."""
    return f"tensor({ELEMENT_NAMES.get(dtype, dtype)})"


def node_args(model: onnx.ModelProto) -> tuple[list[NodeArg], list[NodeArg]]:
    """Return the inputs (without those that have a value of their own) and the outputs of a model.

    The type of an output that the file does not state is "": onnx's inference of it crashes on hostile files.
    """
    graph = model.graph
    given = _given(graph)
    return [_node_arg(value) for value in graph.input if value.name not in given], [_node_arg(v) for v in graph.output]


def overridable_args(model: onnx.ModelProto) -> list[NodeArg]:
    """Return the inputs that have a value of their own."""
    given = {tensor.name for tensor in model.graph.initializer}
    return [_node_arg(value) for value in model.graph.input if value.name in given]


def _given(graph: onnx.GraphProto) -> set[str]:
    return {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}


def _node_arg(value: onnx.ValueInfoProto) -> NodeArg:
    kind = value.type.optional_type.elem_type if value.type.HasField("optional_type") else value.type
    dims = kind.tensor_type.shape.dim
    return NodeArg(
        value.name,
        type_text(value.type),
        [int(d.dim_value) if d.HasField("dim_value") else d.dim_param or None for d in dims],
    )


def type_text(kind: onnx.TypeProto) -> str:
    """Return a type in ONNX Runtime's words: ``seq(map(int64,tensor(float)))``."""
    form = kind.WhichOneof("value")
    if form == "sequence_type":
        return f"seq({type_text(kind.sequence_type.elem_type)})"
    if form == "optional_type":
        return f"optional({type_text(kind.optional_type.elem_type)})"
    if form == "map_type":
        return f"map({_element(kind.map_type.key_type)},{type_text(kind.map_type.value_type)})"
    if form == "sparse_tensor_type":
        return f"sparse_tensor({_element(kind.sparse_tensor_type.elem_type)})"
    return f"tensor({_element(kind.tensor_type.elem_type)})" if form else ""


def _element(number: int) -> str:
    import onnx

    names = dict(zip(onnx.TensorProto.DataType.values(), onnx.TensorProto.DataType.keys(), strict=True))
    return str(names.get(number, "undefined")).lower()
