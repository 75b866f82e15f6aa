"""Attributes of millions of numbers: beside the graph while it is authored, in the model once it is finished.

Nodes are copied, compared and inferred many times on their way into a model. A large attribute is not on them then, but
a stub of the same name and type, whose doc string says what stands for it::

    node ──▶ attribute(name, type, doc_string=digest)         copied, compared, inferred
    graph.large[digest] ──▶ Large(array)                      written into the model's own attribute by `fill`, once
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .protos import all_nodes, digest_of, tensor_type

#: wire tag of ``AttributeProto.ints``, packed: field 8 of bytes
_INTS_TAG = 8 << 3 | 2


@dataclass(frozen=True, slots=True, eq=False)
class Large:
    """The value of an attribute.

    Attributes
    ----------
    array : array
        Integers of at least 0 where `tensor` is False.
    tensor : bool
        Whether the attribute is a tensor, or else a list of integers.
    """

    array: NDArray[Any]
    tensor: bool = False

    @property
    def type(self) -> onnx.AttributeProto.AttributeType:
        """The attribute's type."""
        return onnx.AttributeProto.TENSOR if self.tensor else onnx.AttributeProto.INTS

    def stub(self, name: str) -> onnx.AttributeProto:
        """Return the attribute with one number in place of all: inference of types asks for no more."""
        proto = onnx.AttributeProto(name=name, type=self.type, doc_string=digest_of(self.array))
        if self.tensor:
            proto.t.data_type = tensor_type(self.array.dtype)
            proto.t.dims[:] = [1]
            proto.t.raw_data = bytes(self.array.dtype.itemsize)
        else:
            proto.ints.append(0)
        return proto

    def write(self, stub: onnx.AttributeProto) -> None:
        """Write the numbers into a stub, which is the attribute from then on."""
        stub.ClearField("doc_string")
        if self.tensor:
            stub.t.dims[:] = self.array.shape
            stub.t.raw_data = self.array.astype(self.array.dtype.newbyteorder("<")).tobytes()
        else:
            content = varints(self.array)
            stub.ClearField("ints")
            stub.MergeFromString(varints(np.array([_INTS_TAG])) + varints(np.array([len(content)])) + content)


def varints(numbers: NDArray[Any]) -> bytes:
    """Return integers of at least 0 as protobuf's varints: 7 bits a byte, the lowest first, bit 7 set before the last.

    All get as many bytes as the largest needs, which is legal, and quick to write and to read; protobuf writes them
    shorter when it writes them itself.
    """
    width = max(1, -(-int(numbers.max(initial=0)).bit_length() // 7))
    content = np.empty((len(numbers), width), np.uint8)
    for i in range(width):
        content[:, i] = numbers >> 7 * i & 0x7F
    content[:, :-1] |= 0x80
    return content.tobytes()


def fill(nodes: Iterable[onnx.NodeProto], large: Mapping[str, Large]) -> None:
    """Write the numbers of all stubs on these nodes."""
    for node in all_nodes(nodes):
        for attribute in node.attribute:
            if attribute.doc_string in large:
                large[attribute.doc_string].write(attribute)
