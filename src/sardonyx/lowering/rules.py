"""What lowering rules are written in: the values of a model, a view of a node, the builder of steps, the registry.

A rule turns one node of a model into steps of native kernels::

    @lowers("Softmax")
    def softmax(b: Builder, node: NodeView) -> Values | None:
        x = node.row(0)
        axis = node.row_axis(x, node.integer("axis", -1))
        return b.step("Softmax", [x], [(x.dtype, x.shape)], split_at(x.shape, axis))

It returns one value for each output of the node, or declines, by returning None or by calling `decline`, and then the
next rule registered for the operator is tried. What every rule declines is left to lower.py, which takes the body of a
function apart and gives a standard operator to the reference implementation. A rule must decline whatever it cannot
compute with ONNX's exact meaning.

The kinds of values are told in kinds.py, what a node says in node_view.py, how steps are added in builder.py.

Rules need not know of sparse rows: a step that is not said to take them (`takes_sparse`) is given dense ones, for which
the builder adds one Densify step a slot. Rules that can do better look at `Row.sparse`.

This module does not walk models (lower.py does) and knows no operator (kernels/ does).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from .builder import MAX_RANK, AnyStep, Builder, NativeStep, ReferenceStep
from .kinds import (
    ROWLESS,
    Across,
    Array,
    Batch,
    Const,
    Declined,
    Dims,
    Entries,
    Listed,
    Made,
    Operand,
    Row,
    Shape,
    SparseConst,
    Tokens,
    Value,
    Values,
    as_constant,
    decline,
    dtype_name,
)
from .node_view import Attributes, NodeView

__all__ = [
    "MAX_RANK",
    "ROWLESS",
    "Across",
    "AnyStep",
    "Array",
    "Attributes",
    "Batch",
    "Builder",
    "Const",
    "Declined",
    "Dims",
    "Entries",
    "Fold",
    "Listed",
    "Made",
    "NativeStep",
    "NodeView",
    "Operand",
    "ReferenceStep",
    "Row",
    "Shape",
    "SparseConst",
    "Tokens",
    "Value",
    "Values",
    "as_constant",
    "decline",
    "dtype_name",
    "fold_of",
    "folds",
    "lowers",
    "rules_for",
    "split_at",
]


def split_at(shape: Shape, axis: int, count: int = 1) -> tuple[int, int, int]:
    """Return (outer, n, inner): the sizes before, of, and after `count` axes starting at `axis`."""
    return math.prod(shape[:axis]), math.prod(shape[axis : axis + count]), math.prod(shape[axis + count :])


Rule: TypeAlias = Callable[[Builder, NodeView], "Values | None"]
_Rule = TypeVar("_Rule", bound=Rule)
Fold: TypeAlias = Callable[[NodeView], "Values"]
_Fold = TypeVar("_Fold", bound=Fold)

_RULES: dict[tuple[str, str, bool], list[Rule]] = {}
_FOLDS: dict[tuple[str, str], Fold] = {}


def lowers(*op_types: str, domain: str = "", whole: bool | None = False) -> Callable[[_Rule], _Rule]:
    """Register a rule for operators, or model-local functions, of a domain; rules are tried as they were registered.

    `whole`: True for a rule of tensors without rows (ROWLESS), False for one of rows, None for one that takes either.
    """

    def register(rule: _Rule) -> _Rule:
        for op_type in op_types:
            for kind in (False, True) if whole is None else (whole,):
                _RULES.setdefault((domain, op_type, kind), []).append(rule)
        return rule

    return register


def folds(op_type: str, domain: str) -> Callable[[_Fold], _Fold]:
    """Register what an operator, or a model-local function, of constants is, where its body would make too much of it.

    As other rules it may decline: the body is folded then.
    """

    def register(rule: _Fold) -> _Fold:
        _FOLDS[domain, op_type] = rule
        return rule

    return register


def fold_of(domain: str, op_type: str) -> Fold | None:
    """Return the rule of an operator of constants, if it has one."""
    return _FOLDS.get((domain, op_type.split(":")[0]))


def rules_for(domain: str, op_type: str, *, whole: bool = False) -> tuple[Rule, ...]:
    """Return the rules of an operator; what follows a colon in a function's name is for people only."""
    domain = "" if domain == "ai.onnx" else domain
    return tuple(_RULES.get((domain, op_type.split(":")[0], whole), ()))
