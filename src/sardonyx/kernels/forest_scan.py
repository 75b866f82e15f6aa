"""The tables of a scan (native/kernels/trees/scan.h draws them): bytes that every node of small trees is asked with.

::

    top       all of a small tree; of a large one its first levels, whose leaves are nodes to walk on from
    column    up to MOST_CUTS splits of a feature, ascending: its cuts; or whether a feature is in a set. It comes twice
              where some nodes send NaN to yes and others to no
    plane     eight leaves of a top; each node stands in the list of every plane of which it clears leaves
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .trees import Packed

#: leaves that a scan has bits for; leaves of the top of a tree that has more
SCAN_LEAVES, TOP_LEAVES = 256, 64
#: levels of a top, at most: bits of a path
LEVELS = 40
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
    """The constants of a scan, in the order of the kernel's inputs.

    `starts` and `first_starts` have no element where all trees are scanned to their leaves.
    """

    cuts: NDArray[Any]
    columns: NDArray[np.int32]
    planes: Ints
    lists: Ints
    asks: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    first_starts: Ints

    def arrays(self) -> list[NDArray[Any]]:
        """Return them as a list."""
        return [self.cuts, self.columns, self.planes, self.lists, self.asks, self.starts, self.first_starts]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The inner nodes of tops: what they ask, and the leaves, first to end, that a "no" clears."""

    tree: Ints
    feature: Ints
    split: NDArray[Any]
    missing: NDArray[np.bool_]
    set_of: Ints
    first: Ints
    end: Ints


def scan_tables(packed: Packed, dtype: np.dtype[Any]) -> ScanTables | None:
    """Return the tables for rows of this type; none where trees ask too many different things."""
    tops = _Tops(packed)
    asked = _asked(packed, tops, dtype)
    columns = _Columns(asked)
    if len(columns.rows) > MOST_COLUMNS:
        return None
    planes = np.append(0, np.cumsum((np.diff(tops.ends, prepend=0) + 7) // 8))
    lists, asks = _lists(asked, planes, columns.place, columns.code)
    return ScanTables(
        cuts=np.concatenate([*columns.cuts, np.zeros(1, dtype)]),
        columns=np.array(columns.rows or [(FEW, 0, 0, 0)], np.int32),
        planes=planes.astype(np.int64),
        lists=lists,
        asks=asks,
        starts=tops.starts[:0] if tops.whole else tops.starts,
        first_starts=np.append(0, tops.ends)[: 0 if tops.whole else -1],
    )


# ---- tops ------------------------------------------------------------------------------------------------------------


class _Tops:
    """The tops of all trees, level by level.

    A path is a number: a bit a level, the root's the highest, 1 for "no"; paths of leaves are in their order.

    Attributes
    ----------
    tree, node, depth, path : int arrays
        Of the inner nodes; `node` is their place in all trees. The tree is in the bits above the path.
    starts : uint32 array
        The place of each leaf in its tree, from left to right.
    leaf_paths : int array
    ends : int array of shape (n_trees,)
        Where the leaves of each tree end among all.
    whole : bool
        Whether all leaves are leaves of the trees.
    """

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        n_trees = len(packed.trees)
        budget = np.where(packed.trees[:, 1] < 2 * SCAN_LEAVES, SCAN_LEAVES, TOP_LEAVES)
        size = np.ones(n_trees, np.int64)
        inner, leaves = [], []
        tree, place, path = np.arange(n_trees), np.zeros(n_trees, np.int64), np.zeros(n_trees, np.int64)
        self.whole = True
        for depth in range(LEVELS + 1):
            child = self._child(tree, place)
            opens = (child != place) & (depth < LEVELS)
            more = np.bincount(tree[opens], minlength=n_trees)
            fits = size + more <= budget
            size += np.where(fits, more, 0)
            opens &= fits[tree]
            self.whole &= bool((opens | (child == place)).all())
            leaves.append(np.stack([tree, place, path])[:, ~opens])
            tree, place, path = tree[opens], place[opens], path[opens]
            inner.append(np.stack([tree, packed.trees[tree, 0] + place, np.full(len(tree), depth), path]))
            tree, child, path = np.tile(tree, 2), child[opens], np.append(path, path | 1 << LEVELS >> depth + 1)
            place = np.append(child, child + 1)
        self.tree, self.node, self.depth, path = np.concatenate(inner, axis=1)
        self.path = self.tree << LEVELS | path
        of_tree, place, path = np.concatenate(leaves, axis=1)
        paths = of_tree << LEVELS | path
        order = np.argsort(paths)
        self.starts, self.leaf_paths = place[order].astype(np.uint32), paths[order]
        self.ends = np.cumsum(np.bincount(of_tree, minlength=n_trees))

    def _child(self, tree: Ints, place: Ints) -> Ints:
        word = self._packed.nodes[self._packed.trees[tree, 0] + place, 1]
        return np.asarray(word >> word.dtype.type(self._packed.shift), np.int64)


def _asked(packed: Packed, tops: _Tops, dtype: np.dtype[Any]) -> _Asked:
    key, word = packed.nodes[tops.node].T
    used = packed.used[(word & word.dtype.type((1 << packed.shift) - 1)) >> 3]
    member = packed.flags[tops.node] != 0 if len(packed.flags) else np.zeros(len(key), bool)
    begin = (tops.ends - np.diff(tops.ends, prepend=0))[tops.tree]
    no = tops.path + (1 << LEVELS >> tops.depth + 1)
    return _Asked(
        tops.tree,
        np.where(used < 0, ~used, used).astype(np.int64),
        _numbers(key).astype(dtype),
        used < 0,
        np.where(member, key.astype(np.int64), -1),
        np.searchsorted(tops.leaf_paths, tops.path) - begin,
        np.searchsorted(tops.leaf_paths, no) - begin,
    )


def _numbers(key: NDArray[Any]) -> NDArray[Any]:
    """Return the splits of keys (native/kernels/trees/layout.h); the key of NaN is 0."""
    kind = key.dtype.type
    top = kind(1 << 8 * key.dtype.itemsize - 1)
    numbers = np.where(key & top, key ^ top, ~key).view(np.float32 if kind is np.uint32 else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(key == 0, numbers.dtype.type(np.nan), numbers)


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
