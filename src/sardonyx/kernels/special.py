"""Special functions of one number (native/kernels/elementwise/normal.cpp, bessel.cpp)."""

from __future__ import annotations

from ..lowering.rules import Builder, NodeView, Values, decline, lowers


@lowers("Ndtr", "Ndtri", domain="sardonyx")
def normal(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    if x.dtype != "float64":
        decline("another dtype than the operator has")
    return b.step(node.op_type.split(":")[0], [x], [(x.dtype, x.shape)])


@lowers("BesselK", domain="sardonyx")
def bessel_k(b: Builder, node: NodeView) -> Values:
    x, order = node.row(0), node.const(1)
    if x.dtype != "float64" or order.dtype != x.dtype or order.size != 1:
        decline("another dtype than the operator has")
    return b.step("BesselK", [x, order.reshape(1)], [(x.dtype, x.shape)])
