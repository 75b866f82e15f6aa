"""Products of count sketches (native/kernels/svm/sketch.cpp)."""

from __future__ import annotations

import numpy as np

from ..lowering.rules import Builder, NodeView, Values, decline, lowers


@lowers("SketchProduct", domain="sardonyx")
def sketch_product(b: Builder, node: NodeView) -> Values:
    z, x, places, signs = node.row(0), node.row(1), node.const(2), node.const(3)
    if {z.dtype, x.dtype} != {"float64"} or signs.dtype != np.float64 or places.dtype != np.int64:
        decline("other dtypes than the operator has")
    return b.step("SketchProduct", [z, x, places, signs], [(z.dtype, z.shape)])
