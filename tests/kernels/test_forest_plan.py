"""The planner of tree ensembles: what it chooses follows from sizes alone."""

from __future__ import annotations

import numpy as np
import pytest

from sardonyx.kernels.forest_plan import LEAST_ROWS, MOST_ROWS, plan_forest


@pytest.mark.parametrize(
    ("leaves", "key_bytes", "scan"), [(8, 4, True), (31, 8, True), (64, 4, True), (65, 4, False), (5000, 4, False)]
)
def test_small_trees_are_scanned(leaves: int, key_bytes: int, scan: bool) -> None:
    trees = np.array([[0, 2 * leaves - 1, 0]] * 10)
    assert plan_forest(trees, leaves, 20, key_bytes).scan == scan


@pytest.mark.parametrize("n_used", [1, 20, 500, 100_000])
def test_blocks_of_walks_are_bounded(n_used: int) -> None:
    rows = plan_forest(np.array([[0, 9999, 0]]), 5000, n_used, 4).block_rows
    assert LEAST_ROWS <= rows <= MOST_ROWS
    assert rows % 8 == 0
