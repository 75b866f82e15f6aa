"""The planner of tree ensembles: what it chooses follows from sizes alone."""

from __future__ import annotations

import numpy as np
import pytest

from sardonyx.kernels.forest_plan import LEAST_ROWS, MOST_PAYS, MOST_ROWS, plan_forest
from sardonyx.kernels.forest_scan import FEW, MANY, ScanTables


def tables(n_trees: int, leaves: int, cuts: int) -> ScanTables:
    """Tables of these sizes: a feature for every ten nodes."""
    nodes = n_trees * (leaves - 1)
    kind = FEW if cuts <= 48 else MANY
    return ScanTables(
        cuts=np.zeros(1, np.float32),
        columns=np.array([[kind, i, 0, cuts] for i in range(nodes // cuts + 1)], np.int32),
        planes=np.arange(n_trees + 1),
        lists=np.zeros(1, np.int64),
        asks=np.zeros(nodes * 11 // 10, np.uint32),
        starts=np.zeros(0, np.uint32),
        first_starts=np.zeros(0, np.int64),
    )


@pytest.mark.parametrize(
    ("n_trees", "leaves", "cuts", "scan"), [(100, 8, 35, True), (100, 64, 200, True), (1, 200, 1, False)]
)
@pytest.mark.parametrize("key_bytes", [4, 8])
def test_small_trees_are_scanned(n_trees: int, leaves: int, cuts: int, scan: bool, key_bytes: int) -> None:
    trees = np.array([[0, 2 * leaves - 1, 0]] * n_trees)
    plan = plan_forest(trees, 20, key_bytes, tables(n_trees, leaves, cuts))
    assert (2 <= plan.scan <= MOST_PAYS) == scan
    assert not plan_forest(trees, 20, key_bytes, None).scan


@pytest.mark.parametrize("n_used", [1, 20, 500, 100_000])
def test_blocks_of_walks_are_bounded(n_used: int) -> None:
    rows = plan_forest(np.array([[0, 9999, 0]]), n_used, 4, None).block_rows
    assert LEAST_ROWS <= rows <= MOST_ROWS
    assert rows % 8 == 0
