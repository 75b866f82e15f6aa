"""The tables of a scan (native/kernels/trees/scan.h draws them): bytes that every node of small trees is asked with.

::

    column    up to MOST_CUTS splits of a feature, ascending: its cuts; where some nodes send NaN to yes and others to no,
              it comes twice; or whether a feature is in a set
    plane     eight leaves of a tree; each node stands in the list of every plane of which it clears leaves
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .trees import Nodes, Packed

#: leaves that a scan has bits for
SCAN_LEAVES = 256
#: cuts that codes can count: one code is for NaN that goes to yes, one for NaN that goes to no, one for no cut below
MOST_CUTS = 253
#: columns that nodes can name
MOST_COLUMNS = 1 << 16
#: cuts up to which a column counts all of them, for many rows at once
FEW_CUTS = 48
#: cuts that are compared at once where they are many
SIXTEEN = 16
FEW, MANY, SET, SAME = range(4)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ScanTables:
    """The constants of a scan, in the order of the kernel's inputs."""

    cuts: NDArray[Any]
    columns: NDArray[np.int32]
    planes: Ints
    lists: Ints
    asks: NDArray[np.uint32]

    def arrays(self) -> list[NDArray[Any]]:
        """Return them as a list."""
        return [self.cuts, self.columns, self.planes, self.lists, self.asks]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The inner nodes in the order of trees: what they ask, and the leaves, first to end, that a "no" clears."""

    tree: Ints
    feature: Ints
    split: NDArray[Any]
    missing: NDArray[np.bool_]
    set_of: Ints
    first: Ints
    end: Ints


def scan_tables(nodes: Nodes, packed: Packed) -> ScanTables | None:
    """Return the tables of trees of at most SCAN_LEAVES leaves; none where they ask too many different things."""
    asked = _asked(nodes, packed)
    columns = _Columns(asked)
    if len(columns.rows) > MOST_COLUMNS:
        return None
    leaves = np.diff(packed.trees[:, 2], append=len(packed.leaves))
    planes = np.append(0, np.cumsum((leaves + 7) // 8))
    lists, asks = _lists(asked, planes, columns.place, columns.code)
    return ScanTables(
        cuts=np.concatenate([*columns.cuts, np.zeros(1, asked.split.dtype)]),
        columns=np.array(columns.rows or [(FEW, 0, 0, 0)], np.int32),
        planes=planes.astype(np.int64),
        lists=lists,
        asks=asks,
    )


def _asked(nodes: Nodes, packed: Packed) -> _Asked:
    child = (packed.nodes[:, 1] >> packed.nodes.dtype.type(packed.shift)).astype(np.int64)
    counts = packed.trees[:, 1]
    tree = np.repeat(np.arange(len(counts)), counts)
    at = np.flatnonzero(child != np.arange(len(child)) - packed.trees[tree, 0])
    source, tree, yes = packed.source[at], tree[at], packed.trees[tree[at], 0] + child[at]
    return _Asked(
        tree,
        nodes.feature[source].astype(np.int64),
        nodes.split[source],
        nodes.missing[source].astype(bool),
        nodes.set_of[source] if len(nodes.set_of) else np.full(len(source), -1),
        packed.left[yes].astype(np.int64),
        packed.left[yes + 1].astype(np.int64),
    )


# ---- columns ---------------------------------------------------------------------------------------------------------


class _Columns:
    """The columns that nodes ask about: rows of the table, their cuts, and of each node its column and its code."""

    def __init__(self, asked: _Asked) -> None:
        self.rows: list[tuple[int, int, int, int]] = []
        self.cuts: list[NDArray[Any]] = []
        self.place = np.zeros(len(asked.tree), np.int64)
        self.code = np.full(len(asked.tree), -127)
        self._size = 0
        compares = asked.set_of < 0
        order = np.lexsort((asked.split, asked.feature, ~compares))[: int(compares.sum())]
        for own in np.split(order, np.flatnonzero(np.diff(asked.feature[order])) + 1):
            if len(own):
                self._add_feature(asked, own)
        for node in np.flatnonzero(~compares).tolist():
            self.place[node] = self._add(SET, asked, node, int(asked.set_of[node]), 0)

    def _add_feature(self, asked: _Asked, own: Ints) -> None:
        """Add the columns of the nodes that compare one feature, which come in the order of their splits."""
        split = asked.split[own]
        values, rank = np.unique(split, return_inverse=True)
        number = rank.reshape(-1) // MOST_CUTS
        for i in range(int(number[-1]) + 1):
            at = own[number == i]
            self._add_column(asked, at, values[MOST_CUTS * i : MOST_CUTS * (i + 1)])

    def _add_column(self, asked: _Asked, own: Ints, values: NDArray[Any]) -> None:
        """Add a column, and the same with NaN the other way if nodes ask for both; no number is below a cut of NaN."""
        values, split = values[~np.isnan(values)], asked.split[own]
        self.code[own] = np.where(np.isnan(split), -127, np.searchsorted(values, split) - 126)
        few = len(values) <= FEW_CUTS
        written = values if few else _in_sixteens(values)
        for again, missing in enumerate(np.unique(asked.missing[own]).tolist()):
            these = own[asked.missing[own] == missing]
            kind = SAME if again else FEW if few else MANY
            self.place[these] = self._add(kind, asked, int(these[0]), self._size, len(written))
        self.cuts.append(written)
        self._size += len(written)

    def _add(self, kind: int, asked: _Asked, node: int, first: int, count: int) -> int:
        feature = int(asked.feature[node])
        self.rows.append((kind, ~feature if asked.missing[node] else feature, first, count))
        return len(self.rows) - 1


def _in_sixteens(values: NDArray[Any]) -> NDArray[Any]:
    """Return cuts in sixteens, infinity filling up the last of them, and before them the last cut of each."""
    size = SIXTEEN * (len(values) // SIXTEEN + 1)
    blocks = np.append(values, np.full(size - len(values), np.inf, values.dtype))
    pivots = blocks[SIXTEEN - 1 :: SIXTEEN]
    return np.concatenate([pivots, np.full(SIXTEEN - len(pivots), np.inf, values.dtype), blocks])


# ---- planes ----------------------------------------------------------------------------------------------------------


def _lists(asked: _Asked, planes: Ints, place: Ints, code: Ints) -> tuple[Ints, NDArray[np.uint32]]:
    """Return where the list of each plane begins, and the nodes of the lists."""
    low, high = asked.first // 8, (asked.end - 1) // 8
    spans = high - low + 1
    node = np.repeat(np.arange(len(spans)), spans)
    plane = np.arange(len(node)) - np.repeat(np.cumsum(spans) - spans, spans) + low[node]
    begin, end = np.maximum(asked.first[node] - 8 * plane, 0), np.minimum(asked.end[node] - 8 * plane, 8)
    stays = 0xFF ^ (1 << end) - (1 << begin)
    plane += planes[asked.tree[node]]
    order = np.lexsort((place[node], plane))
    words = place[node] | (code[node] & 0xFF) << 16 | stays << 24
    lists = np.searchsorted(plane[order], np.arange(planes[-1] + 1))
    return lists.astype(np.int64), words[order].astype(np.uint32)
