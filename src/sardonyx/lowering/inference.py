"""What onnx's C++ knows of nodes of foreign files: their types, their bodies, calls put in line.

It trusts what it is given: shape inference crashes, or does not come back, where a node breaks its operator's schema
(ai.onnx.ml's TreeEnsemble without X reads a null pointer) or where a shape is no shape (a negative size, lists of 2**40
elements). So a node gets there only if it is sound: known operator, right number of inputs and outputs, attributes that
exist and have their types, tensors that hold what their shapes say, inputs whose types are known and legal. Of all
others nothing is known, which is always a legal answer.

::

    nodes ─▶ sound? ─ yes ─▶ onnx.shape_inference ─▶ types
               └───── no ──────────────────────────▶ the empty type
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import onnx
from onnx import AttributeProto, TensorProto, TypeProto, defs

from ..errors import ModelError
from ..protos import all_nodes
from .reference.graphs import Opsets, make_model, to_array, type_of
from .rules import Value

#: Functions call functions at most this deep; the models of sardonyx need three.
MAX_DEPTH = 64
#: nodes that a model may come to when its functions are written out: a small file can stand for billions
MAX_NODES = 100_000

Name: TypeAlias = tuple[str, str, str]

MOST_RANK: Final = 16
MOST_SIZE: Final = 1 << 31
#: data propagation carries each element of a list of integers along, however many there are
MOST_ELEMENTS: Final = 1 << 10

_ELEMENTS: Final = frozenset(TensorProto.DataType.values()) - {TensorProto.UNDEFINED}
_INTEGERS: Final = frozenset({TensorProto.INT32, TensorProto.INT64})
_OPTION: Final = defs.OpSchema.FormalParameterOption


def infer_types(
    nodes: Iterable[onnx.NodeProto],
    inputs: Mapping[str, TypeProto],
    constants: Iterable[TensorProto],
    outputs: Iterable[str],
    opsets: Opsets,
) -> list[TypeProto]:
    """Return the types of outputs as shape inference knows them; an empty type where it does not.

    Parameters
    ----------
    nodes : iterable of NodeProto
        In an order in which they can be computed.
    inputs : mapping of str to TypeProto
        What the nodes read.
    constants : iterable of TensorProto
        What the nodes read too: tensors of sardonyx's own making.
    outputs : iterable of str
    opsets : tuple of (domain, version)
    """
    tensors = {tensor.name: tensor for tensor in constants}
    known = {name: kind for name, kind in inputs.items() if is_legal(kind)}
    kept: list[onnx.NodeProto] = []
    for node in nodes:
        produced = {name for other in kept for name in other.output}
        if produced.intersection(node.input):
            known |= {
                n: kind for n, kind in _inferred(kept, known, tensors, produced, opsets).items() if is_legal(kind)
            }
        if is_sound(node, opsets) and all(not name or name in known or name in tensors for name in node.input):
            kept.append(node)
    given = {name: kind for name, kind in inputs.items() if name in known}
    found = _inferred(kept, given, tensors, {name for node in kept for name in node.output}, opsets)
    return [found.get(name, TypeProto()) for name in outputs]


def _inferred(
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, TypeProto],
    constants: Mapping[str, TensorProto],
    outputs: Iterable[str],
    opsets: Opsets,
) -> dict[str, TypeProto]:
    wanted = sorted(name for name in outputs if name)
    values = [onnx.ValueInfoProto(name=name, type=kind) for name, kind in inputs.items() if name not in wanted]
    model = make_model(nodes, values, wanted, constants.values(), opsets)
    small = all(_elements(kind) <= MOST_ELEMENTS for kind in inputs.values())
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=small).graph
    except Exception:  # no types are known
        return {}
    return {value.name: value.type for value in [*graph.value_info, *graph.output]}


def is_legal(kind: TypeProto) -> bool:
    """Whether a type is known, and one that a value can have."""
    form = kind.WhichOneof("value")
    if form in ("tensor_type", "sparse_tensor_type"):
        tensor = getattr(kind, form)
        sizes = [d.dim_value for d in tensor.shape.dim if d.HasField("dim_value")]
        few = len(tensor.shape.dim) <= MOST_RANK
        return tensor.elem_type in _ELEMENTS and few and all(0 <= size < MOST_SIZE for size in sizes)
    if form == "map_type":
        return kind.map_type.key_type in _ELEMENTS and is_legal(kind.map_type.value_type)
    return form is not None and is_legal(getattr(kind, form).elem_type)


def _elements(kind: TypeProto) -> int:
    """Return how many elements a list of integers has, as far as its type says; 0 for anything else."""
    tensor = kind.tensor_type
    sizes = [d.dim_value for d in tensor.shape.dim]
    return max(sizes, default=0) if tensor.elem_type in _INTEGERS else 0


def _schema(node: onnx.NodeProto, opsets: Opsets) -> Any:
    domain = "" if node.domain == "ai.onnx" else node.domain
    try:
        return defs.get_schema(node.op_type, dict(opsets).get(domain, 1), domain)
    except (defs.SchemaError, TypeError):  # unknown, or a version that is no 32-bit number
        return None


def is_since(op_type: str, version: int, later: int) -> bool:
    """Whether an operator of ai.onnx is the same in two versions."""
    try:
        found = [defs.get_schema(op_type, v, "").since_version for v in (version, later)]
    except (defs.SchemaError, TypeError):
        return False
    return bool(found[0] == found[1])


def is_sound(node: onnx.NodeProto, opsets: Opsets) -> bool:
    """Whether a node keeps to its operator's schema, and the nodes of its subgraphs to theirs."""
    schema = _schema(node, opsets)
    return (
        schema is not None
        and not schema.deprecated
        and schema.min_output <= len(node.output) <= schema.max_output
        and _has_inputs(node, schema)
        and _has_attributes(node, schema, opsets)
    )


def _has_inputs(node: onnx.NodeProto, schema: Any) -> bool:
    if not schema.min_input <= len(node.input) <= schema.max_input:
        return False
    formal = list(schema.inputs)
    options = [formal[min(place, len(formal) - 1)].option for place in range(len(node.input))]
    return all(name or option == _OPTION.Optional for name, option in zip(node.input, options, strict=True))


def _has_attributes(node: onnx.NodeProto, schema: Any, opsets: Opsets) -> bool:
    given = {attribute.name: attribute for attribute in node.attribute}
    required = {name for name, attribute in schema.attributes.items() if attribute.required}
    return (
        len(given) == len(node.attribute)
        and required <= given.keys() <= schema.attributes.keys()
        and all(a.type == int(schema.attributes[name].type.value) for name, a in given.items())
        and all(_is_sound_attribute(attribute, opsets) for attribute in given.values())
    )


def _is_sound_attribute(attribute: AttributeProto, opsets: Opsets) -> bool:
    if attribute.ref_attr_name or attribute.type in (AttributeProto.SPARSE_TENSOR, AttributeProto.SPARSE_TENSORS):
        return False
    if attribute.type == AttributeProto.TENSOR:
        return is_consistent(attribute.t)
    if attribute.type == AttributeProto.GRAPH:
        return _is_sound_graph(attribute.g, opsets)
    if attribute.type == AttributeProto.TYPE_PROTO:
        return is_legal(attribute.tp)
    if attribute.type == AttributeProto.STRING and b"\0" in attribute.s:  # onnx reads Einsum's equation for ever
        return False
    return attribute.type not in (AttributeProto.TENSORS, AttributeProto.GRAPHS, AttributeProto.TYPE_PROTOS)


def is_consistent(tensor: TensorProto) -> bool:
    """Whether a tensor holds what its type and shape say."""
    try:
        return min(tensor.dims, default=0) >= 0 and to_array(tensor).shape == tuple(tensor.dims)
    except Exception:  # numpy_helper says no in many ways
        return False


def _is_sound_graph(graph: onnx.GraphProto, opsets: Opsets) -> bool:
    """Whether a subgraph's nodes are sound: ai.onnx's only, as ai.onnx.ml's inference needs its inputs' types."""
    kinds = [value.type for value in [*graph.input, *graph.output, *graph.value_info]]
    return (
        not graph.sparse_initializer
        and all(node.domain in ("", "ai.onnx") and is_sound(node, opsets) for node in graph.node)
        and all(is_consistent(tensor) for tensor in graph.initializer)
        and all(is_legal(kind) or kind.WhichOneof("value") is None for kind in kinds)
    )


# ---- bodies ----------------------------------------------------------------------------------------------------------


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
    opsets = (("" if node.domain == "ai.onnx" else node.domain, version),)
    schema = _schema(node, opsets)
    if schema is None or not is_sound(node, opsets):
        return None
    if needed and (schema.has_function or _is_implemented(node, version)):
        return None
    if schema.has_function:
        return _with_defaults(schema)
    if not schema.has_context_dependent_function:
        return None
    types = [TypeProto() if value is None else type_of(value) for value in inputs]
    if not all(value is None or is_legal(kind) for value, kind in zip(inputs, types, strict=True)):
        return None
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


def inlined(model: onnx.ModelProto, functions: Iterable[onnx.FunctionProto]) -> onnx.ModelProto:
    """Return the model with calls to functions, which may call each other, replaced by their bodies.

    Raises
    ------
    ModelError
        If that comes to too many nodes, or a function is of other opsets in which its operators are not the same.
    """
    import onnx.inliner

    known = {(f.domain, f.name, f.overload): f for f in functions}
    _check_size(model, known)
    versions = {i.domain: int(i.version) for i in model.opset_import}
    model.functions.extend(known.values())
    for function in known.values():
        for item in function.opset_import:
            if item.domain not in versions:
                versions[item.domain] = item.version
                model.opset_import.append(item)
        _check_opsets(function, tuple(versions.items()))
    result: onnx.ModelProto = onnx.inliner.inline_local_functions(model, convert_version=False)
    return result


def _check_size(model: onnx.ModelProto, functions: Mapping[Name, onnx.FunctionProto]) -> None:
    sizes: dict[Name, int] = {}

    def size(nodes: Iterable[onnx.NodeProto], outer: tuple[Name, ...]) -> int:
        return sum(1 + called((n.domain, n.op_type, n.overload), outer) for n in all_nodes(nodes))

    def called(name: Name, outer: tuple[Name, ...]) -> int:
        if name not in functions:
            return 0
        if name in outer or len(outer) >= MAX_DEPTH:
            raise ModelError(f"functions are nested deeper than {MAX_DEPTH}; do they call each other?")
        if name not in sizes:
            sizes[name] = size(functions[name].node, (*outer, name))
        return sizes[name]

    if size(model.graph.node, ()) > MAX_NODES:
        raise ModelError(f"the model comes to more than {MAX_NODES} nodes; do its functions multiply?")


def _check_opsets(function: onnx.FunctionProto, opsets: Opsets) -> None:
    """Refuse a body that means something else in the model's opsets: onnx's version converter is not to be trusted."""
    own = tuple((i.domain, i.version) for i in function.opset_import)
    for node in all_nodes(function.node):
        schemas = _schema(node, own), _schema(node, opsets)
        versions = [schema and schema.since_version for schema in schemas]
        if versions[0] != versions[1]:
            raise ModelError(
                f"function {function.name!r} is of other opsets ({dict(own)}) than the model ({dict(opsets)}), where "
                f"{node.op_type} is another operator; convert the model with onnx.version_converter first"
            )
