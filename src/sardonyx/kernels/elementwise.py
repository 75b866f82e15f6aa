"""Element by element: arithmetic, comparison, logic, functions of one number.

Their kernels are in native/kernels/elementwise/arithmetic.cpp, comparisons.cpp and unary.cpp.

Broadcasting follows ONNX: shapes are aligned from the right, with the row dimension in them. `aligned` takes the row
dimension off::

    rows      N x 3 x 4      N x 1          of one rank: whatever follows N is broadcast
    constant  1 x 3 x 1      4      ()      a leading 1 stands for N; a number there would mix rows: declined
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..lowering.builder import HALVES
from ..lowering.rules import ROWLESS, Builder, Const, NodeView, Operand, Row, Shape, Values, decline, lowers
from . import sparse

FLOATS = frozenset({"float32", "float64"})
INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"})
UNSIGNED = frozenset({"uint8", "uint16", "uint32", "uint64"})
NUMBERS = FLOATS | INTEGERS
BOOL = frozenset({"bool"})

#: Narrow integers are computed with as int64 and cut again, which is the same number modulo their size.
NARROW = frozenset({"int8", "int16", "uint8", "uint16", "uint32"})
WHOLE = NARROW | {"int32", "int64"}
COMPUTED = FLOATS | WHOLE

#: uint64 is computed with as int64 too, where that is the same modulo its size, or in the order of `_flipped`.
UNSIGNED_LONG = frozenset({"uint64"})
ORDERED = frozenset({"Min", "Max", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
OF_UNSIGNED_LONG = ORDERED | {"Add", "Sub", "Mul", "Equal", "BitwiseAnd", "BitwiseOr", "BitwiseXor"}
#: these have kernels of their own for it
UNSIGNED_KERNELS = frozenset({"Div", "Mod", "ShiftLeft", "ShiftRight"})


def aligned(operands: Sequence[Operand]) -> tuple[list[Operand], Shape]:
    """Return the operands without the row dimension, and the shape they broadcast to."""
    own = list(operands)
    if not any(isinstance(operand, Row) and operand.lead == ROWLESS for operand in operands):
        ranks = {operand.rank for operand in operands if isinstance(operand, Row)}
        if len(ranks) != 1:
            decline("operands of different ranks: the rows of one meet another dimension of the other")
        (rank,) = ranks
        own = [o if isinstance(o, Row) else _without_rows(o, rank) for o in operands]
    try:
        return own, np.broadcast_shapes(*(operand.shape for operand in own))
    except ValueError:
        decline("operands do not broadcast")


def _without_rows(constant: Const, rank: int) -> Const:
    shape = constant.shape
    if len(shape) > rank or (len(shape) == rank and shape[0] != 1):
        decline("a constant has as many dimensions as the rows, or more: it meets the row dimension")
    return Const(constant.array.reshape(shape[1:])) if len(shape) == rank else constant


def one_type(operands: Sequence[Operand], accepted: frozenset[str]) -> str:
    """Return the type of all operands, which must be one of those accepted."""
    dtypes = {operand.dtype for operand in operands}
    if len(dtypes) != 1 or not dtypes <= accepted:
        decline(f"there is no kernel for {', '.join(sorted(dtypes))}")
    return dtypes.pop()


def elementwise(
    b: Builder, kernel: str, operands: Sequence[Operand], accepted: frozenset[str], result: str | None = None
) -> Row:
    """Add a step of a kernel of two operands; `result` is the type of its output if it is not that of the operands."""
    dtype = one_type(operands, accepted | UNSIGNED_LONG if kernel in OF_UNSIGNED_LONG | UNSIGNED_KERNELS else accepted)
    wide = _widened(dtype) if dtype not in UNSIGNED_LONG or kernel in OF_UNSIGNED_LONG else dtype
    operands = [cast(b, operand, wide) for operand in operands]
    if dtype == "uint64" and kernel in ORDERED:
        operands = [_flipped(b, operand) for operand in operands]
    own, shape = aligned(operands)
    row = sparse.on_entries(b, kernel, own, shape, result or wide) or sparse.scaled(b, kernel, own)
    if row is None:
        (row,) = b.step(kernel, own, [(result or wide, shape)])
    if result:
        return row
    return cast_row(b, _flipped(b, row) if dtype == "uint64" and kernel in ORDERED else row, dtype)


def _widened(dtype: str) -> str:
    return "int64" if dtype in NARROW | UNSIGNED_LONG else dtype


_Operand = TypeVar("_Operand", Row, Operand)


def _flipped(b: Builder, x: _Operand) -> _Operand:
    """Return numbers of 64 bits with the first one turned: signed ones are then in the order of the unsigned."""
    sign = np.array(np.iinfo(np.int64).min)
    if isinstance(x, Const):
        return Const(x.array ^ sign)
    return b.step("BitwiseXor", [x, sign], [(x.dtype, x.shape)])[0]


def cast(b: Builder, x: Operand, dtype: str) -> Operand:
    """Return x as another type; a constant is converted now."""
    if isinstance(x, Row):
        return cast_row(b, x, dtype)
    _check_cast(x.dtype, dtype)
    return Const(x.array.astype(dtype)) if x.dtype != dtype else x


def cast_row(b: Builder, x: Row, dtype: str) -> Row:
    """Return rows as another type."""
    if x.dtype == dtype:
        return x
    _check_cast(x.dtype, dtype)
    return replace(sparse.one_operand(b, "Cast", x, dtype), lead=x.lead)


def _check_cast(source: str, target: str) -> None:
    if source != target and not {source, target} <= NUMBERS | BOOL | HALVES:
        decline(f"there is no kernel to cast {source} to {target}")


# ---- two operands ----------------------------------------------------------------------------------------------------

BINARY = {
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), COMPUTED),
    **dict.fromkeys(("And", "Or", "Xor"), BOOL),
    **dict.fromkeys(("BitwiseAnd", "BitwiseOr", "BitwiseXor"), WHOLE),
}

COMPARISONS = {
    "Equal": COMPUTED | BOOL,
    **dict.fromkeys(("Less", "LessOrEqual", "Greater", "GreaterOrEqual"), COMPUTED),
}


@lowers(*BINARY, whole=None)
def binary(b: Builder, node: NodeView) -> Values:
    return (elementwise(b, node.op_type, node.operands(), BINARY[node.op_type]),)


@lowers(*COMPARISONS, whole=None)
def comparison(b: Builder, node: NodeView) -> Values:
    return (elementwise(b, node.op_type, node.operands(), COMPARISONS[node.op_type], "bool"),)


@lowers("Equal", whole=None)
def equal_text(b: Builder, node: NodeView) -> Values:
    return (elementwise(b, "EqualText", node.operands(), frozenset({"str"}), "bool"),)


@lowers("Min", "Max", whole=None)
def extreme(b: Builder, node: NodeView) -> Values:
    # rows first: two constants cannot be a step
    operands = sorted(node.operands(), key=lambda operand: isinstance(operand, Const))
    return (functools.reduce(lambda x, y: elementwise(b, node.op_type, [x, y], COMPUTED), operands),)


@lowers("Sum", whole=None)
def total(b: Builder, node: NodeView) -> Values:
    operands = node.operands()
    if not isinstance(operands[0], Row) and len(operands) > 2:
        decline("the sum begins with constants")
    result: Operand = operands[0]
    for operand in operands[1:]:
        result = elementwise(b, "Add", [result, operand], FLOATS)
    return (result,)


@lowers("Mean", whole=None)
def mean(b: Builder, node: NodeView) -> Values:
    (sum_of_all,) = total(b, node)
    if not isinstance(sum_of_all, Row):
        decline("there are no rows")
    if len(node.inputs) == 1:
        return (sum_of_all,)
    count = Const(np.asarray(len(node.inputs), sum_of_all.dtype))
    return (elementwise(b, "Div", [sum_of_all, count], FLOATS),)


@lowers("Clip", whole=None)
def clip(b: Builder, node: NodeView) -> Values:
    result = node.row(0)
    for kernel, index, name in (("Max", 1, "min"), ("Min", 2, "max")):
        bound = node.const(index) if node.has(index) else node.attributes.get(name)
        if bound is not None:
            if np.size(bound) != 1:
                decline("a bound is not one number")
            limit = Const(np.asarray(bound, dtype=result.dtype).reshape(()))
            result = elementwise(b, kernel, [result, limit], COMPUTED)
    return (result,)


@lowers("Pow", whole=None)
def power(b: Builder, node: NodeView) -> Values:
    base, exponent = node.operands()
    if isinstance(exponent, Const) and exponent.array.size == 1 and exponent.array.ndim <= 1:
        if exponent.array.item() == 2:
            return (elementwise(b, "Mul", [base, base], COMPUTED),)
        if exponent.array.item() == -1 and isinstance(base, Row) and base.dtype in FLOATS and not base.sparse:
            return b.step("Reciprocal", [base], [(base.dtype, base.shape)])
    if exponent.dtype != base.dtype:
        if exponent.dtype in FLOATS and base.dtype in INTEGERS:
            wide = [cast(b, operand, "float64") for operand in (base, exponent)]
            return (cast_row(b, elementwise(b, "Pow", wide, FLOATS), base.dtype),)
        exponent = cast(b, exponent, base.dtype)
    return (elementwise(b, "Pow", [base, exponent], COMPUTED),)


@lowers("Mod", whole=None)
def modulo(b: Builder, node: NodeView) -> Values:
    operands = node.operands()
    fmod = node.integer("fmod", 0) and operands[0].dtype not in UNSIGNED  # of which there is but one remainder
    return (elementwise(b, "Fmod" if fmod else "Mod", operands, COMPUTED if fmod else WHOLE),)


@lowers("BitShift", whole=None)
def bit_shift(b: Builder, node: NodeView) -> Values:
    kernel = "ShiftLeft" if node.text("direction", "") == "LEFT" else "ShiftRight"
    operands = node.operands()
    dtype = one_type(operands, INTEGERS)
    wide = "uint64" if dtype in UNSIGNED else "int64"
    shifted = elementwise(b, kernel, [cast(b, x, wide) for x in operands], frozenset({wide}))
    return (cast_row(b, shifted, dtype),)


@lowers("PRelu", whole=None)
def parametric_relu(b: Builder, node: NodeView) -> Values:
    x, slope = node.row(0), node.operand(1)
    scaled = elementwise(b, "Mul", [x, slope], COMPUTED)
    negative = elementwise(b, "Less", [x, Const(np.zeros((), dtype=x.dtype))], COMPUTED, "bool")
    return b.step("Where", [negative, scaled, x], [(x.dtype, scaled.shape)])


# ---- one operand -----------------------------------------------------------------------------------------------------

UNARY = {
    **dict.fromkeys(("Abs", "Neg", "Sign", "Relu"), COMPUTED),
    **dict.fromkeys(("Sqrt", "Exp", "Log", "Reciprocal", "Sigmoid", "Softplus", "Softsign", "Tanh", "Erf"), FLOATS),
    **dict.fromkeys(("Floor", "Ceil", "Round", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan"), FLOATS),
    **dict.fromkeys(("Sinh", "Cosh", "Asinh", "Acosh", "Atanh"), FLOATS),
    "Not": BOOL,
    "BitwiseNot": WHOLE,
}


@lowers("Abs", "Sign", "BitwiseNot", "Erf", whole=None)
def unary_of_others(b: Builder, node: NodeView) -> Values:
    """Integers of 64 bits without a sign, and the error function of integers, which opset 9 has."""
    x = node.row(0)
    if x.dtype not in (INTEGERS if node.op_type == "Erf" else UNSIGNED_LONG):
        decline("")
    if node.op_type == "Erf":
        (y,) = b.step("Erf", [cast_row(b, x, "float64")], [("float64", x.shape)])
        return (cast_row(b, y, x.dtype),)
    if node.op_type == "Abs":
        return (x,)
    if node.op_type == "Sign":
        return (elementwise(b, "Min", [x, Const(np.array(1, np.uint64))], UNSIGNED_LONG),)
    (y,) = b.step("BitwiseNot", [cast_row(b, x, "int64")], [("int64", x.shape)])
    return (cast_row(b, y, x.dtype),)


@lowers(*UNARY, whole=None)
def unary(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    wide = cast_row(b, x, _widened(one_type([x], UNARY[node.op_type])))
    return (cast_row(b, sparse.one_operand(b, node.op_type, wide, wide.dtype), x.dtype),)


def magnitudes(b: Builder, x: Row) -> Row:
    """Return the numbers without their signs."""
    if x.dtype in UNSIGNED:
        return x
    wide = cast_row(b, x, _widened(x.dtype))
    return cast_row(b, b.step("Abs", [wide], [(wide.dtype, wide.shape)])[0], x.dtype)


@lowers("Expit", "Logistic", domain="sardonyx")
def logistic(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    return b.step(node.op_type, [x], [(x.dtype, x.shape)])


@lowers("IsNaN", whole=None)
def is_nan(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    return (sparse.one_operand(b, "IsNaN", x, "bool"),)


@lowers("IsInf", whole=None)
def is_inf(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    signs = (node.integer("detect_negative", 1), node.integer("detect_positive", 1))
    return (sparse.one_operand(b, "IsInf", x, "bool", signs),)


@lowers("LeakyRelu", whole=None)
def leaky_relu(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    scaled = elementwise(b, "Mul", [x, Const(np.asarray(node.real("alpha", 0.01), dtype=x.dtype))], FLOATS)
    negative = elementwise(b, "Less", [x, Const(np.zeros((), dtype=x.dtype))], FLOATS, "bool")
    return b.step("Where", [negative, scaled, x], [(x.dtype, x.shape)])


@lowers("Celu", whole=None)
def celu(b: Builder, node: NodeView) -> Values:
    """Return alpha (exp(x / alpha) - 1) below 0; the standard's body would make a list of a scalar."""
    x = node.row(0)
    one_type([x], FLOATS)
    alpha, one, zero = (Const(np.asarray(v, dtype=x.dtype)) for v in (node.real("alpha", 1.0), 1, 0))
    grown = elementwise(b, "Exp", [elementwise(b, "Div", [x, alpha], FLOATS)], FLOATS)
    below = elementwise(b, "Mul", [elementwise(b, "Sub", [grown, one], FLOATS), alpha], FLOATS)
    negative = elementwise(b, "Less", [x, zero], FLOATS, "bool")
    return b.step("Where", [negative, below, x], [(x.dtype, x.shape)])


# ---- passing on ------------------------------------------------------------------------------------------------------


@lowers("Identity", "Dropout", whole=None)
def identity(b: Builder, node: NodeView) -> Values:
    training = node.inputs[2] if node.has(2) else None
    if training is not None and (not isinstance(training, Const) or training.array.any()):
        decline("Dropout in training")
    x = node.inputs[0] if node.has(0) else None
    if x is None:
        decline("input 0 is not given")
    if node.n_outputs == 1:
        return (x,)
    if not isinstance(x, Row) or x.lead > 0:
        decline("a mask of what is not rows")
    kept = np.array(node.version >= 12, "bool" if node.version >= 10 else x.dtype)
    return x, b.step("Expand", [Const(kept)], [(kept.dtype.name, x.shape)])[0]


@lowers("Cast", "CastLike", whole=None)
def cast_node(b: Builder, node: NodeView) -> Values:
    from ..lowering.reference.graphs import dtype_of

    x = node.inputs[0]
    operand = x if isinstance(x, Const) else node.any_row(0)
    if node.op_type == "Cast":
        return (cast(b, operand, dtype_of(node.integer("to", 0))),)
    like = node.inputs[1]
    return (cast(b, operand, like.dtype if isinstance(like, Const) else node.any_row(1).dtype),)


@lowers("CheckFinite", domain="sardonyx")
def check_finite(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    one_type([x], FLOATS)
    params, label = [node.integer("allow_nan", 0)], node.text("estimator", "")
    return (sparse.one_operand(b, "CheckFinite", x, x.dtype, params, label),)
