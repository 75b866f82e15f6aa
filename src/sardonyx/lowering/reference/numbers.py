"""Operators of numbers for `onnx.reference`, whose own fall short of the standard, mostly in old opsets.

::

    ReduceSum, ...        integers stay of their type; no axes and no elements; axes as attribute or input
    LpNormalization       of magnitudes, along axis 0 too
    BatchNormalization    by the statistics that are given, unless the node is for training
    Dropout               its mask is of the data's type before opset 10, and 0 before 12, as in ONNX Runtime
    Flatten               of no elements
    Compress              a condition may be longer than the axis
    Pow                   integers to negative powers
    PRelu                 a slope of NaN or infinity changes only what is below 0
    Softmax, Hardmax      all axes from one on are one, before opset 13
    MeanVarianceNormalization    axes that the tensor does not have are no axes
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from .control_flow import AnyOperator

Array = NDArray[Any]
_Sum = Callable[..., Any]


def _log_sum_exp(x: Array, **along: Any) -> Any:
    most = np.max(x, axis=along["axis"], keepdims=True, initial=-np.inf)
    most = np.where(np.isfinite(most), most, 0)
    total = np.log(np.sum(np.exp(x - most), **along))
    return total + (most if along["keepdims"] else np.squeeze(most, axis=along["axis"]))


def _extreme(name: str) -> _Sum:
    def chosen(x: Array, **along: Any) -> Any:
        limits = np.iinfo(x.dtype) if x.dtype.kind in "iu" else None
        least, most = (limits.min, limits.max) if limits else (False, True) if x.dtype == bool else (-np.inf, np.inf)
        return getattr(np, name)(x, initial=least if name == "max" else most, **along)

    return chosen


#: what is made of integers as integers; all else is made of them as float64, and cut
_EXACT: Final[dict[str, _Sum]] = {
    "ReduceSum": lambda x, **along: np.sum(x, dtype=x.dtype, **along),
    "ReduceProd": lambda x, **along: np.prod(x, dtype=x.dtype, **along),
    "ReduceMax": _extreme("max"),
    "ReduceMin": _extreme("min"),
    "ReduceL1": lambda x, **along: np.sum(np.abs(x), dtype=x.dtype, **along),
    "ReduceSumSquare": lambda x, **along: np.sum(np.square(x), dtype=x.dtype, **along),
}
_OF_FLOATS: Final[dict[str, _Sum]] = {
    "ReduceMean": np.mean,
    "ReduceL2": lambda x, **along: np.sqrt(np.sum(np.square(x), **along)),
    "ReduceLogSum": lambda x, **along: np.log(np.sum(x, **along)),
    "ReduceLogSumExp": _log_sum_exp,
}


class Reduction(AnyOperator):
    """A reduction along axes: all if none are given, unless the node says that none are meant."""

    def _run(self, data: Array, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> tuple[Any, ...]:
        axes = getattr(self, "axes", None) if axes is None else axes
        along = tuple(int(axis) for axis in np.asarray([] if axes is None else axes).reshape(-1))
        if not along and not noop_with_empty_axes:
            along = tuple(range(data.ndim))
        exact = _EXACT.get(type(self).__name__)
        function = exact or _OF_FLOATS[type(self).__name__]
        x = data.astype(np.float64) if exact is None and data.dtype.kind in "iu" else data
        return (np.asarray(function(x, axis=along, keepdims=bool(keepdims))).astype(data.dtype),)


class LpNormalization(AnyOperator):
    """Vectors along an axis divided by their length."""

    def _run(self, x: Array, axis: int = -1, p: int = 2) -> tuple[Any, ...]:
        norm = np.linalg.norm(x, ord=p, axis=axis, keepdims=True)
        return ((x / np.where(norm == 0, 1, norm)).astype(x.dtype),)


class BatchNormalization(AnyOperator):
    """Channels scaled by their mean and variance: those that are given or, in training, those of the batch."""

    def _run(
        self,
        x: Array,
        scale: Array,
        bias: Array,
        mean: Array,
        var: Array,
        epsilon: float = 1e-5,
        momentum: float = 0.9,
        training_mode: int = 0,
        spatial: int = 1,
        **ignored: Any,
    ) -> tuple[Any, ...]:
        own = (0, *range(2, x.ndim))
        used = (x.mean(axis=own), x.var(axis=own)) if training_mode else (mean, var)
        shape = x.shape[1:] if not spatial else (-1, *[1] * (x.ndim - 2))
        m, v, s, b = (part.reshape(shape) for part in (*used, scale, bias))
        y = (s * (x - m) / np.sqrt(v + epsilon) + b).astype(x.dtype)
        if not training_mode:
            return (y,)
        kept = [old * momentum + new * (1 - momentum) for old, new in zip((mean, var), used, strict=True)]
        return (y, *(part.astype(mean.dtype) for part in kept))


class Dropout(AnyOperator):
    """The input, or in training what is left of it; and which elements are left."""

    def _run(self, x: Array, ratio: Any = None, training_mode: Any = None, seed: int | None = None) -> tuple[Any, ...]:
        version = self._version()
        share = 0.5 if ratio is None or version < 12 else float(np.asarray(ratio))
        if training_mode is None or not np.asarray(training_mode).item() or not share:
            mask = np.full(x.shape, version >= 12, bool if version >= 10 else x.dtype)
            return (x, mask)[: len(self.onnx_node.output)]
        mask = np.random.RandomState(seed).uniform(0, 1.0, x.shape) >= share
        return (mask * x / (1 - share)).astype(x.dtype), mask


class Flatten(AnyOperator):
    """A tensor as a matrix."""

    def _run(self, x: Array, axis: int = 1) -> tuple[Any, ...]:
        at = axis + x.ndim if axis < 0 else axis
        return (x.reshape(math.prod(x.shape[:at]), math.prod(x.shape[at:])),)


class Compress(AnyOperator):
    """Slices, or elements, where a condition holds."""

    def _run(self, x: Array, condition: Array, axis: int | None = None) -> tuple[Any, ...]:
        n = x.size if axis is None else x.shape[axis]
        return (np.compress(condition[:n], x, axis=axis),)


class Pow(AnyOperator):
    """Powers; of integers to negative powers what is left when they are cut."""

    def _run(self, a: Array, b: Array) -> tuple[Any, ...]:
        if a.dtype.kind not in "iu" or b.dtype.kind != "i":
            return (np.power(a, b).astype(a.dtype),)
        whole = np.power(a, np.maximum(b, 0)).astype(a.dtype)
        sign = np.where(b % 2 == 0, 1, a)
        return (np.where(b >= 0, whole, np.where(abs(a) == 1, sign, 0)).astype(a.dtype),)


class PRelu(AnyOperator):
    """A slope of its own for every element below 0."""

    def _run(self, x: Array, slope: Array) -> tuple[Any, ...]:
        if self._version() < 7 and slope.ndim == 1 < x.ndim:  # one for every channel
            slope = slope.reshape(-1, *[1] * (x.ndim - 2))
        return (np.where(x < 0, x * slope, x).astype(x.dtype),)


class _AlongOneAxis(AnyOperator):
    """A function of vectors: along an axis or, before opset 13, of all dimensions from an axis on."""

    def _run(self, x: Array, axis: int = -1) -> tuple[Any, ...]:
        is_said = any(attribute.name == "axis" for attribute in self.onnx_node.attribute)
        along = axis if is_said or self._version() >= 13 else 1
        at = along + x.ndim if along < 0 else along
        if not x.size:
            return (x,)
        flat = x if self._version() >= 13 else x.reshape(math.prod(x.shape[:at]), -1)
        return (self._of(flat, at if flat is x else 1).astype(x.dtype).reshape(x.shape),)

    def _of(self, x: Array, axis: int) -> Array:
        raise NotImplementedError


class Softmax(_AlongOneAxis):
    """Shares of the sum of exponentials."""

    def _of(self, x: Array, axis: int) -> Array:
        grown = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
        return np.asarray(grown / grown.sum(axis=axis, keepdims=True))


class LogSoftmax(_AlongOneAxis):
    """Logarithms of shares of the sum of exponentials."""

    def _of(self, x: Array, axis: int) -> Array:
        moved = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        return np.asarray(moved - np.log(np.exp(moved).sum(axis=axis, keepdims=True)))


class Hardmax(_AlongOneAxis):
    """1 for the first of the largest, 0 for all others."""

    def _of(self, x: Array, axis: int) -> Array:
        places = np.arange(x.shape[axis]).reshape(-1, *[1] * (x.ndim - 1 - axis))
        return np.asarray(np.equal(places, np.argmax(x, axis=axis, keepdims=True)))


class MeanVarianceNormalization(AnyOperator):
    """Values less their mean, divided by their standard deviation, along axes."""

    def _run(self, x: Array, axes: Any = None) -> tuple[Any, ...]:
        along = tuple(axis for axis in axes or (0, 2, 3) if -x.ndim <= axis < x.ndim)
        centred = x - x.mean(axis=along, keepdims=True)
        return ((centred / (np.sqrt(np.mean(np.square(centred), axis=along, keepdims=True)) + 1e-9)).astype(x.dtype),)


NUMBERS: Final[list[type[OpRun]]] = [
    *(type(name, (Reduction,), {}) for name in [*_EXACT, *_OF_FLOATS]),
    *(LpNormalization, BatchNormalization, Dropout, Flatten, Compress, Pow, MeanVarianceNormalization),
    *(PRelu, Softmax, LogSoftmax, Hardmax),
]
