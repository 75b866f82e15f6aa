"""The small ways in and out of ONNX messages: types, tensors, attributes, schemas, nodes within nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import defs, helper, numpy_helper

from ..errors import ConversionError

Dim: TypeAlias = int | str | None
Shape: TypeAlias = tuple[Dim, ...]

#: ONNX string tensors; the width of a NumPy string means nothing in a graph.
STRING = np.dtype(np.str_)


def tensor_type(dtype: np.dtype[Any]) -> int:
    """ONNX element type of a NumPy dtype."""
    if dtype == np.longdouble and dtype.itemsize > 8:
        raise ConversionError("ONNX has no long double numbers; fit the estimator on float64 data.")
    return onnx.TensorProto.STRING if dtype.kind in "UOT" else helper.np_dtype_to_tensor_dtype(dtype)


def numpy_type(element_type: int) -> np.dtype[Any]:
    """NumPy dtype of an ONNX element type."""
    return (
        STRING if element_type == onnx.TensorProto.STRING else np.dtype(helper.tensor_dtype_to_np_dtype(element_type))
    )


def type_proto(dtype: np.dtype[Any], shape: Shape) -> onnx.TypeProto:
    """Return the type of a tensor."""
    return helper.make_tensor_type_proto(tensor_type(dtype), shape)


def read_type(proto: onnx.TypeProto) -> tuple[np.dtype[Any], Shape]:
    """Return the dtype and shape of a tensor type."""
    tensor = proto.tensor_type
    dims = (d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim)
    return numpy_type(tensor.elem_type), tuple(dims)


def tensor_proto(array: NDArray[Any], name: str = "") -> onnx.TensorProto:
    """Return an array as a tensor; strings as UTF-8."""
    if array.dtype.kind in "UOT":
        flat = [str(s).encode() for s in array.ravel().tolist()]
        return onnx.TensorProto(name=name, data_type=onnx.TensorProto.STRING, dims=array.shape, string_data=flat)
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)


def graph_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that a graph knows: all strings are one."""
    return STRING if dtype.kind in "UOT" else dtype


def digest_of(array: NDArray[Any]) -> str:
    """Return a text that is the same exactly for constants of the same type, shape and content."""
    content = repr(array.tolist()).encode() if array.dtype.kind in "UOT" else np.ascontiguousarray(array).tobytes()
    return f"{graph_dtype(array.dtype)}{array.shape}{hashlib.blake2b(content, digest_size=16).hexdigest()}"


def find_schema(op_type: str, opset: Mapping[str, int]) -> tuple[defs.OpSchema, str]:
    """Return the schema of an operator of ai.onnx or ai.onnx.ml, and its domain."""
    for domain in ("", "ai.onnx.ml"):
        if defs.has(op_type, domain):
            return defs.get_schema(op_type, opset[domain], domain), domain
    raise ConversionError(
        f"there is no operator {op_type!r} in ai.onnx or ai.onnx.ml. See https://onnx.ai/onnx/operators."
    )


def attribute_proto(schema: defs.OpSchema, op_type: str, key: str, value: Any) -> onnx.AttributeProto:
    """Return an attribute of the type that the operator's schema says."""
    if isinstance(value, onnx.AttributeProto):
        return value
    if key not in schema.attributes:
        raise ConversionError(f"operator {op_type} has no attribute {key!r}; it has {sorted(schema.attributes)}.")
    return plain_attribute(key, value, int(schema.attributes[key].type.value))  # type: ignore[attr-defined]


def plain_attribute(key: str, value: Any, kind: int | None = None) -> onnx.AttributeProto:
    """Return an attribute of the type that the value suggests, arrays as tensors unless `kind` says otherwise."""
    if isinstance(value, onnx.AttributeProto):
        return value
    tensor = kind == onnx.AttributeProto.TENSOR or (kind is None and isinstance(value, np.ndarray))
    if tensor and isinstance(value, np.ndarray):
        return helper.make_attribute(key, tensor_proto(value))
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return helper.make_attribute(key, plain, attr_type=kind)


def all_nodes(nodes: Any) -> Iterator[onnx.NodeProto]:
    """Yield the nodes and those of their subgraphs."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from all_nodes(attribute.g.node)


def canonical_form(function: onnx.FunctionProto) -> bytes:
    """Content of a function with its own name and its values' running numbers left out, to find identical ones."""
    copy = onnx.FunctionProto()
    copy.CopyFrom(function)
    copy.name = ""
    names: dict[str, str] = {}
    for value in (*copy.input,):
        names.setdefault(value, f"v{len(names)}")
    for node in all_nodes(copy.node):
        for value in (*node.input, *node.output):
            names.setdefault(value, f"v{len(names)}" if value else "")
    for index, value in enumerate(copy.input):
        copy.input[index] = names[value]
    for index, value in enumerate(copy.output):
        copy.output[index] = names.get(value, value)
    for node in copy.node:
        node.input[:] = [names[v] for v in node.input]
        node.output[:] = [names[v] for v in node.output]
    content: bytes = copy.SerializeToString(deterministic=True)
    return content
