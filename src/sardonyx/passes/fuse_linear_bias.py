"""Linear, then Add of a constant vector: Linear with a bias.

SparseLinear likewise. Contract: the sum of products is the same; the bias joins it in the same precision, so the last
bit may differ. A change of the row's shape between the two (a copy of one number) is passed over.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lowering.program import Program, Slot, Step
from .rewriting import Uses, add_slot


def fuse_linear_bias(program: Program) -> Program:
    """Return the program with every such pair as one step."""
    uses = Uses(program)
    steps: list[Step] = []
    for step in program.steps:
        linear = _linear_before(program, uses, step)
        if linear is None:
            steps.append(step)
            continue
        product, bias = linear
        program, slot = add_slot(program, bias)
        steps.append(replace(product, inputs=(*product.inputs, slot), outputs=step.outputs))
    return replace(program, steps=tuple(steps))


def _linear_before(program: Program, uses: Uses, step: Step) -> tuple[Step, Slot] | None:
    if step.kernel != "Add":
        return None
    for product, other in (step.inputs, step.inputs[::-1]):
        linear = _maker(uses, product)
        if linear is None or len(linear.inputs) != 2:
            continue
        bias = _as_bias(program.slots[other], program.slots[linear.inputs[1]].shape[1])
        if bias is not None and program.slots[step.outputs[0]].shape == program.slots[product].shape:
            return linear, bias
    return None


def _maker(uses: Uses, slot: int) -> Step | None:
    reshaped = uses.sole_maker(slot, "Identity")
    product = reshaped.inputs[0] if reshaped else slot
    return uses.sole_maker(product, "Linear") or uses.sole_maker(product, "SparseLinear")


def _as_bias(slot: Slot, n: int) -> Slot | None:
    if slot.data is None or slot.data.size not in (1, n) or (slot.shape and slot.shape[-1] != slot.data.size):
        return None
    data = np.ascontiguousarray(np.broadcast_to(slot.data.reshape(-1), (n,)))
    return replace(slot, shape=(n,), data=data)
