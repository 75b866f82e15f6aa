"""Linear, then Linear: one Linear, where what stands between is much wider than either end.

::

    X ─▶ Linear(training rows) ─▶ Linear(dual coefficients)        a linear kernel: as many columns as training rows
    X ─▶ Linear(training rows @ dual coefficients)

Contract: the same sums in another order, each constant product rounded once. Two steps of like widths stay two: a
principal component analysis before a classifier is not undone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..lowering.program import Program, Step
from .rewriting import Uses, add_slot

#: how many times wider
WIDE = 4


def merge_linears(program: Program) -> Program:
    """Return the program with every such pair as one step."""
    steps: list[Step] = []
    uses = Uses(program)
    for step in program.steps:
        program, changed = _merged(program, uses, step) or (program, step)
        steps.append(changed)
    return replace(program, steps=tuple(steps))


def _merged(program: Program, uses: Uses, second: Step) -> tuple[Program, Step] | None:
    first = uses.sole_maker(second.inputs[0], "Linear") if second.kernel == "Linear" else None
    if first is None or first.params:
        return None
    inner, outer = (_matrix(program, step.inputs[1]) for step in (first, second))
    if inner is None or outer is None or inner.shape[1] != len(outer):  # the rows of the second may be several vectors
        return None
    if len(outer) < WIDE * max(len(inner), outer.shape[1]):
        return None
    slots, biases = [inner @ outer], [_bias(program, first), _bias(program, second)]
    if biases[0] is not None:
        slots.append(biases[0] @ outer + (0.0 if biases[1] is None else biases[1]))
    elif biases[1] is not None:
        slots.append(biases[1])
    inputs = [first.inputs[0]]
    for data in slots:
        like = program.slots[second.inputs[1]]
        program, slot = add_slot(program, replace(like, shape=data.shape, data=np.ascontiguousarray(data)))
        inputs.append(slot)
    return program, replace(second, inputs=tuple(inputs))


def _bias(program: Program, linear: Step) -> NDArray[np.float64] | None:
    return _matrix(program, linear.inputs[2]) if len(linear.inputs) == 3 else None


def _matrix(program: Program, slot: int) -> NDArray[np.float64] | None:
    """Return a constant in float64; other dtypes stay as they are computed."""
    data = program.slots[slot].data
    return np.asarray(data) if data is not None and data.dtype == np.float64 else None
