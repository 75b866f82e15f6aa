"""Sub of a constant vector, then Div by one: one step SubDiv, as a StandardScaler needs it.

Contract: bit-identical; the difference is rounded before it is divided, as in two steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lowering.program import Program, Slot, Step
from .rewriting import Uses, add_slot


def fuse_sub_div(program: Program) -> Program:
    """Return the program with every such pair as one step."""
    uses = Uses(program)
    steps: list[Step] = []
    for step in program.steps:
        sub = uses.sole_maker(step.inputs[0], "Sub") if step.kernel == "Div" else None
        pair = _constants(program, sub, step) if sub is not None else None
        if sub is None or pair is None:
            steps.append(step)
            continue
        program, mean = add_slot(program, pair[0])
        program, scale = add_slot(program, pair[1])
        steps.append(Step("SubDiv", (sub.inputs[0], mean, scale), step.outputs, (), step.label))
    return replace(program, steps=tuple(steps))


def _constants(program: Program, sub: Step, div: Step) -> tuple[Slot, Slot] | None:
    x, y = program.slots[sub.inputs[0]], program.slots[div.outputs[0]]
    mean, scale = program.slots[sub.inputs[1]], program.slots[div.inputs[1]]
    if x.data is not None or x.sparse or x.shape != y.shape or x.dtype not in ("float32", "float64"):
        return None
    if mean.data is None or scale.data is None:
        return None
    return _spread(mean, x.shape), _spread(scale, x.shape)


def _spread(slot: Slot, shape: tuple[int, ...]) -> Slot:
    assert slot.data is not None
    return replace(slot, shape=shape, data=np.array(np.broadcast_to(slot.data, shape), order="C"))
