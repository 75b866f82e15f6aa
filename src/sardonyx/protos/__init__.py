"""ONNX protobuf messages, in and out. Knows no graph and no Value: `graph` authors with it, `lowering` reads with it.

::

    dtype, shape, array  ◀──▶  TypeProto, TensorProto, AttributeProto        messages.py
    attributes of millions of numbers, beside the messages until the last    large.py
"""

from .messages import (
    STRING,
    Dim,
    Shape,
    all_nodes,
    attribute_proto,
    canonical_form,
    digest_of,
    find_schema,
    graph_dtype,
    numpy_type,
    plain_attribute,
    read_type,
    tensor_proto,
    tensor_type,
    type_proto,
)

__all__ = [
    "STRING", "Dim", "Shape", "all_nodes", "attribute_proto", "canonical_form", "digest_of", "find_schema",
    "graph_dtype", "numpy_type", "plain_attribute", "read_type", "tensor_proto", "tensor_type", "type_proto",
]  # fmt: skip
