"""Linear, then Relu: Linear whose negative results become 0.

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
        linear = uses.sole_maker(step.inputs[0], "Linear") if step.kernel == "Relu" else None
        steps.append(step if linear is None else replace(linear, outputs=step.outputs, params=(1,)))
    return replace(program, steps=tuple(steps))
