"""CheckFinite, then Linear or SparseLinear to fewer numbers: a product that refuses what its results show.

::

    X ─▶ CheckFinite ─▶ Linear      every number is read twice
    X ─▶ Linear(refuses)            once: what is not finite makes its sums not finite (kernels/linear/linear.cpp)

Contract: bit-identical; the same rows are refused with the same words, before and after the same other steps. So the
new step stands where the check stood: all else that Linear reads is constant.
"""

from __future__ import annotations

from dataclasses import replace

from ..lowering.program import Program, Step
from .rewriting import Uses

#: params with which rows that are not finite are refused (Linear: and no Relu)
REFUSES = {"Linear": (0, 1), "SparseLinear": (1,)}
#: numbers of a result that are likely to be fewer than the entries of a sparse row
FEW = 16


def fuse_check_finite(program: Program) -> Program:
    """Return the program with every such pair as one step."""
    uses = Uses(program)
    pairs = [(check, step) for step in program.steps if (check := _check_before(program, uses, step)) is not None]
    fused = {check.outputs: _fused(check, linear) for check, linear in pairs}
    gone = {linear.outputs for _, linear in pairs}
    return replace(
        program, steps=tuple(fused.get(step.outputs, step) for step in program.steps if step.outputs not in gone)
    )


def _check_before(program: Program, uses: Uses, step: Step) -> Step | None:
    if step.kernel not in REFUSES or step.params:
        return None
    check = uses.sole_maker(step.inputs[0], "CheckFinite")
    if check is None or check.params != (0,):
        return None
    x, y = program.slots[step.inputs[0]], program.slots[step.outputs[0]]
    few = y.width <= FEW if x.sparse else y.width < x.width
    return check if few and y.width > 0 else None


def _fused(check: Step, linear: Step) -> Step:
    return replace(linear, inputs=(*check.inputs, *linear.inputs[1:]), params=REFUSES[linear.kernel], label=check.label)
