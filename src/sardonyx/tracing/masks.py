"""``X[mask]``: values where a condition holds. They are computed for all rows, and written back where it does.

::

    m = X > 1                     a mask of X's shape, or of rows alone
    X[m] = X[m] * 2 + 1           where(m, X * 2 + 1, X)
    X[m, 0] = -1                  rows by a mask, columns by number

How many values there are differs, so that nothing but a computation value by value is allowed, and nothing but writing
them where they were taken from; the mask may be computed anew, as in ``X[X > 1] = X[X > 1] * 2``.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ..graph import Value, op, where
from .array import UFUNCS, Array, is_array, refuse
from .loops import broadcast_like
from .methods import BINARY


class Chosen:
    """The values of an array where a mask holds.

    Parameters
    ----------
    array : Array
        All values.
    mask : Array of bools
        Which of them: of the array's shape, or of its rows.
    """

    __array_priority__ = 4000

    def __init__(self, array: Array, mask: Array) -> None:
        self.array, self.mask = array, mask

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return self.array.dtype

    def astype(self, dtype: Any, copy: bool = True) -> Chosen:
        """Cast as NumPy does."""
        return Chosen(self.array.astype(dtype), self.mask)

    def copy(self) -> Chosen:
        """Return the same values."""
        return self

    to_numpy = copy

    @property
    def values(self) -> Chosen:
        """The same values."""
        return self

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """Return values within constant bounds."""
        low = self if min is None else np.maximum(self, min)
        return low if max is None else np.minimum(low, max)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or ufunc.nout > 1:
            _refused()
        return _computed(ufunc, inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        _refused()

    def __array__(self, *_: Any, **__: Any) -> Any:
        _refused()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        _refused()

    def __len__(self) -> int:
        _refused()

    def __iter__(self) -> Any:
        _refused()

    def __bool__(self) -> bool:
        _refused()


def _refused() -> NoReturn:
    refuse(
        "X[mask] chooses values whose number is not known; compute with them value by value and write them back: "
        "X[mask] = X[mask] * 2, or use np.where(mask, a, b)"
    )


def _computed(ufunc: np.ufunc, inputs: Any) -> Chosen:
    first = next(x for x in inputs if type(x) is Chosen)
    for x in inputs:
        if type(x) is Chosen and not same(x.mask.value, first.mask.value):
            refuse("values chosen by one mask and by another: they need not be as many")
        if type(x) is not Chosen and (is_array(x) or np.ndim(x)):
            _refused()
    result = UFUNCS[ufunc](*(x.array if type(x) is Chosen else x for x in inputs))
    return Chosen(result, first.mask)


def _operator(ufunc: np.ufunc, swapped: bool) -> Any:
    return lambda self, other: _computed(ufunc, (other, self) if swapped else (self, other))


for _name, _ufunc in BINARY.items():
    if _name not in ("divmod", "matmul"):
        setattr(Chosen, f"__{_name}__", _operator(_ufunc, False))
        setattr(Chosen, f"__r{_name}__", _operator(_ufunc, True))
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Chosen, f"__{_name}__", lambda self, _ufunc=_ufunc: _computed(_ufunc, (self,)))


def is_mask(key: Any) -> bool:
    """Whether an index is a mask, or a mask of rows beside an index of columns."""
    parts = key if isinstance(key, tuple) else (key,)
    return bool(parts) and is_array(parts[0]) and parts[0].dtype == np.bool_ and not any(map(is_array, parts[1:]))


def chosen(x: Array, key: Any) -> Chosen:
    """Return ``x[mask]`` or ``x[mask, columns]``."""
    mask, rest = _taken_apart(x, key)
    return Chosen(x[(slice(None), *rest)].copy() if rest else x.copy(), mask)


def _taken_apart(x: Array, key: Any) -> tuple[Array, tuple[Any, ...]]:
    mask, *rest = key if isinstance(key, tuple) else (key,)
    if mask.row_axis or x.row_axis or (mask.dims != x.dims and mask.dims) or (rest and mask.dims):
        refuse(f"a mask {mask!r} for {x!r}; give one of the same shape, or one of the rows")
    return Array(mask.value), tuple(rest)


def written(x: Array, key: Any, new: Any) -> Array:
    """Return what x holds after ``x[mask] = new`` or ``x[mask, columns] = new``."""
    mask, rest = _taken_apart(x, key)
    if rest:
        columns = (slice(None), *rest)
        part = x[columns].copy()
        from .indexing import updated

        return updated(x.copy(), columns, _merged(part, mask, new))
    return _merged(x, mask, new)


def _merged(x: Array, mask: Array, new: Any) -> Array:
    if type(new) is Chosen:
        if not same(new.mask.value, mask.value):
            refuse("values chosen by one mask written where another one holds")
        new = new.array
    elif is_array(new) or (np.ndim(new) and (mask.dims or not mask.ndim < x.ndim)):
        refuse("X[mask] = ... takes one number, or X[mask] itself changed; use np.where(mask, a, b) for more")
    if not is_array(new) and np.asarray(new).dtype.kind in "fc" and x.dtype.kind in "iub":
        if np.isnan(new).any() or not np.isfinite(new).all():
            refuse(f"writing {new!r} into an array of {x.dtype}")
        new = np.trunc(new)
    given = broadcast_like(np.asarray(new, x.dtype) if not is_array(new) else new, x)
    condition = mask.value
    while condition.ndim < x.ndim:
        condition = op.Unsqueeze(condition, np.array([condition.ndim]))
    return x.like(where(condition, given.value.astype(x.value.dtype), x.value))


def same(a: Value, b: Value) -> bool:
    """Whether two tensors are the same computation."""
    if a.name == b.name:
        return True
    makers = {name: node for node in a.graph.nodes for name in node.output}
    return _same(a.name, b.name, makers)


def _same(a: str, b: str, makers: dict[str, Any]) -> bool:
    if a == b:
        return True
    first, second = makers.get(a), makers.get(b)
    if first is None or second is None or first.op_type != second.op_type or first.domain != second.domain:
        return False
    if list(first.output).index(a) != list(second.output).index(b) or len(first.input) != len(second.input):
        return False
    attributes = [sorted(x.SerializeToString(deterministic=True) for x in n.attribute) for n in (first, second)]
    return attributes[0] == attributes[1] and all(
        _same(x, y, makers) for x, y in zip(first.input, second.input, strict=True)
    )
