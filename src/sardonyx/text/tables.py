"""The tables that kernels of text read: what becomes of each code point, and the automaton that finds tokens.

::

    code point ─▶ pages[0] ─▶ fold     lower case, without accents          (code_points.py)
               ─▶ pages[1] ─▶ kinds    its class in the automaton | its case
    classes    ─▶ automaton            where tokens begin and end           (patterns.py)
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .code_points import case_kinds, fold, paged, space
from .patterns import compile_pattern

Array = NDArray[Any]

#: bits of a kind that are the class for the automaton; the rest is the case
CLASS_BITS = 6


@functools.lru_cache(maxsize=16)
def tables_of(token_pattern: str | None, lowercase: bool, strip_accents: str | None) -> tuple[Array, ...]:
    """Return the tables that operators of text carry: pages, fold, kinds, automaton."""
    fold_pages, folded = fold(lowercase, strip_accents)
    automaton = None if token_pattern is None else compile_pattern(token_pattern)
    classes = space().astype(np.uint8) if automaton is None else automaton.classes
    kinds = classes | case_kinds() << CLASS_BITS if lowercase else classes
    kind_pages, kinds = paged(kinds)
    moves = np.zeros((1, 3), np.int32) if automaton is None else automaton.transitions
    return np.stack([fold_pages, kind_pages]), folded, kinds, moves
