"""Which kernel an ensemble of trees gets, and how many rows make a block: the cost model and its measured constants.

::

    scan   every node of a tree is asked, 64 rows at once      cost of a row and tree: nodes * SCAN_NODE + SCAN_TREE
    walk   eight rows go down together, a step a level         cost of a row and tree: levels * WALK_STEP + WALK_TREE

A block of rows passes through one tree after the other, so it should be large enough that fetching a tree's nodes from
memory is paid by its steps, and small enough that the rows' keys stay in the cache beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

#: leaves that a scan has bits for
SCAN_LEAVES = 64
#: nanoseconds on a core of 2.6 GHz with AVX2, rows of float32; a scan of float64 has half as many lanes
SCAN_NODE, SCAN_TREE = 0.055, 1.0
WALK_STEP, WALK_TREE = 0.85, 0.5
#: levels of a walk, those of complete trees being 1: rows of a group wait for the deepest
UNEVEN = 1.2
#: bytes of keys that stay in the cache beside a tree
KEY_BYTES = 1 << 18
#: rows of a block: at least, and at most
LEAST_ROWS, MOST_ROWS = 256, 2048


@dataclass(frozen=True, slots=True)
class ForestPlan:
    """Whether trees are scanned when there are rows enough, and rows of a block."""

    scan: bool
    block_rows: int


def plan_forest(trees: NDArray[Any], most_leaves: int, n_used: int, key_bytes: int) -> ForestPlan:
    """Choose for an ensemble.

    Parameters
    ----------
    trees : int64 array of shape (n_trees, 3)
        First place, number of places, first leaf of each tree.
    most_leaves : int
        Leaves of the largest tree.
    n_used : int
        Features that nodes ask for.
    key_bytes : int
        Of one number that is compared.
    """
    leaves = float((trees[:, 1].mean() + 1) / 2)
    scan = most_leaves <= SCAN_LEAVES and scan_cost(leaves, key_bytes) <= walk_cost(leaves)
    rows = KEY_BYTES // (n_used * key_bytes) // 64 * 64
    return ForestPlan(scan, 64 if scan else min(max(rows, LEAST_ROWS), MOST_ROWS))


def scan_cost(leaves: float, key_bytes: int) -> float:
    """Return the nanoseconds of one row and tree."""
    return SCAN_TREE + (leaves - 1) * SCAN_NODE * key_bytes / 4


def walk_cost(leaves: float) -> float:
    """Return the nanoseconds of one row and tree."""
    return WALK_TREE + WALK_STEP * UNEVEN * math.log2(max(leaves, 2.0))
