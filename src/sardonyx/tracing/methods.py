"""Methods and operators of traced arrays, each NumPy's function or ufunc of that name. Importing it adds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .array import UFUNCS, Array
from .ufuncs import operator_power

#: methods of an array that are functions of NumPy
_METHODS: Final = (
    "sum", "mean", "std", "var", "min", "max", "prod", "any", "all", "argmax", "argmin", "cumsum", "clip", "round",
    "take", "ptp", "sort", "squeeze", "swapaxes", "repeat", "dot", "argsort", "cumprod", "compress",
)  # fmt: skip


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np, name)  # now: some are replaced while tracing

    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return self.__array_function__(function, (), (self, *args), kwargs)

    method.__name__, method.__doc__ = name, f"``numpy.{name}`` of this array."
    return method


for _name in _METHODS:
    setattr(Array, _name, _method(_name))


def _operator(ufunc: np.ufunc, *, swapped: bool = False, in_place: bool = False) -> Callable[..., Any]:
    def apply(self: Array, other: Any) -> Any:
        if isinstance(other, str | bytes) or (other is None):
            return NotImplemented if ufunc not in (np.equal, np.not_equal) else UFUNCS[ufunc](self, other)
        rule = operator_power if ufunc is np.power else UFUNCS[ufunc]
        result = rule(other, self) if swapped else rule(self, other)
        return self.assign(result) if in_place else result

    return apply


#: operators of two operands, by the names of their methods
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift, "divmod": np.divmod, "pow": np.power, "matmul": np.matmul,
}  # fmt: skip
for _name, _ufunc in BINARY.items():
    setattr(Array, f"__{_name}__", _operator(_ufunc))
    setattr(Array, f"__r{_name}__", _operator(_ufunc, swapped=True))
    if _name != "divmod":
        setattr(Array, f"__i{_name}__", _operator(_ufunc, in_place=True))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Array, f"__{_name}__", _operator(_ufunc))
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Array, f"__{_name}__", lambda self, _ufunc=_ufunc: UFUNCS[_ufunc](self))
