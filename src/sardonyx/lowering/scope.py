"""Where names have a meaning while a model is lowered, and nodes as they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import onnx

from ..errors import ModelError
from ..protos.large import Large, fill
from .inference import MAX_DEPTH
from .kinds import Const, SparseConst
from .reference.graphs import Opsets, dense_array, entries_of, subgraphs, to_array
from .rules import Attributes, Value, as_constant


@dataclass(frozen=True, slots=True)
class Scope:
    """Where names have a meaning: the main graph, a function's body, or a subgraph (which sees what is outside it)."""

    opsets: Opsets
    values: dict[str, Value | None] = field(default_factory=dict)
    attributes: dict[str, onnx.AttributeProto] = field(default_factory=dict)
    depth: int = 0

    def find(self, name: str) -> Value | None:
        """Return a value by its name, None for an input that is not given."""
        if not name:
            return None
        if name not in self.values:
            raise ModelError(
                f"value {name!r} is read before it is written; check the model with onnx.checker.check_model"
            )
        return self.values[name]

    def inner(self) -> Scope:
        """Return the scope of a body within this one."""
        if self.depth >= MAX_DEPTH:
            raise ModelError(f"functions or branches are nested deeper than {MAX_DEPTH}; do they call each other?")
        return replace(self, values=dict(self.values), depth=self.depth + 1)

    def version(self, domain: str) -> int:
        """Return the opset version of a domain."""
        return dict(self.opsets).get("" if domain == "ai.onnx" else domain, 1)


def opsets_of(imports: Iterable[onnx.OperatorSetIdProto]) -> Opsets:
    """Return (domain, version) of each import."""
    return tuple(("" if i.domain == "ai.onnx" else i.domain, int(i.version)) for i in imports)


def with_attributes(node: onnx.NodeProto, attributes: dict[str, onnx.AttributeProto]) -> onnx.NodeProto:
    """Return the node with references to the attributes of its function replaced by their values."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    del copy.attribute[:]
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            copy.attribute.append(attribute)
        elif attribute.ref_attr_name in attributes:
            copy.attribute.append(attributes[attribute.ref_attr_name])
            copy.attribute[-1].name = attribute.name
    for graph in subgraphs(copy):
        for inner in graph.node:
            inner.CopyFrom(with_attributes(inner, attributes))
    return copy


def constant_of(attributes: Attributes) -> Const:
    """Return the value of a `Constant` node."""
    ((name, value),) = attributes.items()
    if isinstance(value, onnx.TensorProto):
        return Const(to_array(value))
    if isinstance(value, onnx.SparseTensorProto):
        entries = entries_of(value)
        return Const(dense_array(value)) if entries is None else SparseConst(entries)
    dtype = {"f": np.float32, "i": np.int64, "s": object}[name.split("_")[1][0]]
    return Const(as_constant(np.array(value, dtype=dtype)))


def filled(node: onnx.NodeProto, large: Mapping[str, Large]) -> onnx.NodeProto:
    """Return the node with the numbers of its stubs."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    fill([copy], large)
    return copy
