"""How large a value operators of the reference implementation are about to make: sizes.py says how large it may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from ..sizes import check_size


class SizedEvaluator(ReferenceEvaluator):
    """The reference implementation, in which an operator that makes something large of little says how large first."""

    def _init(self) -> None:
        super()._init()
        for node in self.rt_nodes_:
            if node.onnx_node.op_type in GROWING and not node.onnx_node.domain:
                node.run = partial(_run_sized, node, node.run)


def _run_sized(node: OpRun, run: Callable[..., Any], *inputs: Any, **more: Any) -> Any:
    proto = node.onnx_node
    try:
        shape, item = GROWING[proto.op_type](node, *inputs)
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return run(*inputs, **more)  # it knows better what is wrong
    given = sum(getattr(x, "nbytes", 0) for x in inputs)  # many rows are no absurd size
    check_size(f"{proto.op_type}{f' {proto.name!r}' if proto.name else ''}", shape, item, given=given)
    return run(*inputs, **more)


Form = tuple[list[int], int]


def _whole(numbers: Any) -> list[int]:
    return [int(n) for n in np.asarray(numbers).reshape(-1)]


def _filled(node: Any, shape: Any) -> Form:
    return _whole(shape), 8


def _expanded(node: Any, x: Any, shape: Any) -> Form:
    target = _whole(shape)
    rank = max(x.ndim, len(target))
    own, wide = [1] * (rank - x.ndim) + list(x.shape), [1] * (rank - len(target)) + target
    return [w if n == 1 else n for n, w in zip(own, wide, strict=True)], x.itemsize


def _tiled(node: Any, x: Any, repeats: Any, *_: Any) -> Form:
    return [n * times for n, times in zip(x.shape, _whole(repeats), strict=True)], x.itemsize


def _counted(node: Any, start: Any, limit: Any, delta: Any) -> Form:
    first, last, step = (np.asarray(x).reshape(-1)[0].item() for x in (start, limit, delta))
    return [max(0, math.ceil((last - first) / step))], np.asarray(start).itemsize


def _padded(node: Any, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Form:
    around = _whole(node.pads if pads is None else pads)
    along = range(x.ndim) if axes is None else [axis % x.ndim for axis in _whole(axes)]
    shape = list(x.shape)
    for i, axis in enumerate(along):
        shape[axis] += around[i] + around[i + len(around) // 2]
    return shape, x.itemsize


def _one_hot(node: Any, indices: Any, depth: Any, values: Any) -> Form:
    return [*np.asarray(indices).shape, *_whole(depth)], values.itemsize


def _resized(node: Any, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Form:
    axes = [axis % x.ndim for axis in node.axes or range(x.ndim)] if hasattr(node, "axes") else range(x.ndim)
    shape = list(x.shape)
    for i, axis in enumerate(axes):
        shape[axis] = int(sizes[i]) if sizes is not None else math.floor(shape[axis] * float(scales[i]))
    return shape, x.itemsize


#: operators, and shape and bytes of an element that they make
GROWING: Final[dict[str, Callable[..., Form]]] = {
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "Tile": _tiled,
    "Range": _counted,
    "Pad": _padded,
    "OneHot": _one_hot,
    "Resize": _resized,
}
