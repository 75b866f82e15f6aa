"""Sparse rows: what other families of rules ask for when a row is sparse (native/kernels/sparse_*.cpp, densify.cpp).

::

    X sparse ─▶ f, element by element      on the entries only, if f of zeros and the constants is zero everywhere
             ─▶ times, by a number a row   SparseScale          ─▶ along the row      SparseReduce
             ─▶ times a matrix             SparseLinear         ─▶ some columns       SparseGather, sparse or dense
             ─▶ beside other rows          SparseConcat         ─▶ anything else      Densify, by the builder

Nothing here decides what a node means: every function returns None, or is not asked, where dense rows would give
something else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from ..lowering.program import Param
from ..lowering.rules import Array, Builder, Const, Entries, Operand, Row, Shape

#: what a kernel of several operands computes
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Min": np.minimum,
    "Max": np.maximum,
    "Pow": np.power,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Equal": np.equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Where": np.where,
}

#: kernels of one operand that make zero of zero
ZERO_STAYS: Final = frozenset(
    [
        "Abs",
        "Neg",
        "Sign",
        "Relu",
        "Sqrt",
        "Softsign",
        "Tanh",
        "Erf",
        "Floor",
        "Ceil",
        "Round",
        "Sin",
        "Tan",
        "Asin",
        "Atan",
        "Sinh",
        "Asinh",
        "Atanh",
        "Cast",
        "CheckFinite",
        "IsNaN",
        "IsInf",
    ]
)

#: reductions along a row, as SparseReduce numbers them
_FOLDS: Final = ("ReduceSum", "ReduceL1", "ReduceSumSquare", "ReduceL2", "ReduceMax", "ReduceMin")
_FLOATS: Final = frozenset({"float32", "float64"})

#: One-hot blocks are sparse from this width on, where at most one column in so many is set: one 64-byte line of memory
#: for each feature is what a sparse row costs, roughly.
ONE_HOT_WIDTH, ONE_HOT_RATIO = 64, 8
#: Weights are kept sparse from this width on, where at most one in so many is not zero.
SPARSE_WEIGHTS_WIDTH, SPARSE_WEIGHTS_RATIO = 16, 8
#: Joined rows are sparse if the dense pieces are no more than this part of the columns.
DENSE_PART: Final = 4


def on_entries(b: Builder, kernel: str, operands: Sequence[Operand], shape: Shape, result: str) -> Row | None:
    """Return a step of an elementwise kernel on the entries of its sparse operands; None where that is not all."""
    rows = [operand for operand in operands if isinstance(operand, Row)]
    if not rows or any(not row.sparse or row.shape != shape for row in rows):
        return None
    if len({b.entries(row.slot) for row in rows}) > 1 or not _stays_zero(kernel, operands):
        return None
    x = rows[0]
    beside = [operand if isinstance(operand, Row) else _beside(b, x, operand) for operand in operands]
    (row,) = b.step(kernel, beside, [(result, shape)], entries_of=x)
    return row


def _stays_zero(kernel: str, operands: Sequence[Operand]) -> bool:
    function = _FUNCTIONS.get(kernel)
    if function is None:
        return False
    zeros = [o.array if isinstance(o, Const) else np.zeros(1, o.dtype) for o in operands]
    with np.errstate(all="ignore"):
        return bool(np.all(function(*zeros) == 0))


def _beside(b: Builder, x: Row, constant: Const) -> Operand:
    """Return a constant as an operand of a step on the entries of x: one number, or one laid beside each entry."""
    if constant.array.size == 1:
        return Const(constant.array.reshape(()))
    (row,) = b.step("AtEntries", [x, constant.array.reshape(-1)], [(constant.dtype, x.shape)], entries_of=x)
    return row


def scaled(b: Builder, kernel: str, operands: Sequence[Operand]) -> Row | None:
    """Return sparse rows times, or divided by, one number a row."""
    if kernel not in ("Mul", "Div") or len(operands) != 2:
        return None
    x, scale = operands if _is_sparse(operands[0]) or kernel == "Div" else operands[::-1]
    if not (isinstance(x, Row) and isinstance(scale, Row)) or not x.sparse or scale.sparse or scale.shape != (1,):
        return None
    if x.dtype not in _FLOATS or x.shape == (1,):
        return None
    params = [int(kernel == "Div")]
    (row,) = b.step("SparseScale", [x, scale], [(x.dtype, x.shape)], params, takes_sparse=True, gives_sparse=True)
    return row


def _is_sparse(operand: Operand) -> bool:
    return isinstance(operand, Row) and operand.sparse


def one_operand(
    b: Builder, kernel: str, x: Row, result: str, params: Iterable[Param] = (), label: str | None = None
) -> Row:
    """Return a step of an elementwise kernel of one operand, on the entries of sparse rows if zero stays zero."""
    sparse = x if x.sparse and kernel in ZERO_STAYS else None
    (row,) = b.step(kernel, [x], [(result, x.shape)], params, label, entries_of=sparse)
    return row


def fold(kernel: str) -> int:
    """Return the number of a reduction that SparseReduce has."""
    return _FOLDS.index(kernel)


def reduced(b: Builder, kernel: str, x: Row, shape: Shape) -> Row | None:
    """Return the reduction of whole sparse rows."""
    if not x.sparse or kernel not in _FOLDS or x.dtype not in _FLOATS or not x.width:
        return None
    (row,) = b.step("SparseReduce", [x], [(x.dtype, shape)], [fold(kernel)], takes_sparse=True)
    return row


def linear(b: Builder, x: Row, w: Array) -> Row:
    """Return sparse rows times the matrix w, of which only what is not zero is kept where that is little."""
    if _are_few(int(np.count_nonzero(w)), w.shape):
        return _product(b, x, Entries.of(w))
    (row,) = b.step("SparseLinear", [x, w], [(x.dtype, (w.shape[1],))], takes_sparse=True)
    return row


def products(b: Builder, x: Row, fit: Entries) -> Row:
    """Return the products of sparse rows with the rows of a matrix."""
    w = fit.transposed()
    return _product(b, x, w) if _are_few(len(w.values), w.shape) else linear(b, x, w.dense())


def _are_few(entries: int, shape: Shape) -> bool:
    return shape[1] >= SPARSE_WEIGHTS_WIDTH and entries * SPARSE_WEIGHTS_RATIO <= math.prod(shape)


def _product(b: Builder, x: Row, w: Entries) -> Row:
    operands: list[Row | Array] = [x, w.starts(), w.columns.astype(np.int32), w.values]
    return b.step("SparseProduct", operands, [(x.dtype, (w.shape[1],))], takes_sparse=True)[0]


def chosen(b: Builder, x: Row, columns: Array, *, dense: bool = False) -> Row | None:
    """Return some columns of sparse rows."""
    if not x.sparse or columns.ndim != 1 or len(columns) > np.iinfo(np.int32).max:
        return None
    operands: list[Operand | Array] = [x, columns.astype(np.int64)]
    form = (x.dtype, (len(columns),))
    (row,) = b.step("SparseGather", operands, [form], takes_sparse=True, gives_sparse=not dense)
    return row


def joined(b: Builder, pieces: Sequence[Row]) -> Row | None:
    """Return rows joined, sparse, where that pays."""
    width, dense = sum(row.width for row in pieces), sum(row.width for row in pieces if not row.sparse)
    if all(not row.sparse for row in pieces) or dense * DENSE_PART > width:
        return None
    form = (pieces[0].dtype, (width,))
    (row,) = b.step("SparseConcat", pieces, [form], takes_sparse=True, gives_sparse=True)
    return row


def pays_for_one_hot(features: int, width: int) -> bool:
    """Whether one-hot blocks should be sparse."""
    return width > ONE_HOT_WIDTH and width >= ONE_HOT_RATIO * features
