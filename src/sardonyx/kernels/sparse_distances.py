"""Sparse rows against training rows: squares, cosines, kernel sums, of products (native/kernels/sparse/product.cpp).

::

    X sparse ─┬▶ X @ Y.T ────────────▶ -2 x.y + x.x + y.y, not below 0 ─▶ squares     ─▶ exp(-gamma d)  ┐
              └▶ sum of its squares ─▶                                   (x.y + coef0)^degree, tanh     ├▶ @ dual_coef
    X sparse ─▶ / its norm ─▶ X @ Y.T ─▶ 1 - x.y within [0, 2]            cosine distances

The order of sums is SciPy's: its products of CSR matrices, its sums of squares of rows. Rows are never made dense; what
is made is one number a training row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..lowering.rules import Array, Builder, Const, Entries, Row
from . import sparse
from .elementwise import cast_row

#: how far squares may be off, where kernel values are made of them
LARGEST_ERROR = 1e-11


def _step(b: Builder, kernel: str, x: Row, other: Row | Array | float) -> Row:
    operand = other if isinstance(other, Row) else Const(np.asarray(other, x.dtype))
    return b.step(kernel, [x, operand], [(x.dtype, x.shape)])[0]


def _one(b: Builder, kernel: str, x: Row) -> Row:
    return b.step(kernel, [x], [(x.dtype, x.shape)])[0]


def _total(b: Builder, x: Row, kernel: str = "ReduceSum") -> Row:
    return b.step("SparseReduce", [x], [(x.dtype, (1,))], [sparse.fold(kernel)], takes_sparse=True)[0]


def summed_squares(fit: Entries) -> Array:
    """Return the float64 sum of the squares of each row, which are of its dtype, from its first column to its last."""
    squares = (fit.values * fit.values).astype(np.float64)
    return np.bincount(fit.rows, weights=squares, minlength=fit.shape[0])


def expanded_squares(b: Builder, x: Row, fit: Entries, squares: Array) -> Row:
    """Return ``max(-2 x.y + x.x + y.y, 0)`` in float64 for sparse rows of floats, given the squares of `fit`."""
    x = cast_row(b, x, "float64")
    products = _step(b, "Mul", sparse.products(b, x, fit.astype(np.float64)), -2.0)
    sums = _step(b, "Add", _step(b, "Add", products, _total(b, x, "ReduceSumSquare")), squares)
    return _step(b, "Max", sums, 0.0)


def euclidean_distances(b: Builder, x: Row, fit: Entries) -> Row:
    """Return ``euclidean_distances`` of two sparse matrices, float64 holding what is rounded to the rows' dtype."""
    squares = cast_row(b, expanded_squares(b, x, fit, summed_squares(fit.astype(np.float64))), x.dtype)
    return cast_row(b, _one(b, "Sqrt", squares), "float64")


def cosine_distances(b: Builder, x: Row, fit: Entries) -> Row:
    """Return one less the cosine of the angle between sparse rows and training rows; norms are float64."""
    unit = cast_row(b, _divided(b, cast_row(b, x, "float64"), _norm(b, x)), x.dtype)
    norms = np.sqrt(summed_squares(fit))
    known = replace(fit, values=(fit.values / norms[fit.rows]).astype(fit.values.dtype))
    distances = _step(b, "Add", _step(b, "Mul", sparse.products(b, unit, known), -1.0), 1.0)
    return _step(b, "Min", _step(b, "Max", distances, 0.0), 2.0)


def _norm(b: Builder, x: Row) -> Row:
    """Return the length of each row, and 1 of rows of zeros: squares are of the dtype of x, their sum is float64."""
    (squares,) = b.step("Mul", [x, x], [(x.dtype, x.shape)], entries_of=x)
    norm = _one(b, "Sqrt", _total(b, cast_row(b, squares, "float64")))
    (zero,) = b.step("Equal", [norm, np.zeros(())], [("bool", (1,))])
    return b.step("Where", [zero, np.ones(()), norm], [("float64", (1,))])[0]


def _divided(b: Builder, x: Row, by: Row) -> Row:
    return b.step("SparseScale", [x, by], [(x.dtype, x.shape)], [1], takes_sparse=True, gives_sparse=True)[0]


def kernel_sums(
    b: Builder,
    x: Row,
    vectors: Entries,
    coefficients: Array,
    kernel: str,
    degree: int,
    gamma: float,
    coef0: float,
    sizes: Sequence[int],
) -> Row | None:
    """Return the sums of ``KernelSums`` for sparse rows; None where expanded squares are not exact enough."""
    if kernel == "rbf":
        squares = summed_squares(vectors)
        # a row as near as to matter is about as long as a vector, and as full, or the kernel is 0
        terms = 2 * np.bincount(vectors.rows, minlength=1).max() + 8
        if not 8 * terms * 2.0**-53 * abs(gamma) * squares.max(initial=0) <= LARGEST_ERROR:
            return None
        values = _one(b, "Exp", _step(b, "Mul", expanded_squares(b, x, vectors, squares), -gamma))
    else:
        values = _step(b, "Add", _step(b, "Mul", sparse.products(b, x, vectors), gamma), coef0)
        values = _one(b, "Tanh", values) if kernel == "sigmoid" else _step(b, "Pow", values, float(degree))
    return _weighted(b, values, coefficients, sizes)


def _weighted(b: Builder, values: Row, coefficients: Array, sizes: Sequence[int]) -> Row:
    """Return the sums of every group, for every row of coefficients: one product, with zeros for other groups."""
    rows, stops = len(coefficients), np.cumsum(sizes)
    weights = np.zeros((coefficients.shape[1], len(sizes) * rows))
    for group, (stop, size) in enumerate(zip(stops, sizes, strict=True)):
        weights[stop - size : stop, group * rows : (group + 1) * rows] = coefficients[:, stop - size : stop].T
    return b.step("Linear", [values, weights], [("float64", (weights.shape[1],))])[0]
