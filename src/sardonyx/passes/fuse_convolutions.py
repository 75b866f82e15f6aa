"""Conv, then what changes whole channels of its results: Conv with other weights and another bias.

::

    x ─▶ Conv ─▶ Sub mean ─▶ Mul factor ─▶ Add shift      a BatchNormalization, as networks have it when they infer
    x ─▶ Conv(weights * factor, (bias - mean) * factor + shift)

Contract: the same sums of products; each weight is rounded once more, as its factor is multiplied in. Factors that are
not finite stay where they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..lowering.program import Program, Slot, Step
from .rewriting import Uses, add_slot

#: what each step does to (weights, bias), given one number a channel
SCALES: Final = {"Mul": np.multiply, "Div": np.divide}
SHIFTS: Final = {"Add": np.add, "Sub": np.subtract}


def fuse_convolutions(program: Program) -> Program:
    """Return the program with every such chain as one step."""
    uses = Uses(program)
    steps: list[Step] = []
    for step in program.steps:
        program, changed = _fused(program, uses, step) or (program, step)
        uses.maker.update(dict.fromkeys(changed.outputs, changed))
        steps.append(changed)
    return replace(program, steps=tuple(steps))


def _fused(program: Program, uses: Uses, step: Step) -> tuple[Program, Step] | None:
    found = _convolution_before(program, uses, step)
    if found is None:
        return None
    conv, channels = found
    weights, bias = _data(program, conv.inputs[1]), np.zeros(len(channels), channels.dtype)
    bias = _data(program, conv.inputs[2]) if len(conv.inputs) > 2 else bias
    with np.errstate(all="ignore"):
        if step.kernel in SCALES:
            weights = SCALES[step.kernel](weights, channels.reshape(-1, *(1,) * (weights.ndim - 1)))
            bias = SCALES[step.kernel](bias, channels)
        else:
            bias = SHIFTS[step.kernel](bias, channels)
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        return None
    inputs = [conv.inputs[0]]
    for data in (weights, bias):
        slot = Slot(f"{program.slots[conv.inputs[1]].name}'", data.dtype.name, data.shape, np.ascontiguousarray(data))
        program, number = add_slot(program, slot)
        inputs.append(number)
    return program, replace(conv, inputs=tuple(inputs), outputs=step.outputs)


def _convolution_before(program: Program, uses: Uses, step: Step) -> tuple[Step, NDArray[Any]] | None:
    """Return the Conv whose results alone a step changes, and the numbers, one a channel, that it does so with."""
    if step.kernel not in SCALES | SHIFTS:
        return None
    sides = [step.inputs] if step.kernel in ("Sub", "Div") else [step.inputs, step.inputs[::-1]]
    for result, other in sides:
        conv = uses.sole_maker(result, "Conv")
        if conv is None or conv.params[-1] or program.slots[result].shape != program.slots[step.outputs[0]].shape:
            continue
        channels = _by_channel(program, conv, program.slots[other])
        if channels is not None:
            return conv, channels
    return None


def _by_channel(program: Program, conv: Step, other: Slot) -> NDArray[Any] | None:
    weights = _data(program, conv.inputs[1])
    axes = weights.ndim - 2
    if other.data is None or other.data.size not in (1, len(weights)):
        return None
    shape = (1,) * (axes + 1 - len(other.shape)) + other.shape
    if other.data.size > 1 and shape[-axes - 1] != len(weights):
        return None
    channels: NDArray[Any] = np.broadcast_to(other.data.reshape(-1), (len(weights),))
    return channels


def _data(program: Program, slot: int) -> NDArray[Any]:
    data = program.slots[slot].data
    assert data is not None, "the weights of Conv are constants"
    return data
