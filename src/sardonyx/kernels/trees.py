"""Tree ensembles (native/kernels/trees.cpp draws the layouts): packing nodes for the walk and for the scan.

Recognised are the operators of `sardonyx.operators.trees`, and ``ai.onnx.ml.TreeEnsemble`` itself where it sums or
averages. An inner node that is reached twice, or a circle, is no tree and is declined. Packing goes level by level, for
all trees at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ..rules import Builder, Const, NodeView, Operand, Row, Values, decline, lowers
from . import sparse
from .elementwise import FLOATS, elementwise

#: comparison modes of TreeEnsemble
LEQ, LT, GTE, GT, MEMBER = 0, 1, 2, 3, 6
#: aggregate functions of TreeEnsemble
AVERAGE, SUM = 0, 1
#: targets up to which a leaf's weight is written as a row of values
MAX_TARGETS = 64
#: leaves that a scan has bits for
SCAN_LEAVES = 64
#: rows that make the nodes of deep trees worth fetching
DEEP_BLOCK, DEEP_NODES = 2048, 1 << 15
#: bits of a leaf's number in the NaN that stands for its split
NARROW_LEAVES = 1 << 22

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: int32 where that is wide enough
Places = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The inner nodes of an ensemble as ``TreeEnsemble`` has them, of mode `<=` or member; see `operators.trees`."""

    feature: Ints
    split: NDArray[Any]
    children: Ints
    is_leaf: Bools
    missing: Bools
    set_of: Ints
    sets: Bools
    roots: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Nodes and leaves in the order of the kernels, tree by tree, level by level, siblings together.

    Attributes
    ----------
    inner : bool array
        Whether the place holds a node; else a leaf.
    source : int32 or int64 array
        Number of the node, or of the leaf, in `Nodes`.
    child : int32 or int64 array
        Place of the "yes" child from the tree's root; of a leaf, its own.
    tree : int32 or int64 array
    levels : tuple of slices of `order`
    order : int32 or int64 array
        Places level by level through all trees.
    starts, counts : int64 arrays of shape (n_trees,)
    """

    inner: Bools
    source: Places
    child: Places
    tree: Places
    order: Places
    levels: tuple[slice, ...]
    starts: Places
    counts: Ints


def read_nodes(node: NodeView) -> Nodes:
    """Return the nodes of the attributes of ``TreeEnsemble``, every mode made `<=` or member."""
    given = node.attributes
    split, mode = _array(given["nodes_splits"]), _array(given["nodes_modes"])
    n = len(split)
    children = np.stack([_integers(node, "nodes_truenodeids"), _integers(node, "nodes_falsenodeids")])
    is_leaf = np.stack([_integers(node, "nodes_trueleafs"), _integers(node, "nodes_falseleafs")]).astype(bool)
    missing = _integers(node, "nodes_missing_value_tracks_true") if "nodes_missing_value_tracks_true" in given else None
    missing_true = np.zeros(n, bool) if missing is None or not len(missing) else missing.astype(bool)
    if split.dtype not in (np.float32, np.float64) or not np.isin(mode, (LEQ, LT, GTE, GT, MEMBER)).all():
        decline("nodes of a mode or type without a kernel")
    with np.errstate(over="ignore"):
        below = np.nextafter(split, split.dtype.type(-np.inf))
    split = np.where((mode == LT) | (mode == GTE), below, split)  # x < s is x <= the number before s
    swap = (mode == GTE) | (mode == GT)  # x > s is not x <= s
    member = mode == MEMBER
    return Nodes(
        feature=_integers(node, "nodes_featureids"),
        split=split,
        children=np.where(swap, children[::-1], children),
        is_leaf=np.where(swap, is_leaf[::-1], is_leaf),
        missing=missing_true ^ swap,
        set_of=np.where(member, np.cumsum(member) - 1, -1),
        sets=_sets(given.get("membership_values"), int(member.sum())),
        roots=_integers(node, "tree_roots"),
    )


def pack(nodes: Nodes, n_leaves: int) -> Packed:
    """Put the nodes and leaves of all trees in the order of the kernels."""
    _check(nodes, n_leaves)
    most = 2 * len(nodes.feature) + len(nodes.roots)
    index = np.int32 if most < 1 << 31 else np.int64  # half the memory, which is what packing waits for
    pairs, leaf_pairs = np.ascontiguousarray(nodes.children.T, index), np.ascontiguousarray(nodes.is_leaf.T)
    frontier, tree = nodes.roots.astype(index), np.arange(len(nodes.roots), dtype=index)
    inner = np.ones(len(frontier), bool)
    found: list[tuple[Bools, Places, Places, Places]] = []  # inner, source, tree, place of the yes child level by level
    total = len(frontier)
    while len(frontier):
        first = total + 2 * (np.cumsum(inner, dtype=index) - 1)
        found.append((inner, frontier, tree, np.where(inner, first, -1)))
        rows = frontier[inner]
        total += 2 * len(rows)
        if total > most:
            decline("a node that several others lead to")
        tree = np.repeat(tree[inner], 2)
        frontier, inner = pairs[rows].ravel(), ~leaf_pairs[rows].ravel()
    inners, sources, trees, firsts = (np.concatenate(part) for part in zip(*found, strict=True))
    return _in_order(inners, sources, trees, firsts, [len(f[0]) for f in found])


def _in_order(inner: Bools, source: Places, tree: Places, first: Places, sizes: list[int]) -> Packed:
    """Sort what was found level by level by tree."""
    by_tree = np.argsort(tree, kind="stable")
    place = np.empty_like(first)
    place[by_tree] = np.arange(len(by_tree), dtype=first.dtype)
    counts = np.bincount(tree)
    starts = (np.cumsum(counts) - counts).astype(first.dtype)
    child = np.where(inner, place[first], place) - starts[tree]
    stops = np.cumsum(sizes).tolist()
    levels = tuple(slice(a, b) for a, b in zip([0, *stops], stops, strict=False))
    return Packed(inner[by_tree], source[by_tree], child[by_tree], tree[by_tree], place, levels, starts, counts)


def leaf_ranks(packed: Packed) -> tuple[Places, Places]:
    """Return how many leaves are below each place, and how many of its tree's are to the left of it.

    Leaves are counted on the way up, places shared out on the way down::

        count(node) = count(yes) + count(no)        left(no) = left(node) + count(yes)
    """
    count, left = (~packed.inner).astype(packed.child.dtype), np.zeros_like(packed.child)
    yes = packed.starts[packed.tree] + packed.child
    inner_levels = [level[packed.inner[level]] for level in (packed.order[s] for s in packed.levels)]
    for level in reversed(inner_levels):
        count[level] = count[yes[level]] + count[yes[level] + 1]
    for level in inner_levels:
        left[yes[level]] = left[level]
        left[yes[level] + 1] = left[level] + count[yes[level]]
    return count, left


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """What the kernels take: packed nodes, table of trees, the leaves' numbers in their order."""

    nodes: NDArray[Any]
    trees: Ints
    leaves: Ints
    sets: NDArray[np.uint32]
    bits: int


def walk_tables(nodes: Nodes, packed: Packed, left: Places, n_features: int) -> Walk:
    """Return nodes as pairs of a split and a word."""
    leaf_counts = np.bincount(packed.tree[~packed.inner], minlength=len(packed.starts))
    first_leaf = np.cumsum(leaf_counts) - leaf_counts
    bits = max(1, int(n_features - 1).bit_length())
    narrow = (
        nodes.split.dtype == np.float32
        and bits <= 20
        and packed.counts.max() < 1 << (30 - bits)
        and leaf_counts.max() < NARROW_LEAVES
    )
    types: tuple[Any, Any] = (np.float32, np.uint32) if narrow else (np.float64, np.uint64)
    float_type, int_type = types
    leaf_split = 0x7FC00000 if narrow else 0x7FF8000000000000
    source = np.where(packed.inner, packed.source, 0)
    set_of = nodes.set_of[source].astype(np.int32)
    split = nodes.split[source].astype(float_type, copy=False).view(int_type)
    split = np.where(set_of >= 0, set_of.astype(int_type), split)
    split = np.where(packed.inner, split, left.astype(int_type) + int_type(leaf_split))
    flags = np.where(packed.inner, nodes.missing[source] + int_type(2) * (set_of >= 0), int_type(1))
    feature = np.where(packed.inner, nodes.feature[source].astype(int_type), int_type(0))
    word = (packed.child.astype(int_type) << int_type(bits + 2)) | (feature << int_type(2)) | flags
    leaves = np.empty(int(leaf_counts.sum()), np.int64)
    at = ~packed.inner
    leaves[first_leaf[packed.tree[at]] + left[at]] = packed.source[at]
    trees = np.stack([packed.starts, packed.counts, first_leaf], axis=1)
    return Walk(np.stack([split, word], axis=1), trees, leaves, _words(nodes.sets), bits)


def scan_tables(nodes: Nodes, packed: Packed, count: Places, left: Places) -> list[NDArray[Any]] | None:
    """Return used features, splits, features, masks and ranges, or None where a tree has too many leaves."""
    most = int(count[packed.starts].max())
    if most > SCAN_LEAVES:
        return None
    at = np.flatnonzero(packed.inner)
    source, tree = packed.source[at], packed.tree[at]
    member, missing = nodes.set_of[source] >= 0, nodes.missing[source]
    kind = np.where(member, 2, missing)
    order = np.lexsort((kind, tree))
    at, source, tree, kind = at[order], source[order], tree[order], kind[order]
    yes = packed.starts[tree] + packed.child[at]
    cleared = ((np.uint64(1) << count[yes].astype(np.uint64)) - np.uint64(1)) << left[yes].astype(np.uint64)
    used, place = np.unique(nodes.feature[source], return_inverse=True)
    sets = 2 * nodes.set_of[source] + nodes.missing[source]
    int_type = np.uint32 if nodes.split.dtype == np.float32 else np.uint64
    splits = np.where(kind == 2, sets.astype(int_type), nodes.split[source].view(int_type)).view(nodes.split.dtype)
    ends = np.searchsorted(3 * tree + kind, 3 * np.arange(len(packed.starts))[:, None] + np.arange(3), side="right")
    begins = np.append(0, ends[:-1, 2])
    ranges = np.concatenate([begins[:, None], ends], axis=1)
    return [
        used.astype(np.int32),
        splits,
        place.reshape(-1).astype(np.int32),
        _masks(~cleared, nodes.split.dtype, most),
        ranges.astype(np.int64),
    ]


def _masks(masks: NDArray[np.uint64], dtype: np.dtype[Any], most: int) -> NDArray[Any]:
    """Masks as words: one of 64 bits beside float64, one or two of 32 beside float32."""
    if dtype == np.float64:
        return masks[:, None]
    words = np.stack([masks & np.uint64(0xFFFFFFFF), masks >> np.uint64(32)], axis=1).astype(np.uint32)
    return np.ascontiguousarray(words[:, : 1 if most <= 32 else 2])


def used_columns(b: Builder, x: Row, nodes: Nodes) -> tuple[Row, Nodes]:
    """Return sparse rows as dense ones of the columns that some node asks for, and the nodes asking for those."""
    used, places = np.unique(nodes.feature, return_inverse=True)
    if not x.sparse or used[-1:] >= x.width:
        return x, nodes
    columns = sparse.chosen(b, x, used, dense=True)
    assert columns is not None, "they are distinct"
    return columns, replace(nodes, feature=places.reshape(-1).astype(np.int64))


@lowers("TreeEnsembleSum", domain="sardonyx")
def tree_sum(b: Builder, node: NodeView) -> Values:
    x, values = node.row(0), node.const(1)
    base = [node.row(2)] if node.has(2) and isinstance(node.inputs[2], Row) else []
    if len(node.inputs) > 2 + len(base):
        decline("a base that is not rows")
    return sum_steps(b, x, read_nodes(node), values, node.integer("groups", 1), base)


def sum_steps(b: Builder, x: Row, nodes: Nodes, values: NDArray[Any], groups: int, base: list[Row]) -> tuple[Row, ...]:
    """Return the sums over trees of the leaves' rows of `values`, added to `base` if given."""
    if x.dtype != nodes.split.dtype.name or len(x.shape) != 1:
        decline("rows of another type than the splits")
    if values.dtype not in (np.float32, np.float64) or any(start.dtype != values.dtype.name for start in base):
        decline("sums of another type than float32 and float64")
    x, nodes = used_columns(b, x, nodes)
    packed = pack(nodes, len(values))
    count, left = leaf_ranks(packed)
    walk = walk_tables(nodes, packed, left, x.width)
    scan = scan_tables(nodes, packed, count, left)
    if scan is None:
        b.want_block_rows(DEEP_BLOCK if len(walk.nodes) > DEEP_NODES else 256)
    inputs: list[Operand | NDArray[Any]] = [x, walk.nodes, walk.trees]
    inputs += [np.ascontiguousarray(values[walk.leaves]), walk.sets]
    params = (groups, walk.bits, int(scan is not None), len(base))
    width = groups * values.shape[1]
    return b.step("TreeEnsembleSum", [*inputs, *(scan or []), *base], [(values.dtype.name, (width,))], params)


@lowers("TreeEnsembleLeaves", domain="sardonyx")
def tree_leaves(b: Builder, node: NodeView) -> Values:
    x, nodes = node.row(0), read_nodes(node)
    if x.dtype != nodes.split.dtype.name or len(x.shape) != 1:
        decline("rows of another type than the splits")
    x, nodes = used_columns(b, x, nodes)
    numbers = _array(node.attributes["leaf_weights"]).astype(np.int64)
    packed = pack(nodes, len(numbers))
    walk = walk_tables(nodes, packed, leaf_ranks(packed)[1], x.width)
    b.want_block_rows(256)
    inputs: list[Operand | NDArray[Any]] = [x, walk.nodes, walk.trees, numbers[walk.leaves], walk.sets]
    return b.step("TreeEnsembleLeaves", inputs, [("int64", (len(nodes.roots),))], (walk.bits,))


@lowers("TreeEnsemble", domain="ai.onnx.ml")
def standard(b: Builder, node: NodeView) -> Values:
    """Lower sums and averages; they are added up in float64, also where the standard's type is float32."""
    x, nodes = node.row(0), read_nodes(node)
    aggregate, targets = node.integer("aggregate_function", 1), node.integer("n_targets", 1)
    if aggregate not in (AVERAGE, SUM) or node.integer("post_transform", 0):
        decline("minima, maxima and post transforms have no kernel")
    target, weight = _integers(node, "leaf_targetids"), _array(node.attributes["leaf_weights"])
    if len(target) != len(weight) or ((target < 0) | (target >= targets)).any():
        decline("a leaf's target is not there")
    if targets > MAX_TARGETS:
        decline("more targets than leaves should be rows for")
    values = np.zeros((len(weight), targets))
    values[np.arange(len(weight)), target] = weight
    (y,) = sum_steps(b, x, nodes, values, 1, [])
    if aggregate == AVERAGE:
        y = elementwise(b, "Div", [y, Const(np.asarray(float(len(nodes.roots))))], FLOATS)
    return (y,) if x.dtype == "float64" else b.step("Cast", [y], [(x.dtype, y.shape)])


# -------------------------------------------------------------------------------------------------------------- details


def _array(tensor: onnx.TensorProto) -> NDArray[Any]:
    return onnx.numpy_helper.to_array(tensor)


def _integers(node: NodeView, name: str) -> Ints:
    return node.attributes.integers(name)


def _check(nodes: Nodes, n_leaves: int) -> None:
    """Decline what points beyond its table."""
    n = len(nodes.feature)
    limits = np.where(nodes.is_leaf, n_leaves, n)
    same = all(len(a) == n for a in (nodes.split, nodes.missing, nodes.set_of, *nodes.children, *nodes.is_leaf))
    if not n or not same or not len(nodes.roots) or (nodes.feature < 0).any():
        decline("attributes of different lengths")
    if ((nodes.children < 0) | (nodes.children >= limits)).any() or ((nodes.roots < 0) | (nodes.roots >= n)).any():
        decline("a child or a root that is not there")


def _sets(written: onnx.TensorProto | None, count: int) -> Bools:
    """Return ``membership_values`` (sets one after the other, NaN after each) as booleans, one row a set."""
    if not count:
        return np.zeros((1, 32), bool)
    if written is None:
        decline("nodes ask for sets that are not given")
    values = _array(written).astype(np.float64)
    ends = np.isnan(values)
    members, row = values[~ends], np.cumsum(ends)[~ends]
    whole = (members >= 0) & (members < 1 << 16) & (members == np.floor(members))
    if ends.sum() + (not ends[-1:].all()) < count or not whole.all():
        decline("sets of other values than small whole numbers")
    sets = np.zeros((count, 32 * (int(members.max(initial=0)) // 32 + 1)), bool)
    sets[row, members.astype(np.int64)] = True
    return sets


def _words(sets: Bools) -> NDArray[np.uint32]:
    """Return sets as rows of 32-bit words."""
    octets = np.packbits(sets, axis=1, bitorder="little")
    return np.ascontiguousarray(octets).view("<u4").astype(np.uint32)
