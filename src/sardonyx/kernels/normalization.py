"""Normalisation of channels, as networks have it when they infer: by a factor and a shift, or by their own spread."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Values, decline, lowers
from .elementwise import FLOATS, elementwise, one_type
from .reduce import reduce_axes


@lowers("BatchNormalization", whole=None)
def batch_normalization(b: Builder, node: NodeView) -> Values:
    """Channels are the second dimension, or the only one."""
    x = node.row(0)
    dtype = one_type([x], FLOATS)
    if node.integer("training_mode", 0) or node.n_outputs > 1 or node.integer("spatial", 1) != 1:
        decline("statistics of the batch")
    scale, shift, mean, variance = (node.const(i).astype(dtype) for i in range(1, 5))
    factor = scale / np.sqrt(variance + np.asarray(node.real("epsilon", 1e-5), dtype))
    behind = (1,) * max(0, x.rank - 2)

    def each(values: Array) -> Const:
        return Const(values.reshape(values.shape + behind))

    centred = elementwise(b, "Sub", [x, each(mean)], FLOATS)
    return (elementwise(b, "Add", [elementwise(b, "Mul", [centred, each(factor)], FLOATS), each(shift)], FLOATS),)


@lowers("InstanceNormalization", whole=None)
def instance_normalization(b: Builder, node: NodeView) -> Values:
    """Bring every channel of a row to mean 0 and variance 1 over what follows the channels, then scale and shift it."""
    x, scale, bias = node.row(0), node.const(1), node.const(2)
    one_type([x, Const(scale), Const(bias)], FLOATS)
    channel = 0 - x.lead
    axes = list(range(channel + 1, len(x.shape)))
    if not axes or scale.shape != (x.shape[channel],) or bias.shape != scale.shape:
        decline("no channels, or not one scale and one bias a channel")
    epsilon = Const(np.asarray(node.real("epsilon", 1e-5), x.dtype))
    gap = elementwise(b, "Sub", [x, reduce_axes(b, "ReduceMean", x, axes, keep=True)], FLOATS)
    square = elementwise(b, "Mul", [gap, gap], FLOATS)
    variance = elementwise(b, "Add", [reduce_axes(b, "ReduceMean", square, axes, keep=True), epsilon], FLOATS)
    (spread,) = b.step("Sqrt", [variance], [(x.dtype, variance.shape)])
    y = elementwise(b, "Div", [gap, spread], FLOATS)
    for kernel, each in (("Mul", scale), ("Add", bias)):
        y = elementwise(b, kernel, [y, Const(each.reshape(-1, *[1] * len(axes)))], FLOATS)
    return (y,)
