"""Nodes for `onnx.reference`: evaluating them now, inferring what they give, and renaming their values.

lower.py uses this for two things: folding a node whose inputs are known, and building the reference steps of a plan out
of nodes that have no kernel. Nodes of different scopes meet in one flat graph there, so every value is renamed.

This module knows no operator; it never runs anything but the node it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .rules import Across, Array, Batch, Const, Dims, Value, as_constant

#: The symbol of the row dimension in the types given to shape inference.
ROWS = "__rows__"

#: Operators that give something else at every call: never folded.
RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)

Opsets = tuple[tuple[str, int], ...]


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs among a node's attributes."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def free_names(node: onnx.NodeProto) -> set[str]:
    """Return the outer values a node reads: its inputs, and what its subgraphs capture."""
    names = {name for name in node.input if name}
    for graph in subgraphs(node):
        names |= _captured(graph)
    return names


def _captured(graph: onnx.GraphProto) -> set[str]:
    defined = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    captured: set[str] = set()
    for node in graph.node:
        captured |= free_names(node) - defined
        defined |= set(node.output)
    return captured | ({value.name for value in graph.output} - defined)


def renamed(node: onnx.NodeProto, names: dict[str, str], fresh: Callable[[], str]) -> onnx.NodeProto:
    """Return a copy of `node` with its values renamed; outputs that `names` lacks get fresh names and are added."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names[name] if name else "" for name in node.input]
    for graph in subgraphs(copy):
        _rename_graph(graph, dict(names), fresh)
    for name in node.output:
        if name:
            names.setdefault(name, fresh())
    copy.output[:] = [names[name] if name else "" for name in node.output]
    return copy


def _rename_graph(graph: onnx.GraphProto, names: dict[str, str], fresh: Callable[[], str]) -> None:
    del graph.value_info[:]
    for value in [*graph.input, *graph.initializer]:
        names[value.name] = value.name = fresh()
    for node in graph.node:
        for name in node.output:
            names.pop(name, None)
        node.CopyFrom(renamed(node, names, fresh))
    for output in graph.output:
        output.name = names[output.name]


def make_model(
    nodes: Iterable[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[str],
    constants: Iterable[onnx.TensorProto],
    opsets: Opsets,
) -> onnx.ModelProto:
    """Return a model of these nodes; the types of its outputs are not stated."""
    values = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(list(nodes), "reference", list(inputs), values, list(constants))
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid(d, v) for d, v in opsets])
    return model


def inlined(model: onnx.ModelProto, functions: Iterable[onnx.FunctionProto]) -> onnx.ModelProto:
    """Return the model with calls to functions, which may call each other, replaced by their bodies."""
    import onnx.inliner

    known = {(f.domain, f.name, f.overload): f for f in functions}
    model.functions.extend(known.values())
    versions = {i.domain for i in model.opset_import}
    for function in known.values():
        for item in function.opset_import:
            if item.domain not in versions:
                versions.add(item.domain)
                model.opset_import.append(item)
    result: onnx.ModelProto = onnx.inliner.inline_local_functions(model, convert_version=True)
    return result


def to_tensor(name: str, array: Array) -> onnx.TensorProto:
    """Return a named tensor."""
    tensor: onnx.TensorProto = numpy_helper.from_array(array, name)
    return tensor


def to_array(tensor: onnx.TensorProto) -> Array:
    """Return a tensor's values; text as an object array of str."""
    if tensor.data_type != onnx.TensorProto.STRING:
        return as_constant(numpy_helper.to_array(tensor))
    texts = np.empty(len(tensor.string_data), dtype=object)  # to_array goes through "<U", which drops trailing NULs
    texts[:] = [text.decode("utf-8") for text in tensor.string_data]
    return texts.reshape(tuple(tensor.dims))


def type_of(value: Value) -> onnx.TypeProto:
    """Return the ONNX type of a value."""
    if isinstance(value, Batch):
        return value.type
    if isinstance(value, Const):
        return helper.make_tensor_type_proto(element_type(value.dtype), value.array.shape)
    if isinstance(value, Across):
        return helper.make_tensor_type_proto(element_type(value.row.dtype), [None] * _rank(value))
    if isinstance(value, Dims):
        return helper.make_tensor_type_proto(onnx.TensorProto.INT64, () if value.scalar else (len(value.items),))
    shape: list[str | int | None] = [*[1] * value.lead, ROWS, *value.shape]
    kind: onnx.TypeProto = helper.make_tensor_type_proto(element_type(value.dtype), shape)
    return kind


def _rank(value: Across) -> int:
    return {"behind": value.row.rank, "stacked": value.row.rank - 1, "flat": 2}[value.form]


def element_type(dtype: str) -> int:
    """Return ONNX's number of an element type."""
    return int(onnx.TensorProto.STRING if dtype == "str" else helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def dtype_of(element: int) -> str:
    """Return the name of an element type, or "" if it is undefined."""
    if element == onnx.TensorProto.UNDEFINED:
        return ""
    return "str" if element == onnx.TensorProto.STRING else helper.tensor_dtype_to_np_dtype(element).name


def evaluate(node: onnx.NodeProto, constants: Mapping[str, Array], opsets: Opsets) -> list[Array] | None:
    """Return the outputs of a node whose inputs are known, or None if the reference implementation cannot tell."""
    from .reference_operators import evaluator

    outputs = [name for name in node.output if name]
    tensors = [to_tensor(name, array) for name, array in constants.items()]
    try:
        with np.errstate(all="ignore"):
            results = evaluator(make_model([node], [], outputs, tensors, opsets)).run(None, {})
        return [as_constant(result) for result in results if isinstance(result, np.ndarray | np.generic)]
    except Exception:  # whatever it raises, the node is left for run time, which will say so
        return None


def standard_body(
    node: onnx.NodeProto, version: int, inputs: Iterable[Value | None], *, needed: bool
) -> onnx.FunctionProto | None:
    """Return the standard's own definition of an operator by others, if it has one.

    Parameters
    ----------
    node : NodeProto
    version : int
        Version of the node's domain.
    inputs : iterable of Value or None
        The node's inputs, whose types decide some bodies.
    needed : bool
        Whether the body is of use only where the reference implementation has nothing else.
    """
    try:
        schema: Any = onnx.defs.get_schema(node.op_type, version, "" if node.domain == "ai.onnx" else node.domain)
    except onnx.defs.SchemaError:
        return None
    if needed and (schema.has_function or _is_implemented(node, version)):
        return None
    if schema.has_function:
        return _with_defaults(schema)
    if not schema.has_context_dependent_function:
        return None
    types = [onnx.TypeProto() if value is None else type_of(value) for value in inputs]
    body = onnx.FunctionProto()
    body.ParseFromString(
        schema.get_context_dependent_function(node.SerializeToString(), [t.SerializeToString() for t in types])
    )
    return body if body.node else None


def _with_defaults(schema: Any) -> onnx.FunctionProto:
    """Return the body of an operator, which says the defaults of its attributes too."""
    body = onnx.FunctionProto()
    body.CopyFrom(schema.function_body)
    defaults = [a.default_value for a in schema.attributes.values() if a.default_value.type]
    body.attribute_proto.extend(defaults)
    return body


def _is_implemented(node: onnx.NodeProto, version: int) -> bool:
    from onnx.reference.ops import load_op

    try:
        return node.domain not in ("", "ai.onnx") or load_op("", node.op_type, version) is not None
    except Exception:  # its ways to say no differ
        return False


def infer_types(
    nodes: Iterable[onnx.NodeProto],
    inputs: Mapping[str, onnx.TypeProto],
    constants: Iterable[onnx.TensorProto],
    outputs: Iterable[str],
    opsets: Opsets,
) -> list[onnx.TypeProto]:
    """Return the types of outputs as shape inference knows them; an empty type where it does not."""
    values = [onnx.ValueInfoProto(name=name, type=kind) for name, kind in inputs.items()]
    model = make_model(nodes, values, outputs, constants, opsets)
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # no types are known, which is always a legal answer
        graph = model.graph
    known = {value.name: value.type for value in [*graph.value_info, *graph.output]}
    return [known.get(name, onnx.TypeProto()) for name in outputs]


def row_form(kind: onnx.TypeProto) -> tuple[str, tuple[int, ...]] | None:
    """Return (dtype, shape of a row) of a tensor type whose first dimension is the rows and whose others are known."""
    tensor = kind.tensor_type
    if not kind.HasField("tensor_type") or not tensor.HasField("shape") or not tensor.elem_type:
        return None
    dims = list(tensor.shape.dim)
    if not dims or dims[0].dim_param != ROWS or any(not d.HasField("dim_value") for d in dims[1:]):
        return None
    return dtype_of(tensor.elem_type), tuple(int(d.dim_value) for d in dims[1:])


def is_known(value: Value | None) -> bool:
    """Whether a value (or an input that is not given) is known now."""
    return value is None or isinstance(value, Const)
