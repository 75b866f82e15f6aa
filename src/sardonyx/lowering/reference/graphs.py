"""Nodes for `onnx.reference`: evaluating them now, and renaming their values.

lower.py uses this for two things: folding a node whose inputs are known, and building the reference steps of a plan out
of nodes that have no kernel. Nodes of different scopes meet in one flat graph there, so every value is renamed.

This module knows no operator; it never runs anything but the node it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ...errors import ModelError
from ..rules import Across, Array, Batch, Const, Dims, Entries, Listed, Tokens, Value, as_constant

#: The symbol of the row dimension in the types given to shape inference.
ROWS = "__rows__"

#: Operators that give something else at every call: never folded.
RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)

#: elements that a sparse tensor may have when it is made dense
MOST_DENSE = 1 << 26

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
    defined = {value.name for value in graph.input} | given_names(graph)
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
    graph.initializer.extend(to_tensor(tensor.values.name, dense_array(tensor)) for tensor in graph.sparse_initializer)
    del graph.sparse_initializer[:]
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


def dense_array(tensor: onnx.SparseTensorProto) -> Array:
    """Return the values of a sparse tensor, made dense.

    Raises
    ------
    ModelError
        If its parts do not fit each other, or it is too large to be made dense.
    """
    shape, values, indices = _parts_of_sparse(tensor)
    if math.prod(shape) > MOST_DENSE:
        name = tensor.values.name
        raise ModelError(f"sparse tensor {name!r} of shape {list(shape)} must have 1 to {MOST_DENSE} elements")
    dense = np.full(shape, "", object) if values.dtype == object else np.zeros(shape, values.dtype)
    dense[tuple(indices.T) if indices.ndim == 2 else np.unravel_index(indices, shape)] = values
    return dense


def entries_of(tensor: onnx.SparseTensorProto) -> Entries | None:
    """Return the entries of a sparse matrix of numbers; None if it is none, or its indices are not in order.

    Raises
    ------
    ModelError
        If its parts do not fit each other.
    """
    shape, values, indices = _parts_of_sparse(tensor)
    if len(shape) != 2 or values.dtype.kind not in "biuf" or max(shape) > np.iinfo(np.int32).max:
        return None
    rows, columns = indices.T if indices.ndim == 2 else np.divmod(indices, shape[1])
    places = rows * shape[1] + columns
    return Entries(shape, rows, columns, values) if (places[1:] > places[:-1]).all() else None


def _parts_of_sparse(tensor: onnx.SparseTensorProto) -> tuple[tuple[int, ...], Array, Array]:
    shape, values, indices = tuple(tensor.dims), to_array(tensor.values), to_array(tensor.indices)
    name = tensor.values.name
    if min(shape, default=1) < 1 or math.prod(shape) > np.iinfo(np.int64).max:
        raise ModelError(f"sparse tensor {name!r} of shape {list(shape)} must have 1 to {MOST_DENSE} elements")
    if indices.dtype != np.int64 or values.ndim != 1 or indices.shape not in (values.shape, (len(values), len(shape))):
        raise ModelError(
            f"sparse tensor {name!r} must have a list of values, and an int64 index or row of indices for each"
        )
    bounds = np.array(shape if indices.ndim == 2 else [math.prod(shape)], np.int64)
    if np.any(indices < 0) or np.any(indices >= bounds):
        raise ModelError(f"sparse tensor {name!r} of shape {list(shape)} has indices outside of it")
    return shape, values, indices


def initializers(graph: onnx.GraphProto) -> dict[str, Array]:
    """Return the values that a graph gives, sparse ones made dense."""
    dense = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    return dense | {tensor.values.name: dense_array(tensor) for tensor in graph.sparse_initializer}


def given_names(graph: onnx.GraphProto) -> set[str]:
    """Return the names of the values that a graph gives."""
    return {t.name for t in graph.initializer} | {t.values.name for t in graph.sparse_initializer}


def type_of(value: Value) -> onnx.TypeProto:
    """Return the ONNX type of a value."""
    if isinstance(value, Batch):
        return value.type
    if isinstance(value, Listed):
        return helper.make_sequence_type_proto(type_of(value.items[0])) if value.items else onnx.TypeProto()
    if isinstance(value, Tokens):
        return onnx.TypeProto()
    if isinstance(value, Const):
        return helper.make_tensor_type_proto(element_type(value.dtype), value.array.shape)
    if isinstance(value, Across):
        return helper.make_tensor_type_proto(element_type(value.row.dtype), [None] * _rank(value))
    if isinstance(value, Dims):
        return helper.make_tensor_type_proto(onnx.TensorProto.INT64, () if value.scalar else (len(value.items),))
    shape: list[str | int | None] = [ROWS if n is None else n for n in value.dims]
    kind: onnx.TypeProto = helper.make_tensor_type_proto(element_type(value.dtype), shape)
    return kind


def _rank(value: Across) -> int:
    return {"behind": value.row.rank, "stacked": value.row.rank - 1, "flat": 2, "joined": 2}[value.form]


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
    from .operators import evaluator

    outputs = [name for name in node.output if name]
    tensors = [to_tensor(name, array) for name, array in constants.items()]
    try:
        with np.errstate(all="ignore"):
            results = evaluator(make_model([node], [], outputs, tensors, opsets)).run(None, {})
        return [as_constant(result) for result in results if isinstance(result, np.ndarray | np.generic)]
    except Exception:  # whatever it raises, the node is left for run time, which will say so
        return None


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
