"""Convolutions and pooling (native/kernels/networks/convolution.cpp, pooling.cpp), of images of at most three axes.

::

    Conv                     x (N, C, H, W) ─▶ Conv ─▶ (N, M, OH, OW)      weights and bias are constants
    MaxPool, AveragePool     x (N, C, H, W) ─▶ Pool ─▶ (N, C, OH, OW)

What is padded, and how many windows there are, is decided here, as the standard says for `auto_pad` and `ceil_mode`.
A convolution of one window that sees all of x is a matrix product. Windows over more elements than the kernels take
are left to the reference implementation, as are the places of maxima.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np

from ..lowering.rules import ROWLESS, Array, Builder, Const, NodeView, Operand, Row, Shape, Values, decline, lowers
from .elementwise import FLOATS, one_type

#: axes that the kernels take
MOST_AXES: Final = 3
#: windows along one axis, and how far apart anything may be: numbers of a file are not multiplied before they are small
MOST_ALONG: Final = 1 << 16
#: elements of a padded image's channel, and all that its windows see
MOST_PLACES: Final = 1 << 26
MOST_SEEN: Final = 1 << 30


@dataclass(frozen=True)
class Axis:
    """Windows along one axis: window o sees `o * stride + k * dilation - before` for all k < kernel."""

    size: int
    kernel: int
    count: int
    stride: int
    dilation: int
    before: int

    @property
    def places(self) -> int:
        """How many elements all windows reach over."""
        return (self.count - 1) * self.stride + (self.kernel - 1) * self.dilation + 1

    def seen(self) -> Array:
        """Return how many elements of x each window sees."""
        before = self.before - np.arange(self.count) * self.stride
        first, last = (np.clip(-(-n // self.dilation), 0, self.kernel) for n in (before, self.size + before))
        counts: Array = last - first
        return counts


def _params(axes: tuple[Axis, ...]) -> tuple[int, ...]:
    spare = (Axis(1, 1, 1, 1, 1, 0),) * (MOST_AXES - len(axes))
    return tuple(number for axis in (*spare, *axes) for number in astuple(axis))


def _images(node: NodeView) -> tuple[Row, int, int, Shape]:
    """Return x: how many images one row has, their channels, their sizes."""
    x = node.row(0)
    one_type([x], FLOATS)
    batch, *sizes = x.shape if x.lead == ROWLESS else (1, *x.shape)
    if not 2 <= len(sizes) <= MOST_AXES + 1 or not all((batch, *sizes)):
        decline("not a batch of channels of one to three axes")
    return x, batch, sizes[0], tuple(sizes[1:])


def _shape(x: Row, batch: int, channels: int, axes: tuple[Axis, ...]) -> Shape:
    own = (channels, *(axis.count for axis in axes))
    return (batch, *own) if x.lead == ROWLESS else own


def each_axis(node: NodeView, name: str, axes: int) -> tuple[int, ...]:
    """Return strides or dilations, which are 1 where a node does not give them."""
    values = node.integers(name) or (1,) * axes
    return values if len(values) == axes and 0 < min(values) <= max(values) <= MOST_ALONG else decline(name)


def _windows(node: NodeView, sizes: Shape, kernel: Shape) -> tuple[Axis, ...]:
    n = len(sizes)
    if len(kernel) != n or not 0 < min(kernel) <= max(kernel) <= MOST_ALONG:
        decline("a kernel that does not fit")
    strides, dilations = each_axis(node, "strides", n), each_axis(node, "dilations", n)
    pads = node.integers("pads") or (0,) * (2 * n)
    auto, ceil = node.text("auto_pad", "NOTSET"), bool(node.integer("ceil_mode", 0))
    if len(pads) != 2 * n or not 0 <= min(pads) <= max(pads) <= MOST_ALONG:
        decline("pads that do not fit")
    axes = []
    for i, (size, k, stride, dilation) in enumerate(zip(sizes, kernel, strides, dilations, strict=True)):
        before, after = (pads[i], pads[n + i]) if auto == "NOTSET" else _padding(auto, size, k, stride, dilation)
        count = _count(size, before, after, stride, (k - 1) * dilation + 1, ceil=ceil)
        if not 0 < count <= MOST_ALONG:
            decline("no windows along an axis, or too many")
        axes.append(Axis(size, k, count, stride, dilation, before))
    if max(math.prod(sizes), math.prod(kernel), math.prod(axis.places for axis in axes)) > MOST_PLACES:
        decline(f"windows over more than {MOST_PLACES} elements")
    if math.prod(axis.count * axis.kernel for axis in axes) > MOST_SEEN:
        decline(f"windows that see more than {MOST_SEEN} elements")
    return tuple(axes)


def _padding(auto: str, size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    if auto == "VALID":
        return 0, 0
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        decline(f"auto_pad={auto}")
    total = max(0, (-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    less, more = total // 2, total - total // 2
    return (less, more) if auto == "SAME_UPPER" else (more, less)


def _count(size: int, before: int, after: int, stride: int, extent: int, *, ceil: bool) -> int:
    room = size + before + after - extent
    count = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (count - 1) * stride >= size + before:  # a window must begin in the image, or before it
        count -= 1
    return count


# ---- convolutions ----------------------------------------------------------------------------------------------------


@lowers("Conv", whole=None)
def conv(b: Builder, node: NodeView) -> Values:
    x, batch, channels, sizes = _images(node)
    weights, groups = node.const(1), node.integer("group", 1)
    bias = [Const(node.const(2))] if node.has(2) else []
    one_type([x, Const(weights), *bias], FLOATS)
    if weights.ndim != len(sizes) + 2 or groups < 1 or not len(weights) or len(weights) % groups:
        decline("weights that do not fit")
    if weights.shape[1] * groups != channels or any(each.shape != weights.shape[:1] for each in bias):
        decline("weights that do not fit")
    axes = _windows(node, sizes, weights.shape[2:])
    shape = _shape(x, batch, len(weights), axes)
    if x.lead == 0 and groups == 1 and all(axis.places == axis.size and axis.count == 1 for axis in axes):
        return (b.reshape(_of_one_window(b, x, weights, bias), shape),)
    inputs: list[Operand] = [x, Const(weights), *bias]
    return b.step("Conv", inputs, [(x.dtype, shape)], (batch, channels, len(weights), groups, *_params(axes), 0))


def _of_one_window(b: Builder, x: Row, weights: Array, bias: list[Const]) -> Row:
    flat = np.ascontiguousarray(weights.reshape(len(weights), -1).T)
    return b.step("Linear", [x, flat, *bias], [(x.dtype, (len(weights),))])[0]


# ---- pooling ---------------------------------------------------------------------------------------------------------


@lowers("MaxPool", whole=None)
def max_pool(b: Builder, node: NodeView) -> Values:
    if node.n_outputs > 1:
        decline("the places of maxima")
    x, batch, channels, sizes = _images(node)
    axes = _windows(node, sizes, node.integers("kernel_shape") or ())
    shape = _shape(x, batch, channels, axes)
    return b.step("Pool", [x], [(x.dtype, shape)], (batch * channels, 0, *_params(axes)))


@lowers("AveragePool", whole=None)
def average_pool(b: Builder, node: NodeView) -> Values:
    padded = bool(node.integer("count_include_pad", 0))
    if node.integer("ceil_mode", 0) and padded:
        decline("pads that count where windows reach beyond them")
    x, batch, channels, sizes = _images(node)
    axes = _windows(node, sizes, node.integers("kernel_shape") or ())
    inputs: list[Operand] = [x, Const(_divisors(axes, padded=padded).astype(x.dtype))]
    shape = _shape(x, batch, channels, axes)
    return b.step("Pool", inputs, [(x.dtype, shape)], (batch * channels, 1, *_params(axes)))


def _divisors(axes: tuple[Axis, ...], *, padded: bool) -> Array:
    """Return of how many elements each window has the mean."""
    if padded:
        return np.full([axis.count for axis in axes], math.prod(axis.kernel for axis in axes))
    counts: Array = np.array(1)
    for axis in axes:
        counts = np.multiply.outer(counts, axis.seen())
    return counts if counts.all() else decline("a window of nothing")
