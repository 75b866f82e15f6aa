"""Quantised numbers as the arithmetic that defines them, so that small quantised networks run natively.

::

    DequantizeLinear   (x - zero point) * scale                        in the type of the scale
    QuantizeLinear     round(x / scale) + zero point, within the type  NaN is the least number, as in ONNX Runtime
    MatMulInteger      (A - zero point) @ (B - zero point)             in int32

`DynamicQuantizeLinear` is the standard's own function of `QuantizeLinear`. Numbers of 4 and 8 bits that are floats, and
scales by blocks, are left to the reference implementation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from .control_flow import Walk, graph_of, node_of, takes_apart
from .rules import Array, Builder, Const, NodeView, Row, Value, decline, dtype_name

QUANTISED = ("int8", "uint8", "int16", "uint16", "int32")


def _known(node: NodeView, index: int) -> Row | Const:
    value = node.inputs[index] if index < len(node.inputs) else None
    return value if isinstance(value, Row | Const) else decline(f"input {index} is not a tensor of known rank")


def _dtype(value: Row | Const) -> str:
    return value.dtype if isinstance(value, Row) else dtype_name(value.array)


def _rank(value: Row | Const) -> int:
    return value.rank if isinstance(value, Row) else value.array.ndim


def _along(node: NodeView, value: Row | Const, x: Row | Const) -> Value:
    """Return a scale or a zero point so that it broadcasts against x along the node's axis."""
    if not isinstance(value, Const):
        return value if not value.shape or value.width == 1 else decline("a computed scale that is not one number")
    if value.array.size == 1:
        return Const(value.array.reshape(()))
    axis = node.integer("axis", 1)
    axis = axis + _rank(x) if axis < 0 else axis
    if value.array.ndim != 1 or node.integer("block_size", 0) or not 0 <= axis < _rank(x):
        decline("scales by blocks")
    return Const(value.array.reshape([-1 if i == axis else 1 for i in range(_rank(x))]))


@takes_apart("DequantizeLinear")
def dequantize(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the numbers that quantised ones stand for."""
    x, scale = _known(node, 0), _known(node, 1)
    if _dtype(x) not in QUANTISED or _dtype(scale) != "float32":
        decline("not integers, or a scale that is not float32")
    nodes = [node_of("Cast", ["x"], ["wide"], to=TensorProto.FLOAT)]
    given: dict[str, Value | None] = {"x": x, "scale": _along(node, scale, x)}
    if node.has(2):
        given["zero"] = _along(node, _known(node, 2), x)
        nodes.append(node_of("Cast", ["zero"], ["from"], to=TensorProto.FLOAT))
        nodes.append(node_of("Sub", ["wide", "from"], ["steps"]))
    nodes.append(node_of("Mul", ["steps" if node.has(2) else "wide", "scale"], ["y"]))
    return walk(graph_of(nodes, ["y"]), given)


@takes_apart("QuantizeLinear")
def quantize(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the quantised numbers that stand for numbers."""
    x, scale = _known(node, 0), _known(node, 1)
    zero = _known(node, 2) if node.has(2) else Const(np.zeros((), np.uint8))
    asked = 0 if node.has(2) else node.integer("output_dtype", 0)
    to = helper.tensor_dtype_to_np_dtype(asked).name if asked in helper.get_all_tensor_dtypes() else _dtype(zero)
    if to not in QUANTISED or (_dtype(x), _dtype(scale)) != ("float32", "float32") or node.version < 11:
        decline("not float32 to integers")
    least, most = _bounds(to)
    given: dict[str, Value | None] = {
        "x": x, "scale": _along(node, scale, x), "zero": _along(node, zero, x), "least": least, "most": most,
    }  # fmt: skip
    nodes = [
        node_of("Div", ["x", "scale"], ["parts"]),
        node_of("Round", ["parts"], ["steps"]),
        node_of("Cast", ["zero"], ["from"], to=TensorProto.FLOAT),
        node_of("Add", ["steps", "from"], ["moved"]),
        node_of("IsNaN", ["moved"], ["none"]),
        node_of("Where", ["none", "least", "moved"], ["some"]),
        node_of("Max", ["some", "least"], ["above"]),
        node_of("Min", ["above", "most"], ["within"]),
        node_of("Cast", ["within"], ["y"], to=helper.np_dtype_to_tensor_dtype(np.dtype(to))),
    ]
    return walk(graph_of(nodes, ["y"]), given)


def _bounds(dtype: str) -> tuple[Const, Const]:
    limits = np.iinfo(dtype)
    return Const(np.array(limits.min, np.float32)), Const(np.array(limits.max, np.float32))


@takes_apart("MatMulInteger")
def matmul_integer(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the product of two matrices of small integers."""
    sides = [_known(node, 0), _known(node, 1)]
    given: dict[str, Value | None] = {}
    nodes: list[onnx.NodeProto] = []
    for i, (name, side) in enumerate(zip("ab", sides, strict=True)):
        given[name] = side
        nodes.append(node_of("Cast", [name], [f"{name} wide"], to=TensorProto.INT32))
        if node.has(2 + i):
            given[f"{name} zero"] = _zero_of_side(_known(node, 2 + i), left=name == "a")
            nodes.append(node_of("Cast", [f"{name} zero"], [f"{name} from"], to=TensorProto.INT32))
            nodes.append(node_of("Sub", [f"{name} wide", f"{name} from"], [f"{name} steps"]))
    factors = [f"{name} {'steps' if node.has(2 + i) else 'wide'}" for i, name in enumerate("ab")]
    return walk(graph_of([*nodes, node_of("MatMul", factors, ["y"])], ["y"]), given)


def _zero_of_side(zero: Row | Const, *, left: bool) -> Value:
    """Return a zero point of a matrix, or of each row of the left one, or of each column of the right one."""
    if isinstance(zero, Row):
        return zero if not zero.shape or zero.width == 1 else decline("computed zero points of each row")
    array: Array = zero.array.reshape(()) if zero.array.size == 1 else zero.array
    return Const(array[:, None] if left and array.ndim == 1 else array)
