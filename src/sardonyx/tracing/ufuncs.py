"""NumPy's ufuncs on traced arrays: the loop's dtypes are NumPy's own, asked of ``ufunc.resolve_dtypes``.

A rule computes in one of bool, int64, float32 and float64: narrower integers are widened before and cut afterwards,
which is the same modulo their size. Where ONNX Runtime's answer differs (sign of NaN) or where it would crash (integers
divided by zero), the rule is written with what it has. Exponentials and trigonometry are in elementary.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, op, where
from ..protos import STRING
from .array import KNOWN, ROWS, UFUNCS, Array, aligned, cast, constant, is_array, refuse

Rule = Callable[..., Any]


# ---- the frame around a rule -----------------------------------------------------------------------------------------


def register(ufunc: np.ufunc) -> Callable[[Rule], Rule]:
    """Make a rule of tensors, all of the loop's dtype, a function of arrays and constants."""

    def declare(rule: Rule) -> Rule:
        def call(*inputs: Any) -> Any:
            return _call(ufunc, rule, inputs)

        UFUNCS[ufunc] = call
        return rule

    return declare


def _call(ufunc: np.ufunc, rule: Rule, inputs: tuple[Any, ...]) -> Any:
    operands = [x if is_array(x) or _is_weak(x) else _known_constant(x) for x in inputs]
    if any(_is_text(x) for x in operands):
        return _text(ufunc, operands)
    loop = _loop(ufunc, operands)
    tensors, row_axis = aligned(operands)
    given = [_operand(t, d) for t, d in zip(tensors, loop[: ufunc.nin], strict=True)]
    results = rule(*given)
    several = results if isinstance(results, tuple) else (results,)
    arrays = tuple(Array(cast(v, d), row_axis) for v, d in zip(several, loop[ufunc.nin :], strict=True))
    like = next((x for x in inputs if is_array(x) and type(x) is not Array), None)
    wrapped = tuple(like.wrap(a) if like is not None else a for a in arrays)
    return wrapped if ufunc.nout > 1 else wrapped[0]


def _is_weak(x: Any) -> bool:
    return type(x) in (int, float)


def _known_constant(x: Any) -> Any:
    if x is ROWS:
        refuse("the number of rows is not known while converting")
    if isinstance(x, list | tuple) and any(is_array(item) for item in x):
        refuse("a list of arrays stands for a stack of them; write np.stack or np.column_stack")
    return np.asarray(x)


def _is_text(x: Any) -> bool:
    return x.value.dtype == STRING if is_array(x) else isinstance(x, np.ndarray) and x.dtype.kind in "OUT"


def _loop(ufunc: np.ufunc, operands: list[Any]) -> tuple[np.dtype[Any], ...]:
    """Return the dtypes in which NumPy computes, of operands and results."""
    given = tuple(type(x) if _is_weak(x) else x.dtype for x in operands)
    try:
        loop = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    except TypeError as error:
        refuse(str(error))
    if any(d not in KNOWN for d in loop):
        unknown = next(d for d in loop if d not in KNOWN)
        refuse(
            f"numpy.{ufunc.__name__} of {', '.join(map(_named, given))} computes in "
            f"{unknown}, which is not computed here. Cast to float32, float64 or int64 first"
        )
    return loop


def _named(kind: Any) -> str:
    return str(kind.__name__ if isinstance(kind, type) else kind)


def _operand(x: Any, dtype: np.dtype[Any]) -> Value:
    value = cast(x, dtype) if isinstance(x, Value) else constant(x, dtype)
    return value.astype(np.int64) if dtype.kind in "iu" else value


def _text(ufunc: np.ufunc, operands: list[Any]) -> Any:
    if ufunc not in (np.equal, np.not_equal) or not all(_is_text(x) for x in operands):
        refuse(f"numpy.{ufunc.__name__} of text; text can be compared with == and != to text only")
    tensors, row_axis = aligned(operands)
    a, b = (t if isinstance(t, Value) else constant(np.asarray(t, object), np.dtype(object)) for t in tensors)
    same: Value = op.Equal(a, b)
    result = Array(same if ufunc is np.equal else ~same, row_axis)
    column = next((x for x in operands if is_array(x) and type(x) is not Array), None)
    return column.wrap(result) if column is not None else result


def broadcast_like(x: Any, like: Array) -> Array:
    """Return x broadcast to the shape of an array, in x's own dtype (a Python number's: the array's)."""
    if is_array(x) and (x.dims, x.row_axis) == (like.dims, like.row_axis):
        return x
    if not is_array(x):
        x = np.asarray(x, like.dtype if _is_weak(x) else None)
    (value, target), row_axis = aligned([x, like])
    if row_axis != like.row_axis or target.ndim != like.ndim:
        refuse(f"{x!r} cannot be broadcast to {like!r}")
    given = value if isinstance(value, Value) else constant(value, x.dtype)
    own = tuple(given.dim(i) for i in range(1 if given.ndim == like.ndim else 0, given.ndim))
    if np.broadcast_shapes(own, like.dims) != like.dims:
        refuse(f"a value of shape {tuple(given.shape)} does not fit {like!r}")
    return Array(where(always(target), given, given), row_axis)


def always(like: Value) -> Value:
    """Return true for every element of a tensor."""
    if like.dtype == STRING:
        same: Value = op.Equal(like, like)
        return same
    wide = like.astype(np.int64) if like.dtype.kind in "iub" else like
    return (wide == wide) | ~(wide == wide)


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


register(np.power)(_power)
register(np.float_power)(_power)
_float_power = UFUNCS[np.power]


def power(base: Any, exponent: Any) -> Any:
    """``np.power``: integers to the power of a constant only, by multiplication, which wraps as NumPy's does."""
    whole = is_array(base) and base.dtype.kind in "iub"
    if whole and not is_array(exponent) and np.asarray(exponent).dtype.kind in "iub":
        if np.ndim(exponent) or int(exponent) < 0:
            refuse(f"integers to the power of {exponent!r}; give one non-negative integer, or cast to float")
        return _whole_power(base, exponent)
    if any(is_array(x) and x.dtype.kind in "iub" for x in (base, exponent)):
        loop = _loop(np.power, [x if is_array(x) or _is_weak(x) else np.asarray(x) for x in (base, exponent)])
        if loop[0].kind in "iu":
            refuse("integers to the power of integers that differ from row to row; cast to float first")
    return _float_power(base, exponent)


def _whole_power(base: Array, exponent: Any) -> Array:
    (dtype, *_) = _loop(np.power, [base, exponent if _is_weak(exponent) else np.asarray(exponent)])
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
    fast = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
    quick = is_array(base) and type(exponent) in (int, float) and exponent in fast
    if quick and (base.dtype.kind == "f" or exponent == 2):
        return UFUNCS[fast[exponent]](base)
    return power(base, exponent)


setattr(Array, "__pow__", operator_power)  # noqa: B010
setattr(Array, "__rpow__", lambda self, other: power(other, self))  # noqa: B010
setattr(Array, "__ipow__", lambda self, other: self.assign(operator_power(self, other)))  # noqa: B010


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

        return _call(ufunc, rule, (x, by))

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
