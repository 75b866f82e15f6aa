"""BatchNormalization as networks have it when they infer: a factor and a shift for every channel."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Values, decline, lowers
from .elementwise import FLOATS, elementwise, one_type


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
