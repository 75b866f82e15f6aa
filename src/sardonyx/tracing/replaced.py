"""Functions that ask nothing of their arguments, replaced while a user's function is traced.

``np.sin(X)`` asks X what to do; ``np.asarray(X)``, ``np.zeros(len(X))``, ``len(X)`` and ``math.log(x)`` do not. While a
function is traced, these are replaced by functions that let traced arrays through and give all else to the own one::

    with transparent(rows):        np.zeros((X.shape[0], 2))   as many rows as `rows` has
        function(X)                np.take(table, codes)       np.take is asked through its first argument alone

A replacement registers itself with `replaces`; the modules of rules do so too.
"""

from __future__ import annotations

import builtins
import dis
import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..graph import Value, per_row
from .array import FUNCTIONS, ROWS, UFUNCS, Array, is_array, refuse
from .frames import is_frame, plain
from .loops import broadcast_like

Function = Callable[..., Any]

#: (module, class or a module's name, name) -> what makes the replacement of the own function
_MAKERS: dict[tuple[Any, str], Callable[[Any], Any]] = {}
#: what is replaced is replaced for all threads, by one at a time
LOCK = threading.RLock()
#: a tensor with the rows of the function that is being traced
_rows: ContextVar[Value] = ContextVar("rows")


def replaces(owner: Any, *names: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Register what makes, of each own function of these names, its replacement while tracing."""

    def declare(maker: Callable[[Any], Any]) -> Callable[[Any], Any]:
        _MAKERS.update({(owner, name): maker for name in names})
        return maker

    return declare


@contextmanager
def transparent(rows: Value) -> Iterator[Callable[[Function], Function]]:
    """Let functions without a protocol take traced arrays, whose rows are those of a tensor.

    Yields what returns, of a function, that which stands for it inside: users give ``np.asarray`` itself, too.
    """
    token = _rows.set(rows)
    with LOCK:
        places = [(_module(owner), name, maker) for (owner, name), maker in _MAKERS.items()]
        own = [(owner, name, maker, getattr(owner, name)) for owner, name, maker in places if hasattr(owner, name)]
        for owner, name, maker, original in own:
            setattr(owner, name, maker(original))
        inside = {id(original): getattr(owner, name) for owner, name, _, original in own if owner is np}
        try:
            yield lambda function: inside.get(id(function), function)
        finally:
            for owner, name, _, original in own:
                setattr(owner, name, original)
            _rows.reset(token)


def _module(owner: Any) -> Any:
    """Return a module that is named, if it is there: pandas is loaded by whoever uses it."""
    return sys.modules.get(owner) if isinstance(owner, str) else owner


def rows_of_trace() -> Value:
    """Return a tensor with the rows of the function that is being traced."""
    return _rows.get()


# ---- arrays of arrays ------------------------------------------------------------------------------------------------


@replaces(np, "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite")
def _converting(original: Function) -> Function:
    def convert(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        a = as_stack(a)
        if not is_array(a):
            return original(a, dtype, *args, **kwargs)
        return a if dtype is None else a.astype(dtype)

    return convert


@replaces(np, "array")
def _copying(original: Function) -> Function:
    def convert(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        a = as_stack(a)
        if not is_array(a):
            return original(a, dtype, *args, **kwargs)
        own = Array(a.value, a.row_axis) if kwargs.get("copy", True) else a
        return own if dtype is None else own.astype(dtype)

    return convert


def as_stack(a: Any) -> Any:
    """Return frames as matrices, lists of traced arrays as their stack, all else as it is."""
    a = plain(a.to_numpy() if is_frame(a) else a)
    if isinstance(a, list | tuple):
        a = type(a)(map(as_stack, a)) if type(a) in (list, tuple) else a
        if any(is_array(x) for x in a):
            return FUNCTIONS[np.stack](list(a))
    return a


class _Columnwise:
    """``np.c_[a, b]``: columns side by side."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __getitem__(self, key: Any) -> Any:
        parts = [as_stack(p) for p in (key if isinstance(key, tuple) else (key,))]
        if not any(is_array(p) for p in parts):
            return self.original[key]
        return FUNCTIONS[np.column_stack](parts)


replaces(np, "c_")(_Columnwise)


# ---- as many as there are rows ---------------------------------------------------------------------------------------


@replaces(builtins, "len")
def _length(original: Function) -> Function:
    def length(x: Any, /) -> Any:
        if hasattr(type(x), "python_length"):  # of one text of each row
            return x.python_length
        return x.shape[0] if is_array(x) or is_frame(x) else original(x)

    return length


def filled(shape: Any, number: Any, dtype: Any) -> Array:
    """Return an array of a shape that begins with the number of rows, the same number everywhere."""
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if sizes[0] is not ROWS or any(n is ROWS for n in sizes[1:]):
        refuse(f"an array of shape {sizes}, in which the rows are not the first axis")
    values = np.full([int(n) for n in sizes[1:]], number, dtype)
    return Array(per_row(values, _rows.get()))


def _of_rows(shape: Any, name: str) -> bool:
    if shape is not ROWS and not (isinstance(shape, tuple | list) and any(n is ROWS for n in shape)):
        return False
    if not _called_by_name(sys._getframe(2), name):
        refuse(f"the number of rows is not known while converting; np.{name} takes it where it is called by this name")
    return True


def _called_by_name(frame: Any, name: str) -> bool:
    """Whether what Python code calls at this moment has a name.

    Compiled code asks for ``np.empty`` too, and takes the answer for an array in memory whatever it is: a function such
    as ``rng.normal(size=X.shape)`` would write through a pointer that is none. Its calls are not in any bytecode.
    """
    code, at = frame.f_code, frame.f_lasti
    places = dict(zip(range(0, len(code.co_code), 2), code.co_positions(), strict=False))
    start, _, column, _ = places.get(at, (None,) * 4)
    if column is None:
        return False
    loads = [i for i in dis.get_instructions(code) if i.opname.startswith("LOAD_") and i.argval == name]
    return any((places[i.offset][0], places[i.offset][2]) == (start, column) for i in loads)


@replaces(np, "zeros", "ones", "empty")
def _filling(original: Function) -> Function:
    number = int(original.__name__ == "ones")

    def fill(shape: Any, dtype: Any = float, *args: Any, **kwargs: Any) -> Any:
        made = _of_rows(shape, original.__name__)
        return filled(shape, number, dtype) if made else original(shape, dtype, *args, **kwargs)

    return fill


@replaces(np, "full")
def _full(original: Function) -> Function:
    def fill(shape: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not _of_rows(shape, "full"):
            return original(shape, fill_value, dtype, *args, **kwargs)
        if not is_array(fill_value):
            return filled(shape, fill_value, dtype)
        like = filled(shape, 0, fill_value.dtype if dtype is None else dtype)
        return broadcast_like(fill_value, like).astype(like.dtype)

    return fill


@replaces(np, "take")
def _taking(original: Function) -> Function:
    def take(a: Any, indices: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_array(indices) or is_array(a):
            return original(a, indices, *args, **kwargs)
        return FUNCTIONS[original](a, plain(indices), *args, **kwargs)

    return take


# ---- functions of one number -----------------------------------------------------------------------------------------

#: math's functions that NumPy has too, of floats
MATHS = {
    "exp": np.exp, "expm1": np.expm1, "log1p": np.log1p, "log2": np.log2, "log10": np.log10, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "atan": np.arctan, "asin": np.arcsin, "acos": np.arccos,
    "atan2": np.arctan2, "tanh": np.tanh, "hypot": np.hypot, "fabs": np.fabs, "isnan": np.isnan, "isinf": np.isinf,
    "isfinite": np.isfinite, "radians": np.deg2rad, "degrees": np.rad2deg, "pow": np.power, "copysign": np.copysign,
}  # fmt: skip


def _math(name: str) -> None:
    def maker(original: Function) -> Function:
        def call(*args: Any) -> Any:
            if not any(is_array(x) for x in args):
                return original(*args)
            return UFUNCS[MATHS[name]](*(x * 1.0 if is_array(x) else float(x) for x in args))

        return call

    replaces(math, name)(maker)


for _name in MATHS:
    _math(_name)


@replaces(math, "log")
def _logarithm(original: Function) -> Function:
    def log(x: Any, *base: Any) -> Any:
        if not is_array(x):
            return original(x, *base)
        return UFUNCS[np.log](x * 1.0) / original(*base) if base else UFUNCS[np.log](x * 1.0)

    return log


@replaces(math, "floor", "ceil", "trunc")
def _whole(original: Function) -> Function:
    ufunc = {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}[original.__name__]
    return lambda x, /: UFUNCS[ufunc](x).astype(np.int64) if is_array(x) else original(x)
