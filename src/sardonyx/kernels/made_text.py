"""Text that operators of ai.onnx make, and numbers that they read from it (native/kernels/text/made_text.cpp).

::

    Cast               12.5 ─▶ "12.5", "12.5" ─▶ 12.5; a text that is no number is refused
    StringConcat       "a", "b" ─▶ "ab"
    StringNormalizer   "Ab" ─▶ "ab", where no text is taken away
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..lowering.builder import HALVES
from ..lowering.rules import Builder, Const, NodeView, Row, Values, as_constant, decline, lowers
from ..text.code_points import simple_case
from .elementwise import BOOL, FLOATS, NUMBERS, UNSIGNED, aligned, cast_row, one_type

TEXT = frozenset({"str"})


@lowers("Cast", "CastLike", whole=None)
def cast_text(b: Builder, node: NodeView) -> Values:
    from ..lowering.reference.graphs import dtype_of

    x = node.any_row(0)
    like = node.inputs[1] if node.op_type == "CastLike" else None
    if node.op_type == "CastLike" and not isinstance(like, Row | Const):
        decline("a type that is not known")
    to = like.dtype if isinstance(like, Row | Const) else dtype_of(node.integer("to", 0))
    y = x if x.dtype == to else read(b, x, to) if x.dtype == "str" else written(b, x, to)
    return (replace(y, lead=x.lead),)


def written(b: Builder, x: Row, to: str) -> Row:
    """Return numbers as text."""
    if to != "str" or x.dtype not in NUMBERS | HALVES | BOOL:
        decline(f"there is no kernel to cast {x.dtype} to {to}")
    wide = cast_row(b, x, "float32") if x.dtype in HALVES else x
    return b.step("WriteNumbers", [wide], [("str", x.shape)])[0]


def read(b: Builder, x: Row, to: str) -> Row:
    """Return text as numbers."""
    if to not in NUMBERS | HALVES | BOOL:
        decline(f"there is no kernel to cast text to {to}")
    wide = "float64" if to in FLOATS | HALVES else "uint64" if to in UNSIGNED else "int64"
    return cast_row(b, b.step("ReadNumbers", [x], [(wide, x.shape)])[0], to)


@lowers("StringConcat", whole=None)
def joined(b: Builder, node: NodeView) -> Values:
    operands = node.operands()
    one_type(operands, TEXT)
    own, shape = aligned(operands)
    return b.step("ConcatText", own, [("str", shape)])


def in_case(b: Builder, x: Row, case: str) -> Row:
    """Return texts in upper or lower case, character by character."""
    if case not in ("LOWER", "UPPER"):
        return x
    changed = simple_case(upper=case == "UPPER")
    points, texts = np.array(list(changed)), as_constant(np.array(list(changed.values()), object))
    return b.step("ReplaceChars", [x, points, texts], [("str", x.shape)])[0]


@lowers("StringNormalizer", whole=True)
def normalized(b: Builder, node: NodeView) -> Values:
    x, case = node.row(0), node.text("case_change_action", "NONE")
    if x.dtype != "str" or node.attributes.get("stopwords"):
        decline("texts are taken away")
    return (in_case(b, x, case),)
