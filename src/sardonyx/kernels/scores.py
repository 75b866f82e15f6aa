"""What operators of ai.onnx.ml do with their scores: post transforms, the second column of two classes, the labels.

::

    scores (N, k) ──▶ two_columns ──▶ transformed ──▶ Z            one score for two classes becomes a pair of them
                          └──▶ index of the class ──▶ table ──▶ Y

The standard says little about this; what it leaves open is as ONNX Runtime has it (core/providers/cpu/ml/ml_common.h).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Operand, Row, as_constant, decline
from .elementwise import FLOATS, elementwise
from .reduce import reduce_axes
from .shape import concat_rows, look_up, slice_axis

TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
#: what SOFTMAX_ZERO takes for zero
ZERO = 1e-7


def transform_of(node: NodeView) -> str:
    """Return the post transform of a node."""
    name = node.text("post_transform", "NONE")
    return name if name in TRANSFORMS else decline(f"there is no post transform {name}")


def transformed(b: Builder, x: Row, transform: str) -> Row:
    """Return scores of shape (N, k) after a post transform."""
    if transform == "SOFTMAX":
        return b.step("Softmax", [x], [(x.dtype, x.shape)], (1, x.width, 1))[0]
    if transform == "LOGISTIC":
        return unary(b, "Sigmoid", x)
    if transform == "SOFTMAX_ZERO":
        return _softmax_zero(b, x)
    return _probit(b, x) if transform == "PROBIT" else x


def _softmax_zero(b: Builder, x: Row) -> Row:
    """Softmax in which scores of zero stay small: they are multiplied instead of exponentiated."""
    top = reduce_axes(b, "ReduceMax", x, [0], keep=True)
    powers = unary(b, "Exp", binary(b, "Sub", x, top))
    small = binary(b, "Mul", x, unary(b, "Exp", unary(b, "Neg", top)))
    far = elementwise(b, "Greater", [unary(b, "Abs", x), number(x, ZERO)], FLOATS, "bool")
    (terms,) = b.step("Where", [far, powers, small], [(x.dtype, x.shape)])
    total = reduce_axes(b, "ReduceSum", terms, [0], keep=True)
    is_zero = elementwise(b, "Equal", [total, number(x, 0)], FLOATS, "bool")
    (result,) = b.step("Where", [is_zero, number(x, 0.5), binary(b, "Div", terms, total)], [(x.dtype, x.shape)])
    return result


def _probit(b: Builder, x: Row) -> Row:
    """Return quantiles of the normal distribution: S. Winitzki, approximation of the inverse error function, 2008."""
    z = binary(b, "Sub", binary(b, "Mul", x, number(x, 2)), number(x, 1))
    product = binary(b, "Mul", binary(b, "Sub", number(x, 1), z), binary(b, "Add", z, number(x, 1)))
    log = unary(b, "Log", product)
    v = binary(b, "Add", binary(b, "Mul", log, number(x, 0.5)), number(x, 2 / (math.pi * 0.147)))
    inside = binary(b, "Sub", binary(b, "Mul", v, v), binary(b, "Mul", log, number(x, 1 / 0.147)))
    root = unary(b, "Sqrt", binary(b, "Sub", unary(b, "Sqrt", inside), v))
    return binary(b, "Mul", binary(b, "Mul", unary(b, "Sign", z), root), number(x, 1.41421356))


# ---- classes ---------------------------------------------------------------------------------------------------------


def class_labels(node: NodeView, integers: str, strings: str) -> Array:
    """Return the labels of the classes, of int64 or text."""
    given: Any = node.attributes.get(strings)
    if given:
        return as_constant(np.array(given, dtype=object))
    given = node.attributes.get(integers)
    return np.array(given, np.int64) if given else decline("no class labels are given")


def best_label(b: Builder, scores: Row, labels: Array) -> Row:
    """Return the label of the highest score; of equal ones, the first."""
    (index,) = b.step("ArgMax", [scores], [("int64", ())], (1, scores.width, 1, 0))
    return look_up(b, labels, index)


def label_where(b: Builder, x: Row, limit: float, labels: Array) -> Row:
    """Return the second label where the only number of a row is above a limit, else the first."""
    yes = b.reshape(elementwise(b, "Greater", [x, number(x, limit)], FLOATS, "bool"), ())
    below, above = labels[:1].reshape(()), labels[1:2].reshape(())
    (label,) = b.step("Where", [yes, above, below], [(Const(labels).dtype, ())])
    return label


def beside(b: Builder, *columns: Row) -> Row:
    """Return columns joined to one matrix."""
    return concat_rows(b, list(columns), 0)


def column(b: Builder, x: Row, index: int) -> Row:
    """Return a column, of shape (N, 1)."""
    return slice_axis(b, x, 0, index, 1, 1)


# ---- arithmetic ------------------------------------------------------------------------------------------------------


def number(like: Row, value: float) -> Const:
    """Return a number in the dtype of rows."""
    return Const(np.asarray(value, like.dtype))


def unary(b: Builder, kernel: str, x: Row) -> Row:
    """Return a function of every element."""
    (row,) = b.step(kernel, [x], [(x.dtype, x.shape)])
    return row


def binary(b: Builder, kernel: str, x: Operand, y: Operand) -> Row:
    """Return the sum, difference, product or quotient."""
    return elementwise(b, kernel, [x, y], FLOATS)
