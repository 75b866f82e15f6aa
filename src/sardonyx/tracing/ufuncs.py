"""NumPy's ufuncs on traced arrays: what each computes of tensors that are all of the loop's dtype (loops.py).

Where ONNX Runtime's answer differs (sign of NaN) or where it would crash (integers divided by zero), the rule is
written with what it has. Exponentials and trigonometry are in elementary.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..graph import Value, op, where
from .array import UFUNCS, Array, cast, constant, is_array, refuse
from .loops import Rule, always, in_loop, is_weak, loop_of, register

# ---- arithmetic ------------------------------------------------------------------------------------------------------


def _is_bool(x: Value) -> bool:
    return x.dtype == np.bool_


@register(np.add)
def add(a: Value, b: Value) -> Value:
    return a | b if _is_bool(a) else a + b


@register(np.multiply)
def multiply(a: Value, b: Value) -> Value:
    return a & b if _is_bool(a) else a * b


register(np.subtract)(lambda a, b: a - b)
register(np.true_divide)(lambda a, b: a / b)
register(np.negative)(lambda x: -x)
register(np.positive)(lambda x: x)
register(np.absolute)(lambda x: x if _is_bool(x) else abs(x))
register(np.fabs)(abs)
register(np.conjugate)(lambda x: x)


@register(np.square)
def square(x: Value) -> Value:
    return x * x


@register(np.reciprocal)
def reciprocal(x: Value) -> Value:
    if x.dtype.kind != "f":
        refuse("np.reciprocal of integers, which is 0 nearly everywhere; cast to float first")
    return x.dtype.type(1) / x


def _nonzero(b: Value) -> tuple[Value, Value]:
    """Return where a divisor is zero, and a divisor that is never 0 or -1, which processors trap on."""
    zero = b == 0
    return zero, where(zero | (b == -1), 1, b)


def _whole_quotient(a: Value, b: Value) -> Value:
    """Return the quotient rounded down; zero where the divisor is zero, as NumPy says."""
    zero, safe = _nonzero(b)
    rest = op.Mod(a, safe, fmod=1)
    turns = ~(rest == 0) & ((rest < 0) ^ (safe < 0))
    return where(zero, 0, where(b == -1, -a, op.Div(a, safe) - turns.astype(np.int64)))


def _whole_rest(a: Value, b: Value, fmod: int = 0) -> Value:
    zero, safe = _nonzero(b)
    return where(zero | (b == -1), 0, op.Mod(a, safe, fmod=fmod))


def _turns(a: Value, b: Value) -> tuple[Value, Value]:
    """Return C's remainder, and where it has not the sign of the divisor, as Python's has."""
    zero, rest = a.dtype.type(0), op.Mod(a, b, fmod=1)
    return rest, ~(rest == zero) & ((b < zero) ^ (rest < zero))


def _quotient(a: Value, b: Value) -> Value:
    """``npy_floor_divide``: the remainder is exact, the quotient is rounded to the integer that it must be."""
    if a.dtype.kind != "f":
        return _whole_quotient(a, b)
    zero, one = a.dtype.type(0), a.dtype.type(1)
    rest, turns = _turns(a, b)
    exact = (a - rest) / b
    exact = where(turns, exact - one, exact)
    floor: Value = op.Floor(exact)
    floor = where(exact - floor > a.dtype.type(0.5), floor + one, floor)
    return where(b == zero, a / b, where(exact == zero, with_sign(exact * zero, a / b), floor))


def _rest(a: Value, b: Value) -> Value:
    """``npy_remainder``: a remainder of zero has the sign of the divisor."""
    if a.dtype.kind != "f":
        return _whole_rest(a, b)
    zero = a.dtype.type(0)
    rest, turns = _turns(a, b)
    rest = where(turns, rest + b, rest)
    return where(b == zero, a.dtype.type(np.nan), where(rest == zero, with_sign(rest, b), rest))


register(np.divmod)(lambda a, b: (_quotient(a, b), _rest(a, b)))
register(np.floor_divide)(_quotient)
register(np.remainder)(_rest)
register(np.fmod)(lambda a, b: op.Mod(a, b, fmod=1) if a.dtype.kind == "f" else _whole_rest(a, b, 1))


def signbit(x: Value) -> Value:
    """Whether the sign is set; of -0.0 too, whose reciprocal is negative. Of NaN it is not known."""
    zero = x.dtype.type(0)
    return (x < zero) | ((x == zero) & (x.dtype.type(1) / x < zero))


def with_sign(x: Value, of: Value) -> Value:
    return where(signbit(of), -abs(x), abs(x))


register(np.copysign)(with_sign)
register(np.signbit)(lambda x: signbit(x) if x.dtype.kind == "f" else x < 0)


def _power(a: Value, b: Any) -> Value:
    return op.Pow(a, b)


#: whether this NumPy takes a root for the power 0.5 of an array: of -0.0 and -infinity it is another
ROOTS: Final = bool(np.signbit(np.power(np.full(2, -0.0), 0.5))[0])

register(np.power)(_power)
register(np.float_power)(_power)
_float_power = UFUNCS[np.power]


def power(base: Any, exponent: Any, *, roots: bool = ROOTS) -> Any:
    """``np.power``: integers to the power of a constant only, by multiplication, which wraps as NumPy's does."""
    whole = is_array(base) and base.dtype.kind in "iub"
    if whole and not is_array(exponent) and np.asarray(exponent).dtype.kind in "iub":
        if np.ndim(exponent) or int(exponent) < 0:
            refuse(f"integers to the power of {exponent!r}; give one non-negative integer, or cast to float")
        return _whole_power(base, exponent)
    if any(is_array(x) and x.dtype.kind in "iub" for x in (base, exponent)):
        loop = loop_of(np.power, [x if is_array(x) or is_weak(x) else np.asarray(x) for x in (base, exponent)])
        if loop[0].kind in "iu":
            refuse("integers to the power of integers that differ from row to row; cast to float first")
    if roots and is_array(base) and not is_array(exponent) and np.ndim(exponent) == 0 and exponent == 0.5:
        loop = loop_of(np.power, [base, exponent if is_weak(exponent) else np.asarray(exponent)])
        return UFUNCS[np.sqrt](base.astype(loop[0]))
    return _float_power(base, exponent)


def _whole_power(base: Array, exponent: Any) -> Array:
    (dtype, *_) = loop_of(np.power, [base, exponent if is_weak(exponent) else np.asarray(exponent)])
    factor = cast(base.value, dtype).astype(np.int64)
    result: Value = factor * 0 + 1
    left = int(exponent)
    while left:
        result = result * factor if left & 1 else result
        left >>= 1
        factor = factor * factor if left else factor
    return base.like(cast(result, dtype))


UFUNCS[np.power] = power


def operator_power(base: Any, exponent: Any) -> Any:
    """Return ``base ** exponent``, for which NumPy takes a square, a root or a reciprocal where it can."""
    if not is_array(base) or not base.takes_roots:
        return power(base, exponent, roots=False)
    fast = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal} if base.dtype.kind == "f" else {2: np.square}
    exact = (int, float) if base.dtype.kind == "f" else (int,)
    quick = fast.get(exponent) if type(exponent) in exact else None
    return power(base, exponent) if quick is None else UFUNCS[quick](base)


# ---- extremes, signs, roundings --------------------------------------------------------------------------------------


register(np.maximum)(lambda a, b: a | b if _is_bool(a) else op.Max(a, b))
register(np.minimum)(lambda a, b: a & b if _is_bool(a) else op.Min(a, b))


def _ignoring_nan(kernel: Callable[..., Value]) -> Rule:
    def rule(a: Value, b: Value) -> Value:
        if a.dtype.kind != "f":
            return kernel(a, b)
        return where(op.IsNaN(a), b, where(op.IsNaN(b), a, kernel(a, b)))

    return rule


register(np.fmax)(_ignoring_nan(lambda a, b: a | b if _is_bool(a) else op.Max(a, b)))
register(np.fmin)(_ignoring_nan(lambda a, b: a & b if _is_bool(a) else op.Min(a, b)))


@register(np.sign)
def sign(x: Value) -> Value:
    signs: Value = op.Sign(x)
    return where(op.IsNaN(x), x, signs) if x.dtype.kind == "f" else signs


@register(np.heaviside)
def heaviside(x: Value, at_zero: Value) -> Value:
    zero, one = x.dtype.type(0), x.dtype.type(1)
    return where(op.IsNaN(x), x, where(x == zero, at_zero, where(x < zero, zero, one)))


def _rounding(op_type: str) -> Rule:
    return lambda x: getattr(op, op_type)(x) if x.dtype.kind == "f" else x


register(np.floor)(_rounding("Floor"))
register(np.ceil)(_rounding("Ceil"))
register(np.rint)(_rounding("Round"))


@register(np.trunc)
def trunc(x: Value) -> Value:
    return x if x.dtype.kind != "f" else where(signbit(x), op.Ceil(x), op.Floor(x))


@register(np.modf)
def modf(x: Value) -> tuple[Value, Value]:
    whole = trunc(x)
    rest = where(op.IsInf(x), x.dtype.type(0), x - whole)
    return where(op.IsNaN(x), x, with_sign(rest, x)), whole


# ---- comparison, logic, bits -----------------------------------------------------------------------------------------


def _comparison(op_type: str) -> Rule:
    def rule(a: Value, b: Value) -> Value:
        x, y = (v.astype(np.int64) if _is_bool(v) else v for v in (a, b))
        result: Value = getattr(op, op_type)(x, y)
        return result

    return rule


register(np.less)(_comparison("Less"))
register(np.less_equal)(_comparison("LessOrEqual"))
register(np.greater)(_comparison("Greater"))
register(np.greater_equal)(_comparison("GreaterOrEqual"))
register(np.equal)(_comparison("Equal"))
register(np.not_equal)(lambda a, b: ~_comparison("Equal")(a, b))


def _truth(x: Value) -> Value:
    return cast(x, np.dtype(np.bool_))


register(np.logical_and)(lambda a, b: _truth(a) & _truth(b))
register(np.logical_or)(lambda a, b: _truth(a) | _truth(b))
register(np.logical_xor)(lambda a, b: _truth(a) ^ _truth(b))
register(np.logical_not)(lambda x: ~_truth(x))


def _bits(logical: str, bitwise: str) -> Rule:
    return lambda a, b: getattr(op, logical if _is_bool(a) else bitwise)(a, b)


register(np.bitwise_and)(_bits("And", "BitwiseAnd"))
register(np.bitwise_or)(_bits("Or", "BitwiseOr"))
register(np.bitwise_xor)(_bits("Xor", "BitwiseXor"))
register(np.invert)(lambda x: ~x if _is_bool(x) else op.BitwiseNot(x))


def _shift(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def call(x: Any, by: Any) -> Any:
        if is_array(by) or not is_array(x) or np.ndim(by) or not 0 <= int(by) < 62:
            refuse(f"numpy.{ufunc.__name__} by other than one constant from 0 to 61")
        factor = 1 << int(by)

        def rule(a: Value, _: Value) -> Value:
            return a * factor if ufunc is np.left_shift else op.Div(a - op.Mod(a, factor), factor)

        return in_loop(ufunc, rule, (x, by))

    return call


UFUNCS[np.left_shift], UFUNCS[np.right_shift] = _shift(np.left_shift), _shift(np.right_shift)


def _of_floats(op_type: str) -> Rule:
    def rule(x: Value) -> Value:
        return getattr(op, op_type)(x) if x.dtype.kind == "f" else ~always(x)

    return rule


register(np.isnan)(_of_floats("IsNaN"))
register(np.isinf)(_of_floats("IsInf"))
register(np.isfinite)(lambda x: ~(_of_floats("IsNaN")(x) | _of_floats("IsInf")(x)))


@register(np.matmul)
def _no_loop(*_: Value) -> Value:
    raise AssertionError("matmul has its own rule")


def matmul(a: Any, b: Any) -> Array:
    """Return ``a @ b`` where one side is a constant matrix or vector and the other has the rows first."""
    if is_array(b) and not is_array(a) and b.row_axis == b.ndim - 1 == 1:  # W @ X.T, which is (X @ W.T).T
        return matmul(b.T, np.asarray(a).T).T
    if not is_array(a) or is_array(b) or a.row_axis or a.ndim < 2:
        refuse("matmul of other than rows and a constant on the right: X @ W")
    matrix = np.asarray(b)
    if matrix.ndim not in (1, 2) or matrix.shape[0] != a.dims[-1]:
        refuse(f"matmul of {a!r} and a constant of shape {matrix.shape}")
    dtype = np.result_type(a.dtype, matrix.dtype)
    if dtype not in (np.float32, np.float64, np.int64):
        refuse(f"matmul in {dtype}; cast to float32, float64 or int64")
    full = matrix[:, None] if matrix.ndim == 1 else matrix
    product: Value = op.MatMul(cast(a.value, dtype), constant(full, dtype))
    return a.like(product if matrix.ndim == 2 else product[..., 0])


UFUNCS[np.matmul] = matmul
