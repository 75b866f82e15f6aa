"""LinearRegressor, LinearClassifier, SVMRegressor and SVMClassifier of ai.onnx.ml, on the kernels of our own operators.

::

    SVMClassifier    X ─▶ KernelSums ─▶ scores of pairs ─┬─▶ votes ─▶ class
                                                         └─▶ Platt's sigmoid ─▶ PairwiseCoupling ─▶ probabilities

What leaves is float32, as the standard says. Kernel machines are computed in float64 and rounded once, but for sums of
tanh in regressors of float32 rows: tanh is bounded, and no class depends on a hair of them. Where the standard is
silent this is as ONNX Runtime has it (svmclassifier.cc, linearclassifier.cc).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..lowering.rules import Array, Builder, Const, NodeView, Row, Values, decline, lowers
from .elementwise import FLOATS, cast_row, elementwise
from .matmul import linear
from .scores import beside, best_label, binary, class_labels, label_where, number, transform_of, transformed, unary
from .shape import gather_axis
from .svm import KERNELS

ML = "ai.onnx.ml"
#: how near to 0 and 1 a pair's probability may come
MARGIN = 1e-7


def _floats(node: NodeView, name: str) -> Array:
    return np.array(node.attributes.get(name, []), np.float32)


def _matrix(x: Row) -> Row:
    return x if len(x.shape) == 1 else decline("rows are not vectors")


# ---- linear models ---------------------------------------------------------------------------------------------------


@lowers("LinearRegressor", domain=ML)
def linear_regressor(b: Builder, node: NodeView) -> Values:
    x, targets = _matrix(cast_row(b, node.row(0), "float32")), node.integer("targets", 1)
    y = _affine(b, x, _floats(node, "coefficients"), _floats(node, "intercepts"), targets)
    transform = transform_of(node)
    return (transformed(b, y, transform) if targets > 1 or transform == "PROBIT" else y,)


def _affine(b: Builder, x: Row, weights: Array, bias: Array, targets: int) -> Row:
    if targets < 1 or weights.size != targets * x.width or bias.size not in (0, 1, targets):
        decline("coefficients or intercepts that do not fit")
    y = linear(b, x, weights.astype(x.dtype).reshape(targets, x.width).T)
    return binary(b, "Add", y, Const(bias.astype(x.dtype))) if bias.size else y


@lowers("LinearClassifier", domain=ML)
def linear_classifier(b: Builder, node: NodeView) -> Values:
    x, labels = (
        _matrix(cast_row(b, node.row(0), "float32")),
        class_labels(node, "classlabels_ints", "classlabels_strings"),
    )
    weights, bias, transform = _floats(node, "coefficients"), _floats(node, "intercepts"), transform_of(node)
    count = weights.size // max(1, x.width)
    y = _affine(b, x, weights, bias, count)
    if count > 1:
        if len(labels) != count:
            decline("not one row of coefficients a class")
        return best_label(b, y, labels), transformed(b, y, transform)
    return _two_classes(b, y, labels, transform)


def _two_classes(b: Builder, y: Row, labels: Array, transform: str) -> Values:
    if len(labels) != 2:
        decline("one row of coefficients, and not two classes")
    label = label_where(b, y, 0, labels)
    if transform == "LOGISTIC":
        p = unary(b, "Sigmoid", y)
        return label, beside(b, binary(b, "Sub", number(p, 1), p), p)
    return label, transformed(b, _one_minus(b, y), transform) if transform == "PROBIT" else _one_minus(b, y)


def _one_minus(b: Builder, y: Row) -> Row:
    """Return the pair of scores that ONNX Runtime makes of one that is taken for a probability."""
    return beside(b, binary(b, "Sub", number(y, 1), y), y)


# ---- kernel machines -------------------------------------------------------------------------------------------------


def kernel_sums(b: Builder, node: NodeView, x: Row, vectors: Array, coefficients: Array, sizes: list[int]) -> Row:
    """Return the sums of every group of support vectors, for every row of coefficients."""
    kernel = node.text("kernel_type", "LINEAR").lower()
    gamma, coef0, degree = (*_floats(node, "kernel_params").astype(np.float64).tolist(), 0.0, 0.0, 0.0)[:3]
    if kernel == "linear":
        stops = np.cumsum(sizes)
        groups = [slice(stop - size, stop) for stop, size in zip(stops, sizes, strict=True)]
        return linear(b, x, np.concatenate([coefficients[:, g] @ vectors[g] for g in groups]).T)
    if kernel not in KERNELS or not degree.is_integer() or not 0 <= degree < 1 << 31:
        decline("a kernel that the operator does not have, or a broken degree")
    params = (KERNELS[kernel], int(degree), gamma, coef0, *sizes)
    narrow = node.row(0).dtype != "float64" and kernel == "sigmoid" and node.op_type == "SVMRegressor"
    dtype = np.dtype(np.float32 if narrow else np.float64)
    rows = cast_row(b, node.row(0), "float32") if narrow else x
    inputs = (rows, vectors.astype(dtype), coefficients.astype(dtype))
    (sums,) = b.step("KernelSums", inputs, [(dtype.name, (len(sizes) * len(coefficients),))], params)
    return cast_row(b, sums, "float64")


def _vectors(node: NodeView, x: Row, count: int) -> NDArray[np.float64]:
    vectors = _floats(node, "support_vectors").astype(np.float64)
    if vectors.size != count * x.width:
        decline("support vectors that do not fit")
    return vectors.reshape(count, x.width)


def _wide(b: Builder, node: NodeView) -> Row:
    """Return X as float32 sees it, in float64; float64 stays."""
    x = node.row(0)
    return _matrix(cast_row(b, x if x.dtype == "float64" else cast_row(b, x, "float32"), "float64"))


@lowers("SVMRegressor", domain=ML)
def svm_regressor(b: Builder, node: NodeView) -> Values:
    x, count = _wide(b, node), node.integer("n_supports", 0)
    weights, rho = _floats(node, "coefficients").astype(np.float64), _floats(node, "rho").astype(np.float64)
    if len(rho) != 1:
        decline("not one rho")
    if count > 0:
        if len(weights) != count:
            decline("not one coefficient a support vector")
        y = kernel_sums(b, node, x, _vectors(node, x, count), weights.reshape(1, -1), [count])
    else:
        y = _affine(b, x, weights, np.zeros(0), 1)
    y = cast_row(b, binary(b, "Add", y, number(y, float(rho[0]))), "float32")
    if not node.integer("one_class", 0):
        return (y,)
    inside = elementwise(b, "Greater", [y, number(y, 0)], FLOATS, "bool")
    return b.step("Where", [inside, number(y, 1), number(y, -1)], [("float32", y.shape)])


@lowers("SVMClassifier", domain=ML)
def svm_classifier(b: Builder, node: NodeView) -> Values:
    labels = class_labels(node, "classlabels_ints", "classlabels_strings")
    x, sizes = _wide(b, node), [int(n) for n in node.attributes.get("vectors_per_class", [])]
    weights, rho = _floats(node, "coefficients").astype(np.float64), _floats(node, "rho").astype(np.float64)
    if not sum(sizes):
        return _linear_svm(b, node, x, weights, rho, labels)
    count, pairs = len(labels), len(labels) * (len(labels) - 1) // 2
    if len(sizes) != count or min(sizes) < 0 or len(rho) != pairs or count < 2:
        decline("not one group of support vectors a class, or not one rho a pair")
    if weights.size != (count - 1) * sum(sizes):
        decline("coefficients that do not fit")
    sums = kernel_sums(b, node, x, _vectors(node, x, sum(sizes)), weights.reshape(count - 1, -1), sizes)
    scores = _pair_scores(b, sums, rho, count)
    votes = _votes(b, scores, count)
    if node.attributes.get("prob_a"):
        return best_label(b, votes, labels), _transformed_scores(b, node, _platt(b, node, scores, count))
    scores = cast_row(b, scores, "float32")
    if count > 2:
        return best_label(b, votes, labels), transformed(b, scores, transform_of(node))
    return best_label(b, votes, labels), _pair_of_scores(b, node, scores)


def _transformed_scores(b: Builder, node: NodeView, y: Row) -> Row:
    return transformed(b, cast_row(b, y, "float32"), transform_of(node))


def _pair_of_scores(b: Builder, node: NodeView, y: Row) -> Row:
    transform = transform_of(node)
    if transform == "NONE":
        return beside(b, unary(b, "Neg", y), y)
    if transform == "LOGISTIC":
        return beside(b, unary(b, "Sigmoid", unary(b, "Neg", y)), unary(b, "Sigmoid", y))
    return transformed(b, _one_minus(b, y), transform) if transform == "PROBIT" else _one_minus(b, y)


def _linear_svm(b: Builder, node: NodeView, x: Row, weights: Array, rho: Array, labels: Array) -> Values:
    """One row of coefficients a class, and one rho for all."""
    count = len(labels)
    if len(rho) < 1:
        decline("no rho")
    y = _affine(b, x, weights, np.full(count, float(rho[0])), count)
    y = cast_row(b, y, "float32")
    return best_label(b, y, labels), transformed(b, y, transform_of(node))


def _pair_scores(b: Builder, sums: Row, rho: Array, count: int) -> Row:
    """Return ``rho + sums[i, row j - 1] + sums[j, row i]`` for every pair i < j of classes."""
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    first = gather_axis(b, sums, 0, np.array([i * (count - 1) + j - 1 for i, j in pairs]))
    second = gather_axis(b, sums, 0, np.array([j * (count - 1) + i for i, j in pairs]))
    return binary(b, "Add", binary(b, "Add", first, Const(rho)), second)


def _votes(b: Builder, scores: Row, count: int) -> Row:
    """Return how many pairs each class wins: the first of a pair where the score is above 0."""
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    gain, start = np.zeros((len(pairs), count)), np.zeros(count)
    for p, (i, j) in enumerate(pairs):
        gain[p, i], gain[p, j] = 1, -1
        start[j] += 1
    wins = cast_row(b, elementwise(b, "Greater", [scores, number(scores, 0)], FLOATS, "bool"), "float64")
    return binary(b, "Add", linear(b, wins, gain), Const(start))


def _platt(b: Builder, node: NodeView, scores: Row, count: int) -> Row:
    """Return probabilities of classes: of each pair by a sigmoid, then coupled (Wu, Lin and Weng, JMLR 5, 2004)."""
    a, c = (_floats(node, name).astype(np.float64) for name in ("prob_a", "prob_b"))
    if len(a) != scores.width or len(c) != scores.width:
        decline("not one sigmoid a pair")
    z = binary(b, "Add", binary(b, "Mul", scores, Const(a)), Const(c))
    p = unary(b, "Sigmoid", unary(b, "Neg", z))
    for kernel, bound in (("Max", MARGIN), ("Min", 1 - MARGIN)):
        p = binary(b, kernel, p, number(p, bound))
    return b.step("PairwiseCoupling", [p], [("float64", (count,))])[0]
