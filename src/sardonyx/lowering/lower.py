"""From an ONNX model to a Plan: native programs, and reference segments for what has no kernel.

The nodes are walked in order, with an environment from names to values (see rules.py for the kinds of values)::

    node ──▶ all inputs known?   fold it now, by the reference implementation
         ──▶ control flow?       take it apart (control_flow.py)
         ──▶ a rule accepts?     its steps (by_rule.py)
         ──▶ a function?         walk its body, names in an environment of its own
         ──▶ else                a reference step over whole batches

The flat list of steps is then cut into segments (partition.py), and each program is rewritten by passes/.

This module knows no operator but `Constant`. It does not run anything but folding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import onnx

from .. import kernels as kernels  # registers the rules
from ..errors import ModelError
from ..kernels.classical import keys_of
from ..protos.large import Large, stubs
from . import quantization as quantization  # these two register what they take apart
from . import windows as windows
from .by_rule import ByRule
from .control_flow import STRUCTURES
from .inference import MAX_NODES, standard_body
from .partition import Output, partition
from .plan import Arrival, Plan
from .program import DTYPE_CODES
from .reference.graphs import (
    RANDOM,
    ROWS,
    dtype_of,
    evaluate,
    free_names,
    given_names,
    initializers,
    is_known,
)
from .reference.steps import (
    NotWholeError,
    ReferenceNodes,
    all_at_border,
    at_border,
    check_standard,
    is_refusing,
    plainly_named,
)
from .rules import (
    ROWLESS,
    Across,
    Array,
    Attributes,
    Batch,
    Builder,
    Const,
    Declined,
    Listed,
    NodeView,
    ReferenceStep,
    Row,
    Shape,
    Tokens,
    Value,
    Values,
    fold_of,
)
from .scope import Scope, constant_of, filled, opsets_of, with_attributes
from .sources import Sources, Whole


def lower(
    model: onnx.ModelProto,
    block_rows: int | None = None,
    *,
    sparse: Collection[str] = (),
    large: Mapping[str, Large] | None = None,
) -> Plan:
    """Lower a model to a plan.

    Parameters
    ----------
    model : onnx.ModelProto
        Any model: standard operators, operators of `ai.onnx.ml`, model-local functions. The first dimension of an input
        is the rows, if it is not a fixed number, or if all kernels give the same answer for any number of them.
    block_rows : int, optional
        Rows the native programs compute at a time; by default as many as keep the values of a block in the cache.
    sparse : collection of str
        Inputs that the program takes as sparse rows. The values, and the ONNX file, are the same either way.
    large : mapping of str to Large, optional
        What the model's stubs stand for; see large.py.

    Returns
    -------
    Plan
        One native program if every operator has a kernel; what has none is in reference segments.

    Raises
    ------
    ModelError
        If the model is not well formed: a value is read before it is written, functions call each other in a circle.
    """
    known = large or {}
    plan = Lowering(model, sparse, known).plan(block_rows)
    if not plan.reference_operators:
        return plan
    freed = _with_free_rows(model)
    by_rows = plan if freed is None else Lowering(freed, sparse, known).plan(block_rows)
    return by_rows if not by_rows.reference_operators else lower_whole(model, known) or plan


def lower_whole(
    model: onnx.ModelProto,
    large: Mapping[str, Large] | None = None,
    *,
    shapes: Mapping[str, Shape] | None = None,
    values: Mapping[str, Array] | None = None,
) -> Plan | None:
    """Lower a model whose inputs all have known shapes: its tensors are the one row of a native program.

    Parameters
    ----------
    model : onnx.ModelProto
    large : mapping of str to Large, optional
        What the model's stubs stand for.
    shapes : mapping of str to tuple of int, optional
        Shapes of inputs, in place of those that the model says.
    values : mapping of str to array, optional
        Inputs that are known, so that the program does not take them.

    Returns
    -------
    Plan or None
        None if an input's shape is not known, or an operator has no kernel.
    """
    try:
        return Lowering(model, (), large or {}, whole=Whole(shapes or {}, values or {})).plan(1)
    except NotWholeError:
        return None


def _with_free_rows(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Return the model with the first dimension of all inputs free, if all have the same fixed number there."""
    given = given_names(model.graph)
    shapes = [value.type.tensor_type.shape for value in model.graph.input if value.name not in given]
    if not shapes or any(not s.dim or not s.dim[0].dim_value or s.dim[0] != shapes[0].dim[0] for s in shapes):
        return None
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in copy.graph.input:
        if value.name not in given:
            value.type.tensor_type.shape.dim[0].dim_param = ROWS
    return copy


class Lowering:
    """One run of `lower`: the builder, and what the model says."""

    def __init__(
        self,
        model: onnx.ModelProto,
        sparse: Collection[str],
        large: Mapping[str, Large],
        *,
        whole: Whole | None = None,
    ) -> None:
        self.model = model
        self.large = large
        self.whole = whole is not None
        self.builder = Builder(prefix=self._free_prefix(model.graph), lead=ROWLESS if whole else 0)
        self.functions = {(f.domain, f.name, f.overload): f for f in model.functions}
        self.scope = Scope(opsets_of(model.opset_import))
        self.sources = Sources(self.builder, sparse, whole)
        self._by_rule = ByRule(self.builder, whole=self.whole)
        self._fresh = 0
        self._visited = 0

    @staticmethod
    def _free_prefix(graph: onnx.GraphProto) -> str:
        names = [value.name for value in [*graph.input, *graph.output]]
        prefix = "%"
        while any(name.startswith(prefix) for name in names):
            prefix += "%"
        return prefix

    def fresh(self) -> str:
        """Return a name no other value has."""
        self._fresh += 1
        return f"{self.builder.prefix}r{self._fresh}"

    # ---- the whole

    def plan(self, block_rows: int | None) -> Plan:
        """Return the plan of the model."""
        graph = self.model.graph
        self.scope.values.update({name: Const(array) for name, array in initializers(graph).items()})
        self.scope.values.update(self.sources.known())
        for value in graph.input:
            if value.name not in self.scope.values:
                self.scope.values[value.name] = self.sources.add(value)
        self._walk(graph.node, self.scope)
        outputs = {value.name: self.scope.find(value.name) for value in graph.output}
        whole = {name: self._whole(value) for name, value in outputs.items()}
        plan = partition(self.builder, tuple(self.sources.inputs), self.sources.values, whole, block_rows)
        return replace(plan, arrivals=self.sources.arrivals)

    def _whole(self, value: Value | None) -> Output:
        """Return an output as segments exchange it: rows first, or computed by reference nodes."""
        if isinstance(value, Tokens) and value.made is not None:
            value = value.made
        if isinstance(value, Const | Batch | Row | Across):
            return value
        if isinstance(value, Listed) and all(
            isinstance(i, Const) or (isinstance(i, Row) and i.lead <= 0) for i in value.items
        ):
            return value
        assert value is not None
        step = ReferenceNodes(self, self.scope)
        name = step.name_of(value)
        (result,) = step.finish([name], "an output whose first dimension is not the rows")
        return result

    # ---- nodes

    def _walk(self, nodes: Iterable[onnx.NodeProto], scope: Scope) -> None:
        for node in nodes:
            self._visited += 1
            if self._visited > MAX_NODES:
                raise ModelError(f"the model comes to more than {MAX_NODES} nodes; do its functions multiply?")
            resolved = with_attributes(node, scope.attributes) if scope.attributes else node
            outputs = self._lower_node(resolved, scope)
            scope.values.update({name: value for name, value in zip(node.output, outputs, strict=False) if name})

    def _lower_node(self, node: onnx.NodeProto, scope: Scope) -> Sequence[Value | None]:
        view = self._view(node, scope)
        reasons: list[str] = []
        if any(stubs([node], self.large)):  # only rules know of stubs
            known = self._by_rule(view, reasons)
            return known if known is not None else self._lower_node(filled(node, self.large), scope)
        result: Sequence[Value | None] | None = self._arrived(view) or self._apart(view, scope, reasons)
        if result is None:
            result = self._folded(view, scope) or self._by_rule(view, reasons)
        if result is not None:
            return result
        if view.function is not None and not is_refusing(node.domain, view.op_type):
            return self._call(view, view.function, scope)
        return self._by_body(view, scope) or self._by_reference(view, scope, reasons)

    def _by_body(self, view: NodeView, scope: Scope) -> Sequence[Value | None] | None:
        """Walk the standard's own definition by other operators: if all of it is native, or there is no other way."""
        needed = not any(isinstance(value, Row) for value in view.inputs)
        body = standard_body(view.proto, view.version, view.inputs, needed=needed)
        if body is None or (not needed and _loses_digits(body, view)):
            return None
        mark = self.builder.mark()
        try:
            results = self._call(view, body, scope)
        except NotWholeError:
            self.builder.undo(mark)
            return None
        if needed or not any(isinstance(step, ReferenceStep) for step in self.builder.steps[mark[1] :]):
            return results
        self.builder.undo(mark)
        return None

    def _view(self, node: onnx.NodeProto, scope: Scope) -> NodeView:
        inputs = tuple(scope.find(name) for name in node.input)
        function = self.functions.get((node.domain, node.op_type, node.overload))
        return NodeView(node, inputs, scope.version(node.domain), Attributes(node, self.large), function)

    def _folded(self, view: NodeView, scope: Scope) -> Values | None:
        node = view.proto
        if node.op_type == "Constant" and not node.domain:
            return (constant_of(view.attributes),)
        only = view.inputs[0] if len(view.inputs) == 1 else None
        if node.op_type == "Identity" and not node.domain and isinstance(only, Const):
            return (only,)
        if (entries := self._folded_by_rule(view)) is not None:
            return entries
        names = {name: scope.find(name) for name in free_names(node)}
        known = {name: value for name, value in names.items() if isinstance(value, Const)}
        if view.function is not None or node.op_type in RANDOM or len(known) < len(names):
            return None
        arrays = evaluate(node, {name: value.array for name, value in known.items()}, scope.opsets)
        if arrays is None or len(arrays) != sum(map(bool, node.output)):
            return None
        results = iter(arrays)
        return tuple(Const(next(results) if name else np.zeros(0)) for name in node.output)

    def _folded_by_rule(self, view: NodeView) -> Values | None:
        rule = fold_of(view.proto.domain, view.op_type)
        if rule is None or not all(is_known(value) for value in view.inputs):
            return None
        try:
            return rule(view)
        except Declined:
            return None

    def _arrived(self, view: NodeView) -> Values | None:
        """Return an input that is a map as the rows that a node makes of it, if it says the keys."""
        given, kind = view.inputs[0] if view.inputs else None, view.proto.domain == "ai.onnx.ml" and view.op_type
        if self.whole or not isinstance(given, Batch) or not given.type.HasField("map_type"):
            return None
        source = self.builder.slots[given.slot].name
        keys, dtype = keys_of(view), dtype_of(given.type.map_type.value_type.tensor_type.elem_type)
        if self.sources.values.get(source) is not given or not keys or dtype not in DTYPE_CODES:
            return None
        name = self.fresh()
        row = Row(self.builder.new_slot(dtype, (len(keys),), 0, name), dtype, (len(keys),))
        results = (row,) if kind == "DictVectorizer" else self._by_rule(replace(view, inputs=(row,)), [])
        if results is not None:
            self.sources.arrive(name, row, Arrival(source, keys, dtype))
        return results

    def _apart(self, view: NodeView, scope: Scope, reasons: list[str]) -> Sequence[Value | None] | None:
        """Return what control flow, a sequence or an optional comes to, if it can be taken apart natively."""
        structure = STRUCTURES.get(view.op_type) if view.proto.domain in ("", "ai.onnx") else None
        if structure is None or view.function is not None:
            return None
        mark = self.builder.mark()
        only = view.op_type == "If" and is_known(view.inputs[0])  # the other branch is nothing to anyone
        try:
            results = structure(self.builder, view, partial(self._walk_graph, scope))
            if only or not any(isinstance(step, ReferenceStep) for step in self.builder.steps[mark[1] :]):
                return results
        except Declined as declined:
            reasons.append(str(declined))
        except NotWholeError:
            reasons.append("an operator of a subgraph has no kernel")
        self.builder.undo(mark)
        return None

    def _walk_graph(
        self, scope: Scope, graph: onnx.GraphProto, inputs: Mapping[str, Value | None]
    ) -> list[Value | None]:
        inner = scope.inner()
        inner.values.update({name: Const(array) for name, array in initializers(graph).items()})
        inner.values.update(inputs)
        self._walk(graph.node, replace(inner, attributes={}))
        return [inner.find(value.name) for value in graph.output]

    def _call(self, view: NodeView, function: onnx.FunctionProto, scope: Scope) -> Sequence[Value | None]:
        given = {attribute.name: attribute for attribute in view.proto.attribute}
        attributes = {a.name: a for a in function.attribute_proto} | given
        inputs = [*view.inputs, *[None] * (len(function.input) - len(view.inputs))]
        values = dict(zip(function.input, inputs, strict=True))
        inner = replace(scope.inner(), opsets=opsets_of(function.opset_import), values=values, attributes=attributes)
        outer, self.builder.label = self.builder.label, self.builder.label or function.name
        self._walk(function.node, inner)
        self.builder.label = outer
        asked = zip(function.output, view.proto.output, strict=False)  # a body need not make what nobody asks for
        return [inner.find(name) if wanted else None for name, wanted in asked]

    def _by_reference(self, view: NodeView, scope: Scope, reasons: list[str]) -> Sequence[Value | None]:
        check_standard(view, reasons)
        if self.whole and (made := all_at_border(view)) is not None:
            return made
        step = ReferenceNodes(self, scope)
        outputs = step.add(plainly_named(view))
        reason = f"{view.op_type}: {'; '.join(reasons) or 'no kernel'}"
        results = iter(step.finish([name for name in outputs if name], reason))
        return [at_border(view, i, next(results)) if name else None for i, name in enumerate(outputs)]


def _loses_digits(body: onnx.FunctionProto, view: NodeView) -> bool:
    """Whether a body computes in float32 what is given in another type: some of the standard's do."""
    casts = any(n.op_type == "Cast" and any(a.i == onnx.TensorProto.FLOAT for a in n.attribute) for n in body.node)
    return casts and any(isinstance(v, Row | Const) and v.dtype not in ("float32", "bool") for v in view.inputs)
