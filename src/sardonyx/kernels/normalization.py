"""Normalisation of channels, as networks have it when they infer: by a factor and a shift, or by their own spread."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Row, Values, decline, lowers
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
    gap = elementwise(b, "Sub", [x, reduce_axes(b, "ReduceMean", x, axes, keep=True)], FLOATS)
    y = elementwise(b, "Div", [gap, _root_mean_square(b, node, gap, axes)], FLOATS)
    for kernel, each in (("Mul", scale), ("Add", bias)):
        y = elementwise(b, kernel, [y, Const(each.reshape(-1, *[1] * len(axes)))], FLOATS)
    return (y,)


@lowers("LayerNormalization", whole=None)
def layer_normalization(b: Builder, node: NodeView) -> Values:
    """Bring each row, from an axis on, to mean 0 and variance 1, then scale and shift it (Ba and others 2016)."""
    x, axes = _normalized(node)
    mean = reduce_axes(b, "ReduceMean", x, axes, keep=True)
    gap = elementwise(b, "Sub", [x, mean], FLOATS)
    spread = _root_mean_square(b, node, gap, axes)
    y = elementwise(b, "Mul", [elementwise(b, "Div", [gap, spread], FLOATS), node.operand(1)], FLOATS)
    y = elementwise(b, "Add", [y, node.operand(2)], FLOATS) if node.has(2) else y
    if y.shape != x.shape:
        decline("a scale of more than a row")
    inverse = b.step("Reciprocal", [spread], [(x.dtype, spread.shape)]) if node.n_outputs > 2 else ()
    return (y, mean, *inverse)[: node.n_outputs]


@lowers("RMSNormalization", whole=None)
def root_mean_square_normalization(b: Builder, node: NodeView) -> Values:
    """Divide each row, from an axis on, by the root of its mean square, then scale it (Zhang and Sennrich 2019)."""
    x, axes = _normalized(node)
    divided = elementwise(b, "Div", [x, _root_mean_square(b, node, x, axes)], FLOATS)
    y = elementwise(b, "Mul", [divided, node.operand(1)], FLOATS)
    return (y,) if y.shape == x.shape else decline("a scale of more than a row")


def _normalized(node: NodeView) -> tuple[Row, list[int]]:
    x = node.row(0)
    one_type([x, node.operand(1)], FLOATS)
    return x, list(range(node.row_axis(x, node.integer("axis", -1)), len(x.shape)))


def _root_mean_square(b: Builder, node: NodeView, x: Row, axes: list[int]) -> Row:
    """Return the root of the mean square and epsilon."""
    epsilon = Const(np.asarray(node.real("epsilon", 1e-5), x.dtype))
    square = elementwise(b, "Mul", [x, x], FLOATS)
    variance = elementwise(b, "Add", [reduce_axes(b, "ReduceMean", square, axes, keep=True), epsilon], FLOATS)
    return b.step("Sqrt", [variance], [(x.dtype, variance.shape)])[0]
