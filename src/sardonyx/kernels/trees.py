"""Tree ensembles: reading their nodes, and the tables for the walk and for the scan (native/kernels/trees/trees.cpp).

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
from ..lowering.rules import Attributes, Builder, Const, NodeView, Row, Values, decline, lowers
from . import sparse
from .elementwise import FLOATS, elementwise
from .forest_plan import plan_forest
from .forest_scan import SCAN_LEAVES, scan_tables

#: comparison modes of TreeEnsemble
LEQ, LT, GTE, GT, MEMBER = 0, 1, 2, 3, 6
#: aggregate functions of TreeEnsemble
AVERAGE, SUM = 0, 1
#: targets up to which a leaf's weight is written as a row of values
MAX_TARGETS = 64
#: leaves that share a row of values, on average, if any do, and rows that there are then at most
LEAVES_A_ROW, MOST_ROWS = 4, 1 << 18

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The inner nodes of an ensemble as ``TreeEnsemble`` has them, of mode `<=` or member; see `operators.trees`.

    Integers are of int64, int32, uint8 or bool. `set_of` has no element where no node asks for a set.
    """

    feature: Ints
    split: NDArray[Any]
    yes: Ints
    no: Ints
    yes_is_leaf: NDArray[Any]
    no_is_leaf: NDArray[Any]
    missing: NDArray[Any]
    set_of: Ints
    sets: Bools
    roots: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The tables of native/kernels/trees/layout.h.

    Attributes
    ----------
    nodes : uint32 or uint64 array of shape (n_places, 2)
    flags : uint8 array of shape (n_places,) or (0,)
    trees : int64 array of shape (n_trees, 3)
    leaves : uint32 array of shape (n_leaves,)
        Numbers of the leaves in `Nodes`, in the order of the kernels; none where rows of values were given.
    used : int32 array
    shift : int
    """

    nodes: NDArray[Any]
    flags: NDArray[np.uint8]
    trees: Ints
    leaves: NDArray[np.uint32]
    used: NDArray[np.int32]
    shift: int

    def features(self) -> NDArray[np.int32]:
        """Return the columns of x that nodes ask for, each once: rows without NaN need no more keys."""
        return np.unique(np.where(self.used < 0, ~self.used, self.used))


def read_nodes(node: NodeView) -> Nodes:
    """Return the nodes of the attributes of ``TreeEnsemble``, every mode made `<=` or member."""
    given = node.attributes
    split, mode = given.tensor("nodes_splits"), given.tensor("nodes_modes")
    missing = _integers(node, "nodes_missing_value_tracks_true") if "nodes_missing_value_tracks_true" in given else None
    if missing is None or not len(missing):
        missing = np.zeros(len(split), bool)
    if split.dtype not in (np.float32, np.float64):
        decline("nodes of a type without a kernel")
    nodes = Nodes(
        feature=_integers(node, "nodes_featureids"),
        split=split,
        yes=_integers(node, "nodes_truenodeids"),
        no=_integers(node, "nodes_falsenodeids"),
        yes_is_leaf=_integers(node, "nodes_trueleafs"),
        no_is_leaf=_integers(node, "nodes_falseleafs"),
        missing=missing,
        set_of=np.zeros(0, np.int64),
        sets=np.zeros((1, 32), bool),
        roots=_integers(node, "tree_roots"),
    )
    return nodes if not mode.any() and len(mode) == len(split) else _of_modes(nodes, mode, given)


def _of_modes(nodes: Nodes, mode: NDArray[Any], given: Attributes) -> Nodes:
    """Return nodes of other modes than `<=` as nodes of that mode, or that ask for sets."""
    if not np.isin(mode, (LEQ, LT, GTE, GT, MEMBER)).all():
        decline("nodes of a mode without a kernel")
    split, sides = nodes.split, (nodes.yes, nodes.no, nodes.yes_is_leaf, nodes.no_is_leaf)
    if any(len(a) != len(split) for a in (mode, nodes.missing, *sides)):
        decline("attributes of different lengths")
    with np.errstate(over="ignore"):
        below = np.nextafter(split, split.dtype.type(-np.inf))
    swap = (mode == GTE) | (mode == GT)  # x > s is not x <= s
    member = mode == MEMBER
    return replace(
        nodes,
        split=np.where((mode == LT) | (mode == GTE), below, split),  # x < s is x <= the number before s
        yes=np.where(swap, nodes.no, nodes.yes),
        no=np.where(swap, nodes.yes, nodes.no),
        yes_is_leaf=np.where(swap, nodes.no_is_leaf, nodes.yes_is_leaf),
        no_is_leaf=np.where(swap, nodes.yes_is_leaf, nodes.no_is_leaf),
        missing=nodes.missing.astype(bool) ^ swap,
        set_of=np.where(member, np.cumsum(member) - 1, -1) if member.any() else nodes.set_of,
        sets=_sets(given.get("membership_values"), int(member.sum())),
    )


def pack(nodes: Nodes, n_leaves: int, n_features: int, rows: NDArray[Any] | None = None) -> Packed:
    """Put the nodes and leaves of all trees in the order of the kernels (native/runtime/forest.cpp).

    `rows` are those of each leaf in a table of values; else leaves are put in order, and each has a row of its own.
    """
    integers = (nodes.yes, nodes.no, nodes.yes_is_leaf, nodes.no_is_leaf, nodes.missing)
    if any(len(a) != len(nodes.feature) for a in (nodes.split, *integers)):
        decline("attributes of different lengths")
    asked = int(nodes.feature.max(initial=0)) + 1
    if asked > n_features:
        decline("a feature that is not there")
    of_leaves = np.zeros(0, np.int32) if rows is None else rows
    given = [nodes.feature, nodes.split, *integers, nodes.set_of, nodes.roots, of_leaves]
    arrays: list[Any] = [np.ascontiguousarray(array) for array in given]
    try:
        return Packed(*_native.pack_trees(*arrays, n_leaves, asked))
    except ValueError as error:
        decline(str(error))


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
    rows, table = _distinct(values, len(nodes.roots))
    packed = pack(nodes, len(values), x.width, rows)
    table = values[packed.leaves] if table is None else table
    scan = scan_tables(packed, np.dtype(x.dtype))
    plan = plan_forest(packed.trees, len(packed.features()), packed.nodes.itemsize, scan)
    b.want_block_rows(plan.block_rows)
    lists = scan.arrays() if scan is not None and plan.scan else []
    params = (groups, packed.shift, plan.scan, len(base))
    outputs = [(values.dtype.name, (groups * values.shape[1],))]
    return b.step("TreeEnsembleSum", [x, *_tables(nodes, packed, table), *lists, *base], outputs, params)


def _distinct(values: NDArray[Any], n_trees: int) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """Return each leaf's row in a table of the different rows of values, and that table, if it is much the smaller.

    Pure leaves of classifiers have few; a table that stays in the cache beside the trees is worth the rows' disorder.
    """
    if len(values) <= SCAN_LEAVES * n_trees:
        return None, None
    most = min(len(values) // LEAVES_A_ROW, MOST_ROWS)
    found = _native.distinct_rows(np.ascontiguousarray(values), most)
    return (None, None) if found is None else (found[0].view(np.int32), values[found[1]])


def _tables(nodes: Nodes, packed: Packed, leaf_table: NDArray[Any]) -> list[NDArray[Any]]:
    return [packed.nodes, packed.flags, packed.trees, leaf_table, _words(nodes.sets), packed.used]


@lowers("TreeEnsembleLeaves", domain="sardonyx")
def tree_leaves(b: Builder, node: NodeView) -> Values:
    x, nodes = node.row(0), read_nodes(node)
    if x.dtype != nodes.split.dtype.name or len(x.shape) != 1:
        decline("rows of another type than the splits")
    x, nodes = used_columns(b, x, nodes)
    numbers = node.attributes.tensor("leaf_weights").astype(np.int64)
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
    target, weight = _integers(node, "leaf_targetids"), node.attributes.tensor("leaf_weights")
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


# ---- details ---------------------------------------------------------------------------------------------------------


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
