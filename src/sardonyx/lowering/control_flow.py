"""Control flow, sequences and optionals, taken apart while a model is lowered: nothing of them is left at run time.

::

    If       the condition is known      that branch alone
             it is computed              both branches, and Where
    Loop     known number of rounds      the body, so many times
    Scan     known length                the body for every slice
    SequenceConstruct, ... At, ...       a tuple of values (`rules.Listed`)
    Optional, ...GetElement              the value itself

A `Walk` lowers a graph for given inputs. What cannot be taken apart (a condition that rows decide, a sequence that is
an input) is declined, and left to the reference implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import onnx
from onnx import helper

from ..kernels.shape import concat_rows, slice_axis
from ..kernels.whole import as_row
from .rules import ROWLESS, Across, Array, Builder, Const, Listed, NativeStep, NodeView, Row, Value, decline

#: nodes that a loop may become
MOST_UNROLLED: Final = 2048
#: kernels that refuse some values: they must not run in a branch that is not taken
REFUSING: Final = frozenset(
    [
        *("Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND"),
        *("Require", "Refuse", "CheckFinite", "CategoryLookup", "ReadNumbers"),
    ]
)

Walk: TypeAlias = Callable[[onnx.GraphProto, Mapping[str, "Value | None"]], "list[Value | None]"]
Structure: TypeAlias = Callable[[Builder, NodeView, Walk], "Sequence[Value | None]"]

STRUCTURES: dict[str, Structure] = {}


def takes_apart(op_type: str) -> Callable[[Structure], Structure]:
    """Register what becomes of an operator."""

    def register(structure: Structure) -> Structure:
        STRUCTURES[op_type] = structure
        return structure

    return register


def _number(node: NodeView, index: int) -> int:
    array = node.const(index).reshape(-1)
    return int(array[0]) if array.size == 1 else decline(f"input {index} is not one number")


# ---- If --------------------------------------------------------------------------------------------------------------


@takes_apart("If")
def either(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return what the branch of a known condition gives, or choose between both."""
    condition = node.inputs[0] if node.inputs else None
    if isinstance(condition, Const):
        return walk(node.attributes["then_branch" if condition.array.reshape(-1)[0] else "else_branch"], {})
    if not isinstance(condition, Row) or condition.lead != ROWLESS or condition.width != 1:
        decline("the rows decide which branch")
    first = len(b.steps)
    sides = [walk(node.attributes[name], {}) for name in ("then_branch", "else_branch")]
    if any(isinstance(step, NativeStep) and step.step.kernel in REFUSING for step in b.steps[first:]):
        decline("a branch that is not taken might refuse its values")
    return [_chosen(b, b.reshape(condition, ()), yes, no) for yes, no in zip(*sides, strict=True)]


def _chosen(b: Builder, condition: Row, yes: Value | None, no: Value | None) -> Value:
    if isinstance(yes, Listed) and isinstance(no, Listed) and len(yes.items) == len(no.items):
        return Listed(tuple(_chosen(b, condition, *pair) for pair in zip(yes.items, no.items, strict=True)))
    if not isinstance(yes, Row | Const) or not isinstance(no, Row | Const):
        decline("branches of sequences")
    if yes.dtype != no.dtype or yes.shape != no.shape:
        decline("branches of different types or shapes")
    return b.step("Where", [condition, yes, no], [(yes.dtype, yes.shape)])[0]


# ---- Loop and Scan ---------------------------------------------------------------------------------------------------


@takes_apart("Loop")
def rounds(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the body done as often as is known."""
    body: onnx.GraphProto = node.attributes["body"]
    most = _number(node, 0) if node.has(0) else None
    go_on = bool(_number(node, 1)) if node.has(1) else True
    if go_on and most is not None:
        _check_size(most - 1, body)
    names, state, count = [value.name for value in body.input], list(node.inputs[2:]), 0
    columns: list[list[Value | None]] = [[] for _ in body.output[1 + len(state) :]]
    while go_on and (most is None or count < most):
        _check_size(count, body)
        given = [Const(np.array(count, np.int64)), Const(np.array(True)), *state]
        again, *results = walk(body, dict(zip(names, given, strict=True)))
        if not isinstance(again, Const):
            decline("a round decides whether there is another")
        go_on, count, state = bool(again.array.reshape(-1)[0]), count + 1, results[: len(state)]
        for column, value in zip(columns, results[len(state) :], strict=True):
            column.append(value)
    kinds = [value.type for value in body.output[1 + len(state) :]]
    return [*state, *(_stacked(b, column, 0, kind) for column, kind in zip(columns, kinds, strict=True))]


def _check_size(rounds_done: int, body: onnx.GraphProto) -> None:
    if (rounds_done + 1) * max(1, len(body.node)) > MOST_UNROLLED:
        decline(f"its rounds come to more than {MOST_UNROLLED} nodes")


@takes_apart("Scan")
def slices(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the body done for every slice."""
    body, count = node.attributes["body"], node.integer("num_scan_inputs", 0)
    if node.version < 9 or not 0 < count <= len(node.inputs):
        decline("Scan of opset 8")
    state, scanned = list(node.inputs[: len(node.inputs) - count]), node.inputs[len(node.inputs) - count :]
    axes, backwards = _directions(node, "input", count)
    lengths = {_length(value, axis) for value, axis in zip(scanned, axes, strict=True)}
    (length,) = lengths if len(lengths) == 1 else decline("inputs of different lengths")
    names = [value.name for value in body.input]
    columns: list[list[Value | None]] = [[] for _ in body.output[len(state) :]]
    _check_size(length - 1, body)
    for i in range(length):
        parts = [
            _slice(b, value, axis, length - 1 - i if backward else i)
            for value, axis, backward in zip(scanned, axes, backwards, strict=True)
        ]
        results = walk(body, dict(zip(names, [*state, *parts], strict=True)))
        state = results[: len(state)]
        for column, value in zip(columns, results[len(state) :], strict=True):
            column.append(value)
    axes, backwards = _directions(node, "output", len(columns))
    kinds = [value.type for value in body.output[len(state) :]]
    made = zip(columns, axes, backwards, kinds, strict=True)
    return [*state, *(_stacked(b, c[::-1] if backward else c, axis, kind) for c, axis, backward, kind in made)]


def _directions(node: NodeView, side: str, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axis of each scanned input, or output, and whether it is scanned from its end."""
    axes, backwards = (node.integers(f"scan_{side}_{name}") or (0,) * count for name in ("axes", "directions"))
    return axes, backwards


def _length(value: Value | None, axis: int) -> int:
    if isinstance(value, Const) and -value.array.ndim <= axis < value.array.ndim:
        return int(value.array.shape[axis])
    if isinstance(value, Row) and value.lead <= 0 and -value.rank <= axis < value.rank:
        return value.dims[axis] or decline("a scan along the rows")
    return decline("a scan of a length that is not known")


def _slice(b: Builder, value: Value | None, axis: int, i: int) -> Value:
    if isinstance(value, Const):
        return Const(np.asarray(value.array.take(i, axis), order="C"))
    assert isinstance(value, Row), "_length says so"
    own = axis % value.rank - 1 - value.lead
    part = slice_axis(b, value, own, i, 1, 1)
    return b.reshape(part, (*value.shape[:own], *value.shape[own + 1 :]))


def row_of(b: Builder, value: Row, i: int) -> Row:
    """Return a slice of a tensor without rows as the only row of a batch."""
    if not value.shape or not i < value.shape[0]:
        decline("inputs of different lengths")
    return b.reshape(slice_axis(b, value, 0, i, 1, 1), value.shape[1:], lead=0)


def joined_rows(b: Builder, slices: Sequence[Sequence[Value] | None]) -> tuple[Value, ...] | None:
    """Return the outputs that each slice has, below each other in tensors without rows; None if one has none."""
    if any(s is None or not all(isinstance(v, Row) and v.lead in (0, ROWLESS) for v in s) for s in slices):
        return None
    columns = zip(*(s for s in slices if s is not None), strict=True)
    rows = [[b.reshape(v, (1, *v.shape), lead=ROWLESS) for v in column if isinstance(v, Row)] for column in columns]
    return tuple(concat_rows(b, column, 0) for column in rows)


def _stacked(b: Builder, column: list[Value | None], axis: int, kind: onnx.TypeProto) -> Value:
    """Return values side by side along a new axis."""
    if not column:
        return Const(_nothing(kind))
    known = [value.array for value in column if isinstance(value, Const)]
    if len(known) == len(column):
        same = len({(array.dtype, array.shape) for array in known}) == 1 and -1 - known[0].ndim <= axis <= known[0].ndim
        return Const(np.stack(known, axis)) if same else decline("rounds that give values of different kinds")
    if b.lead == ROWLESS:
        column = [as_row(b, value) if isinstance(value, Const) else value for value in column]
    rows = [value for value in column if isinstance(value, Row) and value.lead == b.lead]
    if len(rows) < len(column) or len({(row.dtype, row.shape) for row in rows}) != 1:
        decline("rounds that give values of different kinds")
    own = axis % (rows[0].rank + 1) - 1 - b.lead
    at = max(own, 0)
    wide = [b.reshape(row, (*row.shape[:at], 1, *row.shape[at:])) for row in rows]
    joined = concat_rows(b, wide, at)
    return joined if own >= 0 else Across(joined)


def _nothing(kind: onnx.TypeProto) -> Array:
    """Return no slices of a declared type."""
    tensor = kind.tensor_type
    if not tensor.elem_type:
        decline("no round, and no type of what it gives")
    dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return np.zeros((0, *(d.dim_value for d in tensor.shape.dim)), dtype)


# ---- sequences -------------------------------------------------------------------------------------------------------


def _items(node: NodeView) -> tuple[Value, ...]:
    value = node.inputs[0] if node.inputs else None
    return value.items if isinstance(value, Listed) else decline("a sequence that is not known")


def _place(node: NodeView, index: int, count: int, *, beyond: bool = False) -> int:
    at = _number(node, index) if node.has(index) else count if beyond else -1
    at = at + count if at < 0 else at
    return at if 0 <= at < count + beyond else decline(f"place {at} of a sequence of {count}")


@takes_apart("SequenceConstruct")
def construct(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the values in their order."""
    return [Listed(tuple(value for value in node.inputs if value is not None))]


@takes_apart("SequenceEmpty")
def nothing(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return no values."""
    return [Listed(())]


@takes_apart("SequenceInsert")
def insert(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the values with another one among them."""
    items, new = _items(node), node.inputs[1]
    at = _place(node, 2, len(items), beyond=True)
    return [Listed((*items[:at], new, *items[at:]))] if new is not None else decline("nothing to insert")


@takes_apart("SequenceErase")
def erase(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the values without one."""
    items = _items(node)
    at = _place(node, 1, len(items))
    return [Listed(items[:at] + items[at + 1 :])]


@takes_apart("SequenceAt")
def at(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the value at a place."""
    items = _items(node)
    return [items[_place(node, 1, len(items))]]


@takes_apart("SequenceLength")
def length(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return how many values there are."""
    return [Const(np.array(len(_items(node)), np.int64))]


@takes_apart("SequenceMap")
def for_each(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the body's outputs for every value."""
    body: onnx.GraphProto = node.attributes["body"]
    count = len(_items(node))
    _check_size(count - 1, body)
    names, rows = [value.name for value in body.input], []
    for i in range(count):
        given = [v.items[i] if isinstance(v, Listed) and i < len(v.items) else v for v in node.inputs]
        rows.append(walk(body, dict(zip(names, given, strict=True))))
    columns = zip(*rows, strict=True) if rows else [()] * len(body.output)
    return [Listed(tuple(value for value in column if value is not None)) for column in columns]


@takes_apart("ConcatFromSequence")
def join(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the values joined along an axis."""
    items, axis = _items(node), node.integer("axis", 0)
    names = [f"i{i}" for i in range(len(items))]
    nodes = []
    if node.integer("new_axis", 0):
        nodes = [node_of("Unsqueeze", [name, "axes"], [f"{name}'"]) for name in names]
        names = [f"{name}'" for name in names]
    nodes.append(node_of("Concat", names, ["y"], axis=axis))
    return walk(graph_of(nodes, ["y"]), {**_named(items), "axes": Const(np.array([axis], np.int64))})


@takes_apart("SplitToSequence")
def split(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the parts of a tensor."""
    axis = node.integer("axis", 0)
    count = _length(node.inputs[0], axis)
    sizes = _sizes(node.const(1), count) if node.has(1) else [1] * count
    names = [f"y{i}" for i in range(len(sizes))]
    nodes = [node_of("Split", ["x", "sizes"], names, axis=axis)]
    if not node.has(1) and not node.integer("keepdims", 1):
        nodes += [node_of("Squeeze", [name, "axes"], [f"{name}'"]) for name in names]
        names = [f"{name}'" for name in names]
    given = {"x": node.inputs[0], "sizes": Const(np.array(sizes, np.int64)), "axes": Const(np.array([axis], np.int64))}
    return [Listed(tuple(value for value in walk(graph_of(nodes, names), given) if value is not None))]


def _sizes(given: Array, count: int) -> list[int]:
    if given.ndim:
        return [int(n) for n in given]
    size = int(given)
    if size < 1:
        decline("parts of no size")
    return [min(size, count - start) for start in range(0, count, size)]


def node_of(
    op_type: str, inputs: Iterable[str], outputs: Iterable[str], **attributes: int | list[int]
) -> onnx.NodeProto:
    """Return a node of `ai.onnx`."""
    node = onnx.NodeProto(op_type=op_type, input=list(inputs), output=list(outputs))
    node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    return node


def graph_of(nodes: Iterable[onnx.NodeProto], outputs: Iterable[str]) -> onnx.GraphProto:
    """Return nodes as a graph to walk."""
    graph = onnx.GraphProto(node=list(nodes))
    graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    return graph


def _named(items: Sequence[Value]) -> dict[str, Value | None]:
    return {f"i{i}": item for i, item in enumerate(items)}


# ---- optionals -------------------------------------------------------------------------------------------------------


def _present(node: NodeView) -> Value:
    value = node.inputs[0] if node.inputs else None
    if isinstance(value, Row | Const | Listed | Across):
        return value
    return decline("an optional that may be empty")


@takes_apart("Optional")
def optional(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the value."""
    return [_present(node)]


@takes_apart("OptionalGetElement")
def get_element(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return the value."""
    return [_present(node)]


@takes_apart("OptionalHasElement")
def has_element(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return whether there is a value."""
    if node.has(0):
        _present(node)
    return [Const(np.array(node.has(0)))]
