"""From an ONNX model to a Plan: native programs, and reference segments for what has no kernel.

The nodes are walked in order, with an environment from names to values (see rules.py for the kinds of values)::

    node ──▶ all inputs known?   fold it now, by the reference implementation
         ──▶ control flow?       take it apart (control_flow.py)
         ──▶ a rule accepts?     its steps
         ──▶ a function?         walk its body, names in an environment of its own
         ──▶ else                a reference step over whole batches

The flat list of steps is then cut into segments (partition.py), and each program is rewritten by passes/.

This module knows no operator but `Constant`. It does not run anything but folding.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import onnx
from onnx import helper

from .. import kernels as kernels  # registers the rules
from ..errors import ModelError
from ..kernels.classical import keys_of
from ..large import Large, fill, stubs
from ..protos import all_nodes
from .control_flow import STRUCTURES
from .inference import MAX_DEPTH, MAX_NODES, infer_types, is_since, standard_body
from .partition import Output, partition
from .plan import Arrival, Plan, PlanInput
from .program import DTYPE_CODES
from .reference import (
    RANDOM,
    ROWS,
    Opsets,
    dense_array,
    dtype_of,
    evaluate,
    free_names,
    given_names,
    initializers,
    is_known,
    renamed,
    row_form,
    subgraphs,
    to_array,
    to_tensor,
    type_of,
)
from .rules import (
    MAX_RANK,
    ROWLESS,
    Across,
    Array,
    Attributes,
    Batch,
    Builder,
    Const,
    Declined,
    Dims,
    Listed,
    Maps,
    NodeView,
    ReferenceStep,
    Row,
    Shape,
    Tokens,
    Value,
    Values,
    as_constant,
    rules_for,
)

#: elements that an input of a model without rows may have
MOST_WHOLE = 1 << 24


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
    plan = _Lowering(model, sparse, known).plan(block_rows)
    if not plan.reference_operators:
        return plan
    freed = _with_free_rows(model)
    by_rows = plan if freed is None else _Lowering(freed, sparse, known).plan(block_rows)
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
        return _Lowering(model, (), large or {}, whole=_Whole(shapes or {}, values or {})).plan(1)
    except _NotWholeError:
        return None


@dataclass(frozen=True, slots=True)
class _Whole:
    """What is known of the inputs of a model without rows beside what it says itself."""

    shapes: Mapping[str, Shape]
    values: Mapping[str, Array]


class _NotWholeError(Exception):
    """Raised where a program of one row is not to be had. It never leaves this module."""


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


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where names have a meaning: the main graph, a function's body, or a subgraph (which sees what is outside it)."""

    opsets: Opsets
    values: dict[str, Value | None] = field(default_factory=dict)
    attributes: dict[str, onnx.AttributeProto] = field(default_factory=dict)
    depth: int = 0

    def find(self, name: str) -> Value | None:
        if not name:
            return None
        if name not in self.values:
            raise ModelError(
                f"value {name!r} is read before it is written; check the model with onnx.checker.check_model"
            )
        return self.values[name]

    def inner(self) -> _Scope:
        if self.depth >= MAX_DEPTH:
            raise ModelError(f"functions or branches are nested deeper than {MAX_DEPTH}; do they call each other?")
        return replace(self, values=dict(self.values), depth=self.depth + 1)

    def version(self, domain: str) -> int:
        return dict(self.opsets).get("" if domain == "ai.onnx" else domain, 1)


def _opsets(imports: Iterable[onnx.OperatorSetIdProto]) -> Opsets:
    return tuple(("" if i.domain == "ai.onnx" else i.domain, int(i.version)) for i in imports)


def _resolved(node: onnx.NodeProto, attributes: dict[str, onnx.AttributeProto]) -> onnx.NodeProto:
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
            inner.CopyFrom(_resolved(inner, attributes))
    return copy


def _constant_node(attributes: Attributes) -> Array:
    """Return the value of a `Constant` node, a sparse one made dense."""
    ((name, value),) = attributes.items()
    if isinstance(value, onnx.TensorProto):
        return to_array(value)
    if isinstance(value, onnx.SparseTensorProto):
        return dense_array(value)
    dtype = {"f": np.float32, "i": np.int64, "s": object}[name.split("_")[1][0]]
    return as_constant(np.array(value, dtype=dtype))


def _filled(node: onnx.NodeProto, large: Mapping[str, Large]) -> onnx.NodeProto:
    """Return the node with the numbers of its stubs."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    fill([copy], large)
    return copy


class _Lowering:
    """One run of `lower`: the builder, and what the model says."""

    def __init__(
        self,
        model: onnx.ModelProto,
        sparse: Collection[str],
        large: Mapping[str, Large],
        *,
        whole: _Whole | None = None,
    ) -> None:
        self.model = model
        self.sparse = sparse
        self.large = large
        self.whole = whole is not None
        self.known = whole or _Whole({}, {})
        self.builder = Builder(prefix=self._free_prefix(model.graph), lead=ROWLESS if whole else 0)
        self.functions = {(f.domain, f.name, f.overload): f for f in model.functions}
        self.scope = _Scope(_opsets(model.opset_import))
        self.inputs: list[PlanInput] = []
        self.sources: dict[str, Row | Batch] = {}
        self.arrivals: dict[str, Arrival] = {}
        self.first_row: Row | None = None
        self.symbol = ""
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
        graph = self.model.graph
        self.scope.values.update({name: Const(array) for name, array in initializers(graph).items()})
        self.scope.values.update({name: Const(as_constant(array)) for name, array in self.known.values.items()})
        for value in graph.input:
            if value.name not in self.scope.values:
                self._add_input(value)
        self._walk(graph.node, self.scope)
        outputs = {value.name: self.scope.find(value.name) for value in graph.output}
        plan = partition(self.builder, tuple(self.inputs), self.sources, self._outputs(outputs), block_rows)
        return replace(plan, arrivals=self.arrivals)

    def _add_input(self, info: onnx.ValueInfoProto) -> None:
        tensor = info.type.tensor_type
        dims = list(tensor.shape.dim) if tensor.HasField("shape") else None
        shape = None if dims is None else tuple(int(d.dim_value) if d.HasField("dim_value") else None for d in dims)
        dtype = dtype_of(tensor.elem_type) if info.type.HasField("tensor_type") else ""
        if self.whole:
            self._add_whole(info.name, dtype, self.known.shapes.get(info.name, shape))
            return
        is_rows = self._is_rows(dims, shape) and dtype in DTYPE_CODES
        if is_rows and shape is not None:
            row_shape = tuple(n for n in shape[1:] if n is not None)
            sparse = info.name in self.sparse and len(row_shape) == 1 and dtype != "str"
            slot = self.builder.new_slot(dtype, row_shape, 0, info.name, sparse=sparse)
            row = Row(slot, dtype, row_shape, sparse=sparse)
            self.first_row = self.first_row or row
            value: Row | Batch = row
        else:
            value = Batch(self.builder.new_slot("batch", (), 0, info.name), info.type)
        self.scope.values[info.name] = self.sources[info.name] = value
        self.inputs.append(PlanInput(info.name, dtype, shape, is_rows))

    def _add_whole(self, name: str, dtype: str, shape: tuple[int | None, ...] | None) -> None:
        known = tuple(n for n in shape or () if n is not None)
        if known != shape or dtype not in DTYPE_CODES or len(known) > MAX_RANK or math.prod(known) > MOST_WHOLE:
            raise _NotWholeError
        row = Row(self.builder.new_slot(dtype, known, 0, name), dtype, known, ROWLESS)
        self.scope.values[name] = self.sources[name] = row
        self.inputs.append(PlanInput(name, dtype, known, rows=False))

    def _is_rows(
        self, dims: Sequence[onnx.TensorShapeProto.Dimension] | None, shape: Sequence[int | None] | None
    ) -> bool:
        """Whether the first dimension is the rows: no number, and of the same name as other inputs have, if any."""
        if not dims or not shape or shape[0] is not None or None in shape[1:] or len(shape) > MAX_RANK + 1:
            return False
        symbol = dims[0].dim_param
        self.symbol = self.symbol or symbol
        return symbol in ("", self.symbol)

    def _outputs(self, outputs: dict[str, Value | None]) -> dict[str, Output]:
        return {name: self._whole(value) for name, value in outputs.items()}

    def _whole(self, value: Value | None) -> Output:
        """Return an output as segments exchange it: rows first, or computed by reference nodes."""
        if isinstance(value, Const | Batch | Row | Across):
            return value
        if isinstance(value, Listed) and all(
            isinstance(i, Const) or (isinstance(i, Row) and i.lead <= 0) for i in value.items
        ):
            return value
        assert value is not None
        step = _ReferenceNodes(self, self.scope)
        name = step.name_of(value)
        (result,) = step.finish([name], "an output whose first dimension is not the rows")
        return result

    # ---- nodes

    def _walk(self, nodes: Iterable[onnx.NodeProto], scope: _Scope) -> None:
        for node in nodes:
            self._visited += 1
            if self._visited > MAX_NODES:
                raise ModelError(f"the model comes to more than {MAX_NODES} nodes; do its functions multiply?")
            resolved = _resolved(node, scope.attributes) if scope.attributes else node
            outputs = self._lower_node(resolved, scope)
            scope.values.update({name: value for name, value in zip(node.output, outputs, strict=False) if name})

    def _lower_node(self, node: onnx.NodeProto, scope: _Scope) -> Sequence[Value | None]:
        view = self._view(node, scope)
        reasons: list[str] = []
        if any(stubs([node], self.large)):  # only rules know of stubs
            known = self._by_rule(view, reasons)
            return known if known is not None else self._lower_node(_filled(node, self.large), scope)
        result: Sequence[Value | None] | None = self._arrived(view) or self._apart(view, scope, reasons)
        if result is None:
            result = self._folded(view, scope) or self._by_rule(view, reasons)
        if result is not None:
            return result
        if view.function is not None and not _is_refusing(node.domain, view.op_type):
            return self._call(view, view.function, scope)
        return self._by_body(view, scope) or self._by_reference(view, scope, reasons)

    def _by_body(self, view: NodeView, scope: _Scope) -> Sequence[Value | None] | None:
        """Walk the standard's own definition by other operators: if all of it is native, or there is no other way."""
        needed = not any(isinstance(value, Row) for value in view.inputs)
        body = standard_body(view.proto, view.version, view.inputs, needed=needed)
        if body is None or (not needed and _loses_digits(body, view)):
            return None
        mark = self.builder.mark()
        try:
            results = self._call(view, body, scope)
        except _NotWholeError:
            self.builder.undo(mark)
            return None
        if needed or not any(isinstance(step, ReferenceStep) for step in self.builder.steps[mark[1] :]):
            return results
        self.builder.undo(mark)
        return None

    def _view(self, node: onnx.NodeProto, scope: _Scope) -> NodeView:
        inputs = tuple(scope.find(name) for name in node.input)
        function = self.functions.get((node.domain, node.op_type, node.overload))
        return NodeView(node, inputs, scope.version(node.domain), Attributes(node, self.large), function)

    def _folded(self, view: NodeView, scope: _Scope) -> Values | None:
        node = view.proto
        if node.op_type == "Constant" and not node.domain:
            return (Const(_constant_node(view.attributes)),)
        only = view.inputs[0] if len(view.inputs) == 1 else None
        if node.op_type == "Identity" and not node.domain and isinstance(only, Const):
            return (only,)
        names = {name: scope.find(name) for name in free_names(node)}
        known = {name: value.array for name, value in names.items() if isinstance(value, Const)}
        if view.function is not None or node.op_type in RANDOM or len(known) < len(names):
            return None
        arrays = evaluate(node, known, scope.opsets)
        if arrays is None or len(arrays) != sum(map(bool, node.output)):
            return None
        results = iter(arrays)
        return tuple(Const(next(results) if name else np.zeros(0)) for name in node.output)

    def _by_rule(self, view: NodeView, reasons: list[str]) -> Values | None:
        domain = view.proto.domain
        if domain in ("", "ai.onnx") and view.version < 7 and not is_since(view.op_type, view.version, 7):
            return None
        if all(is_known(value) for value in view.inputs) or any(isinstance(value, Batch) for value in view.inputs):
            return None
        outer, self.builder.label = self.builder.label, self.builder.label or view.proto.name or view.op_type
        try:
            for rule in rules_for(domain, view.op_type, whole=self.whole):
                try:
                    result = rule(self.builder, view)
                except Declined as declined:
                    reasons += [str(declined)] if str(declined) else []
                    continue
                if result is not None:
                    return result
        finally:
            self.builder.label = outer
        return None

    def _arrived(self, view: NodeView) -> Values | None:
        """Return an input that is a map as the rows that a node makes of it, if it says the keys."""
        given, kind = view.inputs[0] if view.inputs else None, view.proto.domain == "ai.onnx.ml" and view.op_type
        if self.whole or not isinstance(given, Batch) or not given.type.HasField("map_type"):
            return None
        source = self.builder.slots[given.slot].name
        keys, dtype = keys_of(view), dtype_of(given.type.map_type.value_type.tensor_type.elem_type)
        if self.sources.get(source) is not given or not keys or dtype not in DTYPE_CODES:
            return None
        name = self.fresh()
        row = Row(self.builder.new_slot(dtype, (len(keys),), 0, name), dtype, (len(keys),))
        results = (row,) if kind == "DictVectorizer" else self._by_rule(replace(view, inputs=(row,)), [])
        if results is not None:
            self.sources[name], self.arrivals[name] = row, Arrival(source, keys, dtype)
            self.first_row = self.first_row or row
        return results

    def _apart(self, view: NodeView, scope: _Scope, reasons: list[str]) -> Sequence[Value | None] | None:
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
        except _NotWholeError:
            reasons.append("an operator of a subgraph has no kernel")
        self.builder.undo(mark)
        return None

    def _walk_graph(
        self, scope: _Scope, graph: onnx.GraphProto, inputs: Mapping[str, Value | None]
    ) -> list[Value | None]:
        inner = scope.inner()
        inner.values.update({name: Const(array) for name, array in initializers(graph).items()})
        inner.values.update(inputs)
        self._walk(graph.node, replace(inner, attributes={}))
        return [inner.find(value.name) for value in graph.output]

    def _call(self, view: NodeView, function: onnx.FunctionProto, scope: _Scope) -> Sequence[Value | None]:
        given = {attribute.name: attribute for attribute in view.proto.attribute}
        attributes = {a.name: a for a in function.attribute_proto} | given
        inputs = [*view.inputs, *[None] * (len(function.input) - len(view.inputs))]
        values = dict(zip(function.input, inputs, strict=True))
        inner = replace(scope.inner(), opsets=_opsets(function.opset_import), values=values, attributes=attributes)
        outer, self.builder.label = self.builder.label, self.builder.label or function.name
        self._walk(function.node, inner)
        self.builder.label = outer
        asked = zip(function.output, view.proto.output, strict=False)  # a body need not make what nobody asks for
        return [inner.find(name) if wanted else None for name, wanted in asked]

    def _by_reference(self, view: NodeView, scope: _Scope, reasons: list[str]) -> Sequence[Value | None]:
        _check_standard(view, reasons)
        step = _ReferenceNodes(self, scope)
        outputs = step.add(_plainly_named(view))
        reason = f"{view.op_type}: {'; '.join(reasons) or 'no kernel'}"
        results = iter(step.finish([name for name in outputs if name], reason))
        return [_at_border(view, next(results)) if name else None for name in outputs]


#: operators that refuse rows, which their bodies cannot: reference_operators.py has them
_REFUSING = {"sardonyx": ("Require", "Refuse", "CheckFinite")}


def _is_refusing(domain: str, op_type: str) -> bool:
    return op_type.partition(":")[0] in _REFUSING.get(domain, ())


def _plainly_named(view: NodeView) -> onnx.NodeProto:
    """Return the node, of an operator that refuses rows without the number that its function may have."""
    if not _is_refusing(view.proto.domain, view.op_type):
        return view.proto
    node = onnx.NodeProto()
    node.CopyFrom(view.proto)
    node.op_type = node.op_type.partition(":")[0]
    return node


def _check_standard(view: NodeView, reasons: Sequence[str]) -> None:
    from .reference_operators import OPERATORS

    domain, why = view.proto.domain, "; ".join(reasons)
    known = any((op.op_domain, op.__name__) == (domain, view.op_type.partition(":")[0]) for op in OPERATORS)
    if domain and not domain.startswith("ai.onnx") and not known:
        raise ModelError(
            f"operator {view.op_type} of domain {domain!r} is not part of the ONNX standard, and the model has no body "
            f"for it{': ' if why else ''}{why}. Convert without it, say the estimator itself with sardonyx.to_onnx, or "
            "run the model in the runtime that brings the operator"
        )


def _loses_digits(body: onnx.FunctionProto, view: NodeView) -> bool:
    """Whether a body computes in float32 what is given in another type: some of the standard's do."""
    casts = any(n.op_type == "Cast" and any(a.i == onnx.TensorProto.FLOAT for a in n.attribute) for n in body.node)
    return casts and any(isinstance(v, Row | Const) and v.dtype not in ("float32", "bool") for v in view.inputs)


def _at_border(view: NodeView, result: Row | Batch) -> Row | Batch:
    """Return the output of a ZipMap of rows as what it is, so that no node need run."""
    x = view.inputs[0] if view.op_type == "ZipMap" and isinstance(result, Batch) else None
    if not isinstance(x, Row) or len(x.shape) != 1:
        return result
    texts = [text.decode("utf-8") for text in view.attributes.get("classlabels_strings", [])]
    keys = tuple(texts or view.attributes.get("classlabels_int64s", []))
    if len(keys) != x.width or x.lead or not isinstance(result, Batch):
        return result
    return Maps(result.slot, result.type, x, keys)


class _ReferenceNodes:
    """Collects the nodes of one reference step, naming its values as the builder's slots are named."""

    def __init__(self, lowering: _Lowering, scope: _Scope) -> None:
        if lowering.whole:
            raise _NotWholeError
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
        x = value.row
        name = self.name_of(x)
        if value.form == "flat":
            return self._node("Reshape", [name, self._constant(np.array([1, -1]))])
        name = self._node("Transpose", [name])
        self.nodes[-1].attribute.append(helper.make_attribute("perm", [1, 0, *range(2, x.rank)]))
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
        row = self.lowering.first_row
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
        known = {name: f for name, f in self.lowering.functions.items() if not _is_refusing(*name[:2])}
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


__all__ = ["MAX_DEPTH", "MAX_NODES", "ROWS", "lower"]
