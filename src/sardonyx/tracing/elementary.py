"""Exponentials, logarithms and trigonometry on traced arrays.

Of trigonometry ONNX Runtime has sine and cosine in float64 and all in float32; the rest is written with them.
"""

from __future__ import annotations

import math

import numpy as np

from ..graph import Value, op, where
from ..operators.numeric import arctan, expm1, log1p
from .array import constant
from .loops import Rule, register
from .ufuncs import signbit, with_sign

# ---- exponentials and logarithms -------------------------------------------------------------------------------------


register(np.exp)(op.Exp)
register(np.log)(op.Log)
register(np.sqrt)(op.Sqrt)
register(np.log1p)(log1p)
register(np.expm1)(expm1)


@register(np.exp2)
def exp2(x: Value) -> Value:
    return op.Pow(constant(2, x.dtype), x)


def _logarithm(base: int) -> Rule:
    """Return the logarithm, put right where the result is an integer: powers of the base give their exponent."""

    def rule(x: Value) -> Value:
        near = op.Log(x) / x.dtype.type(math.log(base))
        whole = op.Round(near)
        return where(op.Pow(constant(base, x.dtype), whole) == x, whole, near)

    return rule


register(np.log2)(_logarithm(2))
register(np.log10)(_logarithm(10))


@register(np.cbrt)
def cbrt(x: Value) -> Value:
    """Return the third power's inverse, put right where the result is an integer."""
    size = abs(x)
    near = op.Pow(size, x.dtype.type(1 / 3))
    whole = op.Round(near)
    root = where(whole * whole * whole == size, whole, near)
    return where(op.IsNaN(x) | (x == x.dtype.type(0)), x, with_sign(root, x))


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


def _arctan(x: Value) -> Value:
    return where(op.IsNaN(x), x, with_sign(arctan(abs(x)), x))


def _arcsin(x: Value) -> Value:
    return _arctan(x / op.Sqrt((1.0 - x) * (1.0 + x)))


def _arccos(x: Value) -> Value:
    return 2.0 * _arctan(op.Sqrt((1.0 - x) / (1.0 + x)))


def _sinh(x: Value) -> Value:
    size = abs(x)
    grown, half = expm1(op.Min(size, 22.0)), op.Exp(size / 2.0)
    result = where(size < 22.0, (grown + grown / (grown + 1.0)) / 2.0, (half / 2.0) * half)
    return where(op.IsNaN(x), x, with_sign(result, x))


def _cosh(x: Value) -> Value:
    size = abs(x)
    grown, half = op.Exp(op.Min(size, 22.0)), op.Exp(size / 2.0)
    return where(op.IsNaN(x), x, where(size < 22.0, (grown + 1.0 / grown) / 2.0, (half / 2.0) * half))


def _arcsinh(x: Value) -> Value:
    size = abs(x)
    inside = op.Min(size, 1e8)
    near = log1p(inside + inside * inside / (1.0 + op.Sqrt(inside * inside + 1.0)))
    return where(op.IsNaN(x), x, with_sign(where(size > 1e8, op.Log(size) + math.log(2), near), x))


def _arccosh(x: Value) -> Value:
    above = op.Min(x, 1e8) - 1.0
    near = log1p(above + op.Sqrt(2.0 * above + above * above))
    inside = where(x < 1.0, np.nan, where(x > 1e8, op.Log(x) + math.log(2), near))
    return where(op.IsNaN(x), x, inside)


def _arctanh(x: Value) -> Value:
    size = abs(x)
    return where(op.IsNaN(x), x, with_sign(0.5 * log1p(2.0 * size / (1.0 - size)), x))


for _ufunc, _name, _rule in (
    (np.arctan, "Atan", _arctan), (np.arcsin, "Asin", _arcsin), (np.arccos, "Acos", _arccos),
    (np.sinh, "Sinh", _sinh), (np.cosh, "Cosh", _cosh), (np.arcsinh, "Asinh", _arcsinh),
    (np.arccosh, "Acosh", _arccosh), (np.arctanh, "Atanh", _arctanh),
    (np.tan, "Tan", lambda x: op.Sin(x) / op.Cos(x)),
):  # fmt: skip
    register(_ufunc)(_single(_name, _rule))
register(np.sin)(op.Sin)
register(np.cos)(op.Cos)
register(np.tanh)(op.Tanh)


@register(np.arctan2)
def arctan2(y: Value, x: Value) -> Value:
    dtype = x.dtype.type
    both = op.IsInf(x) & op.IsInf(y)
    none = (x == dtype(0)) & (y == dtype(0))
    slope = abs(where(both | none, dtype(1), y)) / abs(where(both | none, dtype(1), x))
    angle = where(none, dtype(0), op.Atan(slope) if x.dtype == np.float32 else _arctan(slope))
    turned = where(signbit(x), dtype(math.pi) - angle, angle)
    return where(op.IsNaN(x) | op.IsNaN(y), dtype(np.nan), with_sign(turned, y))


register(np.deg2rad)(lambda x: x * x.dtype.type(math.pi / 180))
register(np.radians)(lambda x: x * x.dtype.type(math.pi / 180))
register(np.rad2deg)(lambda x: x * x.dtype.type(180 / math.pi))
register(np.degrees)(lambda x: x * x.dtype.type(180 / math.pi))
