"""Linear or Conv, then Relu: one step whose negative results become 0.

Contract: bit-identical.
"""

from __future__ import annotations

from dataclasses import replace

from ..lowering.program import Program, Step
from .rewriting import Uses


def fuse_relu(program: Program) -> Program:
    """Return the program with every such pair as one step."""
    uses = Uses(program)
    steps: list[Step] = []
    for step in program.steps:
        sums = _sums_before(uses, step)
        steps.append(step if sums is None else replace(sums, outputs=step.outputs, params=(*sums.params[:-1], 1)))
    return replace(program, steps=tuple(steps))


def _sums_before(uses: Uses, step: Step) -> Step | None:
    if step.kernel != "Relu":
        return None
    return uses.sole_maker(step.inputs[0], "Linear") or uses.sole_maker(step.inputs[0], "Conv")
