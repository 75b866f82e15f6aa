"""NumPy's ufuncs on traced arrays: the loop's dtypes are NumPy's own, asked of ``ufunc.resolve_dtypes``.

A rule computes in one of bool, int64, float32 and float64: narrower integers are widened before and cut afterwards, which
is the same modulo their size. Where ONNX Runtime has no float64 kernel (arcsin, sinh ...), where its answer differs (sign
of NaN) or where it would crash (integers divided by zero), the rule is written with what it has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, op, where
from ..operators.numeric import expm1, log1p
from ..protos import STRING
from .array import KNOWN, UFUNCS, Array, aligned, cast, constant, is_array, refuse

#: coefficients of the rational approximation of arctan of S. Moshier's Cephes library, within one unit of the last place
_ATAN_P = (-8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
           -1.228866684490136173410e2, -6.485021904942025371773e1)  # fmt: skip
_ATAN_Q = (1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2,
           4.853903996359136964868e2, 1.945506571482613964425e2)  # fmt: skip

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
    if isinstance(x, list | tuple) and any(is_array(item) for item in x):
        refuse("a list of arrays stands for a stack of them; write np.stack or np.column_stack")
    return np.asarray(x)


def _is_text(x: Any) -> bool:
    return x.value.dtype == STRING if is_array(x) else isinstance(x, np.ndarray) and x.dtype.kind in "OUT"


def _loop(ufunc: np.ufunc, operands: list[Any]) -> tuple[np.dtype[Any], ...]:
    """Return the dtypes in which NumPy computes, of operands and results."""
    given = tuple(type(x) if _is_weak(x) else x.dtype for x in operands)
    try:
        loop = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))  # type: ignore[arg-type]
    except TypeError as error:
        refuse(str(error))
    if any(d not in KNOWN for d in loop):
        unknown = next(d for d in loop if d not in KNOWN)
        refuse(
            f"numpy.{ufunc.__name__} of {', '.join(str(getattr(g, 'name', g.__name__)) for g in given)} computes in "
            f"{unknown}, which is not computed here. Cast to float32, float64 or int64 first"
        )
    return loop


def _operand(x: Any, dtype: np.dtype[Any]) -> Value:
    value = cast(x, dtype) if isinstance(x, Value) else constant(x, dtype)
    return value.astype(np.int64) if dtype.kind in "iu" else value


def _text(ufunc: np.ufunc, operands: list[Any]) -> Array:
    if ufunc not in (np.equal, np.not_equal) or not all(_is_text(x) for x in operands):
        refuse(f"numpy.{ufunc.__name__} of text; text can be compared with == and != to text only")
    tensors, row_axis = aligned(operands)
    a, b = (t if isinstance(t, Value) else constant(np.asarray(t, object), np.dtype(object)) for t in tensors)
    same: Value = op.Equal(a, b)
    return Array(same if ufunc is np.equal else ~same, row_axis)


def broadcast_like(x: Any, like: Array) -> Array:
    """Return x broadcast to the shape of an array, in x's own dtype (a Python number's: the array's)."""
    if is_array(x) and x.shape == like.shape:
        return x  # type: ignore[no-any-return]
    if not is_array(x):
        x = np.asarray(x, like.dtype if _is_weak(x) else None)
    (value, target), row_axis = aligned([x, like])
    if row_axis != like.row_axis or target.ndim != like.ndim:
        refuse(f"{x!r} cannot be broadcast to {like!r}")
    given = value if isinstance(value, Value) else constant(value, x.dtype)
    shape = np.broadcast_shapes(given.shape[1:] if given.ndim == like.ndim else given.shape, like.dims)
    if shape != like.dims:
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
    """Rounded down; zero where the divisor is zero, as NumPy says."""
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
    return where(b == zero, a / b, where(exact == zero, _with_sign(exact * zero, a / b), floor))


def _rest(a: Value, b: Value) -> Value:
    """``npy_remainder``: a remainder of zero has the sign of the divisor."""
    if a.dtype.kind != "f":
        return _whole_rest(a, b)
    zero = a.dtype.type(0)
    rest, turns = _turns(a, b)
    rest = where(turns, rest + b, rest)
    return where(b == zero, a.dtype.type(np.nan), where(rest == zero, _with_sign(rest, b), rest))


register(np.divmod)(lambda a, b: (_quotient(a, b), _rest(a, b)))
register(np.floor_divide)(_quotient)
register(np.remainder)(_rest)
register(np.fmod)(lambda a, b: op.Mod(a, b, fmod=1) if a.dtype.kind == "f" else _whole_rest(a, b, 1))


def _signbit(x: Value) -> Value:
    """Whether the sign is set; of -0.0 too, whose reciprocal is negative. Of NaN it is not known."""
    zero = x.dtype.type(0)
    return (x < zero) | ((x == zero) & (x.dtype.type(1) / x < zero))


def _with_sign(x: Value, of: Value) -> Value:
    return where(_signbit(of), -abs(x), abs(x))


register(np.copysign)(_with_sign)
register(np.signbit)(lambda x: _signbit(x) if x.dtype.kind == "f" else x < 0)


def _power(a: Value, b: Any) -> Value:
    return op.Pow(a, b)  # type: ignore[no-any-return]


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
    """``base ** exponent``, for which NumPy takes a square, a root or a reciprocal where the exponent says so."""
    fast = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
    if is_array(base) and type(exponent) in (int, float) and exponent in fast:
        if base.dtype.kind == "f" or exponent == 2:
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
    return x if x.dtype.kind != "f" else where(_signbit(x), op.Ceil(x), op.Floor(x))


@register(np.modf)
def modf(x: Value) -> tuple[Value, Value]:
    whole = trunc(x)
    rest = where(op.IsInf(x), x.dtype.type(0), x - whole)
    return where(op.IsNaN(x), x, _with_sign(rest, x)), whole


# ---- exponentials and logarithms -------------------------------------------------------------------------------------


register(np.exp)(lambda x: op.Exp(x))
register(np.log)(lambda x: op.Log(x))
register(np.sqrt)(lambda x: op.Sqrt(x))
register(np.log1p)(lambda x: log1p(x))
register(np.expm1)(lambda x: expm1(x))


@register(np.exp2)
def exp2(x: Value) -> Value:
    return op.Pow(constant(2, x.dtype), x)  # type: ignore[no-any-return]


def _logarithm(base: int) -> Rule:
    """The logarithm, put right where the result is an integer: powers of the base give their exponent."""

    def rule(x: Value) -> Value:
        near = op.Log(x) / x.dtype.type(math.log(base))
        whole = op.Round(near)
        return where(op.Pow(constant(base, x.dtype), whole) == x, whole, near)

    return rule


register(np.log2)(_logarithm(2))
register(np.log10)(_logarithm(10))


@register(np.cbrt)
def cbrt(x: Value) -> Value:
    """The third power's inverse, put right where the result is an integer."""
    size = abs(x)
    near = op.Pow(size, x.dtype.type(1 / 3))
    whole = op.Round(near)
    root = where(whole * whole * whole == size, whole, near)
    return where(op.IsNaN(x) | (x == x.dtype.type(0)), x, _with_sign(root, x))


@register(np.logaddexp)
def logaddexp(a: Value, b: Value) -> Value:
    same = a == b
    gap = where(same, a.dtype.type(0), abs(a - b))
    return where(same, a + a.dtype.type(math.log(2)), op.Max(a, b) + log1p(op.Exp(-gap)))


@register(np.hypot)
def hypot(a: Value, b: Value) -> Value:
    one, zero = a.dtype.type(1), a.dtype.type(0)
    large, small = op.Max(abs(a), abs(b)), op.Min(abs(a), abs(b))
    ratio = small / where(large == zero, one, large)
    infinite = op.IsInf(a) | op.IsInf(b)
    return where(infinite, a.dtype.type(np.inf), large * op.Sqrt(one + ratio * ratio))


# ---- trigonometry ----------------------------------------------------------------------------------------------------


def _single(op_type: str, otherwise: Rule) -> Rule:
    """ONNX Runtime's own operator in float32; what else there is in float64."""
    return lambda x: getattr(op, op_type)(x) if x.dtype == np.float32 else otherwise(x)


def _horner(coefficients: tuple[float, ...], x: Value) -> Value:
    result: Any = coefficients[0]
    for c in coefficients[1:]:
        result = x * result + c
    return result  # type: ignore[no-any-return]


def _arctan(x: Value) -> Value:
    """Reduced to [-0.66, 0.66] by arctan x = pi/2 - arctan 1/x and pi/4 + arctan (x-1)/(x+1)."""
    size = abs(x)
    large, middle = size > math.tan(3 * math.pi / 8), size > 0.66
    safe = where(large, size, 1.0)
    inside = where(large, 1.0, size)
    reduced = where(large, -1.0 / safe, where(middle, (inside - 1.0) / (inside + 1.0), inside))
    square = reduced * reduced
    series = reduced + reduced * (square * _horner(_ATAN_P, square) / _horner(_ATAN_Q, square))
    start = where(large, math.pi / 2, where(middle, math.pi / 4, 0.0))
    rest = where(large, 6.123233995736765886130e-17, where(middle, 3.061616997868382943065e-17, 0.0))
    return where(op.IsNaN(x), x, _with_sign(start + (series + rest), x))


def _arcsin(x: Value) -> Value:
    return _arctan(x / op.Sqrt((1.0 - x) * (1.0 + x)))


def _arccos(x: Value) -> Value:
    return 2.0 * _arctan(op.Sqrt((1.0 - x) / (1.0 + x)))


def _sinh(x: Value) -> Value:
    size = abs(x)
    grown, half = expm1(op.Min(size, 22.0)), op.Exp(size / 2.0)
    result = where(size < 22.0, (grown + grown / (grown + 1.0)) / 2.0, (half / 2.0) * half)
    return where(op.IsNaN(x), x, _with_sign(result, x))


def _cosh(x: Value) -> Value:
    size = abs(x)
    grown, half = op.Exp(op.Min(size, 22.0)), op.Exp(size / 2.0)
    return where(op.IsNaN(x), x, where(size < 22.0, (grown + 1.0 / grown) / 2.0, (half / 2.0) * half))


def _arcsinh(x: Value) -> Value:
    size = abs(x)
    inside = op.Min(size, 1e8)
    near = log1p(inside + inside * inside / (1.0 + op.Sqrt(inside * inside + 1.0)))
    return where(op.IsNaN(x), x, _with_sign(where(size > 1e8, op.Log(size) + math.log(2), near), x))


def _arccosh(x: Value) -> Value:
    above = op.Min(x, 1e8) - 1.0
    near = log1p(above + op.Sqrt(2.0 * above + above * above))
    inside = where(x < 1.0, np.nan, where(x > 1e8, op.Log(x) + math.log(2), near))
    return where(op.IsNaN(x), x, inside)


def _arctanh(x: Value) -> Value:
    size = abs(x)
    return where(op.IsNaN(x), x, _with_sign(0.5 * log1p(2.0 * size / (1.0 - size)), x))


for _ufunc, _name, _rule in (
    (np.arctan, "Atan", _arctan), (np.arcsin, "Asin", _arcsin), (np.arccos, "Acos", _arccos),
    (np.sinh, "Sinh", _sinh), (np.cosh, "Cosh", _cosh), (np.arcsinh, "Asinh", _arcsinh),
    (np.arccosh, "Acosh", _arccosh), (np.arctanh, "Atanh", _arctanh),
    (np.tan, "Tan", lambda x: op.Sin(x) / op.Cos(x)),
):  # fmt: skip
    register(_ufunc)(_single(_name, _rule))
register(np.sin)(lambda x: op.Sin(x))
register(np.cos)(lambda x: op.Cos(x))
register(np.tanh)(lambda x: op.Tanh(x))


@register(np.arctan2)
def arctan2(y: Value, x: Value) -> Value:
    dtype = x.dtype.type
    both = op.IsInf(x) & op.IsInf(y)
    none = (x == dtype(0)) & (y == dtype(0))
    slope = abs(where(both | none, dtype(1), y)) / abs(where(both | none, dtype(1), x))
    angle = where(none, dtype(0), op.Atan(slope) if x.dtype == np.float32 else _arctan(slope))
    turned = where(_signbit(x), dtype(math.pi) - angle, angle)
    return where(op.IsNaN(x) | op.IsNaN(y), dtype(np.nan), _with_sign(turned, y))


register(np.deg2rad)(lambda x: x * x.dtype.type(math.pi / 180))
register(np.radians)(lambda x: x * x.dtype.type(math.pi / 180))
register(np.rad2deg)(lambda x: x * x.dtype.type(180 / math.pi))
register(np.degrees)(lambda x: x * x.dtype.type(180 / math.pi))


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
        return getattr(op, op_type)(x) if x.dtype.kind == "f" else ~always(x)  # type: ignore[no-any-return]

    return rule


register(np.isnan)(_of_floats("IsNaN"))
register(np.isinf)(_of_floats("IsInf"))
register(np.isfinite)(lambda x: ~(_of_floats("IsNaN")(x) | _of_floats("IsInf")(x)))


@register(np.matmul)
def _no_loop(*_: Value) -> Value:
    raise AssertionError("matmul has its own rule")


def matmul(a: Any, b: Any) -> Array:
    """``a @ b`` where one side is a constant matrix or vector and the other has the rows first."""
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
