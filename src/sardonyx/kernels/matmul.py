"""Matrix products (native/kernels/linear/): a row times a constant matrix (linear.cpp), inside a row (matmul.cpp)."""

from __future__ import annotations

import math

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Operand, Row, Shape, Values, decline, lowers
from . import sparse
from .elementwise import FLOATS, INTEGERS, NUMBERS, elementwise, one_type


def linear(b: Builder, x: Row, w: Array) -> Row:
    """Return the row vector x times the matrix w."""
    if len(x.shape) != 1 or w.ndim != 2 or w.shape[0] != x.shape[0]:
        decline("the matrix does not fit the row")
    if x.sparse:
        return sparse.linear(b, x, w)
    (row,) = b.step("Linear", [x, w], [(x.dtype, (w.shape[1],))])
    return row


@lowers("MatMul")
def row_times_matrix(b: Builder, node: NodeView) -> Values:
    x, w = node.row(0), node.const(1)
    one_type([x, Const(w)], FLOATS)
    if w.ndim == 1:
        return (b.reshape(linear(b, x, w.reshape(-1, 1)), ()),)
    return (linear(b, x, w),)


@lowers("MatMul")
def matrices(b: Builder, node: NodeView) -> Values:
    """Stacks of matrices, as numpy.matmul multiplies them; a vector loses its own dimension in the product.

    Vectors of each row times one constant matrix are what Linear takes.
    """
    x, y = node.operand(0), node.operand(1)
    dtype = one_type([x, y], NUMBERS)
    left, right = _stacks(x, y)
    keeps_m, keeps_n = len(left) > 1 and not _is_vector_of_rows(x), len(right) > 1
    left, right = left if len(left) > 1 else (1, *left), right if len(right) > 1 else (*right, 1)
    (m, k), (k2, n) = left[-2:], right[-2:]
    if isinstance(x, Row) and isinstance(y, Const) and len(right) == 2 and dtype in FLOATS and k == k2 and keeps_n:
        return b.step("Linear", [x, y.array.reshape(right)], [(dtype, (*x.shape[:-1], n))])
    a_batch, b_batch = math.prod(left[:-2]), math.prod(right[:-2])
    if k != k2 or (left[:-2] != right[:-2] and 1 not in (a_batch, b_batch)):
        decline("matrices do not fit")
    stack = np.broadcast_shapes(left[:-2], right[:-2])
    shape = (*stack, *([m] if keeps_m else []), *([n] if keeps_n else []))
    params = (math.prod(stack), m, k, n, int(a_batch != 1), int(b_batch != 1))
    return b.step("MatMul", [x, y], [(dtype, shape)], params)


def _is_vector_of_rows(operand: Operand) -> bool:
    return isinstance(operand, Row) and len(operand.shape) == 1


def _stacks(x: Operand, y: Operand) -> tuple[Shape, Shape]:
    """Return the shapes of the operands for one row; the rows must be a stack, or the left side's own dimension."""
    if isinstance(x, Row) and isinstance(y, Row):
        if len(x.shape) != len(y.shape) or len(x.shape) < 2:
            decline("the rows of one operand meet another dimension of the other")
        return x.shape, y.shape
    if _is_vector_of_rows(x) and len(y.shape) <= 2:
        return (1, *x.shape), y.shape
    rows, constant = (x, y) if isinstance(x, Row) else (y, x)
    if len(rows.shape) < 2 or len(constant.shape) > len(rows.shape) + 1 or math.prod(constant.shape[:-2]) != 1:
        decline("the product runs along the rows, or a stack of constant matrices meets them")
    own = constant.shape[-2:]
    return (x.shape, own) if rows is x else (own, y.shape)


@lowers("Gemm")
def gemm_of_integers(b: Builder, node: NodeView) -> Values:
    x, w, factors = node.row(0), node.const(1), [node.real(name, 1.0) for name in ("alpha", "beta")]
    if x.dtype not in INTEGERS or Const(w).dtype != x.dtype:
        decline("")
    if node.integer("transA", 0) or len(x.shape) != 1 or w.ndim != 2 or not all(f.is_integer() for f in factors):
        decline("the rows are transposed, or integers are multiplied by a fraction")
    w = np.ascontiguousarray(w.T) if node.integer("transB", 0) else w
    k, n = w.shape
    if k != x.width:
        decline("the matrix does not fit the row")
    alpha, beta = (np.array(int(factor)).astype(w.dtype) for factor in factors)
    (y,) = b.step("MatMul", [x, w * alpha], [(x.dtype, (n,))], (1, 1, k, n, 0, 0))
    if not node.has(2):
        return (y,)
    return (elementwise(b, "Add", [y, elementwise_times(b, node.operand(2), beta)], INTEGERS),)


def elementwise_times(b: Builder, x: Operand, factor: Array) -> Operand:
    """Return x times a number."""
    if isinstance(x, Const):
        return Const(x.array * factor)
    return x if factor == 1 else elementwise(b, "Mul", [x, Const(factor)], INTEGERS)


@lowers("Gemm")
def gemm(b: Builder, node: NodeView) -> Values:
    x, w = node.row(0), node.const(1)
    one_type([x, Const(w)], FLOATS)
    if node.integer("transA", 0):
        decline("the rows are transposed")
    w = w.T if node.integer("transB", 0) else w
    product = linear(b, x, _scaled(w, node.real("alpha", 1.0)))
    if not node.has(2):
        return (product,)
    bias, beta = node.operand(2), node.real("beta", 1.0)
    if isinstance(bias, Const):
        bias = Const(_scaled(bias.array, beta))
    elif beta != 1.0:
        bias = elementwise(b, "Mul", [bias, Const(np.asarray(beta, dtype=bias.dtype))], FLOATS)
    return (elementwise(b, "Add", [product, bias], FLOATS),)


def _scaled(array: Array, factor: float) -> Array:
    return array if factor == 1.0 else np.asarray(array * array.dtype.type(factor))
