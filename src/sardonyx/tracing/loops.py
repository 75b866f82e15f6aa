"""How a ufunc is called on traced arrays: in NumPy's own loop, whose dtypes ``ufunc.resolve_dtypes`` says.

::

    np.add(X, 1)    X int8, 1 ─▶ loop int8, int8 -> int8 ─▶ tensors int64, aligned ─▶ rule (ufuncs.py) ─▶ cut to int8

A rule computes in one of bool, int64, float32 and float64: narrower integers are widened before and cut afterwards,
which is the same modulo their size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Value, op, where
from ..protos import STRING
from .array import KNOWN, ROWS, UFUNCS, Array, cast, constant, is_array, refuse
from .shapes import aligned

Rule = Callable[..., Any]


def register(ufunc: np.ufunc) -> Callable[[Rule], Rule]:
    """Make a rule of tensors, all of the loop's dtype, a function of arrays and constants."""

    def declare(rule: Rule) -> Rule:
        def call(*inputs: Any) -> Any:
            return in_loop(ufunc, rule, inputs)

        UFUNCS[ufunc] = call
        return rule

    return declare


def in_loop(ufunc: np.ufunc, rule: Rule, inputs: tuple[Any, ...]) -> Any:
    """Return what a rule makes of arrays and constants, in the dtypes of the ufunc's loop for them."""
    operands = [x if is_array(x) or is_weak(x) else _known_constant(x) for x in inputs]
    if any(_is_text(x) for x in operands):
        return _text(ufunc, operands)
    loop = loop_of(ufunc, operands)
    tensors, row_axis = aligned(operands)
    given = [_operand(t, d) for t, d in zip(tensors, loop[: ufunc.nin], strict=True)]
    results = rule(*given)
    several = results if isinstance(results, tuple) else (results,)
    arrays = tuple(Array(cast(v, d), row_axis) for v, d in zip(several, loop[ufunc.nin :], strict=True))
    like = next((x for x in inputs if is_array(x) and type(x) is not Array), None)
    wrapped = tuple(like.wrap(a) if like is not None else a for a in arrays)
    return wrapped if ufunc.nout > 1 else wrapped[0]


def is_weak(x: Any) -> bool:
    """Whether x is a Python number, which takes the dtype of what is beside it."""
    return type(x) in (int, float)


def _known_constant(x: Any) -> Any:
    if x is ROWS:
        refuse("the number of rows is not known while converting")
    if isinstance(x, list | tuple) and any(is_array(item) for item in x):
        refuse("a list of arrays stands for a stack of them; write np.stack or np.column_stack")
    return np.asarray(x)


def _is_text(x: Any) -> bool:
    return x.value.dtype == STRING if is_array(x) else isinstance(x, np.ndarray) and x.dtype.kind in "OUT"


def loop_of(ufunc: np.ufunc, operands: list[Any]) -> tuple[np.dtype[Any], ...]:
    """Return the dtypes in which NumPy computes, of operands and results."""
    given = tuple(type(x) if is_weak(x) else x.dtype for x in operands)
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
        x = np.asarray(x, like.dtype if is_weak(x) else None)
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
