"""Recurrent networks (native/kernels/networks/recurrent.cpp): `RNN`, `GRU` and `LSTM`, as the standard has them.

::

    layout 0   X  T x N x in  ─▶  Y  T x D x N x H    Y_h, Y_c  D x N x H      rows behind others (rules.Across)
    layout 1   X  N x T x in  ─▶  Y  N x T x D x H              N x D x H
    whole      all of X is one row of a program: N is the kernel's `batch`

Sequences are the rows wherever the number of steps is known; else a program is made for the shapes that come
(lowering/shaped.py). Defaults of activations are those of the operators they are called after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from ..lowering.program import Param
from ..lowering.rules import (
    ROWLESS,
    Builder,
    Const,
    NodeView,
    Operand,
    Row,
    Shape,
    Value,
    Values,
    decline,
    lowers,
)
from .behind import as_across, settled
from .elementwise import FLOATS

#: gates, and activations of one direction
GATES: Final = {"RNN": 1, "GRU": 3, "LSTM": 4}
ACTIVATIONS: Final = {"RNN": ("tanh",), "GRU": ("sigmoid", "tanh"), "LSTM": ("sigmoid", "tanh", "tanh")}
WAYS: Final = {"forward": 1, "reverse": 2, "bidirectional": 3}

#: activations in the kernel's order: what alpha and beta are by default, None where there is none
FORMS: Final[dict[str, tuple[float | None, float | None]]] = {
    "sigmoid": (None, None),
    "tanh": (None, None),
    "relu": (None, None),
    "affine": (1.0, 0.0),
    "leakyrelu": (0.01, None),
    "thresholdedrelu": (1.0, None),
    "scaledtanh": (1.0, 1.0),
    "hardsigmoid": (0.2, 0.5),
    "elu": (1.0, None),
    "softsign": (None, None),
    "softplus": (None, None),
}

#: activations of one direction that the kernel has room for
MOST_ACTIVATIONS: Final = 3
#: optional inputs: their bits, as the kernel counts them
BIAS, LENGTHS, INITIAL_H, INITIAL_C, PEEPHOLES = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class _Sizes:
    directions: int
    length: int
    batch: int
    inputs: int
    hidden: int
    batch_first: bool
    whole: bool

    def form(self, *own: int, depth: int) -> Shape:
        """Return the shape of one row: `own` dimensions, and where it has a batch, that behind `depth` of them."""
        if not self.whole:
            return own
        return (self.batch, *own) if self.batch_first else (*own[:depth], self.batch, *own[depth:])

    def placed(self, b: Builder, row: Row, depth: int) -> Value:
        """Return rows where the layout has them."""
        return row if self.whole or self.batch_first else settled(b, row, depth)


@lowers("RNN", "GRU", "LSTM", whole=None)
def recurrent(b: Builder, node: NodeView) -> Values:
    sizes, x = _sizes(b, node)
    inputs: list[Operand] = [x, _weights(node, 1, x.dtype), _weights(node, 2, x.dtype)]
    given = 0
    for bit, value in _optional(b, node, sizes, x.dtype):
        given |= bit
        inputs.append(value)
    wanted = [i < node.n_outputs and bool(node.proto.output[i]) for i in range(3)]
    if not any(wanted) or (wanted[2] and node.op_type != "LSTM"):
        decline("outputs that there are not")
    params = _params(node, sizes, given, sum(1 << i for i, is_wanted in enumerate(wanted) if is_wanted))
    d, h = sizes.directions, sizes.hidden
    state = sizes.form(d, h, depth=1)
    forms = [(sizes.form(sizes.length, d, h, depth=2), 2), (state, 1), (state, 1)]
    asked = [form for form, is_wanted in zip(forms, wanted, strict=True) if is_wanted]
    rows = b.step("Recurrent", inputs, [(x.dtype, shape) for shape, _ in asked], params)
    made = iter([sizes.placed(b, row, depth) for row, (_, depth) in zip(rows, asked, strict=True)])
    return tuple(next(made) if is_wanted else Const(np.zeros(0)) for is_wanted in wanted[: node.n_outputs])


def _sizes(b: Builder, node: NodeView) -> tuple[_Sizes, Row]:
    whole, batch_first = b.lead == ROWLESS, node.integer("layout", 0) == 1
    x = node.row(0) if whole or batch_first else _behind(b, node.inputs[0])
    if x.dtype not in FLOATS or x.sparse or len(x.shape) != (3 if whole else 2):
        decline("X is not sequences of float32 or float64")
    order = x.shape if whole else (1, *x.shape) if batch_first else (x.shape[0], 1, x.shape[1])
    batch, length = (order[0], order[1]) if batch_first else (order[1], order[0])
    R = _shape(node, 2)
    if len(R) != 3 or R[2] < 1 or R[0] not in (1, 2):
        decline("R is not weights of directions")
    hidden = node.integer("hidden_size", R[2])
    sizes = _Sizes(R[0], length, batch, x.shape[-1], hidden, batch_first, whole)
    width = GATES[node.op_type] * hidden
    if R != (sizes.directions, width, hidden) or _shape(node, 1) != (sizes.directions, width, sizes.inputs):
        decline("weights that do not fit X, or each other")
    if sizes.directions != 1 + (node.text("direction", "forward") == "bidirectional"):
        decline("weights of another number of directions")
    return sizes, x


def _behind(b: Builder, value: Value | None) -> Row:
    """Return the rows of a tensor that has them behind one dimension."""
    across = as_across(b, value)
    return across.row if across.depth == 1 else decline("rows are another dimension")


def _shape(node: NodeView, index: int) -> Shape:
    return node.operand(index).shape


def _weights(node: NodeView, index: int, dtype: str) -> Operand:
    """Return weights: the same for all rows, unless all tensors are one row."""
    value = node.operand(index)
    if value.dtype != dtype or (isinstance(value, Row) and value.lead != ROWLESS):
        decline("weights of another type, or of each row's own")
    return value


def _optional(b: Builder, node: NodeView, sizes: _Sizes, dtype: str) -> Iterator[tuple[int, Operand]]:
    """Yield the optional inputs that are given, and their bits."""
    d, h, gates = sizes.directions, sizes.hidden, GATES[node.op_type]
    if node.has(3):
        yield BIAS, _fitting(_weights(node, 3, dtype), (d, 2 * gates * h))
    if node.has(4):
        yield LENGTHS, _lengths(node, sizes)
    for index, bit in ((5, INITIAL_H), (6, INITIAL_C)):
        if node.has(index):
            yield bit, _state(b, node, index, sizes, dtype)
    if node.has(7):
        yield PEEPHOLES, _fitting(_weights(node, 7, dtype), (d, 3 * h))


def _fitting(value: Operand, shape: Shape) -> Operand:
    return value if value.shape == shape else decline(f"an input of shape {value.shape}, not {shape}")


def _lengths(node: NodeView, sizes: _Sizes) -> Operand:
    value = node.operand(4) if sizes.whole else node.row(4)
    if value.dtype != "int32":
        decline("sequence_lens is not int32")
    return _fitting(value, (sizes.batch,) if sizes.whole else ())


def _state(b: Builder, node: NodeView, index: int, sizes: _Sizes, dtype: str) -> Operand:
    shape = sizes.form(sizes.directions, sizes.hidden, depth=1)
    value: Operand
    if sizes.whole:
        value = node.operand(index)
    else:
        value = node.row(index) if sizes.batch_first else _behind(b, node.inputs[index])
    return _fitting(value, shape) if value.dtype == dtype else decline("a first state of another type")


def _params(node: NodeView, sizes: _Sizes, given: int, wanted: int) -> list[Param]:
    clip = node.real("clip", 0.0)
    direction = node.text("direction", "forward")
    flags = node.integer("linear_before_reset", 0), node.integer("input_forget", 0)
    numbers = (sizes.length, sizes.batch, sizes.inputs, sizes.hidden, int(sizes.batch_first))
    forms = _activations(node, sizes.directions)
    return [
        GATES[node.op_type],
        WAYS.get(direction) or decline(f"direction={direction!r}"),
        *numbers,
        *(int(flag != 0) for flag in flags),
        given,
        wanted,
        clip if clip > 0 else float("inf"),
        *chain.from_iterable(forms),
    ]


def _activations(node: NodeView, directions: int) -> list[tuple[int, float, float]]:
    """Return code, alpha and beta of every activation; alphas and betas are used up in their order."""
    usual = ACTIVATIONS[node.op_type]
    names = [_lower(name) for name in node.attributes.get("activations", ())] or list(usual) * directions
    if len(names) != len(usual) * directions:
        decline("another number of activations")
    alphas, betas = (iter(node.attributes.get(f"activation_{name}", ())) for name in ("alpha", "beta"))
    forms = []
    for name in names:
        alpha, beta = FORMS.get(name) or decline(f"activation {name!r}")
        alpha = 0.0 if alpha is None else float(next(alphas, alpha))
        beta = 0.0 if beta is None else float(next(betas, beta))
        forms.append((list(FORMS).index(name), alpha, beta))
    spare = [(0, 0.0, 0.0)]
    sides = [forms[len(usual) * i : len(usual) * (i + 1)] for i in range(2)]
    return [form for side in sides for form in side + spare * (MOST_ACTIVATIONS - len(side))]


def _lower(name: bytes | str) -> str:
    return (name.decode() if isinstance(name, bytes) else name).lower()
