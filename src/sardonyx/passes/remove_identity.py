"""Removes copies: readers of an Identity that keeps the shape read its input instead.

Contract: a copy that is an output of the program stays, because an output has a name of its own.
"""

from __future__ import annotations

from dataclasses import replace

from ..lowering.program import Program, Step


def remove_identity(program: Program) -> Program:
    """Return the program with every reader of a copy reading the original."""
    origin: dict[int, int] = {}
    steps: list[Step] = []
    for step in program.steps:
        moved = replace(step, inputs=tuple(origin.get(slot, slot) for slot in step.inputs))
        if _is_copy(program, moved):
            origin[moved.outputs[0]] = moved.inputs[0]
        else:
            steps.append(moved)
    return replace(program, steps=tuple(steps))


def _is_copy(program: Program, step: Step) -> bool:
    if step.kernel != "Identity" or step.outputs[0] in program.outputs:
        return False
    return program.slots[step.inputs[0]].shape == program.slots[step.outputs[0]].shape
