"""Resize to a known size: the nearest element, or between two of them, along one axis after the other.

::

    nearest   x ─▶ Gather(nearest place)
    linear    x ─▶ Gather(place below) * (1 - t) + Gather(place above) * t

Coordinates are computed in float32, as ONNX Runtime does: rounding decides between two that are equally near.
Where a scale makes a fraction of an element, corners are aligned to it, as in the standard; ONNX Runtime rounds it.
Cubic interpolation, antialiasing, crops (`tf_crop_and_resize`), and rows that are resized are left to the reference
implementation, and the operator of opset 10, whose places are others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from ..lowering.rules import ROWLESS, Array, Builder, Const, NodeView, Row, Values, decline, lowers
from .elementwise import FLOATS, elementwise, one_type
from .shape import gather_axis

#: where each of n places is among the old ones, given the scale and the old and new numbers of places
COORDINATES: Final[dict[str, Callable[[Array, np.float32, int, int], Array]]] = {
    "half_pixel": lambda at, scale, old, new: (at + np.float32(0.5)) / scale - np.float32(0.5),
    "pytorch_half_pixel": lambda at, scale, old, new: (
        (at + np.float32(0.5)) / scale - np.float32(0.5) if new > 1 else np.zeros_like(at)
    ),
    "asymmetric": lambda at, scale, old, new: at / scale,
    "align_corners": lambda at, scale, old, new: (
        at * np.float32(old - 1) / (np.float32(old) * scale - 1) if new > 1 else np.zeros_like(at)
    ),
}
NEAREST: Final[dict[str, Callable[[Array], Array]]] = {
    "round_prefer_floor": lambda at: np.ceil(at - np.float32(0.5)),
    "round_prefer_ceil": lambda at: np.floor(at + np.float32(0.5)),
    "floor": np.floor,
    "ceil": np.ceil,
}
#: places along an axis
MOST_ALONG: Final = 1 << 20


@lowers("Resize", whole=None)
def resize(b: Builder, node: NodeView) -> Values:
    x, mode = node.row(0), node.text("mode", "nearest")
    if node.version < 11 or mode not in ("nearest", "linear") or node.integer("antialias", 0):
        decline(f"mode {mode!r} of opset {node.version}")
    if mode == "linear":
        one_type([x], FLOATS)
    for dim, (new, scale) in enumerate(_sizes(node, x)):
        axis = dim if x.lead == ROWLESS else dim - 1
        old = x.shape[axis] if axis >= 0 else 0
        if new is None or (new == old and scale == 1):
            continue
        if axis < 0 or not 0 < min(old, new) <= max(old, new) <= MOST_ALONG or not scale > 0:
            decline("rows are resized, or an axis becomes nothing")
        at = _coordinates(node, scale, old, new)
        x = _nearest(b, node, x, axis, at) if mode == "nearest" else _between(b, x, axis, at)
    return (x,)


def _sizes(node: NodeView, x: Row) -> list[tuple[int | None, np.float32]]:
    """Return the new size and the scale of every dimension; None where it stays."""
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        decline("sizes that follow from each other")
    axes = node.integers("axes") or tuple(range(x.rank))
    found: list[tuple[int | None, np.float32]] = [(None, np.float32(1))] * x.rank
    by_size = node.has(3)
    given = node.dims(3) if by_size else tuple(node.const(2).astype(np.float32).reshape(-1))
    if len(given) != len(axes) or not all(-x.rank <= axis < x.rank for axis in axes):
        decline("not one size a dimension")
    for axis, value in zip(axes, given, strict=True):
        old = x.dims[axis]
        if value is None or (not by_size and value == 1):
            continue
        if old is None or not np.isfinite(value):
            decline("rows are resized")
        new = int(value) if by_size else int(min(np.floor(np.float32(old) * value), MOST_ALONG + 1))
        found[axis] = new, np.float32(new) / np.float32(max(old, 1)) if by_size else np.float32(value)
    return found


def _coordinates(node: NodeView, scale: np.float32, old: int, new: int) -> Array:
    mode = node.text("coordinate_transformation_mode", "half_pixel")
    place = COORDINATES.get(mode) or decline(f"coordinates {mode!r}")
    return place(np.arange(new, dtype=np.float32), scale, old, new)


def _nearest(b: Builder, node: NodeView, x: Row, axis: int, at: Array) -> Row:
    mode = node.text("nearest_mode", "round_prefer_floor")
    rounded = (NEAREST.get(mode) or decline(f"nearest_mode {mode!r}"))(at)
    return gather_axis(b, x, axis, np.clip(rounded, 0, x.shape[axis] - 1).astype(np.int64))


def _between(b: Builder, x: Row, axis: int, at: Array) -> Row:
    last = x.shape[axis] - 1
    at = np.clip(at, 0, last)
    below = np.floor(at).astype(np.int64)
    share = (at - below).astype(x.dtype).reshape(-1, *(1,) * (len(x.shape) - axis - 1))
    sides = [(below, 1 - share), (np.minimum(below + 1, last), share)]
    parts = [elementwise(b, "Mul", [gather_axis(b, x, axis, place), Const(part)], FLOATS) for place, part in sides]
    return elementwise(b, "Add", parts, FLOATS)
