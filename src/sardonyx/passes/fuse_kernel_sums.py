"""Squared distances to constant rows, their exponentials and a product with constant weights: one step KernelSums.

::

    X ─▶ PairwiseDistances ─▶ Mul(-gamma) ─▶ Exp ─▶ Mul(factor) ... ─▶ Linear(weights)      a Gaussian process
                                                 (and Add(0), a WhiteKernel)
    X ─▶ KernelSums(gamma; rows, factor * weights)

Contract: the same sums within a few units in the last place of their terms; the matrix of rows by rows is not made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..lowering.program import Program, Slot, Step
from .rewriting import Uses, add_slot

#: codes of native/kernels/neighbors/space.h and svm.cpp
SQEUCLIDEAN, BRUTE, RBF = 1, 0, 1


def fuse_kernel_sums(program: Program) -> Program:
    """Return the program with every such chain as one step."""
    uses = Uses(program)
    steps: list[Step] = []
    for step in program.steps:
        fused = _fused(program, uses, step) if step.kernel == "Linear" else None
        program, changed = fused or (program, step)
        steps.append(changed)
    return replace(program, steps=tuple(steps))


def _fused(program: Program, uses: Uses, linear: Step) -> tuple[Program, Step] | None:
    slot, factor = _scaled(program, uses, linear.inputs[0])
    exp = uses.sole_maker(slot, "Exp")
    if exp is None or len(linear.inputs) != 2:
        return None
    slot, rate = _scaled(program, uses, exp.inputs[0])
    distances = uses.sole_maker(slot, "PairwiseDistances")
    weights = program.slots[linear.inputs[1]].data
    if distances is None or weights is None or weights.dtype != np.float64 or not rate <= 0:
        return None
    metric, _, algorithm, single, _ = distances.params
    if (metric, algorithm, single) != (SQEUCLIDEAN, BRUTE, 0):
        return None
    coefficients: NDArray[np.float64] = np.ascontiguousarray(np.multiply(weights.T, factor))
    program, added = add_slot(program, _like(program.slots[linear.inputs[1]], coefficients))
    params = (RBF, 0, -rate, 0.0, len(weights))
    inputs = (*distances.inputs[:2], added)
    return program, Step("KernelSums", inputs, linear.outputs, params, linear.label)


def _scaled(program: Program, uses: Uses, slot: int) -> tuple[int, float]:
    """Return what is behind products with constant numbers (and sums with 0), and the product of these."""
    factor = 1.0
    while step := uses.sole_maker(slot, "Mul") or uses.sole_maker(slot, "Add"):
        for x, y in (step.inputs, step.inputs[::-1]):
            number = program.slots[y].data
            alike = program.slots[x].shape == program.slots[slot].shape
            if number is not None and number.size == 1 and alike and (step.kernel == "Mul" or not number.any()):
                slot, factor = x, factor * (float(number.reshape(())) if step.kernel == "Mul" else 1.0)
                break
        else:
            return slot, factor
    return slot, factor


def _like(slot: Slot, data: NDArray[np.float64]) -> Slot:
    return replace(slot, shape=data.shape, data=data)
