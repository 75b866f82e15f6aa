"""Kernel machines (native/kernels/svm/svm.cpp)."""

from __future__ import annotations

from ..lowering.rules import Builder, NodeView, Values, decline, lowers
from . import sparse_distances

KERNELS = {"poly": 0, "rbf": 1, "sigmoid": 2}


@lowers("KernelSums", domain="sardonyx")
def kernel_sums(b: Builder, node: NodeView) -> Values:
    """Add one step; the kernel's parameters become the step's."""
    x, coefficients = node.row(0), node.const(2)
    gamma, coef0 = float(node.const(3)), float(node.const(4))
    sizes, kernel = node.integers("n_support") or (), node.text("kernel", "")
    if x.dtype != "float64" or kernel not in KERNELS:
        decline("another kernel or dtype than the operator has")
    degree = node.integer("degree", 3)
    if x.sparse:
        sums = sparse_distances.kernel_sums(b, x, node.entries(1), coefficients, kernel, degree, gamma, coef0, sizes)
        if sums is not None:
            return (sums,)
    params = (KERNELS[kernel], degree, gamma, coef0, *sizes)
    return b.step(
        "KernelSums", [x, node.const(1), coefficients], [(x.dtype, (len(sizes) * len(coefficients),))], params
    )


@lowers("PairwiseCoupling", domain="sardonyx")
def pairwise_coupling(b: Builder, node: NodeView) -> Values:
    """Add one step."""
    x = node.row(0)
    return b.step("PairwiseCoupling", [x], [(x.dtype, (node.integer("n_classes", 0),))])
