"""NumPy's functions by their ONNX form: what ``np.exp(X)`` or ``np.where(...)`` of a `Value` becomes.

Importing this module fills the tables that `graph.Value` looks its NumPy functions up in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .building import concat
from .value import FUNCTIONS, UFUNCS, Value, as_value, binary, divide, one, op, where


def _isfinite(x: Any) -> Value:
    return ~(one(op.IsNaN(x)) | one(op.IsInf(x)))


def _unary(op_type: str) -> Callable[[Any], Value]:
    def rule(x: Value) -> Value:
        floats = x if x.dtype.kind == "f" or op_type in ("Abs", "Neg", "Sign", "Not") else x.astype(np.float64)
        return one(getattr(op, op_type)(floats))

    return rule


def _pair(op_type: str) -> Callable[[Any, Any], Value]:
    return lambda a, b: binary(op_type, a, b)


#: NumPy ufuncs by their ONNX form
UFUNCS |= {
    np.add: _pair("Add"),
    np.subtract: _pair("Sub"),
    np.multiply: _pair("Mul"),
    np.true_divide: divide,
    np.power: _pair("Pow"),
    np.matmul: _pair("MatMul"),
    np.maximum: _pair("Max"),
    np.minimum: _pair("Min"),
    np.equal: _pair("Equal"),
    np.not_equal: lambda a, b: ~binary("Equal", a, b),
    np.less: _pair("Less"),
    np.less_equal: _pair("LessOrEqual"),
    np.greater: _pair("Greater"),
    np.greater_equal: _pair("GreaterOrEqual"),
    np.logical_and: _pair("And"),
    np.logical_or: _pair("Or"),
    np.logical_not: _unary("Not"),
    np.negative: _unary("Neg"),
    np.absolute: _unary("Abs"),
    np.sign: _unary("Sign"),
    np.sqrt: _unary("Sqrt"),
    np.square: lambda x: x * x,
    np.exp: _unary("Exp"),
    np.log: _unary("Log"),
    np.tanh: _unary("Tanh"),
    np.sin: _unary("Sin"),
    np.cos: _unary("Cos"),
    np.floor: _unary("Floor"),
    np.ceil: _unary("Ceil"),
    np.rint: _unary("Round"),
    np.isnan: _unary("IsNaN"),
    np.isinf: _unary("IsInf"),
    np.isfinite: _isfinite,
}

#: NumPy functions by their ONNX form
FUNCTIONS |= {
    np.where: where,
    np.concatenate: lambda values, axis=0: concat([as_value(v) for v in values], axis),
    np.hstack: lambda values: concat([as_value(v) for v in values], 1),
    np.sum: lambda x, axis, keepdims=False: x.sum(axis, keepdims),
    np.mean: lambda x, axis, keepdims=False: x.mean(axis, keepdims),
    np.max: lambda x, axis, keepdims=False: x.max(axis, keepdims),
    np.min: lambda x, axis, keepdims=False: x.min(axis, keepdims),
    np.argmax: lambda x, axis: x.argmax(axis),
    np.argmin: lambda x, axis: x.argmin(axis),
    np.clip: lambda x, a_min, a_max: as_value(x).clip(a_min, a_max),
}
