"""Tree ensembles: reading their nodes, and the tables for the walk and for the scan (native/kernels/trees.cpp).

Recognised are the operators of `sardonyx.operators.trees`, and ``ai.onnx.ml.TreeEnsemble`` itself where it sums or
averages. An inner node that is reached twice, or a circle, is no tree and is declined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .. import _native
from ..rules import Builder, Const, NodeView, Row, Values, decline, lowers
from . import sparse
from .elementwise import FLOATS, elementwise
from .forest_plan import plan_forest

#: comparison modes of TreeEnsemble
LEQ, LT, GTE, GT, MEMBER = 0, 1, 2, 3, 6
#: aggregate functions of TreeEnsemble
AVERAGE, SUM = 0, 1
#: targets up to which a leaf's weight is written as a row of values
MAX_TARGETS = 64

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


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
    """The tables of native/kernels/trees/layout.h, and what the lists of a scan are made from.

    Attributes
    ----------
    nodes : uint32 or uint64 array of shape (n_places, 2)
    flags : uint8 array of shape (n_places,) or (0,)
    trees : int64 array of shape (n_trees, 3)
    leaves : int64 array of shape (n_leaves,)
        Numbers of the leaves in `Nodes`, in the order of the kernels.
    used : int32 array
    source : uint32 array of shape (n_places,)
        The node in `Nodes` that stands there.
    left : uint32 array of shape (n_places,)
        How many leaves of the tree are to the left of what is below this place.
    shift : int
    """

    nodes: NDArray[Any]
    flags: NDArray[np.uint8]
    trees: Ints
    leaves: Ints
    used: NDArray[np.int32]
    source: NDArray[np.uint32]
    left: NDArray[np.uint32]
    shift: int

    @property
    def most_leaves(self) -> int:
        """Return the number of leaves of the largest tree."""
        return int(np.diff(self.trees[:, 2], append=len(self.leaves)).max())


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


def pack(nodes: Nodes, n_leaves: int, n_features: int) -> Packed:
    """Put the nodes and leaves of all trees in the order of the kernels (native/runtime/forest.cpp)."""
    n = len(nodes.feature)
    if any(len(a) != n for a in (nodes.split, nodes.missing, nodes.set_of, *nodes.children, *nodes.is_leaf)):
        decline("attributes of different lengths")
    side, leaf = np.ascontiguousarray(nodes.children), np.ascontiguousarray(nodes.is_leaf)
    feature, split, missing, set_of, roots = map(
        np.ascontiguousarray, (nodes.feature, nodes.split, nodes.missing, nodes.set_of, nodes.roots)
    )
    try:
        found = _native.pack_trees(feature, split, side, leaf, missing, set_of, roots, n_leaves, n_features)
        return Packed(*found)
    except ValueError as error:
        decline(str(error))


def scan_lists(nodes: Nodes, packed: Packed) -> list[NDArray[Any]]:
    """Return splits, features, masks and lists of the scan (native/kernels/trees/scan.h).

    A node clears the leaves below its "yes"; it stands in the list of each word that has some of them.
    """
    child = (packed.nodes[:, 1] >> packed.nodes.dtype.type(packed.shift)).astype(np.int64)
    counts = packed.trees[:, 1]
    tree = np.repeat(np.arange(len(counts)), counts)
    at = np.flatnonzero(child != np.arange(len(child)) - packed.trees[tree, 0])
    source, tree, yes = packed.source[at], tree[at], packed.trees[tree[at], 0] + child[at]
    one = np.uint64(1)
    first, end = packed.left[yes].astype(np.uint64), packed.left[yes + 1].astype(np.uint64)
    cleared = ((one << (end - first)) - one) << first
    bits = 64 if nodes.split.dtype == np.float64 else 32
    n_words = 2 if packed.most_leaves > bits else 1
    words = np.stack([cleared >> np.uint64(bits * w) if w else cleared for w in range(n_words)], axis=1)
    words = words & np.uint64(2**bits - 1)
    node, word = np.nonzero(words)
    kind = np.where(nodes.set_of[source] >= 0, 2, nodes.missing[source])[node]
    order = np.lexsort((kind, word, tree[node]))
    node, word, kind = node[order], word[order], kind[order]
    int_type = np.uint64 if bits == 64 else np.uint32
    split, set_of = nodes.split[source], 2 * nodes.set_of[source] + nodes.missing[source]
    splits = np.where(kind == 2, set_of[node].astype(int_type), split[node].view(int_type)).view(split.dtype)
    features = np.searchsorted(packed.used, nodes.feature[source[node]]).astype(np.int32)
    lists = n_words * tree[node] + word
    ends = np.searchsorted(3 * lists + kind, 3 * np.arange(n_words * len(counts))[:, None] + np.arange(3), side="right")
    ranges = np.concatenate([np.append(0, ends[:-1, 2])[:, None], ends], axis=1)
    return [splits, features, (~words[node, word]).astype(int_type), ranges.astype(np.int64)]


def used_columns(b: Builder, x: Row, nodes: Nodes) -> tuple[Row, Nodes]:
    """Return sparse rows as dense ones of the columns that some node asks for, and the nodes asking for those."""
    if not x.sparse:
        return x, nodes
    used, places = np.unique(nodes.feature, return_inverse=True)
    if used[-1:] >= x.width:
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
    packed = pack(nodes, len(values), x.width)
    plan = plan_forest(packed.trees, packed.most_leaves, len(packed.used), packed.nodes.itemsize)
    b.want_block_rows(plan.block_rows)
    scan = scan_lists(nodes, packed) if plan.scan else []
    tables = _tables(nodes, packed, np.ascontiguousarray(values[packed.leaves]))
    params = (groups, packed.shift, int(plan.scan), len(base))
    outputs = [(values.dtype.name, (groups * values.shape[1],))]
    return b.step("TreeEnsembleSum", [x, *tables, *scan, *base], outputs, params)


def _tables(nodes: Nodes, packed: Packed, leaf_table: NDArray[Any]) -> list[NDArray[Any]]:
    return [packed.nodes, packed.flags, packed.trees, leaf_table, _words(nodes.sets), packed.used]


@lowers("TreeEnsembleLeaves", domain="sardonyx")
def tree_leaves(b: Builder, node: NodeView) -> Values:
    x, nodes = node.row(0), read_nodes(node)
    if x.dtype != nodes.split.dtype.name or len(x.shape) != 1:
        decline("rows of another type than the splits")
    x, nodes = used_columns(b, x, nodes)
    numbers = _array(node.attributes["leaf_weights"]).astype(np.int64)
    return (leaves_step(b, x, nodes, numbers),)


def leaves_step(b: Builder, x: Row, nodes: Nodes, numbers: Ints) -> Row:
    """Return the numbers of the leaves that a row reaches, int64, one a tree."""
    packed = pack(nodes, len(numbers), x.width)
    b.want_block_rows(256)
    tables = _tables(nodes, packed, numbers[packed.leaves])
    (leaves,) = b.step("TreeEnsembleLeaves", [x, *tables], [("int64", (len(nodes.roots),))], (packed.shift,))
    return leaves


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
