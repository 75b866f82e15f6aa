"""What converters build with Values beside their operators: loops, joined columns, rows that are all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper

from ..protos import STRING, Shape
from .value import Value, current_graph, one, op


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


def per_row(row: ArrayLike, like: Value) -> Value:
    """Return `row` once for every row of `like`, of shape (N, ...): what does not depend on the data."""
    zeros = op.ConstantOfShape(op.Shape(like, start=0, end=1), value=np.zeros(1, np.int64))
    array = np.asarray(row)
    if array.ndim == 1 and array.dtype.kind in "OUT":  # of several texts, ONNX Runtime's Gather copies the first alone
        return concat([current_graph().constant(array[i : i + 1])[zeros][:, None] for i in range(len(array))])
    return current_graph().constant(array[None])[zeros]
