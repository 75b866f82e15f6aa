"""What lowering rules are written in: the values of a model, a view of a node, the builder of steps, the registry.

A rule turns one node of a model into steps of native kernels::

    @lowers("Softmax")
    def softmax(b: Builder, node: NodeView) -> Values | None:
        x = node.row(0)
        axis = node.row_axis(x, node.integer("axis", -1))
        return b.step("Softmax", [x], [(x.dtype, x.shape)], split_at(x.shape, axis))

It returns one value for each output of the node, or declines, by returning None or by calling `decline`, and then the
next rule registered for the operator is tried. What every rule declines is left to lower.py, which takes the body of a
function apart and gives a standard operator to the reference implementation. A rule must decline whatever it cannot
compute with ONNX's exact meaning.

The kinds of values, seen from the row dimension N::

    Const   known now                                an array
    Row     N x shape                                a slot of the program
            1 x ... x 1 x N x shape   (lead = 2)     the same slot: what a Transpose or a class look-up leaves behind
            shape       (lead = ROWLESS)             no rows: a tensor of a known shape is one row of its program
    Row     sparse: the slot holds only what is not zero; for every rule the same value as dense rows
    Dims    a shape in which N occurs                numbers, with None for N
    Across  rows behind another dimension, or one with it: see there
    Listed  a sequence                               values
    Tokens  texts, and how they are taken apart
    Batch   anything else                            known to the reference implementation only

Rules need not know of sparse rows: a step that is not said to take them (`takes_sparse`) is given dense ones, for which
the builder adds one Densify step a slot. Rules that can do better look at `Row.sparse`.

This module does not walk models (lower.py does) and knows no operator (kernels/ does).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeAlias, TypeVar

import numpy as np
import onnx
from numpy.typing import NDArray

from ..large import Large
from .program import DTYPE_CODES, Param, Slot, Step

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]

#: `Row.lead` of tensors that have no row dimension; then all in the model are so.
ROWLESS = -1
#: The largest number of dimensions a kernel takes, without the row dimension (kMaxRank in tensor.h).
MAX_RANK = 8
#: bytes of the largest constant that is compared with others
LARGEST_SHARED = 1 << 20


class Declined(Exception):
    """Raised by `decline`: the rule at work does not apply to this node. It never leaves lower.py."""


def decline(reason: str) -> NoReturn:
    """Leave the rule at work: it does not apply, for this reason."""
    raise Declined(reason)


# ---- values ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A value known when the model is lowered. Text is an object array of str."""

    array: Array

    @property
    def dtype(self) -> str:
        """The name of the type, as programs write it."""
        return dtype_name(self.array)

    @property
    def shape(self) -> Shape:
        """All dimensions."""
        return self.array.shape


@dataclass(frozen=True, slots=True)
class Row:
    """One slice of `shape` for every row. `lead` counts the dimensions of size 1 before the rows, or is ROWLESS."""

    slot: int
    dtype: str
    shape: Shape
    lead: int = 0
    sparse: bool = False

    @property
    def width(self) -> int:
        """Elements of one row."""
        return math.prod(self.shape)

    @property
    def rank(self) -> int:
        """All dimensions: those before the rows, the rows, those of one row."""
        return self.lead + 1 + len(self.shape)

    @property
    def dims(self) -> tuple[int | None, ...]:
        """All dimensions, None for the rows."""
        return self.shape if self.lead == ROWLESS else (*[1] * self.lead, None, *self.shape)


@dataclass(frozen=True, slots=True)
class Dims:
    """A shape, or one number of it (`scalar`), in which the number of rows occurs as None."""

    items: tuple[int | None, ...]
    scalar: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A value that is not one slice a row, or whose shape is not known: only reference steps make and read it."""

    slot: int
    type: onnx.TypeProto


@dataclass(frozen=True, slots=True, eq=False)
class Maps(Batch):
    """A sequence of maps, one a row, from the same keys to the elements of `row`: what ZipMap gives.

    As an output it is made from `row` when the program has run; only a node that reads it needs the slot.
    """

    row: Row
    keys: tuple[int | str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A sequence of which every item is a value; like `Maps`, made at the border where it is an output."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Texts on their way to tokens, as other converters write it: only who counts tokens knows what to do with them.

    ::

        row ─▶ StringNormalizer ─▶ Tokenizer ─▶ Flatten        `nodes`, for whoever else asks

    `pattern` finds the tokens, once there is a Tokenizer; `flat` is whether they are a matrix.
    """

    row: Row
    nodes: tuple[onnx.NodeProto, ...] = ()
    lowercase: bool = False
    pattern: str = ""
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Across:
    """Rows whose dimension is not the first of the tensor, or is one with another.

    ::

        form      tensor             row.shape           left behind by
        behind    k x N x rest       (k, *rest)          Transpose, Concat of 1 x N x rest, Scan
        stacked   (k * N) x rest     (k, *rest)          Concat of rows below each other
        flat      1 x (N * k)        (k,)                ArrayFeatureExtractor
        joined    k x (N * m)        (k, m)              ArrayFeatureExtractor of k rows

    Each row's elements are together in memory all the same, so nothing is moved until something asks for it.
    """

    row: Row
    form: str = "behind"


Value: TypeAlias = Const | Row | Dims | Batch | Across | Listed | Tokens
Values: TypeAlias = tuple[Value, ...]
Operand: TypeAlias = Row | Const


def dtype_name(array: Array) -> str:
    """Return the name of an array's type as programs write it ("str" for text)."""
    return "str" if array.dtype.kind in "OUT" else array.dtype.name


def as_constant(array: Any) -> Array:
    """Return a C-contiguous array in native byte order; text as an object array of str."""
    array = np.asarray(array)
    if array.dtype == object and array.size and not isinstance(array.flat[0], str | bytes):
        decline("values that are neither numbers nor text have no constants")
    if dtype_name(array) == "str":
        texts = [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in array.reshape(-1).tolist()]
        result = np.empty(len(texts), dtype=object)
        result[:] = texts
        return result.reshape(array.shape)
    native = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    return native.copy() if native is array and not array.flags.owndata else native


# ---- nodes -----------------------------------------------------------------------------------------------------------


class Attributes(Mapping[str, Any]):
    """The attributes of a node by name, as Python objects made when they are asked for.

    Of large ones the node has stubs (large.py); `integers` and `tensor` return their arrays as they are.
    """

    def __init__(self, node: onnx.NodeProto, large: Mapping[str, Large] | None = None) -> None:
        self._protos = {a.name: a for a in node.attribute}
        self.large = large or {}

    def _stands_for(self, name: str) -> Large | None:
        return self.large.get(self._protos[name].doc_string) if self.large else None

    def __getitem__(self, name: str) -> Any:
        proto, large = self._protos[name], self._stands_for(name)
        if large is not None:
            stub, proto = proto, onnx.AttributeProto()
            proto.CopyFrom(stub)
            large.write(proto)
        return onnx.helper.get_attribute_value(proto)

    def __contains__(self, name: object) -> bool:
        return name in self._protos

    def __iter__(self) -> Iterator[str]:
        return iter(self._protos)

    def __len__(self) -> int:
        return len(self._protos)

    def integers(self, name: str) -> NDArray[Any]:
        """Return a list of integers, perhaps millions: of int64, or as it was made. It is not to be changed."""
        large = self._stands_for(name)
        if large is not None and not large.tensor:
            return _not_to_be_changed(large.array)
        return np.array(self._protos[name].ints, np.int64)  # at once: protobuf's lists are buffers

    def tensor(self, name: str) -> Array:
        """Return a tensor, perhaps of millions of numbers, as an array that is not to be changed."""
        large = self._stands_for(name)
        array = large.array if large is not None and large.tensor else onnx.numpy_helper.to_array(self[name])
        return _not_to_be_changed(array)


def _not_to_be_changed(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node with its inputs as values and its attributes as Python objects.

    `version` is the opset version of the node's domain where it stands; `function` the body, if the model has one.
    Accessors decline instead of returning a value of another kind than the rule asks for.
    """

    proto: onnx.NodeProto
    inputs: tuple[Value | None, ...]
    version: int
    attributes: Attributes
    function: onnx.FunctionProto | None = None

    @property
    def op_type(self) -> str:
        """The operator, or the name of the function."""
        return self.proto.op_type

    @property
    def n_outputs(self) -> int:
        """How many outputs the node names."""
        return len(self.proto.output)

    # -- inputs

    def has(self, index: int) -> bool:
        """Whether the optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def _input(self, index: int) -> Value:
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            decline(f"input {index} is not given")
        return value

    def row(self, index: int) -> Row:
        """Return an input that is one slice a row, the rows being its first dimension (or a whole tensor)."""
        value = self._input(index)
        if not isinstance(value, Row):
            decline(f"input {index} is not one slice a row")
        if value.lead > 0:
            decline(f"the rows are not the first dimension of input {index}")
        return value

    def any_row(self, index: int) -> Row:
        """Return an input that is one slice a row, wherever its row dimension is."""
        value = self._input(index)
        if not isinstance(value, Row):
            decline(f"input {index} is not one slice a row")
        return value

    def const(self, index: int) -> Array:
        """Return an input known now."""
        value = self._input(index)
        if not isinstance(value, Const):
            decline(f"input {index} is not a constant")
        return value.array

    def operand(self, index: int) -> Operand:
        """Return an input that is rows or a constant."""
        value = self._input(index)
        return value if isinstance(value, Const) else self.row(index)

    def operands(self) -> list[Operand]:
        """Return all inputs, each rows or a constant."""
        return [self.operand(i) for i in range(len(self.inputs))]

    def dims(self, index: int) -> tuple[int | None, ...]:
        """Return an input that is a shape (or one number of it), None standing for the number of rows."""
        value = self._input(index)
        if isinstance(value, Dims):
            return value.items
        if isinstance(value, Const) and value.array.ndim <= 1 and value.array.dtype.kind in "iu":
            return tuple(int(n) for n in value.array.reshape(-1))
        decline(f"input {index} is not a known shape")

    def integers(self, name: str, index: int | None = None) -> tuple[int, ...] | None:
        """Return integers given as an attribute or, in later opsets, as the constant input `index`."""
        if name in self.attributes:
            value = self.attributes[name]
            return tuple(value) if isinstance(value, list | tuple) else (int(value),)
        if index is None or not self.has(index):
            return None
        return tuple(int(n) for n in self.const(index).reshape(-1))

    # -- attributes

    def integer(self, name: str, default: int) -> int:
        """Return an attribute of type int."""
        return int(self.attributes.get(name, default))

    def real(self, name: str, default: float) -> float:
        """Return an attribute of type float."""
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        """Return an attribute of type string."""
        value = self.attributes.get(name, default)
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)

    def row_axis(self, row: Row, axis: int) -> int:
        """Return the dimension of `row.shape` that ONNX calls `axis`; decline the row dimension itself."""
        own = (axis + row.rank if axis < 0 else axis) - 1 - row.lead
        if not 0 <= own < len(row.shape):
            decline(f"axis {axis} is the row dimension")
        return own


def split_at(shape: Shape, axis: int, count: int = 1) -> tuple[int, int, int]:
    """Return (outer, n, inner): the sizes before, of, and after `count` axes starting at `axis`."""
    return math.prod(shape[:axis]), math.prod(shape[axis : axis + count]), math.prod(shape[axis + count :])


# ---- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NativeStep:
    """A step of a program, over the builder's slots."""

    level: int
    step: Step

    @property
    def inputs(self) -> tuple[int, ...]:
        """Slots the step reads."""
        return self.step.inputs

    @property
    def outputs(self) -> tuple[int, ...]:
        """Slots the step writes."""
        return self.step.outputs


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceStep:
    """Nodes left to the reference implementation; they name their values as the slots are named."""

    level: int
    nodes: tuple[onnx.NodeProto, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    constants: dict[str, onnx.TensorProto]
    opsets: tuple[tuple[str, int], ...]
    reason: str
    input_types: tuple[onnx.TypeProto, ...] = ()
    functions: tuple[onnx.FunctionProto, ...] = ()


AnyStep: TypeAlias = NativeStep | ReferenceStep


def _next_level(level: int, *, native: bool) -> int:
    """Return the first level from `level` on of the kind: even levels are native, odd ones reference."""
    return level + (level % 2 if native else 1 - level % 2)


@dataclass(slots=True)
class Builder:
    """Collects slots and steps. A step's level is its segment: even levels run natively, odd ones by reference.

    `lead` is that of the rows which steps give: 0, or ROWLESS.

    A step is put on the first level of its kind at or after those of all its inputs, so a model has as few segments as
    its dependencies allow.
    """

    slots: list[Slot] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    steps: list[AnyStep] = field(default_factory=list)
    label: str = ""
    least_block_rows: int = 16
    prefix: str = "%"
    lead: int = 0
    whole_batch: set[str] = field(default_factory=set)
    _constants: dict[tuple[str, Shape, bytes], int] = field(default_factory=dict)
    _dense: dict[int, int] = field(default_factory=dict)
    _entries: dict[int, int] = field(default_factory=dict)

    def new_slot(
        self, dtype: str, shape: Shape, level: int, name: str = "", data: Array | None = None, *, sparse: bool = False
    ) -> int:
        """Add a slot; without a name it gets one that no other value has."""
        index = len(self.slots)
        self.slots.append(Slot(name or f"{self.prefix}{index}", dtype, shape, data, sparse))
        self.levels.append(level)
        return index

    def constant(self, array: Array) -> int:
        """Return the slot of a constant; equal constants share one, unless looking them up would be the dearer."""
        array = as_constant(array)
        dtype = dtype_name(array)
        if dtype not in DTYPE_CODES:
            decline(f"constants of type {dtype} have no kernels")
        if array.nbytes > LARGEST_SHARED:
            return self.new_slot(dtype, array.shape, 0, data=array)
        key = (dtype, array.shape, repr(array.tolist()).encode() if dtype == "str" else array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.new_slot(dtype, array.shape, 0, data=array)
        return self._constants[key]

    def step(
        self,
        kernel: str,
        inputs: Sequence[Operand | Array],
        outputs: Iterable[tuple[str, Shape]],
        params: Iterable[Param] = (),
        label: str | None = None,
        *,
        takes_sparse: bool = False,
        gives_sparse: bool = False,
        entries_of: Row | None = None,
    ) -> tuple[Row, ...]:
        """Add a step of `kernel` and return its outputs, given their types and shapes (without the row dimension).

        Sparse rows among the inputs are made dense unless the kernel takes them; all outputs are sparse or none is.
        `entries_of`: it takes and gives sparse rows, and the outputs have entries just where this input has them.
        """
        takes_sparse, gives_sparse = takes_sparse or entries_of is not None, gives_sparse or entries_of is not None
        forms = tuple(outputs)
        for dtype, shape in forms:
            if dtype not in DTYPE_CODES or len(shape) > MAX_RANK:
                decline(f"{kernel} has no kernel for {dtype} of {len(shape) + 1} dimensions")
        slots = tuple(i.slot if isinstance(i, Row) else self._constant_of(i) for i in inputs)
        slots = slots if takes_sparse else tuple(map(self.dense, slots))
        level = _next_level(max((self.levels[s] for s in slots), default=0), native=True)
        rows = tuple(
            Row(self.new_slot(dtype, shape, level, sparse=gives_sparse), dtype, shape, self.lead, sparse=gives_sparse)
            for dtype, shape in forms
        )
        outs = tuple(row.slot for row in rows)
        if entries_of is not None:
            self._entries.update(dict.fromkeys(outs, self.entries(entries_of.slot)))
        label = self.label if label is None else label
        self.steps.append(NativeStep(level, Step(kernel, slots, outs, tuple(params), label)))
        return rows

    def entries(self, slot: int) -> int:
        """Return the slot where the entries of a sparse slot come from: equal for those that have the same."""
        return self._entries.get(slot, slot)

    def dense(self, slot: int) -> int:
        """Return the slot of the same rows, dense."""
        if not self.slots[slot].sparse:
            return slot
        if slot not in self._dense:
            form = self.slots[slot]
            row = Row(slot, form.dtype, form.shape)
            self._dense[slot] = self.step("Densify", [row], [(form.dtype, form.shape)], takes_sparse=True)[0].slot
        return self._dense[slot]

    def _constant_of(self, operand: Const | Array) -> int:
        array = operand.array if isinstance(operand, Const) else operand
        if array.ndim > MAX_RANK:
            decline(f"a constant has more than {MAX_RANK} dimensions")
        return self.constant(array)

    def reshape(self, x: Row, shape: Shape, lead: int | None = None) -> Row:
        """Return the same elements of each row under another shape."""
        lead = self.lead if lead is None else lead
        if shape == x.shape:
            return replace(x, lead=lead)
        (row,) = self.step("Identity", [x], [(x.dtype, shape)])
        return replace(row, lead=lead)

    def reference(self, step: ReferenceStep) -> None:
        """Add a step of the reference implementation."""
        self.steps.append(step)

    def reference_level(self, inputs: Iterable[int]) -> int:
        """Return the level of a reference step that reads these slots."""
        return _next_level(max((self.levels[s] for s in inputs), default=0), native=False)

    def mark(self) -> tuple[int, int, frozenset[str]]:
        """Return a place to `undo` to."""
        return len(self.slots), len(self.steps), frozenset(self.whole_batch)

    def undo(self, mark: tuple[int, int, frozenset[str]]) -> None:
        """Take back the slots and steps added since a mark."""
        n_slots, n_steps, whole_batch = mark
        self.whole_batch = set(whole_batch)
        self._dense = {slot: dense for slot, dense in self._dense.items() if dense < n_slots}
        del self.slots[n_slots:], self.levels[n_slots:], self.steps[n_steps:]
        self._constants = {key: slot for key, slot in self._constants.items() if slot < n_slots}

    def want_whole_batch(self, kernel: str) -> None:
        """Say that a kernel looks at all rows of a call: programs with it run on the whole batch at once."""
        self.whole_batch.add(kernel)

    def want_block_rows(self, rows: int) -> None:
        """Ask for blocks of at least `rows` rows: a kernel that streams its constants once a block wants many."""
        self.least_block_rows = max(self.least_block_rows, rows)


# ---- registry --------------------------------------------------------------------------------------------------------

Rule: TypeAlias = Callable[[Builder, NodeView], "Values | None"]
_Rule = TypeVar("_Rule", bound=Rule)

_RULES: dict[tuple[str, str, bool], list[Rule]] = {}


def lowers(*op_types: str, domain: str = "", whole: bool | None = False) -> Callable[[_Rule], _Rule]:
    """Register a rule for operators, or model-local functions, of a domain; rules are tried as they were registered.

    `whole`: True for a rule of tensors without rows (ROWLESS), False for one of rows, None for one that takes either.
    """

    def register(rule: _Rule) -> _Rule:
        for op_type in op_types:
            for kind in (False, True) if whole is None else (whole,):
                _RULES.setdefault((domain, op_type, kind), []).append(rule)
        return rule

    return register


def rules_for(domain: str, op_type: str, *, whole: bool = False) -> tuple[Rule, ...]:
    """Return the rules of an operator; what follows a colon in a function's name is for people only."""
    domain = "" if domain == "ai.onnx" else domain
    return tuple(_RULES.get((domain, op_type.split(":")[0], whole), ()))
