"""The builder of a program: slots and steps, each on the level of its segment (partition.py cuts them apart)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import onnx

from .._native import kernels_of_halves
from .kinds import ROWLESS, Array, Const, Operand, Row, Shape, as_constant, decline, dtype_name
from .program import DTYPE_CODES, ITEM_SIZES, Param, Slot, Step
from .sizes import MOST_BYTES, check_size, size_of

#: The largest number of dimensions a kernel takes, without the row dimension (kMaxRank in tensor.h).
MAX_RANK = 8
#: floats of 16 bits, and the kernels that take them
HALVES = frozenset({"float16", "bfloat16"})
HALF_KERNELS = kernels_of_halves()
#: bytes of the largest constant that is compared with others
LARGEST_SHARED = 1 << 20


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
        dtypes = [i.dtype if isinstance(i, Row | Const) else dtype_name(i) for i in inputs]
        if HALVES.intersection([*dtypes, *(dtype for dtype, _ in forms)]) and kernel not in HALF_KERNELS:
            decline(f"{kernel} has no kernel for floats of 16 bits")
        for dtype, shape in forms:
            if dtype not in DTYPE_CODES or len(shape) > MAX_RANK:
                decline(f"{kernel} has no kernel for {dtype} of {len(shape) + 1} dimensions")
            if not gives_sparse:
                self._check_size(dtype, shape, label or self.label or kernel)
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

    def _check_size(self, dtype: str, shape: Shape, where: str) -> None:
        if self.lead == ROWLESS and size_of(shape, ITEM_SIZES.get(dtype, 8)) > MOST_BYTES:
            decline("a tensor that is too large")
        check_size(where, shape, ITEM_SIZES.get(dtype, 8), of_a_row=True)

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
