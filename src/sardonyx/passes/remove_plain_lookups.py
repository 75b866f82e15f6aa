"""Removes look-ups in tables that hold their own indices, as the labels 0, 1, 2 ... of a classifier do.

::

    scores ─▶ ArgMax ─▶ Gather 0, 1, 2          scores ─▶ ArgMax
    z > 0 ─▶ Cast to int64 ─▶ Gather 0, 1       z > 0 ─▶ Cast to int64
    z > 0 ─▶ Cast ─▶ Gather False, True         z > 0

Contract: bit-identical. Only indices that cannot be beyond the table: no error is lost. Whoever made them for nobody
else writes where the look-up wrote.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lowering.program import Program, Slot, Step
from .rewriting import Uses


def remove_plain_lookups(program: Program) -> Program:
    """Return the program without them."""
    uses = Uses(program)
    writers: dict[tuple[int, ...], Step] = {}
    gone: set[tuple[int, ...]] = set()
    for step in program.steps:
        maker = _maker_of_labels(program, uses, step)
        if maker is not None and _are_alike(program, maker.outputs[0], step.outputs[0]):
            writers[maker.outputs] = replace(maker, outputs=step.outputs)
            gone.add(step.outputs)
    steps = (writers.get(step.outputs, step) for step in program.steps if step.outputs not in gone)
    return replace(program, steps=tuple(steps))


def _maker_of_labels(program: Program, uses: Uses, step: Step) -> Step | None:
    """Return the step that makes what a look-up finds, if it is one in a table of its own indices."""
    if step.kernel != "Gather":
        return None
    table, at = program.slots[step.inputs[0]], step.inputs[1]
    if not _holds_its_indices(table):
        return None
    greatest = uses.sole_maker(at, "ArgMax")
    if greatest is not None:
        return greatest if int(greatest.params[1]) <= table.width else None
    cast = uses.sole_maker(at, "Cast")
    if cast is None or program.slots[cast.inputs[0]].dtype != "bool" or table.width < 2:
        return None
    return cast if table.dtype == "int64" else uses.maker.get(cast.inputs[0]) if _is_sole(uses, cast) else None


def _holds_its_indices(table: Slot) -> bool:
    if table.data is None or len(table.shape) != 1 or table.dtype not in ("int64", "bool"):
        return False
    if table.dtype == "bool" and table.width != 2:
        return False
    return bool(np.array_equal(np.asarray(table.data), np.arange(table.width)))


def _is_sole(uses: Uses, step: Step) -> bool:
    """Whether nobody else reads what the step reads."""
    return uses.readers[step.inputs[0]] == 1


def _are_alike(program: Program, one: int, other: int) -> bool:
    return (program.slots[one].dtype, program.slots[one].shape) == (
        program.slots[other].dtype,
        program.slots[other].shape,
    )
