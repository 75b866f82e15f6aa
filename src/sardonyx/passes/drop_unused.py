"""Drops steps whose outputs nobody reads, and slots without a step.

Contract: inputs and outputs stay, in their order; a step that only refuses values (CheckFinite) stays as long as its
output is read.
"""

from __future__ import annotations

from dataclasses import replace

from ..lowering.program import Program, Step


def drop_unused(program: Program) -> Program:
    """Return the program without what its outputs do not depend on, its slots numbered anew."""
    steps = _read_steps(program)
    used = {*program.inputs, *program.outputs, *(s for step in steps for s in (*step.inputs, *step.outputs))}
    numbers = {slot: number for number, slot in enumerate(sorted(used))}

    def renumber(slots: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(numbers[slot] for slot in slots)

    return replace(
        program,
        slots=tuple(program.slots[slot] for slot in sorted(used)),
        steps=tuple(replace(s, inputs=renumber(s.inputs), outputs=renumber(s.outputs)) for s in steps),
        inputs=renumber(program.inputs),
        outputs=renumber(program.outputs),
    )


def _read_steps(program: Program) -> list[Step]:
    read = set(program.outputs)
    steps: list[Step] = []
    for step in reversed(program.steps):
        if read.intersection(step.outputs):
            read.update(step.inputs)
            steps.append(step)
    return steps[::-1]
