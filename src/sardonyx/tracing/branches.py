"""Functions of one value, which may ask `if`: ``np.vectorize``, ``Series.map``, ``DataFrame.apply(axis=1)``.

A function of arrays cannot ask whether X is positive: some rows are and some are not. A function that is called with
one value after the other can. It is called once for every way through its branches, and for each value the answer of
its own way is chosen::

    def band(age):                       way 1: age < 18                     "child"
        if age < 18: return "child"      way 2: not age < 18, age < 65       "adult"
        return "adult" if age < 65       way 3: not age < 18, not age < 65   "senior"
               else "senior"             where(age < 18, "child", where(age < 65, "adult", "senior"))

What does not exist in one value is still refused: loops that values end, look-ups in a dict or a set, ``int(x)``.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import Value
from ..protos import STRING
from .array import FUNCTIONS, Array, is_array, refuse
from .joining import full

#: ways through a function that are followed
MOST_WAYS = 128


@dataclass
class _Way:
    """What a call answered, and what it asked on its way: conditions, and what was said of each."""

    answers: list[bool]
    conditions: list[Array] = field(default_factory=list)
    result: Any = None

    asked: dict[str, bool] = field(default_factory=dict)

    def ask(self, name: str, condition: Array) -> bool:
        """Decide once what is asked again and again."""
        if name not in self.asked:
            self.asked[name] = self.decide(condition)
        return self.asked[name]

    def decide(self, condition: Array) -> bool:
        """Follow what is prescribed, then say yes."""
        place = len(self.conditions)
        self.conditions.append(condition)
        if place == len(self.answers):
            self.answers.append(True)
        return self.answers[place]


_way: ContextVar[_Way | None] = ContextVar("way", default=None)


def current_way() -> _Way | None:
    """Return the way that is being followed."""
    return _way.get()


class Scalar(Array):
    """One value of each row, or of each element, as NumPy hands it out: a float64, an int64 or a bool of its own."""

    takes_roots = False

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(x, float)`` must take the branch that it takes with data."""
        return {"f": float, "b": bool}.get(self.value.dtype.kind, int)

    def wrap(self, array: Array) -> Array:
        """Return a result as a value."""
        return type(self)(array.value, array.row_axis)

    def like(self, value: Value, row_axis: int | None = None) -> Array:
        """Return a value of its own."""
        return type(self)(value, self.row_axis if row_axis is None else row_axis)

    def __bool__(self) -> bool:
        way = _way.get()
        if way is None:
            return super().__bool__()
        return way.decide(self.astype(np.bool_))

    def __round__(self, ndigits: int | None = None) -> Any:
        refuse("round() of one value, which Python does in decimal; use np.round")

    def __getitem__(self, key: Any) -> Any:
        refuse("one value has no parts")


class PythonScalar(Scalar):
    """One value as Python sees it: a float, an int or a bool, which counts as 0 or 1 in sums."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        result = super().__array_ufunc__(ufunc, method, *inputs, **options)
        return Scalar(result.value, result.row_axis) if type(result) is PythonScalar else result

    def number(self) -> Array:
        """Return a bool as an int."""
        return self.like(self.value.astype(np.int64)) if self.value.dtype == np.bool_ else self


def _arithmetic(name: str) -> Callable[..., Any]:
    def apply(self: PythonScalar, *others: Any) -> Any:
        return getattr(Scalar, name)(
            self.number(), *(x.number() if type(x) is PythonScalar else _plain(x) for x in others)
        )

    return apply


def _plain(x: Any) -> Any:
    return int(x) if isinstance(x, bool) and not is_array(x) else x


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "divmod", "lshift", "rshift"):
    setattr(PythonScalar, f"__{_name}__", _arithmetic(f"__{_name}__"))
    setattr(PythonScalar, f"__r{_name}__", _arithmetic(f"__r{_name}__"))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(PythonScalar, f"__{_name}__", _arithmetic(f"__{_name}__"))


def by_value(function: Callable[..., Any], like: Array, *, one_kind: bool = False) -> Array:
    """Return what a function of single values answers, for all values.

    Parameters
    ----------
    function : callable
        Takes no arguments, and computes with `Scalar` values of one shape.
    like : Array
        An array of that shape.
    one_kind : bool
        Refuse a function that gives integers on one way and floats on another.
    """
    ways: list[_Way] = []
    prescribed: list[bool] | None = []
    while prescribed is not None:
        if len(ways) == MOST_WAYS:
            refuse(f"more than {MOST_WAYS} ways through the branches of a function; write it with np.select")
        way = _Way(list(prescribed))
        token = _way.set(way)
        try:
            way.result = function()
        finally:
            _way.reset(token)
        ways.append(way)
        prescribed = _next(way.answers[: len(way.conditions)])
    kind = _kind([w.result for w in ways], one_kind)
    return _merged(ways, 0, like, kind)


def _next(answers: list[bool]) -> list[bool] | None:
    """Return the next way's first answers: the last yes becomes a no."""
    while answers and not answers[-1]:
        answers = answers[:-1]
    return [*answers[:-1], False] if answers else None


def _kind(results: list[Any], one_kind: bool) -> np.dtype[Any]:
    """Return the dtype that pandas and NumPy give to such answers together."""
    kinds = []
    for x in results:
        if is_array(x):
            kinds.append(np.dtype(object) if x.value.dtype == STRING else x.dtype)
        elif isinstance(x, str | bool | np.bool_ | int | float | np.integer | np.floating):
            kinds.append(np.dtype(object) if isinstance(x, str) else np.asarray(x).dtype)
        else:
            refuse(f"a function of one value that gives {'None' if x is None else type(x).__name__}")
    names = {"text" if k.kind == "O" else "bool" if k.kind == "b" else "number" for k in kinds}
    if one_kind and len({k.kind for k in kinds}) > 1:
        refuse("a function that gives integers here and floats there; say np.vectorize(..., otypes=[float])")
    if len(names) > 1:
        refuse(f"a function of one value that gives {' here and '.join(sorted(names))} there")
    return kinds[0] if names == {"text"} else np.result_type(*kinds)


def _merged(ways: list[_Way], depth: int, like: Array, kind: np.dtype[Any]) -> Array:
    first = ways[0]
    if len(first.conditions) == depth:
        result = first.result
        if not is_array(result):
            return _constant(result, like, kind)
        if (result.dims, result.row_axis) != (like.dims, like.row_axis):
            refuse(f"a function of one value that gives {result!r}; give one number or text")
        return (
            Array(result.value, result.row_axis)
            if kind.kind == "O"
            else Array(result.value, result.row_axis).astype(kind)
        )
    yes = [w for w in ways if w.answers[depth]]
    no = [w for w in ways if not w.answers[depth]]
    branches = [_merged(side, depth + 1, like, kind) for side in (yes, no)]
    condition = first.conditions[depth]
    return FUNCTIONS[np.where](Array(condition.value, condition.row_axis), *branches)


def _constant(x: Any, like: Array, kind: np.dtype[Any]) -> Array:
    if kind.kind != "O":
        return full(Array(like.value, like.row_axis), x, kind)
    true = full(Array(like.value, like.row_axis), True, np.bool_)
    return FUNCTIONS[np.where](true, x, x)


def numpy_value(x: Any) -> Any:
    """Return an array as the numbers that NumPy sees one by one, of its own dtype."""
    if not is_array(x):
        return x
    if x.value.dtype == STRING:
        from .texts import Text

        return Text(x.value)
    return Scalar(x.value, x.row_axis)


def followed(function: Any) -> Any:
    """Return a function of one value, refused where it asks for identity, which is not its arguments' to tell."""
    from .texts import function_of

    code = getattr(function, "__code__", None)
    if code is not None and any(i.opname == "IS_OP" for i in dis.get_instructions(code)):
        refuse("a function of one value that asks `is`, which cannot be followed; ask pd.isna(x), or ==")
    return function_of(function)


def python_value(x: Any) -> Any:
    """Return an array as the numbers that Python sees one by one: floats, ints, bools."""
    if not is_array(x) or x.value.dtype == STRING:
        return numpy_value(x)
    dtype = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}[x.dtype.kind]
    return PythonScalar(x.value.astype(dtype) if x.dtype != dtype else x.value, x.row_axis)
