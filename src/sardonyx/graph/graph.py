"""Scopes of a model under construction: nodes, constants, functions, and the model that they become.

::

    main graph      X ──▶ [scale:StandardScaler] ──▶ [clf:LogisticRegression] ──▶ predict
                              │ function body
                              ▼
                          X ──▶ Sub(mean_) ──▶ Div(scale_)        weights come in as function inputs: functions
                                                                  have no initializers of their own
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike, NDArray
from onnx import checker, defs, helper, shape_inference

from ..errors import ConversionError
from ..large import Large, fill_model
from ..protos import (
    STRING,
    Shape,
    all_nodes,
    attribute_proto,
    canonical_form,
    digest_of,
    find_schema,
    graph_dtype,
    plain_attribute,
    read_type,
    tensor_proto,
    type_proto,
)
from .value import AUTHORED, Value, one, op

#: constants up to this many elements are written into a function's body, larger ones are passed to it.
SMALL = 8
#: operators that round their results, where others only move or compare values
ROUNDING = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "MatMul", "Gemm", "Einsum", "Exp", "Log", "Sqrt", "Reciprocal", "CumSum"}
    | {"Tanh", "Sin", "Cos", "Sigmoid", "Softmax", "Erf", "ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1"}
    | {"ReduceL2", "ReduceLogSumExp", "ReduceProd"}
)
#: what onnx raises for an operator that does not take its operands
_REFUSALS = (shape_inference.InferenceError, checker.ValidationError, defs.SchemaError, RuntimeError, KeyError)
#: the domain of the operators that the standard lacks (`operators/`), and of the pipeline's steps
OPERATORS, STEPS = "sardonyx", "sardonyx.steps"


def _infos(values: Sequence[Value]) -> list[onnx.ValueInfoProto]:
    return [helper.make_value_info(v.name, type_proto(v.dtype, v.shape)) for v in values]


class Graph:
    """One scope of a model under construction.

    Parameters
    ----------
    opset : dict of str to int
        Version of each operator domain in use.
    parent : Graph, optional
        The caller's graph (of a function body) or the enclosing graph (of a loop body).
    encloses : bool
        True for a loop body, which sees its parent's values; False for a function body, which sees only its inputs.
    """

    def __init__(self, opset: Mapping[str, int], parent: Graph | None = None, encloses: bool = False) -> None:
        self.opset = dict(opset)
        self.parent = parent
        self.encloses = encloses
        self.root: Graph = parent.root if parent else self
        self.inputs: list[Value] = []
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, tuple[Value, NDArray[Any]]] = {}  # digest -> initializer, or lifted function input
        self.known: dict[str, NDArray[Any]] = {}  # value name -> its constant, for shape inference
        self.functions: dict[str, onnx.FunctionProto] = {}  # root only, callees before callers
        self.memo: dict[Any, Any] = {}  # what convert has already traced in this scope
        self.wanted: tuple[str, ...] = ()  # the methods asked of the estimator being traced
        self.path = ""  # of the step being traced, for readable weight names
        self.names_of: dict[int, str] = {}  # id of an array -> the attribute that holds it
        self.attributes: dict[str, onnx.AttributeProto] = {}  # of a function's calling node, behind `attribute_ref`
        self.large: dict[str, Large] = {}  # root only: digest -> value of an attribute, of which nodes have a stub
        self.single = False  # root only: whether anything is computed, not only moved, in float32
        self.demands: dict[str, str] = {}  # root only: what data must be like beyond their dtype -> who asks for it
        self.given: set[str] = set()  # names of the inputs, which users choose
        self._count = 0
        self._outputs: set[str] = set()

    @contextmanager
    def scope(self) -> Iterator[Graph]:
        """Make this graph the one that is authored, within a ``with`` block."""
        token = AUTHORED.set(self)
        try:
            yield self
        finally:
            AUTHORED.reset(token)

    def fresh(self, stem: str) -> str:
        """Return a value name unique in the whole model, whose inputs are called as users like."""
        self.root._count += 1
        name = f"{stem}_{self.root._count}"
        return self.fresh(stem) if name in self.root.given else name

    def input(self, name: str, dtype: DTypeLike, shape: Shape) -> Value:
        """Declare an input of this graph."""
        value = Value(self, name, np.dtype(dtype), shape)
        self.inputs.append(value)
        self.given.add(name)
        return value

    def constant(self, value: ArrayLike, dtype: DTypeLike | None = None) -> Value:
        """Return the Value of a constant: an initializer, a small `Constant` node, or a weight of the function."""
        array = np.asarray(value, dtype)
        if self.encloses:
            assert self.parent is not None
            return self.parent.constant(array)
        digest = digest_of(array)
        if digest in self.weights:
            return self.weights[digest][0]
        if self.parent is None or array.size > SMALL:
            return self._weight(digest, array, self.names_of.get(id(value), ""))
        return self._constant_node(array)

    def _weight(self, digest: str, array: NDArray[Any], attribute: str = "") -> Value:
        name = self._apart(f"{self.path}.{attribute or self.fresh('constant')}".lstrip("."))
        value = Value(self, name, graph_dtype(array.dtype), array.shape)
        self.weights[digest] = (value, array)
        self.known[name] = array
        return value

    def _apart(self, name: str) -> str:
        """Return a name for a weight: this one, unless another weight or an input has it."""
        taken = name in self.root.given or any(name == value.name for value, _ in self.weights.values())
        return self.fresh(name) if taken else name

    def _constant_node(self, array: NDArray[Any]) -> Value:
        value = Value(self, self.fresh("c"), graph_dtype(array.dtype), array.shape)
        self.nodes.append(helper.make_node("Constant", [], [value.name], value=tensor_proto(array)))
        self.known[value.name] = array
        return value

    def lift(self, name: str, array: NDArray[Any]) -> Value:
        """Return the weight `array` of a function that this graph calls, under the name it has there."""
        digest = digest_of(array)
        if digest not in self.weights:
            value = Value(self, self._apart(name), graph_dtype(array.dtype), array.shape)
            self.weights[digest] = (value, array)
            self.known[value.name] = array
        return self.weights[digest][0]

    def node(
        self, op_type: str, inputs: Sequence[Value | None], attributes: Mapping[str, Any], outputs: int = 0
    ) -> tuple[Value, ...]:
        """Append one standard node and return its inferred outputs."""
        schema, domain = find_schema(op_type, self.opset)
        count = outputs or sum(o.option == defs.OpSchema.FormalParameterOption.Single for o in schema.outputs) or 1
        names = [self.fresh(op_type) for _ in range(count)]
        proto = helper.make_node(op_type, [v.name if v is not None else "" for v in inputs], names, domain=domain)
        proto.attribute.extend(attribute_proto(schema, op_type, k, v) for k, v in attributes.items() if v is not None)
        inferred = self._infer(schema, proto, [v for v in inputs if v is not None])
        self.nodes.append(proto)
        self.root.single |= op_type in ROUNDING and any(inferred[name][0] == np.float32 for name in names)
        return tuple(Value(self, name, *inferred[name]) for name in names)

    def _infer(
        self, schema: defs.OpSchema, proto: onnx.NodeProto, inputs: list[Value]
    ) -> dict[str, tuple[np.dtype[Any], Shape]]:
        types = {v.name: type_proto(v.dtype, v.shape) for v in inputs}
        small = {v.name: tensor_proto(a) for v in inputs if (a := self.constant_of(v)) is not None and a.size <= 64}
        opsets = [helper.make_opsetid(d, n) for d, n in self.opset.items()]
        try:
            inferred = shape_inference.infer_node_outputs(
                schema, self._resolved(proto), types, small, opset_imports=opsets, ir_version=10
            )
            return {name: read_type(inferred[name]) for name in proto.output}
        except _REFUSALS as error:
            given = ", ".join(f"{'text' if v.dtype == STRING else v.dtype}{list(v.shape)}" for v in inputs)
            raise ConversionError(
                f"operator {proto.op_type} does not accept ({given}) in opset {self.opset[proto.domain]}: {error}. "
                "Check dtypes and shapes where it is called, or take a later target_opset: 19 and later compare text."
            ) from error

    def _resolved(self, proto: onnx.NodeProto) -> onnx.NodeProto:
        """Return the node with the calling node's attributes in place of references to them."""
        if not any(a.ref_attr_name for a in proto.attribute):
            return proto
        resolved = helper.make_node(proto.op_type, proto.input, proto.output, domain=proto.domain)
        for attribute in proto.attribute:
            source = attribute.ref_attr_name
            resolved.attribute.append(self.attributes[source] if source else attribute)
            resolved.attribute[-1].name = attribute.name
        return resolved

    def constant_of(self, value: Value) -> NDArray[Any] | None:
        """Return the array behind a Value, where it is a constant of this scope or an enclosing one."""
        scope: Graph | None = self
        while scope is not None:
            if value.name in scope.known:
                return scope.known[value.name]
            scope = scope.parent if scope.encloses else None
        return None

    def function(
        self,
        domain: str,
        name: str,
        body: Callable[..., Sequence[Value]],
        inputs: Sequence[Value],
        outputs: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
        setup: Callable[[Graph], None] | None = None,
    ) -> tuple[Value, ...]:
        """Trace `body` into a model-local function, call it here, and return the call's outputs.

        Parameters
        ----------
        domain, name : str
            What the function is called. A different body under a taken name becomes ``name:2``.
        body : callable
            Takes one Value per input and returns one Value per output name.
        inputs : sequence of Value
            The arguments; the body sees Values of the same name, dtype and shape.
        outputs : sequence of str
            Names of the results inside the function.
        attributes : mapping, optional
            Written on the calling node, for runtimes that know the operator. Tensor attributes reach the body through
            `attribute_ref`; all others are already decided in the body.
        """
        inner = Graph(self.opset, self)
        inner.attributes = {k: self._attribute(k, v) for k, v in (attributes or {}).items()}
        if setup is not None:
            setup(inner)
        formal = [inner.input(_formal_name(v.name, i), v.dtype, v.shape) for i, v in enumerate(inputs)]
        with inner.scope():
            results = list(body(*formal))
            named = [inner.name_output(value, label) for value, label in zip(results, outputs, strict=True)]
        lifted = [self.lift_from(value, array) for value, array in inner.weights.values()]
        proto = inner.function_proto(domain, name, named, sorted(attributes or ()))
        final = self.root.add_function(proto)
        call = helper.make_node(
            final, [v.name for v in (*inputs, *lifted)], [self.fresh(v.name) for v in named], domain=domain
        )
        call.attribute.extend(inner.attributes.values())
        self.nodes.append(call)
        return tuple(Value(self, n, v.dtype, v.shape) for n, v in zip(call.output, named, strict=True))

    def _attribute(self, name: str, value: Any) -> onnx.AttributeProto:
        """Return an attribute of a calling node, of a large one the stub."""
        if not isinstance(value, Large):
            return plain_attribute(name, value)
        stub = value.stub(name)
        self.root.large[stub.doc_string] = value
        return stub

    def name_output(self, value: Value, name: str) -> Value:
        """Return `value` under another name: its node's output renamed where nothing read it yet, else an Identity."""
        if name in self.given:  # a column called as the method
            return self.name_output(value, f"{name}_")
        read = {v for node in all_nodes(self.nodes) for v in node.input}
        maker = next((n for n in reversed(self.nodes) if value.name in n.output), None)
        if maker is None or value.name in read or name in read or value.name in self._outputs:
            return one(op.Identity(value, name=name))
        maker.output[list(maker.output).index(value.name)] = name
        self._outputs.add(name)
        value.name = name
        return value

    def lift_from(self, value: Value, array: NDArray[Any]) -> Value:
        """Take over a callee's weight: as this scope's own constant, whatever its size."""
        return self.parent.lift_from(value, array) if self.encloses and self.parent else self.lift(value.name, array)

    def function_proto(
        self, domain: str, name: str, outputs: Sequence[Value], attributes: Sequence[str]
    ) -> onnx.FunctionProto:
        """Return this scope as a FunctionProto."""
        inputs = [v.name for v in (*self.inputs, *(v for v, _ in self.weights.values()))]
        used = {n.domain for n in all_nodes(self.nodes)}
        opsets = [helper.make_opsetid(d, v) for d, v in self.opset.items() if d in used or d == ""]
        return helper.make_function(domain, name, inputs, [v.name for v in outputs], self.nodes, opsets, attributes)

    def add_function(self, proto: onnx.FunctionProto) -> str:
        """Register a function; an identical one is shared, another of the same name gets a number."""
        stem, number = proto.name, 1
        while (key := f"{proto.domain}::{proto.name}") in self.functions:
            if canonical_form(self.functions[key]) == canonical_form(proto):
                return proto.name
            number += 1
            proto.name = f"{stem}:{number}"
        self.functions[key] = proto
        return proto.name

    def subgraph(
        self, body: Callable[..., Sequence[Value]], inputs: Sequence[tuple[str, np.dtype[Any], Shape]]
    ) -> tuple[onnx.GraphProto, list[Value]]:
        """Trace `body` into a GraphProto (for `Loop`), which may use this scope's values."""
        inner = Graph(self.opset, self, encloses=True)
        formal = [inner.input(self.fresh(name), dtype, shape) for name, dtype, shape in inputs]
        with inner.scope():
            results = [op.Identity(v) for v in body(*formal)]
        return helper.make_graph(inner.nodes, "body", _infos(formal), _infos(results)), results

    def model(self, outputs: Mapping[str, Value], ir_version: int = 10) -> onnx.ModelProto:
        """Return the finished model with these named outputs.

        Parameters
        ----------
        outputs : mapping of str to Value
            Output name to value; the first dimension is declared as ``N``.
        """
        return fill_model(self.draft(outputs, ir_version), self.large)

    def draft(self, outputs: Mapping[str, Value], ir_version: int = 10) -> onnx.ModelProto:
        """Return the model with stubs of large attributes, which `large` has."""
        with self.scope():
            named = [self.name_output(value, name) for name, value in outputs.items()]
        graph = helper.make_graph(
            self.nodes,
            "sardonyx",
            _infos(self.inputs),
            _infos([Value(self, v.name, v.dtype, _rows_of_output(v.shape)) for v in named]),
            [tensor_proto(array, value.name) for value, array in self.weights.values()],
        )
        functions = list(self.functions.values())
        used = {n.domain for n in all_nodes(self.nodes)} | {n.domain for f in functions for n in all_nodes(f.node)}
        opsets = [helper.make_opsetid(d, v) for d, v in self.opset.items() if d in used or d == ""]
        return helper.make_model(
            graph, functions=functions, opset_imports=opsets, ir_version=ir_version, producer_name="sardonyx"
        )


def _rows_of_output(shape: Shape) -> Shape:
    """Return an output's shape: rows come first, unless a number stands there and the rows behind it."""
    return shape if shape[1:2] == ("N",) and isinstance(shape[0], int) else ("N", *shape[1:])


def _formal_name(name: str, position: int) -> str:
    return name if name.isidentifier() and position == 0 else f"{name}.{position}" if position else name
