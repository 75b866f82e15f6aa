"""Lookup of categories, their hashes, and one-hot blocks.

::

    X (N, 1) ──▶ equal to categories[j]? ──▶ codes[j]      categories: unique, of X's dtype; NaN is equal to NaN
                 equal to none           ──▶ codes[-1]     codes: one more than categories
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Value, concat, op
from ..protos import STRING, tensor_type
from . import operator
from .text import refused


@operator("CategoryLookup")
def category_lookup(X: Value, categories: Value, codes: Value, *, column: str, refuse_unknown: int) -> Any:
    """Return for each row the code of its category.

    Parameters
    ----------
    X : Value of shape (N, 1)
        One column: numbers, bools or text.
    categories : Value of shape (k,)
        The known categories, of X's dtype.
    codes : Value of shape (k + 1,)
        What each category becomes, and last what an unknown one becomes.
    column : str
        The column's name, for the error.
    refuse_unknown : int
        1 to raise for an unknown category, in our runtime; other runtimes cannot refuse and give the last code.
    """
    if X.dtype.kind in "iub":  # ONNX Runtime compares few integer types
        X, categories = X.astype(np.int64), categories.astype(np.int64)
    same = X == categories[None, :]
    if X.dtype.kind == "f":
        same = same | (np.isnan(X) & np.isnan(categories[None, :]))
    numbers = op.Range(np.int64(1), op.Squeeze(op.Shape(codes)), np.int64(1))
    position = (same.astype(np.int64) * numbers).sum(1, keepdims=True) - 1  # at most one is equal; -1 is the last
    return op.Gather(codes, position, axis=0)


@operator("HashCategory")
def hash_category(X: Value, *, column: str) -> Any:
    """Return the number that catboost knows each category by: the lower 32 bits of CityHash64 of its text, signed.

    Our runtime refuses missing text, as catboost does. The body refuses every row: the standard has no operator from
    the bytes of a string to numbers.

    Parameters
    ----------
    X : Value of shape (N, 1)
        Text, or int64, which catboost hashes as its decimal digits.
    column : str
        The column's name, for the error.
    """
    texts = X if X.dtype == STRING else op.Cast(X, to=tensor_type(STRING))
    nothing = op.RegexFullMatch(refused(texts.reshape(-1)), pattern="")
    return op.Cast(nothing, to=tensor_type(np.dtype(np.int64))).reshape(-1, 1)


@operator("OneHotBlocks")
def one_hot_blocks(positions: Value, *, widths: Sequence[int], to: int) -> Any:
    """Return (N, sum of widths): one where a feature's position points to, zero elsewhere.

    Parameters
    ----------
    positions : Value of shape (N, features)
        int64 column of the output that each feature sets; -1 for none.
    widths : sequence of int
        The number of columns of each feature's block, in which its position lies.
    to : int
        ONNX element type of the output.
    """
    starts = np.cumsum([0, *widths])
    blocks = []
    for i in range(len(widths)):
        columns = op.Range(np.int64(starts[i]), np.int64(starts[i + 1]), np.int64(1))
        blocks.append(op.Cast(positions[:, i : i + 1] == columns[None, :], to=to))
    return concat(blocks)


def one_hot(positions: Value, *, widths: Sequence[int], to: np.dtype[Any]) -> Any:
    """`OneHotBlocks` to a NumPy dtype."""
    return one_hot_blocks(positions, widths=list(widths), to=tensor_type(to))
