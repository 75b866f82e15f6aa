"""Which kernel an ensemble of trees gets, and how many rows make a block: the cost model and its measured constants.

::

    scan   every node of a tree is asked, a byte a row       cost of a row: asks * SCAN_ASK + trees * SCAN_TREE + codes
    walk   eight rows go down together, a step a level       cost of a row: trees * (levels * WALK_STEP + WALK_TREE)
    both   tops are scanned, rows walk on from their leaves  the one and the other

A block of rows passes through one tree after the other, so it should be large enough that fetching a tree's nodes from
memory is paid by its steps, and small enough that the rows' keys stay in the cache beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .forest_scan import FEW, MANY, SAME, SIXTEEN, ScanTables

#: nanoseconds on a core of 2.6 GHz with AVX2; float64 has half as many lanes
SCAN_ASK, SCAN_TREE = 0.0155, 0.45
#: the same of a register of rows, full or not; and of a column and a cut that is counted
SCAN_ASK_ONCE, SCAN_TREE_ONCE, COLUMN_ONCE, CUT_ONCE = 0.9, 5.0, 12.0, 1.1
#: nanoseconds of a number's code: of any, by each of few cuts, by many
CODE, CODE_CUT, CODE_MANY = 0.7, 0.035, 1.3
WALK_STEP, WALK_TREE = 0.85, 0.5
#: nanoseconds of a number's key, and of a tree to walk on in from its top
KEY, ON = 0.25, 1.2
#: a step takes so many times as long where few rows walk
ALONE = 1.1
#: levels of a walk, those of complete trees being 1: rows of a group wait for the deepest
UNEVEN = 1.5
#: bytes of keys that stay in the cache beside a tree
KEY_BYTES = 1 << 18
#: rows from which a scan pays at the latest, if it ever does; from which it pays at the earliest where rows walk on
MOST_PAYS, LEAST_ON = 64, 64
#: rows of a block: of a scan, of a walk at least, and at most
SCAN_ROWS, LEAST_ROWS, MOST_ROWS = 512, 256, 2048


@dataclass(frozen=True, slots=True)
class ForestPlan:
    """From how many rows on trees are scanned, 0 if never, and rows of a block."""

    scan: int
    block_rows: int


def plan_forest(trees: NDArray[Any], n_used: int, key_bytes: int, scan: ScanTables | None) -> ForestPlan:
    """Choose for an ensemble.

    Parameters
    ----------
    trees : int64 array of shape (n_trees, 3)
        First place, number of places, first leaf of each tree.
    n_used : int
        Features that nodes ask for.
    key_bytes : int
        Of one number that is compared.
    scan : ScanTables, optional
        What a scan would work on, if it is possible.
    """
    walked = walk_cost(levels_of(trees), key_bytes) + n_used * KEY
    row_bytes = n_used * key_bytes
    rest = rest_cost(scan, trees, key_bytes) + n_used * KEY if scan is not None and len(scan.starts) else 0.0
    if scan is None or scan_cost(scan, key_bytes) + rest > walked:
        return ForestPlan(0, _block(row_bytes))
    pays = min(math.ceil(scan_overhead(scan) / (ALONE * (walked - rest))), MOST_PAYS)
    if len(scan.starts):
        return ForestPlan(max(pays, LEAST_ON), _block(row_bytes + len(scan.columns)))
    return ForestPlan(max(pays, 2), SCAN_ROWS)


def _block(row_bytes: int) -> int:
    return min(max(KEY_BYTES // row_bytes // LEAST_ROWS * LEAST_ROWS, LEAST_ROWS), MOST_ROWS)


def scan_overhead(scan: ScanTables) -> float:
    """Return the nanoseconds of a scan of a few rows, however few."""
    kinds, cuts = scan.columns[:, 0], scan.columns[:, 3]
    counted = float(cuts[kinds == FEW].sum()) + float(cuts[kinds == MANY].sum()) / SIXTEEN
    codes = len(kinds) * COLUMN_ONCE + counted * CUT_ONCE
    return codes + len(scan.asks) * SCAN_ASK_ONCE + (len(scan.planes) - 1) * SCAN_TREE_ONCE


def scan_cost(scan: ScanTables, key_bytes: int) -> float:
    """Return the nanoseconds of one row."""
    kinds, cuts = scan.columns[:, 0], scan.columns[:, 3]
    counted = float(cuts[kinds == FEW].sum()) * CODE_CUT + float((kinds == MANY).sum()) * CODE_MANY
    codes = float((kinds != SAME).sum()) * CODE + counted * key_bytes / 4
    return codes + len(scan.asks) * SCAN_ASK + (len(scan.planes) - 1) * SCAN_TREE


def rest_cost(scan: ScanTables, trees: NDArray[Any], key_bytes: int) -> float:
    """Return the nanoseconds of one row that walks on from tops."""
    tops = np.diff(scan.first_starts, append=len(scan.starts))
    return walk_cost(np.maximum(levels_of(trees) - np.log2(tops), 0.0), key_bytes) + len(trees) * ON


def levels_of(trees: NDArray[Any]) -> NDArray[Any]:
    """Return the levels that trees would have if they were complete."""
    return np.log2(np.maximum((trees[:, 1] + 1) / 2, 2))


def walk_cost(levels: NDArray[Any], key_bytes: int) -> float:
    """Return the nanoseconds of one row."""
    step = WALK_STEP * UNEVEN * (1 if key_bytes == 4 else 1.5)
    return float(levels.sum()) * step + len(levels) * WALK_TREE
