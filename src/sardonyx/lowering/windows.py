"""Transposed convolutions of known sizes, as a matrix product of what windows see.

::

    x (N, C, H, W) ─▶ Gather ─▶ (N, groups, C/g * kh * kw, OH * OW) ─▶ MatMul with weights ─▶ + bias ─▶ (N, M, OH, OW)
                        └─ Where: what is outside of x is 0

Which elements those are is known once the sizes are (K. Chellapilla, S. Puri, P. Simard, "High Performance
Convolutional Neural Networks for Document Processing", 2006). A transposed convolution reads, at each output, the
inputs that a convolution would have spread there. Windows that see more than `MOST_SEEN` elements of a row are left to
the reference implementation. (Convolutions and pooling have kernels: kernels/windows.py.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx

from ..kernels.windows import MOST_ALONG, each_axis
from .control_flow import Walk, graph_of, node_of, takes_apart
from .rules import Array, Builder, Const, NodeView, Row, Value, decline

#: elements that the windows of one row see
MOST_SEEN: Final = 1 << 20


@dataclass(frozen=True)
class Windows:
    """Windows along each axis: `seen` (size of the kernel, number of windows), -1 where there is nothing."""

    sizes: tuple[int, ...]
    seen: tuple[Array, ...]

    @property
    def kernel(self) -> int:
        """How many elements a window has."""
        return math.prod(len(axis) for axis in self.seen)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many windows there are along each axis."""
        return tuple(axis.shape[1] for axis in self.seen)

    def places(self, channels: int) -> tuple[Array, Array]:
        """Return (channels, kernel, windows): the place of each element among all channels', and whether it is one."""
        if channels * self.kernel * math.prod(self.counts) > MOST_SEEN:
            decline(f"windows that see more than {MOST_SEEN} elements of a row")
        place, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for size, axis in zip(self.sizes, self.seen, strict=True):
            at = axis[None, :, None, :]
            place = (place[:, None, :, None] * size + np.maximum(at, 0)).reshape(len(place) * len(axis), -1)
            inside = (inside[:, None, :, None] & (at >= 0)).reshape(place.shape)
        starts = np.arange(channels)[:, None, None] * math.prod(self.sizes)
        return starts + place, np.broadcast_to(inside, (channels, *place.shape))


def _sizes_of(x: Value | None) -> tuple[int, ...]:
    """Return the sizes of a batch of images: channels, height, width."""
    if not isinstance(x, Row) or x.dtype not in ("float32", "float64") or x.lead > 0 or x.rank < 3:
        decline("not a batch of float32 or float64 channels")
    sizes = [n for n in x.dims[1:] if n is not None]
    return tuple(sizes) if len(sizes) == x.rank - 1 and all(sizes) else decline("sizes that are not known")


def _check_along(count: int, kernel: int) -> None:
    if not (0 < count <= MOST_ALONG and 0 < kernel <= MOST_ALONG and count * kernel <= MOST_SEEN):
        decline("no windows along an axis, or too many")


@takes_apart("ConvTranspose")
def conv_transpose(b: Builder, node: NodeView, walk: Walk) -> Sequence[Value | None]:
    """Return what a convolution's inputs must have been given, were its outputs the input."""
    channels, *sizes = _sizes_of(node.inputs[0])
    weights, groups, axes = node.const(1), node.integer("group", 1), len(sizes)
    if weights.ndim != axes + 2 or groups < 1 or channels % groups or len(weights) != channels:
        decline("weights that do not fit")
    if node.text("auto_pad", "NOTSET") != "NOTSET" or node.integers("output_shape"):
        decline("pads that follow from an output shape")
    turned = weights.reshape(groups, channels // groups, weights.shape[1], -1)
    wide = np.ascontiguousarray(turned.transpose(0, 2, 1, 3)).reshape(groups, weights.shape[1], -1)
    return _convolved(node, walk, _spread(node, tuple(sizes), weights.shape[2:]), wide, channels)


def _spread(node: NodeView, sizes: tuple[int, ...], kernel: tuple[int, ...]) -> Windows:
    axes = len(sizes)
    strides, dilations = each_axis(node, "strides", axes), each_axis(node, "dilations", axes)
    pads, more = node.integers("pads") or (0,) * (2 * axes), node.integers("output_padding") or (0,) * axes
    if len(pads) != 2 * axes or len(more) != axes or not 0 <= min(*pads, *more) <= max(*pads, *more) <= MOST_ALONG:
        decline("pads that do not fit")
    seen = []
    for i, (size, k, stride, dilation) in enumerate(zip(sizes, kernel, strides, dilations, strict=True)):
        count = stride * (size - 1) + more[i] + (k - 1) * dilation + 1 - pads[i] - pads[axes + i]
        _check_along(count, k)
        at, rest = np.divmod(np.arange(count) + pads[i] - np.arange(k)[:, None] * dilation, stride)
        seen.append(np.where((rest == 0) & (at >= 0) & (at < size), at, -1))
    return Windows(sizes, tuple(seen))


def _convolved(node: NodeView, walk: Walk, windows: Windows, weights: Array, channels: int) -> Sequence[Value | None]:
    groups, outputs, _ = weights.shape
    nodes, given = _gathered(node, windows, channels, (groups, channels // groups * windows.kernel))
    given["weights"] = Const(np.ascontiguousarray(weights[None]))
    given["shape"] = Const(np.array([0, groups * outputs, *windows.counts], np.int64))
    nodes.append(node_of("MatMul", ["weights", "seen"], ["sums"]))
    if node.has(2):
        given["bias"] = Const(node.const(2).reshape(1, groups, outputs, 1))
        nodes.append(node_of("Add", ["sums", "bias"], ["moved"]))
    nodes.append(node_of("Reshape", ["moved" if node.has(2) else "sums", "shape"], ["y"]))
    return walk(graph_of(nodes, ["y"]), given)


def _gathered(
    node: NodeView, windows: Windows, channels: int, shape: tuple[int, int]
) -> tuple[list[onnx.NodeProto], dict[str, Value | None]]:
    """Return the nodes that give what windows see, N x shape x number of windows, and their inputs."""
    x = node.inputs[0]
    assert isinstance(x, Row), "_sizes_of says so"
    place, inside = windows.places(channels)
    given: dict[str, Value | None] = {
        "x": x,
        "flat": Const(np.array([0, channels * math.prod(windows.sizes)], np.int64)),
        "place": Const(np.ascontiguousarray(place.reshape(-1))),
        "parts": Const(np.array([0, *shape, math.prod(windows.counts)], np.int64)),
        "inside": Const(np.ascontiguousarray(inside.reshape(1, -1))),
        "outside": Const(np.zeros((), x.dtype)),
    }
    nodes = [node_of("Reshape", ["x", "flat"], ["row"]), node_of("Gather", ["row", "place"], ["all"], axis=1)]
    if not inside.all():
        nodes.append(node_of("Where", ["inside", "all", "outside"], ["padded"]))
    nodes.append(node_of("Reshape", [nodes[-1].output[0], "parts"], ["seen"]))
    return nodes, given
