"""Along an axis of a row: reductions, positions of extremes, softmax, sums, TopK (native/kernels/reduction/)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lowering.rules import ROWLESS, Builder, Const, NodeView, Row, Shape, Values, decline, lowers, split_at
from . import sparse
from .elementwise import BOOL, FLOATS, INTEGERS, NUMBERS, cast_row, elementwise, magnitudes, one_type

REDUCTIONS = {
    "ReduceSum": NUMBERS,
    "ReduceProd": NUMBERS,
    "ReduceMax": NUMBERS | BOOL,
    "ReduceMin": NUMBERS | BOOL,
    "ReduceMean": FLOATS,
    "ReduceSumSquare": FLOATS,
    "ReduceL1": FLOATS,
    "ReduceL2": FLOATS,
    "ReduceLogSum": FLOATS,
    "ReduceLogSumExp": FLOATS,
}

#: What is done first, in between and last with axes apart from each other, where that is not the same.
APART = {
    "ReduceSumSquare": ("ReduceSumSquare", "ReduceSum", "ReduceSum"),
    "ReduceL1": ("ReduceL1", "ReduceSum", "ReduceSum"),
    "ReduceLogSum": ("ReduceSum", "ReduceSum", "ReduceLogSum"),
}
#: Those that change a value which is reduced alone, and those that are defined for no elements.
NOT_OF_ONE = frozenset({"ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum"})
OF_NOTHING = frozenset(REDUCTIONS) - {"ReduceMax", "ReduceMin", "ReduceLogSumExp"}


@lowers(*REDUCTIONS, whole=None)
def reduction(b: Builder, node: NodeView, kernel: str = "") -> Values:
    x, kernel = node.row(0), kernel or node.op_type
    one_type([x], REDUCTIONS[kernel])
    axes = node.integers("axes", 1)
    if not axes and not node.integer("noop_with_empty_axes", 0):
        axes = tuple(range(x.rank)) if x.lead == ROWLESS else decline("all axes are reduced, the rows too")
    own = sorted({node.row_axis(x, axis) for axis in axes or ()})
    return (reduce_axes(b, kernel, x, own, keep=bool(node.integer("keepdims", 1))),)


def reduce_axes(b: Builder, kernel: str, x: Row, axes: list[int], *, keep: bool) -> Row:
    """Return the reduction over (sorted) axes of a row; axes apart from each other are reduced from the last on.

    Over no axes each value is reduced alone, as the standard says of `noop_with_empty_axes`.
    """
    if any(x.shape[axis] == 0 for axis in axes) and kernel not in OF_NOTHING:
        decline("nothing to reduce")
    final = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if keep or i not in axes)
    if (row := sparse.reduced(b, kernel, x, final)) is not None:
        return row
    runs = _runs(axes)
    if not runs:
        return b.step(kernel, [x], [(x.dtype, x.shape)], (x.width, 1, 1))[0] if kernel in NOT_OF_ONE else x
    steps = _steps(kernel, len(runs))
    for (first, count), step in zip(reversed(runs), steps, strict=True):
        shape = final if first == axes[0] else x.shape[:first] + x.shape[first + count :]
        (x,) = b.step(step, [x], [(x.dtype, shape)], split_at(x.shape, first, count))
    return x


def _steps(kernel: str, count: int) -> list[str]:
    """Return what is done with each of so many runs of axes."""
    if count == 1:
        return [kernel]
    start, between, end = APART.get(kernel, (kernel,) * 3)
    return [start, *[between] * (count - 2), end]


def _runs(axes: list[int]) -> list[tuple[int, int]]:
    """Return (first, count) of every run of neighbouring axes."""
    runs: list[tuple[int, int]] = []
    for axis in axes:
        if runs and sum(runs[-1]) == axis:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((axis, 1))
    return runs


@lowers(*REDUCTIONS, whole=None)
def reduction_of_integers(b: Builder, node: NodeView) -> Values:
    """Sum magnitudes and squares as integers; cut what else comes of floats, as ONNX Runtime does."""
    x, kernel = node.row(0), node.op_type
    if x.dtype not in INTEGERS:
        decline("")
    if kernel in ("ReduceL1", "ReduceSumSquare"):
        each = elementwise(b, "Mul", [x, x], INTEGERS) if kernel == "ReduceSumSquare" else magnitudes(b, x)
        return reduction(b, replace(node, inputs=(each, *node.inputs[1:])), "ReduceSum")
    if kernel not in REDUCTIONS or REDUCTIONS[kernel] != FLOATS:
        decline("")
    (y,) = reduction(b, replace(node, inputs=(cast_row(b, x, "float64"), *node.inputs[1:])))
    return (cast_row(b, y, x.dtype),) if isinstance(y, Row) else decline("")


@lowers("ArgMax", "ArgMin", whole=None)
def position(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], NUMBERS)
    axis = node.row_axis(x, node.integer("axis", 0))
    if x.shape[axis] == 0:
        decline("nothing to choose from")
    params = (*split_at(x.shape, axis), node.integer("select_last_index", 0))
    return b.step(node.op_type, [x], [("int64", _without(x.shape, axis, keep=node.integer("keepdims", 1)))], params)


def _without(shape: Shape, axis: int, keep: int) -> Shape:
    return (*shape[:axis], *([1] if keep else []), *shape[axis + 1 :])


@lowers("Softmax", "LogSoftmax", whole=None)
def softmax(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    if node.version >= 13:
        along = split_at(x.shape, node.row_axis(x, node.integer("axis", -1)))
    else:  # all dimensions from the axis on are one
        axis = node.row_axis(x, node.integer("axis", 1)) if x.shape else decline("the rows are the axis")
        along = split_at(x.shape, axis, len(x.shape) - axis)
    return b.step(node.op_type, [x], [(x.dtype, x.shape)], along)


@lowers("Softmax", domain="sardonyx")
def softmax_of_rows(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    if len(x.shape) != 1:
        decline("scores that are no row")
    return b.step("Softmax", [x], [(x.dtype, x.shape)], split_at(x.shape, 0))


@lowers("Hardmax", whole=None)
def hardmax(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    if node.version >= 13:
        outer, n, inner = split_at(x.shape, node.row_axis(x, node.integer("axis", -1)))
    else:
        axis = node.row_axis(x, node.integer("axis", 1)) if x.shape else decline("the rows are the axis")
        outer, n, inner = split_at(x.shape, axis, len(x.shape) - axis)
    if n == 0:
        decline("nothing to choose from")
    (at,) = b.step("ArgMax", [x], [("int64", (outer, inner))], (outer, n, inner, 0))
    return b.step("OneHot", [at, np.array([0, 1], x.dtype)], [(x.dtype, x.shape)], (outer, n, inner))


@lowers("GlobalAveragePool", "GlobalMaxPool", whole=None)
def global_pool(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    first = 1 - x.lead
    kernel = "ReduceMean" if node.op_type == "GlobalAveragePool" else "ReduceMax"
    return (reduce_axes(b, kernel, x, list(range(first, len(x.shape))), keep=True),) if first < len(x.shape) else (x,)


@lowers("CumSum", whole=None)
def cumulative_sum(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], NUMBERS)
    along = split_at(x.shape, node.row_axis(x, int(node.const(1).reshape(-1)[0])))
    flags = (node.integer("exclusive", 0), node.integer("reverse", 0))
    return b.step("CumSum", [x], [(x.dtype, x.shape)], (*along, *flags))


@lowers("TopK", whole=None)
def top_k(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], NUMBERS)
    (k,) = node.integers("k", 1) or decline("k is not given")
    axis = node.row_axis(x, node.integer("axis", -1))
    if not 0 <= k <= x.shape[axis]:
        decline("k is larger than the axis")
    shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
    params = (*split_at(x.shape, axis), k, node.integer("largest", 1))
    return b.step("TopK", [x], [(x.dtype, shape), ("int64", shape)], params)


@lowers("LpNormalization", whole=None)
def lp_normalization(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    kernel = "ReduceL1" if node.integer("p", 2) == 1 else "ReduceL2"
    norm = reduce_axes(b, kernel, x, [node.row_axis(x, node.integer("axis", -1))], keep=True)
    zero = Const(np.zeros((), dtype=x.dtype))
    (is_zero,) = b.step("Equal", [norm, zero], [("bool", norm.shape)])
    (divisor,) = b.step("Where", [is_zero, Const(np.ones((), dtype=x.dtype)), norm], [(x.dtype, norm.shape)])
    return b.step("Div", [x, divisor], [(x.dtype, x.shape)])
