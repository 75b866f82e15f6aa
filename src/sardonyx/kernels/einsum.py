"""Einsum (native/kernels/linear/einsum.cpp): labels of dimensions, read from the equation.

::

    "n i, i j -> n j"     each operand's dimensions have labels; those that the output lacks are summed over

The row dimension is a label too: the first of every operand that is rows, and of the output. It is taken off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ..lowering.program import Param
from ..lowering.rules import ROWLESS, Builder, Const, NodeView, Operand, Row, Shape, Values, decline, lowers
from .elementwise import FLOATS, NUMBERS, one_type
from .matmul import linear

#: a letter, or the place of a dimension of the ellipsis, counted from the right
Label: TypeAlias = str | int


@lowers("Einsum", whole=None)
def einsum(b: Builder, node: NodeView) -> Values:
    operands = node.operands()
    dtype = one_type(operands, NUMBERS)
    terms, output = _labels(node.text("equation", ""), [_rank(operand) for operand in operands])
    if b.lead != ROWLESS:
        terms, output = _without_rows(operands, terms, output)
    if len(operands) == 2 and (row := _as_linear(b, operands, terms, output)):
        return (row,)
    sizes = _sizes(operands, terms)
    if any(label not in sizes for label in output) or len(set(output)) != len(output):
        decline("the output has a label that no operand has, or one twice")
    if len(operands) == 2 and (product := _as_product(b, operands, terms, output, sizes)):
        return (product,)
    order = [*output, *(label for label in sizes if label not in output)]
    strides = [
        stride for operand, term in zip(operands, terms, strict=True) for stride in _strides(operand, term, order)
    ]
    params: tuple[Param, ...] = (len(order), len(output), *(sizes[label] for label in order), *strides)
    return b.step("Einsum", operands, [(dtype, tuple(sizes[label] for label in output))], params)


def _rank(operand: Operand) -> int:
    return operand.rank if isinstance(operand, Row) else operand.array.ndim


def _labels(equation: str, ranks: Sequence[int]) -> tuple[list[list[Label]], list[Label]]:
    """Return the labels of each operand's dimensions, and of the output's."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    written = left.split(",")
    if len(written) != len(ranks):
        decline("not one term an operand")
    terms = [_spelled(term, rank) for term, rank in zip(written, ranks, strict=True)]
    unnamed = max((label + 1 for term in terms for label in term if isinstance(label, int)), default=0)
    if arrow:
        return terms, _spelled(right, unnamed + len(right.replace("...", "")) if "..." in right else len(right))
    letters = [label for term in terms for label in term if isinstance(label, str)]
    return terms, [*reversed(range(unnamed)), *sorted(label for label in set(letters) if letters.count(label) == 1)]


def _spelled(term: str, rank: int) -> list[Label]:
    before, dots, after = term.partition("...")
    hidden = rank - len(before) - len(after)
    letters = before + after
    if hidden < 0 or (hidden and not dots) or (letters and not letters.isalpha()):
        decline("a term that does not fit its operand")
    return [*before, *reversed(range(hidden)), *after]


def _without_rows(
    operands: Sequence[Operand], terms: list[list[Label]], output: list[Label]
) -> tuple[list[list[Label]], list[Label]]:
    rows = {term[0] for operand, term in zip(operands, terms, strict=True) if isinstance(operand, Row)}
    if len(rows) != 1 or not output or output[0] not in rows:
        decline("the rows are not the first dimension of the output")
    own = [term[1:] if isinstance(operand, Row) else term for operand, term in zip(operands, terms, strict=True)]
    if any(rows.intersection(term) for term in (*own, output[1:])):
        decline("the rows meet another dimension")
    return own, output[1:]


def _as_linear(b: Builder, operands: list[Operand], terms: list[list[Label]], output: list[Label]) -> Row | None:
    """Return a row vector times a constant matrix."""
    x, w = operands
    if b.lead == ROWLESS or not isinstance(x, Row) or not isinstance(w, Const) or x.dtype not in FLOATS:
        return None
    if len(terms[0]) != 1 or len(terms[1]) != 2 or len(set(terms[1])) != 2 or terms[0][0] not in terms[1]:
        return None
    (kept,) = [label for label in terms[1] if label != terms[0][0]]
    matrix = w.array if terms[1][0] == terms[0][0] else w.array.T
    return linear(b, x, np.ascontiguousarray(matrix)) if output == [kept] and matrix.shape[0] == x.width else None


def _as_product(
    b: Builder, operands: list[Operand], terms: list[list[Label]], output: list[Label], sizes: dict[Label, int]
) -> Row | None:
    """Return a stack of products of matrices, each operand's dimensions brought into their order.

    ::

        stack, left, summed   x   stack, summed, right   ─▶   stack, left, right
    """
    x, y = terms
    shapes = [[sizes[label] for label in term] for term in terms]
    plain = all(len({*t}) == len(t) and [*o.shape] == n for o, t, n in zip(operands, terms, shapes, strict=True))
    summed = [label for label in x if label in y and label not in output]
    if not plain or not summed or any(label not in output for label in {*x} ^ {*y}):
        return None
    stack = [label for label in output if label in x and label in y]
    left, right = ([label for label in output if label in t and label not in stack] for t in (x, y))
    sides = [
        _turned(b, operands[0], x, [*stack, *left, *summed]),
        _turned(b, operands[1], y, [*stack, *summed, *right]),
    ]
    batch, m, k, n = (math.prod(sizes[label] for label in group) for group in (stack, left, summed, right))
    made = [*stack, *left, *right]
    form = (operands[0].dtype, tuple(sizes[label] for label in made))
    (row,) = b.step("MatMul", sides, [form], (batch, m, k, n, int(bool(stack)), int(bool(stack))))
    turned = _turned(b, row, made, output)
    return turned if isinstance(turned, Row) else None


def _turned(b: Builder, x: Operand, given: Sequence[Label], wanted: Sequence[Label]) -> Operand:
    """Return an operand with its dimensions in another order."""
    order = [given.index(label) for label in wanted]
    if order == [*range(len(order))]:
        return x
    if isinstance(x, Const):
        return Const(np.ascontiguousarray(x.array.transpose(order)))
    return b.step("Transpose", [x], [(x.dtype, tuple(x.shape[axis] for axis in order))], order)[0]


def _sizes(operands: Sequence[Operand], terms: Sequence[Sequence[Label]]) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for operand, term in zip(operands, terms, strict=True):
        for label, n in zip(term, operand.shape, strict=True):
            known = sizes.setdefault(label, n)
            if known == 1:
                sizes[label] = n
            elif n not in (1, known):
                decline("dimensions of one label that differ")
    return sizes


def _strides(operand: Operand, term: Sequence[Label], order: Sequence[Label]) -> list[int]:
    strides = dict.fromkeys(order, 0)
    shape: Shape = operand.shape
    step = 1
    for label, n in zip(reversed(term), reversed(shape), strict=True):
        strides[label] += step if n != 1 else 0
        step *= n
    return [strides[label] for label in order]
