"""Cuts a flat list of steps into segments and numbers the slots of each program.

::

    level   0  native      X ─▶ Sub ─▶ %7 ─────────────▶ Add ─▶ Y       a step stands on the first level of its kind
            1  reference         └──▶ Einsum ─▶ %r1 ──┐  (level 2)       at or after its inputs' levels (rules.Builder)
            2  native                                 └──▶ ...

A segment takes what other levels or the model's inputs give and hands on what later levels or the outputs need. Steps
whose outputs nobody needs are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

import onnx

from ..passes import optimize
from .borders import Border
from .inference import inlined
from .plan import NativeSegment, Plan, PlanInput, ReferenceSegment, Segment
from .program import ITEM_SIZES, Program, Step
from .reference.graphs import make_model
from .rules import ROWLESS, Across, AnyStep, Array, Batch, Builder, Const, Listed, Made, NativeStep, ReferenceStep, Row

#: what an output of a model may be
Output: TypeAlias = Const | Row | Batch | Across | Listed

#: Bytes that the live values of one block should fit in: a part of the second-level cache.
CACHE_BYTES = 256 * 1024
MOST_BLOCK_ROWS = 4096

#: Entries that a sparse row is taken to have.
LIKELY_ENTRIES = 64
#: Bytes that the live values of a block of a program with sparse rows may come to, where it makes some of them dense.
MOST_DENSE_BYTES = 4 * 1024 * 1024
#: Bytes that the live values of a block may come to, unless one row has more.
MOST_LIVE_BYTES = 256 * 1024 * 1024


def partition(
    builder: Builder,
    inputs: tuple[PlanInput, ...],
    sources: dict[str, Row | Batch],
    outputs: dict[str, Output],
    block_rows: int | None,
) -> Plan:
    """Return the plan of the builder's steps that gives `outputs`."""
    constants: dict[str, Array] = {}
    finals: dict[str, int] = {}
    borders: dict[str, Border] = {}
    for name, value in outputs.items():
        border, values = _border(builder, name, value)
        if border is not None:
            borders[name] = border
        for source, part in values.items():
            if isinstance(part, Const):
                constants[source] = part.array
            else:
                finals[source] = _named(builder, part, source, set(finals.values()), sources)
    renamed = {name: builder.slots[slot].name for name, slot in finals.items() if builder.slots[slot].name != name}
    steps = _needed(builder.steps, set(finals.values()))
    segments = _segments(builder, steps, set(finals.values()), sources, tuple(finals.values()), block_rows)
    return Plan(segments, inputs, tuple(outputs), constants, renamed, borders)


def _border(builder: Builder, name: str, value: Output) -> tuple[Border | None, dict[str, Const | Row | Batch]]:
    """Return how an output is made after the programs, and the values by name that it is made of."""
    if isinstance(value, Listed):
        parts: dict[str, Const | Row | Batch] = {
            f"{name}{builder.prefix}{i}": item
            for i, item in enumerate(value.items)
            if isinstance(item, Const | Row)  # lower.py leaves others to a reference step
        }
        return Border("list", tuple(parts)), parts
    if isinstance(value, Made):
        rows = {f"{name}{builder.prefix}{i}" if i else name: row for i, row in enumerate(value.rows)}
        return Border(value.form, tuple(rows), value.keys), dict(rows)
    if isinstance(value, Across):
        return Border(value.form, (name,), lead=value.depth), {name: value.row}
    if isinstance(value, Row) and value.lead > 0:
        return Border("lead", (name,), lead=value.lead), {name: replace(value, lead=0)}
    return None, {name: value}


def _named(builder: Builder, value: Row | Batch, name: str, taken: set[int], sources: dict[str, Row | Batch]) -> int:
    """Return the slot of an output, called `name` where that is possible, or which Plan.renamed must tell.

    A slot has one name, so an output that is an input, or another output too, is copied.
    """
    slot = value.slot
    if isinstance(value, Batch) or builder.levels[slot] % 2 == 1:
        return slot
    if slot in taken or builder.slots[slot].name in sources:
        form = (value.dtype, value.shape)
        (copy,) = builder.step(
            "Identity", [value], [form], label="", takes_sparse=value.sparse, gives_sparse=value.sparse
        )
        slot = copy.slot
    elif any(slot in step.inputs for step in builder.steps if isinstance(step, ReferenceStep)):
        return slot
    builder.slots[slot] = replace(builder.slots[slot], name=name)
    return slot


def _needed(steps: Sequence[AnyStep], outputs: Iterable[int]) -> list[AnyStep]:
    """Return the steps that outputs depend on, by level and then in their order."""
    needed = set(outputs)
    kept: list[AnyStep] = []
    for step in reversed(steps):
        if needed.intersection(step.outputs):
            needed.update(step.inputs)
            kept.append(step)
    kept.reverse()  # so that steps of a level stay in their order
    return sorted(kept, key=lambda step: step.level)


def _group_key(step: AnyStep) -> tuple[int, object]:
    return step.level, step.opsets if isinstance(step, ReferenceStep) else None


def _segments(
    builder: Builder,
    steps: list[AnyStep],
    outputs: set[int],
    sources: dict[str, Row | Batch],
    order: tuple[int, ...],
    block_rows: int | None,
) -> tuple[Segment, ...]:
    groups = [list(group) for _, group in groupby(steps, _group_key)]
    segments: list[Segment] = []
    for i, group in enumerate(groups):
        later = {slot for other in groups[i + 1 :] for step in other for slot in step.inputs}
        made = [slot for step in group for slot in step.outputs]
        hands_on = [slot for slot in dict.fromkeys([*order, *made]) if slot in made and slot in later | outputs]
        takes = _taken(builder, group, made)
        native = [step for step in group if isinstance(step, NativeStep)]
        if native:
            takes = _row_inputs(takes, sources, alone=len(groups) == 1)
            program = optimize(_program(builder, native, takes, hands_on))
            whole = any(step.kernel in builder.whole_batch for step in program.steps)
            rows = 0 if whole else block_rows or choose_block_rows(program, builder.least_block_rows)
            segments.append(NativeSegment(replace(program, block_rows=rows), whole=builder.lead == ROWLESS))
        else:
            segments.append(_reference_segment(builder, group, takes, hands_on))
    return tuple(segments)


def _taken(builder: Builder, group: list[AnyStep], made: list[int]) -> list[int]:
    reads = dict.fromkeys(slot for step in group for slot in step.inputs)
    return [slot for slot in reads if slot not in made and builder.slots[slot].data is None]


def _row_inputs(takes: list[int], sources: dict[str, Row | Batch], alone: bool) -> list[int]:
    """Return a program's inputs: all of the model's if it is the whole model; at least one, to know how many rows."""
    rows = [value.slot for value in sources.values() if isinstance(value, Row)]
    if alone and len(rows) == len(sources):
        return rows
    return takes or rows[:1]


def _program(builder: Builder, steps: list[NativeStep], inputs: list[int], outputs: list[int]) -> Program:
    """Return a program of these steps, its slots numbered anew: inputs first, then in order of appearance."""
    used = [*inputs, *(slot for step in steps for slot in (*step.inputs, *step.outputs))]
    numbers = {slot: number for number, slot in enumerate(dict.fromkeys(used))}
    renumbered = tuple(_renumbered(step.step, numbers) for step in steps)
    slots = tuple(builder.slots[slot] for slot in numbers)
    return Program(slots, renumbered, tuple(numbers[i] for i in inputs), tuple(numbers[i] for i in outputs))


def _renumbered(step: Step, numbers: dict[int, int]) -> Step:
    inputs, outputs = tuple(numbers[i] for i in step.inputs), tuple(numbers[i] for i in step.outputs)
    return replace(step, inputs=inputs, outputs=outputs)


def _reference_segment(
    builder: Builder, group: list[AnyStep], inputs: list[int], outputs: list[int]
) -> ReferenceSegment:
    steps = [step for step in group if isinstance(step, ReferenceStep)]
    nodes = [node for step in steps for node in step.nodes]
    constants = {name: tensor for step in steps for name, tensor in step.constants.items()}
    types = {slot: kind for step in steps for slot, kind in zip(step.inputs, step.input_types, strict=True)}
    values = [onnx.ValueInfoProto(name=builder.slots[slot].name, type=types[slot]) for slot in inputs]
    names = [builder.slots[slot].name for slot in outputs]
    model = make_model(nodes, values, names, constants.values(), steps[0].opsets)
    if functions := [function for step in steps for function in step.functions]:
        model = inlined(model, functions)
    return ReferenceSegment(model, tuple(dict.fromkeys(step.reason for step in steps)))


def choose_block_rows(program: Program, least: int = 16) -> int:
    """Return how many rows a block should have: as many as keep its live values in the cache, a multiple of 16.

    Parameters
    ----------
    program : Program
    least : int, default 16
        What a rule asked for (`Builder.want_block_rows`).
    """
    live = max(1, _live_bytes(program))
    rows = min(max(CACHE_BYTES // live // 16 * 16, least, 16), MOST_BLOCK_ROWS)
    if any(slot.sparse for slot in program.slots):  # its rows may be a million wide
        return max(1, min(rows, MOST_DENSE_BYTES // live))
    return max(1, min(rows, MOST_LIVE_BYTES // live))


def _live_bytes(program: Program) -> int:
    """Return the most bytes a row's values take at once."""
    last = {slot: len(program.steps) for slot in program.outputs}
    for i, step in reversed(list(enumerate(program.steps))):
        for slot in (*step.inputs, *step.outputs):
            last.setdefault(slot, i)
    live = {slot: _row_bytes(program, slot) for slot in program.inputs}
    most = sum(live.values())
    for i, step in enumerate(program.steps):
        live.update({slot: _row_bytes(program, slot) for slot in step.outputs})
        most = max(most, sum(live.values()))
        live = {slot: size for slot, size in live.items() if last.get(slot, -1) > i}
    return most


def _row_bytes(program: Program, slot: int) -> int:
    size = ITEM_SIZES.get(program.slots[slot].dtype, 8)
    if program.slots[slot].sparse:
        return (size + 4) * min(LIKELY_ENTRIES, program.slots[slot].width)
    for n in program.slots[slot].shape:
        size *= n
    return size
