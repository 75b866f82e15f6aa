"""Statistics of a frame's rows, across its columns: ``X.sum(axis=1)``, ``X.std(axis=1)``, ``X.cumsum(axis=1)``.

They are pandas': NaN is left out, and the standard deviation divides by one less. Importing it adds them to `Frame`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import where
from ..protos import STRING
from .array import FUNCTIONS, UFUNCS, Array, refuse
from .frames import Column, Frame
from .guards import counted_in_all
from .reductions import take


def _across(axis: Any) -> None:
    if axis not in (1, "columns"):
        refuse("a statistic of whole columns depends on the other rows; name the axis: axis=1")


def _numbers(frame: Frame, numeric_only: bool = False) -> Array:
    """Return one matrix of numbers; bools are counted."""
    if numeric_only:
        frame = frame.made({n: c for n, c in frame.items() if c.value.dtype != STRING})
    kinds = {c.value.dtype for _, c in frame.items()}
    if np.dtype(np.bool_) in kinds:
        frame = frame.astype(np.int64 if len(kinds) == 1 else np.result_type(*kinds))
    return frame.to_numpy()


def _statistic(function: Any, **fixed: Any) -> Callable[..., Any]:
    def across(frame: Frame, axis: Any = None, skipna: bool = True, numeric_only: bool = False, **options: Any) -> Any:
        if function is np.nansum and axis in (None, 0) and all(c.dtype == np.bool_ for _, c in frame.items()):
            return counted_in_all(frame.to_numpy())
        _across(axis)
        if not skipna or not options.keys() <= {"ddof"}:
            refuse("statistics of rows with skipna=False, or with options; take X.to_numpy()")
        return Column(FUNCTIONS[function](_numbers(frame, numeric_only), 1, **{**fixed, **options}).value)

    return across


def _truths(function: Any) -> Callable[..., Any]:
    def across(frame: Frame, axis: Any = 0, skipna: bool = True, **_: Any) -> Any:
        if any(c.value.dtype == STRING or c.dtype.kind == "f" for _, c in frame.items()):
            refuse("any and all of floats or text, in which NaN counts its own way; compare first: (X > 0).any(axis=1)")
        truths = frame.astype(np.bool_).to_numpy()
        if axis not in (1, "columns"):  # of all rows: see guards.py
            return FUNCTIONS[function](truths)
        return Column(FUNCTIONS[function](truths, 1).value)

    return across


def _count(frame: Frame, axis: Any = None, **_: Any) -> Column:
    _across(axis)
    return frame.notna().sum(axis=1)


def _matrix_of(function: Any) -> Callable[..., Frame]:
    """Return a frame of running values; NaN stays where it is, and counts for nothing."""

    def across(frame: Frame, axis: Any = None, skipna: bool = True, **_: Any) -> Frame:
        _across(axis)
        given = _numbers(frame)
        result: Any = FUNCTIONS[function](given, axis=1)
        if given.dtype.kind == "f":
            nan = UFUNCS[np.isnan](given)
            result = result.like(where(nan.value, given.dtype.type(np.nan), result.value))
        return frame.made({n: Column(result.value[:, i], n) for i, n in enumerate(frame._columns)})

    return across


def _place(function: Any) -> Callable[..., Column]:
    def across(frame: Frame, axis: Any = None, skipna: bool = True, **_: Any) -> Column:
        _across(axis)
        if not all(isinstance(name, str) for name in frame._columns):
            refuse("idxmax of columns whose names are no text")
        found = FUNCTIONS[function](_numbers(frame), 1)
        return Column(take(np.array(list(frame._columns), object), found, axis=0).value)

    return across


def _differences(frame: Frame, periods: int = 1, axis: Any = 0) -> Frame:
    _across(axis)
    if not 0 < periods < len(frame._columns):
        refuse(f"diff over {periods} columns")
    given = _numbers(frame)
    given = given if given.dtype.kind == "f" else given.astype(np.float64)
    names = list(frame._columns)
    nothing = FUNCTIONS[np.full_like](given[:, 0], np.nan)
    gaps = [nothing] * periods + [given[:, i] - given[:, i - periods] for i in range(periods, len(names))]
    return frame.made({n: Column(g.value, n) for n, g in zip(names, gaps, strict=True)})


def _aggregated(frame: Frame, func: Any, axis: Any = 0, **options: Any) -> Any:
    if isinstance(func, list) and axis in (1, "columns"):
        return frame.made({name: _aggregated(frame, name, axis, **options) for name in func})
    if not isinstance(func, str) or func not in STATISTICS:
        refuse("agg of other than the name of a statistic")
    return STATISTICS[func](frame, axis=axis, **options)


STATISTICS: dict[str, Callable[..., Any]] = {
    "sum": _statistic(np.nansum), "mean": _statistic(np.nanmean), "max": _statistic(np.nanmax),
    "min": _statistic(np.nanmin), "std": _statistic(np.nanstd, ddof=1), "var": _statistic(np.nanvar, ddof=1),
    "median": _statistic(np.nanmedian), "prod": _statistic(np.nanprod), "product": _statistic(np.nanprod),
    "any": _truths(np.any), "all": _truths(np.all), "count": _count,
    "cumsum": _matrix_of(np.nancumsum), "cumprod": _matrix_of(np.nancumprod), "diff": _differences,
    "idxmax": _place(np.nanargmax), "idxmin": _place(np.nanargmin),
}  # fmt: skip

for _name, _method in {**STATISTICS, "agg": _aggregated, "aggregate": _aggregated}.items():
    setattr(Frame, _name, _method)

__all__ = ["STATISTICS"]
