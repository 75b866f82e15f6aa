"""Attributes of millions of numbers: beside the graph while it is authored or read, in the model once it is finished.

Nodes are copied, compared and inferred many times on their way into a model and out of it. A large attribute is not on
them then, but a stub of the same name and type, whose doc string says what stands for it::

    author    node ──▶ attribute(name, type, doc_string=digest)         copied, compared, inferred, lowered
              graph.large[digest] ──▶ Large(array)                      written into the model by `fill`, last
    read      content of a file ──▶ the same without its large lists of integers, and those, by `take_out`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from .. import _native
from .messages import all_nodes, digest_of, tensor_type

#: fields of ``AttributeProto``
_INTS, _DOC_STRING = 8, 13
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
#: where attributes are: message and field -> message
_INSIDE: Final = {
    ("model", 7): "graph",
    ("model", 25): "function",
    ("graph", 1): "node",
    ("function", 7): "node",
    ("node", 5): "attribute",
}
#: bytes from which a list is large, and a file is worth looking for one; fields of a message that are looked through
LEAST, WORTH_LOOKING, MOST_FIELDS = 1 << 16, 1 << 22, 1 << 16


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
        if self.tensor:
            stub.ClearField("doc_string")
            stub.t.dims[:] = self.array.shape
            stub.t.raw_data = self.array.astype(self.array.dtype.newbyteorder("<"), copy=False).tobytes()
        else:
            content = varints(self.array)
            read = onnx.AttributeProto(name=stub.name, type=self.type)  # what reading wastes goes with it
            read.MergeFromString(_header(_INTS, len(content)) + content)
            stub.CopyFrom(read)


def varints(numbers: NDArray[Any]) -> bytes:
    """Return integers of at least 0 as protobuf's varints: 7 bits a byte, the lowest first, bit 7 set before the last.

    All get as many bytes as the largest needs, which is legal, and quick to write and to read; protobuf writes them
    shorter when it writes them itself.
    """
    width = max(1, -(-int(numbers.max(initial=0)).bit_length() // 7))
    content = np.empty((len(numbers), width), np.uint8)
    for i in range(width):
        content[:, i] = numbers >> 7 * i & 0x7F if width > 1 else numbers
    content[:, :-1] |= 0x80
    return content.tobytes()


def _header(field: int, size: int) -> bytes:
    """Return the tag and the length of a field of bytes."""
    return varints(np.array([field << 3 | _BYTES])) + varints(np.array([size]))


def fill(nodes: Iterable[onnx.NodeProto], large: Mapping[str, Large]) -> None:
    """Write the numbers of all stubs on these nodes."""
    for attribute in stubs(nodes, large):
        large[attribute.doc_string].write(attribute)


def stubs(nodes: Iterable[onnx.NodeProto], large: Mapping[str, Large]) -> Iterator[onnx.AttributeProto]:
    """Yield the stubs on these nodes and those of their subgraphs."""
    if large:
        yield from (a for node in all_nodes(nodes) for a in node.attribute if a.doc_string in large)


def give_back(large: Mapping[str, Large]) -> None:
    """Hand the memory that went through large attributes back to the system: the allocator would keep it."""
    if sum(value.array.nbytes for value in large.values()) > WORTH_LOOKING:
        _native.give_back_memory()


def fill_model(model: onnx.ModelProto, large: Mapping[str, Large]) -> onnx.ModelProto:
    """Write the numbers of all stubs of a model, and return it."""
    for nodes in (model.graph.node, *(f.node for f in model.functions)):
        fill(nodes, large)
    return model


# ---- reading ---------------------------------------------------------------------------------------------------------


def take_out(content: bytes) -> tuple[bytes, dict[str, Large]]:
    """Take the large lists of integers out of the content of an ONNX file.

    protobuf keeps eight bytes a number, and as many again while it reads them.

    Returns
    -------
    content : bytes
        With stubs in their place; the same where it has none, or is not understood: protobuf says then what is wrong.
    large : dict of str to Large
    """
    if len(content) < WORTH_LOOKING:
        return content, {}
    taken: dict[str, Large] = {}
    try:
        pieces = _without(memoryview(content), "model", taken)
    except ValueError:
        return content, {}
    return (b"".join(pieces), taken) if taken else (content, {})


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message: its number and wire type, where its tag starts, where its value begins and ends."""

    number: int
    wire: int
    start: int
    begin: int
    end: int


def _without(message: memoryview, kind: str, taken: dict[str, Large]) -> list[bytes | memoryview]:
    """Return a message in pieces, the large lists inside it replaced by stubs."""
    pieces: list[bytes | memoryview] = []
    for field in _fields(message):
        inner = _INSIDE.get((kind, field.number))
        if field.wire != _BYTES or inner is None or field.end - field.begin < LEAST:
            pieces.append(message[field.start : field.end])
            continue
        part = message[field.begin : field.end]
        body = _stub_of(part, taken) if inner == "attribute" else _without(part, inner, taken)
        pieces += [_header(field.number, sum(map(len, body))), *body]
    return pieces


def _stub_of(attribute: memoryview, taken: dict[str, Large]) -> list[bytes | memoryview]:
    """Return an attribute with a stub in place of its integers, if they stand together and nothing is said of them."""
    others: list[bytes | memoryview] = []
    array, at = None, 0
    while at < len(attribute):
        field = _field(attribute, at)
        if field.number != _INTS:
            others.append(attribute[field.start : field.end])
            at = field.end
        elif array is None and field.wire == _BYTES:  # packed
            array, _ = _native.read_varints(attribute[field.begin : field.end], -1)
            at = field.end
        elif array is None and field.wire == _VARINT:  # one after the other, each with its tag
            array, size = _native.read_varints(attribute[at:], attribute[at])
            at += size
        else:
            return [attribute]
        if field.number == _DOC_STRING or len(others) > MOST_FIELDS:
            return [attribute]
    if array is None:
        return [attribute]
    key = f"\0taken out {len(taken)}"
    taken[key] = Large(array)
    return [*others, _header(_INTS, 1), b"\0", _header(_DOC_STRING, len(key)), key.encode()]


def _fields(message: memoryview) -> Iterator[_Field]:
    """Yield the fields of a message."""
    at = 0
    for _ in range(MOST_FIELDS):
        if at == len(message):
            return
        field = _field(message, at)
        yield field
        at = field.end
    raise ValueError("too many fields")


def _field(message: memoryview, at: int) -> _Field:
    tag, begin = _varint(message, at)
    wire = tag & 7
    size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
    if wire == _VARINT:
        size = _varint(message, begin)[1] - begin
    elif wire == _BYTES:
        size, begin = _varint(message, begin)
    if size is None or begin + size > len(message):
        raise ValueError("a field of an unknown type, or beyond its message")
    return _Field(tag >> 3, wire, at, begin, begin + size)


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
    raise ValueError("a number without end")
