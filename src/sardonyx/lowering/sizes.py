"""How large a value may be that a file asks for: a few numbers in it can ask for more than any machine has.

::

    Pad, Expand, Tile, ConstantOfShape, Range, OneHot, Resize ─▶ size of what they make ─▶ refused, before it is made

Native programs are refused when they are lowered (builder.py), what runs in Python just before it runs
(reference/sized.py). A value is what one row has of it, or all of a tensor without rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ..errors import ModelError

#: bytes of the largest value, and how many times as large it may be as what it is made of, however large that is
MOST_BYTES: Final = 1 << 31
MOST_TIMES: Final = 16


def size_of(shape: Sequence[int], item: int) -> int:
    """Return the bytes of a value."""
    return math.prod(map(int, shape)) * item


def check_size(where: str, shape: Sequence[int], item: int, *, given: int = 0, of_a_row: bool = False) -> None:
    """Raise a ModelError that names the node and the size, if a value of `given` bytes grows beyond any honest one."""
    size = size_of(shape, item)
    if size > max(MOST_BYTES, MOST_TIMES * given):
        each = " for every row" if of_a_row else ""
        raise ModelError(
            f"{where} makes a tensor of shape {[int(n) for n in shape]}{each}, {size / 2**30:,.1f} GiB; at most"
            f" {MOST_BYTES >> 30} GiB are made. Look at the numbers that it takes its size from."
        )
