"""Author ONNX graphs as if they were NumPy code.

A `Graph` is one scope (the model's main graph, a function body, a loop body); a `Value` is a tensor in it that knows
its dtype and shape, because every node is inferred the moment it is made (`onnx.shape_inference.infer_node_outputs`,
13 us a node). So a converter is an expression, no separate shape calculator exists, and a wrong operator fails on the
line that wrote it.

::

    main graph      X ──▶ [scale:StandardScaler] ──▶ [clf:LogisticRegression] ──▶ predict
                              │ function body
                              ▼
                          X ──▶ Sub(mean_) ──▶ Div(scale_)        weights come in as function inputs: functions
                                                                  have no initializers of their own

Promotion is NumPy's (NEP 50): arrays count with their dtype, Python numbers take the other operand's.
This module knows nothing of scikit-learn; `convert.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike, NDArray
from onnx import checker, defs, helper, shape_inference

from .errors import ConversionError
from .large import Large, fill_model
from .protos import (
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
    tensor_type,
    type_proto,
)

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

#: NumPy functions by their ONNX form, filled by numpy_rules.py and by operators
UFUNCS: dict[np.ufunc, Callable[..., Value]] = {}
FUNCTIONS: dict[Any, Callable[..., Value]] = {}

_current: ContextVar[Graph] = ContextVar("graph")


def current_graph() -> Graph:
    """Return the graph that is being authored (inside ``with graph.scope():``)."""
    return _current.get()


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
        self.memo: dict[Any, Any] = {}  # what convert.py has already traced in this scope
        self.wanted: tuple[str, ...] = ()  # the methods asked of the estimator being traced
        self.path = ""  # of the step being traced, for readable weight names
        self.names_of: dict[int, str] = {}  # id of an array -> the attribute that holds it
        self.attributes: dict[str, onnx.AttributeProto] = {}  # of a function's calling node, behind `attribute_ref`
        self.large: dict[str, Large] = {}  # root only: digest -> value of an attribute, of which nodes have a stub
        self.single = False  # root only: whether anything is computed, not only moved, in float32
        self._count = 0
        self._outputs: set[str] = set()

    @contextmanager
    def scope(self) -> Iterator[Graph]:
        """Make this graph the one that is authored, within a ``with`` block."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)

    def fresh(self, stem: str) -> str:
        """Return a value name unique in the whole model."""
        self.root._count += 1
        return f"{stem}_{self.root._count}"

    def input(self, name: str, dtype: DTypeLike, shape: Shape) -> Value:
        """Declare an input of this graph."""
        value = Value(self, name, np.dtype(dtype), shape)
        self.inputs.append(value)
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
        name = f"{self.path}.{attribute or self.fresh('constant')}".lstrip(".")
        if any(name == value.name for value, _ in self.weights.values()):
            name = self.fresh(name)
        value = Value(self, name, graph_dtype(array.dtype), array.shape)
        self.weights[digest] = (value, array)
        self.known[name] = array
        return value

    def _constant_node(self, array: NDArray[Any]) -> Value:
        value = Value(self, self.fresh("c"), graph_dtype(array.dtype), array.shape)
        self.nodes.append(helper.make_node("Constant", [], [value.name], value=tensor_proto(array)))
        self.known[value.name] = array
        return value

    def lift(self, name: str, array: NDArray[Any]) -> Value:
        """Return the weight `array` of a function that this graph calls, under the name it has there."""
        digest = digest_of(array)
        if digest not in self.weights:
            taken = any(name == value.name for value, _ in self.weights.values())
            value = Value(self, self.fresh(name) if taken else name, graph_dtype(array.dtype), array.shape)
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


class Value:
    """A tensor of a graph that computes like a NumPy array.

    Parameters
    ----------
    graph : Graph
        The scope it belongs to.
    name : str
        Its name there.
    dtype : numpy.dtype
        Element type; strings are `STRING`.
    shape : tuple
        Known dimensions as int, ``"N"`` for the rows, None where unknown.

    Attributes
    ----------
    sparse : bool
        Whether scikit-learn holds it as a sparse matrix, and so computes as it does for those. The tensor is dense.
    moment : bool
        Whether it is an input of moments or durations, of which the tensor holds the numbers.
    """

    __slots__ = ("dtype", "graph", "moment", "name", "shape", "sparse")
    __array_priority__ = 1000

    def __init__(self, graph: Graph, name: str, dtype: np.dtype[Any], shape: Shape) -> None:
        self.graph, self.name, self.dtype, self.shape = graph, name, graph_dtype(dtype), tuple(shape)
        self.sparse = False
        self.moment = False

    def __repr__(self) -> str:
        return f"Value({self.name!r}, {self.dtype.name}, {list(self.shape)})"

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def dim(self, axis: int) -> int:
        """Return a dimension that must be known."""
        size = self.shape[axis]
        if not isinstance(size, int):
            raise ConversionError(f"dimension {axis} of {self!r} is not known; reshape it to a known width first.")
        return size

    def astype(self, dtype: DTypeLike) -> Value:
        """Cast, where it is not of that type already."""
        target = graph_dtype(np.dtype(dtype))
        return self if target == self.dtype else one(op.Cast(self, to=tensor_type(target))).like(self)

    def like(self, X: Value) -> Value:
        """Return the value, held sparse where X is: what transformers that keep sparse matrices say of results."""
        self.sparse = X.sparse
        return self

    def reshape(self, *shape: int) -> Value:
        """Reshape; 0 keeps a dimension, -1 takes the rest."""
        return one(op.Reshape(self, np.array(shape, np.int64)))

    def sum(self, axis: int | Sequence[int], keepdims: bool = False) -> Value:
        """Sum over the given axes."""
        return _reduce("ReduceSum", self, axis, keepdims)

    def mean(self, axis: int | Sequence[int], keepdims: bool = False) -> Value:
        """Arithmetic mean over the given axes."""
        return _reduce("ReduceMean", self, axis, keepdims)

    def max(self, axis: int | Sequence[int], keepdims: bool = False) -> Value:
        """Maximum over the given axes."""
        return _reduce("ReduceMax", self, axis, keepdims)

    def min(self, axis: int | Sequence[int], keepdims: bool = False) -> Value:
        """Minimum over the given axes."""
        return _reduce("ReduceMin", self, axis, keepdims)

    def argmax(self, axis: int) -> Value:
        """Index of the first maximum."""
        return one(op.ArgMax(self, axis=axis, keepdims=0))

    def argmin(self, axis: int) -> Value:
        """Index of the first minimum."""
        return one(op.ArgMin(self, axis=axis, keepdims=0))

    def __getitem__(self, key: Any) -> Value:
        """NumPy indexing by slices, integers, None, index arrays and constant masks, one index array at most."""
        keys = key if isinstance(key, tuple) else (key,)
        if Ellipsis in [k for k in keys if not isinstance(k, np.ndarray | Value)]:
            at = next(i for i, k in enumerate(keys) if k is Ellipsis)
            rest = self.ndim - sum(k is not None for k in keys) + 1
            keys = (*keys[:at], *(slice(None),) * rest, *keys[at + 1 :])
        result, axis = self, 0
        for k in keys:
            result, axis = _index(result, axis, k)
        return result

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Value:
        rule = UFUNCS.get(ufunc)
        if rule is None or method != "__call__" or kwargs:
            raise ConversionError(
                f"numpy.{ufunc.__name__}({method}) has no ONNX form; known: {sorted(u.__name__ for u in UFUNCS)}."
            )
        return rule(*inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Value:
        rule = FUNCTIONS.get(func)
        if rule is None:
            raise ConversionError(
                f"numpy.{func.__name__} has no ONNX form; known: {sorted(f.__name__ for f in FUNCTIONS)}."
            )
        return rule(*args, **kwargs)

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Value:
        return binary("Add", self, other)

    def __radd__(self, other: Any) -> Value:
        return binary("Add", other, self)

    def __sub__(self, other: Any) -> Value:
        return binary("Sub", self, other)

    def __rsub__(self, other: Any) -> Value:
        return binary("Sub", other, self)

    def __mul__(self, other: Any) -> Value:
        return binary("Mul", self, other)

    def __rmul__(self, other: Any) -> Value:
        return binary("Mul", other, self)

    def __truediv__(self, other: Any) -> Value:
        return divide(self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return divide(other, self)

    def __pow__(self, other: Any) -> Value:
        return binary("Pow", self, other)

    def __rpow__(self, other: Any) -> Value:
        return binary("Pow", other, self)

    def __matmul__(self, other: Any) -> Value:
        return binary("MatMul", self, other)

    def __rmatmul__(self, other: Any) -> Value:
        return binary("MatMul", other, self)

    def __neg__(self) -> Value:
        return one(op.Neg(self))

    def __abs__(self) -> Value:
        return one(op.Abs(self))

    def __invert__(self) -> Value:
        return one(op.Not(self))

    def __and__(self, other: Any) -> Value:
        return binary("And", self, other)

    def __or__(self, other: Any) -> Value:
        return binary("Or", self, other)

    def __xor__(self, other: Any) -> Value:
        return binary("Xor", self, other)

    def __lt__(self, other: Any) -> Value:
        return binary("Less", self, other)

    def __le__(self, other: Any) -> Value:
        return binary("LessOrEqual", self, other)

    def __gt__(self, other: Any) -> Value:
        return binary("Greater", self, other)

    def __ge__(self, other: Any) -> Value:
        return binary("GreaterOrEqual", self, other)

    def __eq__(self, other: Any) -> Value:  # type: ignore[override]
        return binary("Equal", self, other)

    def __ne__(self, other: Any) -> Value:  # type: ignore[override]
        return ~binary("Equal", self, other)

    def __bool__(self) -> bool:
        raise ConversionError(
            f"{self!r} has no truth value while converting: it differs from row to row. Use np.where(condition, a, b)."
        )


class _Operators:
    """``op.Name(*inputs, **attributes)``: every operator of ai.onnx and ai.onnx.ml in the current graph.

    Inputs are Values, arrays, numbers, or None for an omitted one; Python numbers take the dtype that the operator's
    type constraint gives them. An operator with several outputs returns a tuple. ``outputs=n`` sets the number of a
    variadic or optional output; ``name=`` names the (single) output.
    """

    def __getattr__(self, op_type: str) -> Callable[..., Any]:
        if op_type.startswith("_"):
            raise AttributeError(op_type)

        def call(*inputs: Any, outputs: int = 0, name: str = "", **attributes: Any) -> Any:
            graph = current_graph()
            values = _operands(op_type, inputs, graph)
            results = graph.node(op_type, values, attributes, outputs)
            if name:
                graph.nodes[-1].output[0] = name
                results = (Value(graph, name, results[0].dtype, results[0].shape),)
            return results[0] if len(results) == 1 else results

        return call


op = _Operators()


def attribute_ref(name: str, kind: onnx.AttributeProto.AttributeType, source: str = "") -> onnx.AttributeProto:
    """Return an attribute whose value is the calling node's of the same name, or `source` (in a function body only)."""
    return onnx.AttributeProto(name=name, ref_attr_name=source or name, type=kind)


def loop(body: Callable[..., Sequence[Value]], trips: int, *state: Value) -> tuple[Value, ...]:
    """Iterate ``keep_going, *state = body(i, *state)`` at most `trips` times; return the final state.

    Parameters
    ----------
    body : callable
        Takes the iteration number (int64 scalar) and the state; returns a boolean scalar and the new state, same types.
    trips : int
        Upper bound of the number of iterations.
    *state : Value
        Initial state.
    """
    graph = current_graph()
    formal: list[tuple[str, np.dtype[Any], Shape]] = [
        ("i", np.dtype(np.int64), ()),
        ("going", np.dtype(np.bool_), ()),
    ]
    formal += [("state", v.dtype, v.shape) for v in state]
    proto, _ = graph.subgraph(lambda i, going, *inner: body(i, *inner), formal)
    names = [graph.fresh("Loop") for _ in state]
    inputs = [graph.constant(np.int64(trips)), graph.constant(np.bool_(True)), *state]
    graph.nodes.append(helper.make_node("Loop", [v.name for v in inputs], names, body=proto))
    return tuple(Value(graph, n, v.dtype, v.shape) for n, v in zip(names, state, strict=True))


def concat(values: Sequence[Value], axis: int = 1) -> Value:
    """Concatenate Values, promoted to one dtype."""
    if len(values) == 1:
        return values[0]
    dtype = np.result_type(*(v.dtype for v in values)) if all(v.dtype != STRING for v in values) else STRING
    return one(op.Concat(*(v.astype(dtype) for v in values), axis=axis))


def as_value(x: Any) -> Value:
    """Return a Value, or the constant Value of an array or number."""
    return x if isinstance(x, Value) else current_graph().constant(x)


def per_row(row: ArrayLike, like: Value) -> Value:
    """Return `row` once for every row of `like`, of shape (N, ...): what does not depend on the data."""
    zeros = op.ConstantOfShape(op.Shape(like, start=0, end=1), value=np.zeros(1, np.int64))
    array = np.asarray(row)
    if array.ndim == 1 and array.dtype.kind in "OUT":  # of several texts, ONNX Runtime's Gather copies the first alone
        return concat([current_graph().constant(array[i : i + 1])[zeros][:, None] for i in range(len(array))])
    return current_graph().constant(array[None])[zeros]


def where(condition: Any, a: Any, b: Any) -> Value:
    """NumPy's `where` with promotion; of booleans by logic, which ONNX Runtime's operator does not take."""
    (x, y), test = _promote(a, b), as_value(condition)
    return (test & x) | (~test & y) if x.dtype == np.bool_ else one(op.Where(test, x, y))


# ---- details ---------------------------------------------------------------------------------------------------------


def _rows_of_output(shape: Shape) -> Shape:
    """Return an output's shape: rows come first, unless a number stands there and the rows behind it."""
    return shape if shape[1:2] == ("N",) and isinstance(shape[0], int) else ("N", *shape[1:])


def one(result: Any) -> Value:
    """Return the only output of an operator."""
    assert isinstance(result, Value)
    return result


def _formal_name(name: str, position: int) -> str:
    return name if name.isidentifier() and position == 0 else f"{name}.{position}" if position else name


def _operands(op_type: str, inputs: Sequence[Any], graph: Graph) -> list[Value | None]:
    """Turn arrays and numbers into constants; numbers take the dtype of the Values under the same type constraint."""
    schema, _ = find_schema(op_type, graph.opset)
    formals = list(schema.inputs)
    type_of = [formals[min(i, len(formals) - 1)].type_str for i in range(len(inputs))]
    known = {t: x.dtype for t, x in zip(type_of, inputs, strict=True) if isinstance(x, Value | np.ndarray | np.generic)}
    result: list[Value | None] = []
    for t, x in zip(type_of, inputs, strict=True):
        weak = isinstance(x, int | float | list) and not isinstance(x, np.generic)
        result.append(x if x is None or isinstance(x, Value) else graph.constant(x, known.get(t) if weak else None))
    return result


def _promote(a: Any, b: Any) -> tuple[Value, Value]:
    kinds = [x.dtype if isinstance(x, Value | np.ndarray | np.generic) else x for x in (a, b)]
    if STRING in [graph_dtype(k) if isinstance(k, np.dtype) else k for k in kinds] or any(
        isinstance(k, str) for k in kinds
    ):
        return as_value(np.asarray(a) if isinstance(a, str) else a), as_value(
            np.asarray(b) if isinstance(b, str) else b
        )
    dtype = np.result_type(*(k if isinstance(k, np.dtype) else _weak(k) for k in kinds))
    return _cast(a, dtype), _cast(b, dtype)


def _weak(x: Any) -> Any:
    return x if isinstance(x, int | float | bool) else np.asarray(x).dtype


def _cast(x: Any, dtype: np.dtype[Any]) -> Value:
    if isinstance(x, Value):
        return x.astype(dtype)
    same = isinstance(x, np.ndarray) and x.dtype == dtype
    return current_graph().constant(x if same else np.asarray(x).astype(dtype))


def binary(op_type: str, a: Any, b: Any) -> Value:
    """Return an operator of two operands, promoted to one dtype."""
    return one(getattr(op, op_type)(*_promote(a, b)))


def divide(a: Any, b: Any) -> Value:
    """Return the true quotient: integers are divided as float64."""
    x, y = _promote(a, b)
    if x.dtype.kind in "biu":
        x, y = x.astype(np.float64), y.astype(np.float64)
    return one(op.Div(x, y))


def _reduce(op_type: str, x: Value, axis: int | Sequence[int], keepdims: bool) -> Value:
    axes = np.atleast_1d(np.asarray(axis, np.int64))
    return one(getattr(op, op_type)(x, axes, keepdims=int(keepdims)))


def _index(x: Value, axis: int, key: Any) -> tuple[Value, int]:
    """Apply one element of an index to `axis`; return the result and the next axis."""
    if key is None:
        return one(op.Unsqueeze(x, np.array([axis], np.int64))), axis + 1
    if isinstance(key, slice):
        return _slice(x, axis, key), axis + 1
    if isinstance(key, Value):
        return one(op.Gather(x, key, axis=axis)), axis + key.ndim
    index = np.asarray(key)
    index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
    size = x.shape[axis]
    index = np.where(index < 0, index + size, index) if isinstance(size, int) else index
    return one(op.Gather(x, index, axis=axis)), axis + index.ndim


def _slice(x: Value, axis: int, key: slice) -> Value:
    if key == slice(None):
        return x
    start, stop, step = key.indices(x.dim(axis))
    stop = -(2**62) if stop < 0 else stop  # a negative step runs to before the first element
    return one(op.Slice(x, *(np.array([v], np.int64) for v in (start, stop, axis, step))))
