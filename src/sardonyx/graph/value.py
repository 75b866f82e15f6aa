"""A tensor of a graph under construction that answers to NumPy's operators, and every ONNX operator by its name.

::

    (X - mean) / scale ──▶ promotion (NEP 50) ──▶ op.Sub, op.Div ──▶ Graph.node ──▶ Value(dtype, shape)

It knows the graph only as what nodes are added to (graph.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import DTypeLike

from ..errors import ConversionError
from ..layouts import Layout
from ..protos import STRING, Shape, find_schema, graph_dtype, tensor_type

if TYPE_CHECKING:
    from .graph import Graph

#: NumPy functions by their ONNX form, filled by numpy_rules.py and by operators
UFUNCS: dict[np.ufunc, Callable[..., Value]] = {}
FUNCTIONS: dict[Any, Callable[..., Value]] = {}
#: the graph that is being authored
AUTHORED: ContextVar[Graph] = ContextVar("graph")


def current_graph() -> Graph:
    """Return the graph that is being authored (inside ``with graph.scope():``)."""
    return AUTHORED.get()


@dataclass(frozen=True, slots=True)
class Moment:
    """What an input of moments or durations counts.

    Attributes
    ----------
    dtype : numpy.dtype
        ``datetime64[us]`` or the like.
    missing : bool
        Whether the sample had NaT among them.
    """

    dtype: np.dtype[Any]
    missing: bool


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
    layout : Layout
        In which sparse form scikit-learn holds it, if it does.
    moment : Moment or None
        What it counts, if it is an input of moments or durations, of which the tensor holds the numbers.
    objects : bool
        Whether it is an input of numbers that scikit-learn is given in an array of objects.
    own : {"", "read", "early"}
        Whether it is a column of a dtype of pandas' own, and how scikit-learn makes a matrix of its frame: with early
        ones it is float64, and with bools beside any.
    given : bool
        Whether it holds inputs as they are given, in whatever dtype they come.
    """

    __slots__ = ("dtype", "given", "graph", "layout", "moment", "name", "objects", "own", "shape", "sparse")
    __array_priority__ = 1000

    def __init__(self, graph: Graph, name: str, dtype: np.dtype[Any], shape: Shape) -> None:
        self.graph, self.name, self.dtype, self.shape = graph, name, graph_dtype(dtype), tuple(shape)
        self.sparse = False
        self.layout = Layout()
        self.moment: Moment | None = None
        self.objects = self.given = False
        self.own = ""

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

    def like(self, X: Value, *accepted: str, matrix: bool = False) -> Value:
        """Return the value, held sparse where X is: what transformers that keep sparse matrices say of results.

        Parameters
        ----------
        X : Value
        *accepted : str
            The sparse formats that the transformer takes; none if it takes any.
        matrix : bool, default False
            It makes matrices of sparse arrays.
        """
        self.sparse = X.sparse
        self.layout = X.layout.taken_as(*accepted, matrix=matrix) if accepted else X.layout
        return self

    def marked_as(self, X: Value) -> Value:
        """Return the value, marked as holding what X holds of the data that are given."""
        self.moment, self.objects, self.own, self.given = X.moment, X.objects, X.own, X.given
        return self

    def taken_as(self, *accepted: str) -> Value:
        """Return the same value as a transformer takes it that accepts these sparse formats only."""
        return Value(self.graph, self.name, self.dtype, self.shape).like(self, *accepted)

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

    def clip(self, low: Any, high: Any) -> Value:
        """Values below `low` become it, those above `high` that."""
        return binary("Min", binary("Max", self, low), high)

    def argmax(self, axis: int) -> Value:
        """Index of the first maximum."""
        return one(op.ArgMax(_ordered(self), axis=axis, keepdims=0))

    def argmin(self, axis: int) -> Value:
        """Index of the first minimum."""
        return one(op.ArgMin(_ordered(self), axis=axis, keepdims=0))

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


def as_value(x: Any) -> Value:
    """Return a Value, or the constant Value of an array or number."""
    return x if isinstance(x, Value) else current_graph().constant(x)


#: what `Where` and `ArgMax` of ONNX Runtime do not take
_NOT_CHOSEN: Final = tuple(map(np.dtype, (np.int16, np.uint16, np.uint64)))
_NOT_RANKED: Final = tuple(map(np.dtype, (np.int16, np.uint16, np.uint32)))


def where(condition: Any, a: Any, b: Any) -> Value:
    """NumPy's `where` with promotion; of booleans by logic, in int64 where ONNX Runtime does not take the dtype."""
    (x, y), test = _promote(a, b), as_value(condition)
    if x.dtype == np.bool_:
        return (test & x) | (~test & y)
    if x.dtype not in _NOT_CHOSEN:
        return one(op.Where(test, x, y))
    return one(op.Where(test, x.astype(np.int64), y.astype(np.int64))).astype(x.dtype)  # wraps there and back


# ---- details ---------------------------------------------------------------------------------------------------------


def one(result: Any) -> Value:
    """Return the only output of an operator."""
    assert isinstance(result, Value)
    return result


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


def _ordered(x: Value) -> Value:
    """Return x, in int64 if ONNX Runtime finds no extremes of its dtype."""
    return x.astype(np.int64) if x.dtype in _NOT_RANKED else x


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
