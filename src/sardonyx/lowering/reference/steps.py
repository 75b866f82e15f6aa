"""What has no kernel: the nodes of one reference step, collected while a model is lowered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper

from ...errors import ModelError
from ...protos import all_nodes
from ...protos.large import fill, stubs
from ..inference import infer_types
from ..program import DTYPE_CODES
from ..rules import (
    MAX_RANK,
    Across,
    Array,
    Batch,
    Const,
    Dims,
    Listed,
    Made,
    NodeView,
    ReferenceStep,
    Row,
    Tokens,
    Value,
)
from ..scope import Scope
from .graphs import free_names, renamed, row_form, to_tensor, type_of

if TYPE_CHECKING:
    from ..lower import Lowering


#: the slot of what no node may read
NOWHERE = 0


class NotWholeError(Exception):
    """Raised where a program of one row is not to be had. It never leaves lower.py."""


#: operators that refuse rows, which their bodies cannot, or make what those refuse: operators.py has them
_REFUSING = {"sardonyx": ("Require", "Refuse", "CheckFinite", "TextMethod", "FindTokens")}


def is_refusing(domain: str, op_type: str) -> bool:
    """Whether an operator's body is never to be walked."""
    return op_type.partition(":")[0] in _REFUSING.get(domain, ())


def plainly_named(view: NodeView) -> onnx.NodeProto:
    """Return the node, of an operator that refuses rows without the number that its function may have."""
    if not is_refusing(view.proto.domain, view.op_type):
        return view.proto
    node = onnx.NodeProto()
    node.CopyFrom(view.proto)
    node.op_type = node.op_type.partition(":")[0]
    return node


def check_standard(view: NodeView, reasons: Sequence[str]) -> None:
    """Refuse an operator that nothing here runs."""
    from .operators import OPERATORS

    domain, why = view.proto.domain, "; ".join(reasons)
    known = any((op.op_domain, op.__name__) == (domain, view.op_type.partition(":")[0]) for op in OPERATORS)
    if domain and not domain.startswith("ai.onnx") and not known:
        raise ModelError(
            f"operator {view.op_type} of domain {domain!r} is not part of the ONNX standard, and the model has no body "
            f"for it{': ' if why else ''}{why}. Convert without it, say the estimator itself with sardonyx.to_onnx, or "
            "run the model in the runtime that brings the operator"
        )


def at_border(view: NodeView, place: int, result: Row | Batch) -> Row | Batch:
    """Return an output as what is made of rows at the end, so that no node need run."""
    made = _made(view, place)
    return Made(result.slot, result.type, *made) if made and isinstance(result, Batch) else result


def all_at_border(view: NodeView) -> list[Made] | None:
    """Return the outputs of a node without rows as what is made of its input, if each of them is."""
    made = [_made(view, place) for place in range(view.n_outputs)]
    return [Made(NOWHERE, onnx.TypeProto(), *m) for m in made if m] if all(made) else None


_Form = tuple[str, tuple[Row, ...], tuple[int | str, ...]]


def _made(view: NodeView, place: int) -> _Form | None:
    x = view.inputs[0] if view.inputs else None
    x = x.made if isinstance(x, Tokens) else x
    if not isinstance(x, Row) or x.lead > 0 or view.function is not None:
        return None
    if view.op_type == "ZipMap":
        return _zip_map(view, x)
    if x.dtype != "str":
        return None
    if view.op_type == "StringSplit":
        keys = (view.text("delimiter", ""), view.integer("maxsplit", -1))
        return ("parts", "part_counts")[place], (x,), keys
    if view.op_type == "StringNormalizer":
        stops = [word.decode("utf-8") for word in view.attributes.get("stopwords", [])]
        case, sensitive = view.text("case_change_action", "NONE"), view.integer("is_case_sensitive", 0)
        return "kept", (x,), (case, sensitive, *stops)
    return None


def _zip_map(view: NodeView, x: Row) -> _Form | None:
    texts = [text.decode("utf-8") for text in view.attributes.get("classlabels_strings", [])]
    keys = tuple(texts or view.attributes.get("classlabels_int64s", []))
    return ("maps", (x,), keys) if len(x.shape) == 1 - x.lead and len(keys) == x.shape[-1] else None


class ReferenceNodes:
    """Collects the nodes of one reference step, naming its values as the builder's slots are named."""

    def __init__(self, lowering: Lowering, scope: Scope) -> None:
        if lowering.whole:
            raise NotWholeError
        self.lowering = lowering
        self.builder = lowering.builder
        self.scope = scope
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.inputs: dict[str, Row | Batch] = {}

    def add(self, node: onnx.NodeProto) -> list[str]:
        """Add a node of the scope; return the new names of its outputs, "" where there is none."""
        names = {name: self.name_of(self.scope.find(name)) for name in sorted(free_names(node))}
        for name in node.output:
            names.pop(name, None)
        self.nodes.append(renamed(node, names, self.lowering.fresh))
        return [names[name] if name else "" for name in node.output]

    def name_of(self, value: Value | None) -> str:
        """Return the name under which nodes read a value, adding what is needed to make it."""
        if value is None:
            return ""
        if isinstance(value, Const):
            return self._constant(value.array)
        if isinstance(value, Dims):
            return self._dims(value)
        if isinstance(value, Across):
            return self._across(value)
        if isinstance(value, Listed):
            return self._sequence(value)
        if isinstance(value, Tokens):
            return self._tokens(value)
        if isinstance(value, Row) and value.sparse:
            value = replace(value, slot=self.builder.dense(value.slot), sparse=False)
        name = self.builder.slots[value.slot].name
        if isinstance(value, Batch) or value.lead <= 0:
            self.inputs[name] = value
            return name
        self.inputs[name] = replace(value, lead=0)
        shape = self._constant(np.array([*[1] * value.lead, -1, *value.shape], dtype=np.int64))
        return self._node("Reshape", [name, shape])

    def _tokens(self, value: Tokens) -> str:
        if value.made is not None:
            return self.name_of(value.made)
        name = self.name_of(value.row)
        for node in value.nodes:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.input[:], copy.output[:] = [name], [self.lowering.fresh()]
            self.nodes.append(copy)
            name = copy.output[0]
        return name

    def _sequence(self, value: Listed) -> str:
        if not value.items:
            return self._node("SequenceEmpty", [])
        return self._node("SequenceConstruct", [self.name_of(item) for item in value.items])

    def _across(self, value: Across) -> str:
        """Put the rows where the tensor has them."""
        x, depth = value.row, value.depth
        name = self.name_of(x)
        if value.form == "flat":
            return self._node("Reshape", [name, self._constant(np.array([1, -1]))])
        name = self._node("Transpose", [name])
        self.nodes[-1].attribute.append(
            helper.make_attribute("perm", [*range(1, depth + 1), 0, *range(depth + 1, x.rank)])
        )
        if value.form == "behind":
            return name
        shape = [x.shape[0], -1] if value.form == "joined" else [-1, *x.shape[1:]]
        return self._node("Reshape", [name, self._constant(np.array(shape))])

    def _constant(self, array: Array) -> str:
        name = self.lowering.fresh()
        self.constants[name] = to_tensor(name, array)
        return name

    def _node(self, op_type: str, inputs: list[str]) -> str:
        name = self.lowering.fresh()
        self.nodes.append(helper.make_node(op_type, inputs, [name]))
        return name

    def _concat(self, parts: list[str]) -> str:
        name = self._node("Concat", parts)
        self.nodes[-1].attribute.append(helper.make_attribute("axis", 0))
        return name

    def _dims(self, value: Dims) -> str:
        """Shape(X)[0:1], concatenated with the numbers that are known."""
        row = self.lowering.sources.first_row
        assert row is not None, "Dims come from the shape of rows"
        shape = self._node("Shape", [self.name_of(row)])
        rows = self._node("Gather", [shape, self._constant(np.zeros(1, dtype=np.int64))])
        parts = [rows if n is None else self._constant(np.array([n], dtype=np.int64)) for n in value.items]
        whole = parts[0] if len(parts) == 1 else self._concat(parts)
        return self._node("Reshape", [whole, self._constant(np.zeros(0, dtype=np.int64))]) if value.scalar else whole

    def finish(self, outputs: list[str], reason: str) -> list[Row | Batch]:
        """Add the step to the builder; return its outputs, as rows where their shapes are known to be."""
        reads = [value.slot for value in self.inputs.values()]
        level = self.builder.reference_level(reads)
        types = {name: type_of(value) for name, value in self.inputs.items()}
        kinds = infer_types(self.nodes, types, self.constants.values(), outputs, self.scope.opsets)
        values = [self._output(name, kind, level) for name, kind in zip(outputs, kinds, strict=True)]
        slots = tuple(value.slot for value in values)
        self.builder.reference(
            ReferenceStep(
                level,
                tuple(self.nodes),
                tuple(reads),
                slots,
                self.constants,
                self.scope.opsets,
                reason,
                tuple(types.values()),
                self._functions(),
            )
        )
        return values

    def _functions(self) -> tuple[onnx.FunctionProto, ...]:
        """Return the model's functions if a subgraph calls one of them."""
        known = {name: f for name, f in self.lowering.functions.items() if not is_refusing(*name[:2])}
        called = any((n.domain, n.op_type, n.overload) in known for n in all_nodes(self.nodes))
        return tuple(self._filled_function(f) for f in known.values()) if called else ()

    def _filled_function(self, function: onnx.FunctionProto) -> onnx.FunctionProto:
        if not any(stubs(function.node, self.lowering.large)):
            return function
        copy = onnx.FunctionProto()
        copy.CopyFrom(function)
        fill(copy.node, self.lowering.large)
        return copy

    def _output(self, name: str, kind: onnx.TypeProto, level: int) -> Row | Batch:
        form = row_form(kind)
        if form is None or form[0] not in DTYPE_CODES or len(form[1]) > MAX_RANK:
            return Batch(self.builder.new_slot("batch", (), level, name), kind)
        return Row(self.builder.new_slot(form[0], form[1], level, name), *form)
