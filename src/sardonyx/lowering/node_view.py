"""A node as rules see it: its inputs as values, its attributes as Python objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ..protos.large import Large
from .kinds import Array, Const, Dims, Entries, Operand, Row, SparseConst, Tokens, Value, decline


class Attributes(Mapping[str, Any]):
    """The attributes of a node by name, as Python objects made when they are asked for.

    Of large ones the node has stubs (large.py); `integers` and `tensor` return their arrays as they are.
    """

    def __init__(self, node: onnx.NodeProto, large: Mapping[str, Large] | None = None) -> None:
        self._protos = {a.name: a for a in node.attribute}
        self.large = large or {}

    def _stands_for(self, name: str) -> Large | None:
        return self.large.get(self._protos[name].doc_string) if self.large else None

    def __getitem__(self, name: str) -> Any:
        proto, large = self._protos[name], self._stands_for(name)
        if large is not None:
            stub, proto = proto, onnx.AttributeProto()
            proto.CopyFrom(stub)
            large.write(proto)
        return onnx.helper.get_attribute_value(proto)

    def __contains__(self, name: object) -> bool:
        return name in self._protos

    def __iter__(self) -> Iterator[str]:
        return iter(self._protos)

    def __len__(self) -> int:
        return len(self._protos)

    def integers(self, name: str) -> NDArray[Any]:
        """Return a list of integers, perhaps millions: of int64, or as it was made. It is not to be changed."""
        large = self._stands_for(name)
        if large is not None and not large.tensor:
            return _not_to_be_changed(large.array)
        return np.array(self._protos[name].ints, np.int64)  # at once: protobuf's lists are buffers

    def tensor(self, name: str) -> Array:
        """Return a tensor, perhaps of millions of numbers, as an array that is not to be changed."""
        large = self._stands_for(name)
        array = large.array if large is not None and large.tensor else onnx.numpy_helper.to_array(self[name])
        return _not_to_be_changed(array)


def _not_to_be_changed(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node with its inputs as values and its attributes as Python objects.

    `version` is the opset version of the node's domain where it stands; `function` the body, if the model has one.
    Accessors decline instead of returning a value of another kind than the rule asks for.
    """

    proto: onnx.NodeProto
    inputs: tuple[Value | None, ...]
    version: int
    attributes: Attributes
    function: onnx.FunctionProto | None = None

    @property
    def op_type(self) -> str:
        """The operator, or the name of the function."""
        return self.proto.op_type

    @property
    def n_outputs(self) -> int:
        """How many outputs the node names."""
        return len(self.proto.output)

    # -- inputs

    def has(self, index: int) -> bool:
        """Whether the optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def _input(self, index: int) -> Value:
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            decline(f"input {index} is not given")
        return value.made if isinstance(value, Tokens) and value.made is not None else value

    def row(self, index: int) -> Row:
        """Return an input that is one slice a row, the rows being its first dimension (or a whole tensor)."""
        value = self._input(index)
        if not isinstance(value, Row):
            decline(f"input {index} is not one slice a row")
        if value.lead > 0:
            decline(f"the rows are not the first dimension of input {index}")
        return value

    def any_row(self, index: int) -> Row:
        """Return an input that is one slice a row, wherever its row dimension is."""
        value = self._input(index)
        if not isinstance(value, Row):
            decline(f"input {index} is not one slice a row")
        return value

    def const(self, index: int) -> Array:
        """Return an input known now."""
        value = self._input(index)
        if not isinstance(value, Const):
            decline(f"input {index} is not a constant")
        return value.array

    def entries(self, index: int) -> Entries:
        """Return an input known now, a matrix of numbers, by what is not zero in it."""
        value = self._input(index)
        if isinstance(value, SparseConst):
            return value.entries
        matrix = self.const(index)
        return Entries.of(matrix) if matrix.ndim == 2 else decline(f"input {index} is no matrix")

    def operand(self, index: int) -> Operand:
        """Return an input that is rows or a constant."""
        value = self._input(index)
        return value if isinstance(value, Const) else self.row(index)

    def operands(self) -> list[Operand]:
        """Return all inputs, each rows or a constant."""
        return [self.operand(i) for i in range(len(self.inputs))]

    def dims(self, index: int) -> tuple[int | None, ...]:
        """Return an input that is a shape (or one number of it), None standing for the number of rows."""
        value = self._input(index)
        if isinstance(value, Dims):
            return value.items
        if isinstance(value, Const) and value.array.ndim <= 1 and value.array.dtype.kind in "iu":
            return tuple(int(n) for n in value.array.reshape(-1))
        return decline(f"input {index} is not a known shape")

    def integers(self, name: str, index: int | None = None) -> tuple[int, ...] | None:
        """Return integers given as an attribute or, in later opsets, as the constant input `index`."""
        if name in self.attributes:
            value = self.attributes[name]
            return tuple(value) if isinstance(value, list | tuple) else (int(value),)
        if index is None or not self.has(index):
            return None
        return tuple(int(n) for n in self.const(index).reshape(-1))

    # -- attributes

    def integer(self, name: str, default: int) -> int:
        """Return an attribute of type int."""
        return int(self.attributes.get(name, default))

    def real(self, name: str, default: float) -> float:
        """Return an attribute of type float."""
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        """Return an attribute of type string."""
        value = self.attributes.get(name, default)
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)

    def row_axis(self, row: Row, axis: int) -> int:
        """Return the dimension of `row.shape` that ONNX calls `axis`; decline the row dimension itself."""
        own = (axis + row.rank if axis < 0 else axis) - 1 - row.lead
        if not 0 <= own < len(row.shape):
            decline(f"axis {axis} is the row dimension")
        return own
