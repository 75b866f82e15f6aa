"""Rewrites of programs, one a file: each takes a Program and returns one that gives the same results.

`optimize` runs them in order. A pass may leave steps and slots without a reader behind; `drop_unused` removes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..lowering.program import Program
from .drop_unused import drop_unused
from .expand_polynomials import expand_polynomials
from .fuse_check_finite import fuse_check_finite
from .fuse_convolutions import fuse_convolutions
from .fuse_kernel_sums import fuse_kernel_sums
from .fuse_linear_bias import fuse_linear_bias
from .fuse_relu import fuse_relu
from .fuse_sub_div import fuse_sub_div
from .merge_linears import merge_linears
from .remove_identity import remove_identity
from .remove_plain_lookups import remove_plain_lookups

PASSES: Final[tuple[Callable[[Program], Program], ...]] = (
    remove_identity,
    remove_plain_lookups,
    fuse_kernel_sums,
    expand_polynomials,
    fuse_linear_bias,
    fuse_convolutions,
    drop_unused,  # what merge_linears meets may be read by steps that were replaced
    merge_linears,
    fuse_relu,
    fuse_check_finite,
    fuse_sub_div,
    drop_unused,
)


def optimize(program: Program) -> Program:
    """Return the program after all passes."""
    for rewrite in PASSES:
        program = rewrite(program)
    return program
