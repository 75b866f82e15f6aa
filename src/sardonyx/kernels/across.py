"""Rows that are not the first dimension for a while (`rules.Across`), as converters of other projects write them.

::

    Bagging      1 x N x c ─▶ Concat ─▶ k x N x c ─▶ ReduceMean(0) ─▶ N x c
    neighbours   X, fit ─▶ Scan ─▶ m x N ─▶ Transpose ─▶ N x m
    quadratic    N x 1 ─▶ Concat ─▶ (k * N) x 1 ─▶ Reshape(k, -1) ─▶ k x N ─▶ Transpose ─▶ N x k
    look-up      table, N x k ─▶ ArrayFeatureExtractor ─▶ 1 x (N * k) ─▶ Reshape(-1, k) ─▶ N x k
    look-ups     m tables ─▶ ArrayFeatureExtractor ─▶ m x (N * k) ─▶ Reshape(m, -1, k) ─▶ Transpose ─▶ N x m x k
    votes        1 x N x 1 ─▶ Concat ─▶ k x N x 1 ─▶ Equal(1 x 1 x c) ─▶ k x N x c ─▶ ReduceSum(0) ─▶ N x c

The rules come after those of the other modules: they take what those decline.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import onnx

from ..lowering.program import Param
from ..lowering.rules import Across, Array, Builder, Const, NodeView, Operand, Row, Values, decline, lowers
from .elementwise import BINARY, FLOATS, cast_row, elementwise, one_type
from .neighbors import METRICS
from .shape import concat_rows, look_up

#: no reason of its own: the operator's first rules say why they declined
ELSEWHERE = ""


def _across(node: NodeView, index: int, form: str) -> Row:
    value = node.inputs[index] if index < len(node.inputs) else None
    if not isinstance(value, Across) or value.form != form or value.depth != 1:
        decline(ELSEWHERE)
    return value.row


# ---- made ------------------------------------------------------------------------------------------------------------


@lowers("Concat")
def side_by_side(b: Builder, node: NodeView) -> Values:
    """1 x N x rest, several times, become k x N x rest."""
    rows = [node.any_row(i) for i in range(len(node.inputs))]
    if node.integer("axis", 0) != 0 or any(row.lead != 1 for row in rows) or len({row.dtype for row in rows}) != 1:
        decline(ELSEWHERE)
    return (Across(_stack(b, rows)),)


@lowers("Concat")
def below_each_other(b: Builder, node: NodeView) -> Values:
    """N x rest, several times, become (k * N) x rest."""
    rows = [node.row(i) for i in range(len(node.inputs))]
    if node.integer("axis", 0) not in (0, -rows[0].rank) or len({row.dtype for row in rows}) != 1:
        decline(ELSEWHERE)
    return (Across(_stack(b, rows), "stacked"),)


def _stack(b: Builder, rows: list[Row]) -> Row:
    return concat_rows(b, [b.reshape(replace(r, lead=0), (1, *r.shape)) for r in rows], 0)


@lowers("ArrayFeatureExtractor", domain="ai.onnx.ml")
def look_up_flat(b: Builder, node: NodeView) -> Values:
    """Of a table of one row, one row comes back, however many indices a row of the input has."""
    table, indices = node.const(0), node.row(1)
    if table.size != table.shape[-1] or table.ndim > 2 or indices.dtype not in ("int64", "int32"):
        decline(ELSEWHERE)
    return (Across(look_up(b, table.reshape(-1), b.reshape(indices, (indices.width,))), "flat"),)


@lowers("ArrayFeatureExtractor", domain="ai.onnx.ml")
def look_up_columns(b: Builder, node: NodeView) -> Values:
    """Return the columns of a table at the only index of each row: k x N."""
    table, indices = node.const(0), node.row(1)
    if table.ndim != 2 or indices.width != 1 or indices.dtype not in ("int64", "int32"):
        decline(ELSEWHERE)
    return (Across(look_up(b, np.ascontiguousarray(table.T), b.reshape(indices, ()))),)


@lowers("ArrayFeatureExtractor", domain="ai.onnx.ml")
def look_up_joined(b: Builder, node: NodeView) -> Values:
    """Of a table of k rows, k rows come back, however many indices a row of the input has."""
    table, indices = node.const(0), node.row(1)
    if table.ndim != 2 or indices.dtype not in ("int64", "int32"):
        decline(ELSEWHERE)
    found = look_up(b, np.ascontiguousarray(table.T), b.reshape(indices, (indices.width,)))
    (turned,) = b.step("Transpose", [found], [(found.dtype, (len(table), indices.width))], [1, 0])
    return (Across(turned, "joined"),)


# ---- Scan over the rows of a constant --------------------------------------------------------------------------------

#: operators of a body -> (metric, power of the distance that it gives)
DISTANCES = {
    ("Sub", "ReduceSumSquare"): "sqeuclidean",
    ("Sub", "Abs", "ReduceSum"): "manhattan",
    ("Sub", "Abs", "Pow", "ReduceSum"): "minkowski",
}


@lowers("Scan")
def distances(b: Builder, node: NodeView) -> Values:
    """Return the rows as they are, and all distances to the rows of a constant, one after the other."""
    x, fit = node.row(0), node.const(1)
    body: onnx.GraphProto = node.attributes["body"]
    if len(node.inputs) != 2 or node.version < 9 or node.integer("num_scan_inputs", 0) != 1 or node.n_outputs != 2:
        decline("not a scan of one constant")
    if any(any(node.integers(f"scan_{side}") or ()) for side in ("input_axes", "output_axes", "output_directions")):
        decline("a scan along another axis, or backwards")
    chain = _chain(body)
    metric = DISTANCES.get(tuple(n.op_type for n in chain)) or decline("not a distance")
    if len(x.shape) != 1 or fit.ndim != 2 or fit.shape[1] != x.width or Const(fit).dtype != x.dtype:
        decline("the constant does not fit the rows")
    one_type([x], FLOATS)
    p = _power(chain, body) if metric == "minkowski" else 2.0
    y = _distances(b, x, fit[::-1] if any(node.integers("scan_input_directions") or ()) else fit, metric, p)
    return x, Across(y)


def _chain(body: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes of a body that is a chain from the difference of its two inputs to its second output."""
    state, item = (value.name for value in body.input) if len(body.input) == 2 else ("", "")
    passed = {n.output[0]: n.input[0] for n in body.node if n.op_type == "Identity"}
    chain = [n for n in body.node if n.op_type != "Identity"]
    outputs = [passed.get(value.name, value.name) for value in body.output]
    if not chain or len(outputs) != 2 or outputs[0] != state or chain[-1].output[0] != outputs[1]:
        decline("not a chain from inputs to output")
    if sorted(chain[0].input) != sorted((state, item)) or any(
        after.input[0] != before.output[0] for before, after in pairwise(chain)
    ):
        decline("not a chain from inputs to output")
    _check_reduction(chain[-1], body)
    return chain


def _constants(body: onnx.GraphProto) -> dict[str, Array]:
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in body.initializer}


def _check_reduction(node: onnx.NodeProto, body: onnx.GraphProto) -> None:
    given = {a.name: a for a in node.attribute}
    axes = list(given["axes"].ints) if "axes" in given else []
    if len(node.input) > 1:
        axes = _constants(body).get(node.input[1], np.zeros(0)).tolist()
    if axes not in ([1], [-1]) or "keepdims" not in given or given["keepdims"].i:
        decline("a reduction of other axes than the columns")


def _power(chain: list[onnx.NodeProto], body: onnx.GraphProto) -> float:
    exponent = _constants(body).get(chain[2].input[1])
    return float(exponent.item()) if exponent is not None and exponent.size == 1 else decline("an unknown exponent")


def _distances(b: Builder, x: Row, fit: Array, metric: str, p: float) -> Row:
    params: tuple[Param, ...] = (METRICS.index(metric), 0, 0, 0, p)
    inputs: list[Operand | Array] = [cast_row(b, x, "float64"), np.ascontiguousarray(fit, np.float64), np.ones(x.width)]
    (y,) = b.step("PairwiseDistances", inputs, [("float64", (len(fit),))], params)
    if metric == "minkowski":
        y = elementwise(b, "Pow", [y, Const(np.asarray(p))], FLOATS)
    return cast_row(b, y, x.dtype)


# ---- taken back ------------------------------------------------------------------------------------------------------


@lowers("Reshape")
def split_what_is_joined(b: Builder, node: NodeView) -> Values:
    """(k * N) x 1 becomes k x N (x 1), 1 x (N * k) becomes N x k, and k x (N * m) becomes k x N x m."""
    value, target = node.inputs[0], node.dims(1)
    if not isinstance(value, Across):
        decline(ELSEWHERE)
    x = value.row
    if value.form == "flat" and target in ((-1, x.width), (None, x.width)):
        return (x,)
    if value.form == "joined" and target in ((x.shape[0], -1, x.shape[1]), (x.shape[0], None, x.shape[1])):
        return (Across(x),)
    if value.form == "stacked" and len(target) > 1 and target[:2] in ((x.shape[0], -1), (x.shape[0], None)):
        rest = tuple(n for n in target[2:] if n is not None)
        if np.prod(rest, dtype=np.int64) * x.shape[0] == x.width:
            return (Across(b.reshape(x, (x.shape[0], *rest))),)
    return decline("another shape than its own")


# ---- by the way ------------------------------------------------------------------------------------------------------


@lowers("Cast", "Identity")
def each_element(b: Builder, node: NodeView) -> Values:
    from ..lowering.reference.graphs import dtype_of

    value = node.inputs[0]
    if not isinstance(value, Across):
        decline(ELSEWHERE)
    if node.op_type == "Identity":
        return (value,)
    return (replace(value, row=cast_row(b, value.row, dtype_of(node.integer("to", 0)))),)


@lowers("CDist", domain="com.microsoft")
def distances_of_all(b: Builder, node: NodeView) -> Values:
    """Return the distances to the rows of a constant: ONNX Runtime's own operator, which skl2onnx can be asked for."""
    x, fit, metric = node.row(0), node.const(1), node.text("metric", "sqeuclidean")
    if metric not in ("euclidean", "sqeuclidean"):
        decline(f"metric {metric!r}")
    if len(x.shape) != 1 or fit.ndim != 2 or fit.shape[1] != x.width or Const(fit).dtype != x.dtype:
        decline("the constant does not fit the rows")
    one_type([x], FLOATS)
    return (_distances(b, x, fit, metric, 2.0),)


@lowers(*BINARY)
def raised_by_a_constant(b: Builder, node: NodeView) -> Values:
    """Put the dimensions of 1 before the rows that a constant of one number has more than they."""
    values: list[Any] = list(node.inputs)
    (x,) = [v for v in values if isinstance(v, Row)] if sum(isinstance(v, Row) for v in values) == 1 else [None]
    (c,) = [v for v in values if isinstance(v, Const)] if sum(isinstance(v, Const) for v in values) == 1 else [None]
    if x is None or c is None or x.lead or c.array.size != 1 or c.array.ndim <= x.rank:
        decline(ELSEWHERE)
    operands = [Const(v.array.reshape(())) if isinstance(v, Const) else v for v in values]
    y = elementwise(b, node.op_type, operands, BINARY[node.op_type])
    return (Row(y.slot, y.dtype, y.shape, c.array.ndim - x.rank),)
