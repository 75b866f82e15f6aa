"""What passes ask of a program: who makes a slot, and how many read it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..lowering.program import Program, Slot, Step


class Uses:
    """Makers and readers of a program's slots."""

    def __init__(self, program: Program) -> None:
        self.maker: dict[int, Step] = {slot: step for step in program.steps for slot in step.outputs}
        self.readers = Counter(slot for step in program.steps for slot in step.inputs)
        self.readers.update(program.outputs)

    def sole_maker(self, slot: int, kernel: str) -> Step | None:
        """Return the step of `kernel` that makes the slot, if no other than the asking step reads it."""
        step = self.maker.get(slot)
        return step if step is not None and step.kernel == kernel and self.readers[slot] == 1 else None


def add_slot(program: Program, slot: Slot) -> tuple[Program, int]:
    """Return the program with one more slot, and its number."""
    return replace(program, slots=(*program.slots, slot)), len(program.slots)
