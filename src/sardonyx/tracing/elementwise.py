"""NumPy's callers of functions: ``np.vectorize``, ``np.piecewise``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .array import Array, is_array, refuse
from .branches import by_value, followed, numpy_value, python_value
from .functions import apply_ufunc as _u
from .functions import implements
from .joining import full
from .loops import broadcast_like
from .replaced import Function, replaces


@replaces(np.vectorize, "__call__")
def _vectorized(original: Function) -> Function:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        arrays = [x for x in (*args, *kwargs.values()) if is_array(x)]
        return _by_element(self, args, kwargs) if arrays else original(self, *args, **kwargs)

    return call


def _by_element(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Array:
    """Call a vectorized function with single values: those of several arrays are broadcast together."""
    if function.signature is not None or function.excluded:
        refuse("np.vectorize with a signature, or with arguments left out")
    arrays = [x for x in (*args, *kwargs.values()) if is_array(x)]
    if any(not is_array(x) and np.ndim(x) for x in (*args, *kwargs.values())):
        refuse("np.vectorize of an array of rows and a constant one; give the function one number")
    widest = max(arrays, key=lambda x: (x.ndim, x.dims))
    given = [broadcast_like(x, widest) if is_array(x) else x for x in args]
    named = {k: broadcast_like(x, widest) if is_array(x) else x for k, x in kwargs.items()}

    def called(convert: Callable[[Any], Any], one_kind: bool) -> Array:
        return by_value(
            lambda: function.pyfunc(*map(convert, given), **{k: convert(x) for k, x in named.items()}),
            widest,
            one_kind=one_kind,
        )

    followed(function.pyfunc)
    result = called(python_value, False)  # it is called with Python's numbers; the first answer gives the dtype
    if function.otypes is not None:
        dtype = np.dtype(function.otypes[0])
        return result.astype(dtype) if dtype.kind not in "UO" else result
    return result.astype(called(numpy_value, True).dtype) if result.dtype != object else result


@implements(np.piecewise)
def piecewise(x: Array, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    conditions = list(condlist) if isinstance(condlist, list | tuple) else [condlist]
    if len(funclist) == len(conditions) + 1:
        found = conditions[0]
        for condition in conditions[1:]:
            found = _u(np.logical_or, found, condition)
        conditions.append(_u(np.logical_not, found))
    if len(funclist) != len(conditions):
        refuse("np.piecewise with other than a function for each condition, and one for the rest")
    result = full(x, 0)
    for condition, function in zip(conditions, funclist, strict=True):
        result[condition] = function(x[condition], *args, **kw) if callable(function) else function
    return result
