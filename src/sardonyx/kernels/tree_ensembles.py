"""TreeEnsembleRegressor and TreeEnsembleClassifier of ai.onnx.ml 1 to 5, and what TreeEnsemble 5 has beyond sums.

The older operators list nodes and leaves together, under two numbers each, and weights apart::

    nodes    tree 0  node 0  x[3] <= 1.5   1 │ 2          weights    tree 0  node 1  target 0  0.25
                     node 1  leaf                                            node 2  target 1  1.0
                     node 2  leaf

They become the same inner nodes (`trees.Nodes`) and rows of leaf values, and run on the same kernels. Sums are made in
float64 and rounded once. Minima and maxima look at the leaves: values of a tree without a weight for a target do not
count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ..lowering.reference.graphs import to_array
from ..lowering.rules import Builder, Const, NodeView, Row, Values, decline, lowers
from .elementwise import FLOATS, cast_row, elementwise
from .reduce import reduce_axes
from .scores import (
    beside,
    best_label,
    binary,
    class_labels,
    column,
    label_where,
    number,
    transform_of,
    transformed,
    unary,
)
from .shape import look_up
from .trees import AVERAGE, MAX_TARGETS, SUM, Nodes, leaves_step, read_nodes, sum_steps

ML = "ai.onnx.ml"
MIN, MAX = 2, 3
AGGREGATES = {"AVERAGE": AVERAGE, "SUM": SUM, "MIN": MIN, "MAX": MAX}
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
#: the most leaf values that a table holds
MOST_VALUES = 1 << 26
#: the most members of a set that kernels look up in
MOST_MEMBERS = 1 << 16

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Inner nodes, and the leaves' values of shape (n_leaves, n_targets); NaN where a leaf has none for a target."""

    nodes: Nodes
    values: Floats


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_ensemble(node: NodeView, side: str, n_targets: int, dtype: str) -> Ensemble:
    """Return the ensemble of an older operator, whose weights are in the attributes ``<side>_...``.

    Each tree's root is the first node that is listed for it.
    """
    tree, number_ = node.attributes.integers("nodes_treeids"), node.attributes.integers("nodes_nodeids")
    modes = np.array([m.decode() for m in node.attributes.get("nodes_modes", [])], dtype=object)
    if not len(tree) or len({len(tree), len(number_), len(modes)}) != 1:
        decline("attributes of different lengths")
    find = _Places(tree, number_)
    leaf = modes == "LEAF"
    leaf_number, inner_number = np.cumsum(leaf) - 1, np.cumsum(~leaf) - 1
    nodes = _inner_nodes(node, find, modes, np.where(leaf, leaf_number, inner_number), dtype)
    return Ensemble(nodes, _leaf_values(node, side, find, leaf, leaf_number, n_targets))


class _Places:
    """Finds nodes by their two numbers."""

    def __init__(self, tree: Ints, number: Ints) -> None:
        self.tree, self.number = tree, number
        self.order = np.lexsort((number, tree))
        self.keys = np.stack([tree[self.order], number[self.order]])
        if (np.diff(self.keys, axis=1) == 0).all(axis=0).any():
            decline("two nodes have the same number")
        first, self.rank = np.unique(tree, return_index=True, return_inverse=True)[1:]
        self.roots = np.sort(first)
        self.code = self._codes(self.rank.reshape(-1), number)[self.order]

    def _codes(self, rank: Ints, number: Ints) -> Any:
        low = int(self.number.min())
        span = int(self.number.max()) - low + 1
        if span * (int(self.rank.max()) + 1) >= 1 << 62:
            decline("numbers of nodes that are too far apart")
        inside = (number >= low) & (number < low + span)
        return np.where(inside, rank * span + (number - low), -1)

    def __call__(self, rank: Ints, number: Ints) -> Ints:
        """Return the places of nodes of the trees of these ranks."""
        code = self._codes(rank, number)
        at = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
        if (self.code[at] != code).any():
            decline("a node is named that is not there")
        return np.asarray(self.order[at], np.int64)

    def rank_of(self, tree: Ints) -> Ints:
        """Return the ranks of trees."""
        known = np.unique(self.tree)
        at = np.minimum(np.searchsorted(known, tree), len(known) - 1)
        if (known[at] != tree).any():
            decline("a tree is named that is not there")
        return np.asarray(at, np.int64)


def _numbers(node: NodeView, name: str) -> NDArray[Any]:
    """Return a list of numbers given as floats or, in later versions, as a tensor."""
    tensor = node.attributes.get(f"{name}_as_tensor")
    if isinstance(tensor, onnx.TensorProto) and tensor.data_type:
        return to_array(tensor).reshape(-1)
    return np.array(node.attributes.get(name, []), np.float32)


def _inner_nodes(node: NodeView, find: _Places, modes: NDArray[Any], place: Ints, dtype: str) -> Nodes:
    leaf = modes == "LEAF"
    inner, rank = np.flatnonzero(~leaf), find.rank.reshape(-1)
    attributes = node.attributes
    below = [
        find(rank[inner], attributes.integers(name)[inner]) for name in ("nodes_truenodeids", "nodes_falsenodeids")
    ]
    stumps = find.roots[leaf[find.roots]]  # trees without a node: each gets one, which leads to its leaf both ways
    split = _numbers(node, "nodes_values").astype(dtype)[inner]
    given = attributes.get("nodes_missing_value_tracks_true")
    missing = attributes.integers("nodes_missing_value_tracks_true").astype(bool)[inner] if given else leaf[inner]
    children = np.concatenate([np.stack(below), np.stack([stumps] * 2)], axis=1)
    roots = place[find.roots]
    roots[leaf[find.roots]] = len(inner) + np.arange(len(stumps))
    split, swap, members = _as_lower_or_equal(modes[inner].astype(str), split)
    swap, extra = np.append(swap, np.zeros(len(stumps), bool)), len(stumps)
    set_of, sets = _sets(np.append(members, np.zeros(extra, bool)), np.append(split, np.zeros(extra, split.dtype)))
    return Nodes(
        feature=np.append(attributes.integers("nodes_featureids")[inner], np.zeros(extra, np.int64)),
        split=np.append(split, np.zeros(extra, split.dtype)),
        yes=place[np.where(swap, children[1], children[0])],
        no=place[np.where(swap, children[0], children[1])],
        yes_is_leaf=leaf[np.where(swap, children[1], children[0])],
        no_is_leaf=leaf[np.where(swap, children[0], children[1])],
        missing=np.append((missing ^ swap[: len(inner)]) & (modes[inner] != "BRANCH_NEQ"), np.zeros(extra, bool)),
        set_of=set_of,
        sets=sets,
        roots=roots,
    )


def _as_lower_or_equal(modes: NDArray[Any], split: NDArray[Any]) -> tuple[NDArray[Any], Any, Any]:
    """Return splits, where the children change places, and where the question is whether a value is the split."""
    known = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
    if not np.isin(modes, known).all():
        decline("a mode that the operator does not have")
    with np.errstate(invalid="ignore"):
        below = np.nextafter(split, split.dtype.type(-np.inf))
    split = np.where(np.isin(modes, ("BRANCH_LT", "BRANCH_GTE")), below, split)
    return (
        split,
        np.isin(modes, ("BRANCH_GTE", "BRANCH_GT", "BRANCH_NEQ")),
        np.isin(modes, ("BRANCH_EQ", "BRANCH_NEQ")),
    )


def _sets(members: Any, split: NDArray[Any]) -> tuple[Ints, Any]:
    """Return nodes that ask for equality as nodes that ask for a set of one small whole number."""
    set_of = np.where(members, np.cumsum(members) - 1, -1)
    values = split[members]
    if not len(values):
        return set_of, np.zeros((1, 32), bool)
    whole = (values >= 0) & (values < MOST_MEMBERS) & (values == np.floor(values))
    if not whole.all():
        decline("equality with other values than small whole numbers")
    sets = np.zeros((len(values), 32 * (int(values.max()) // 32 + 1)), bool)
    sets[np.arange(len(values)), values.astype(np.int64)] = True
    return set_of, sets


def _leaf_values(node: NodeView, side: str, find: _Places, leaf: Any, number_: Ints, n_targets: int) -> Floats:
    ids = "class" if side == "class" else "target"
    tree, names = node.attributes.integers(f"{ids}_treeids"), node.attributes.integers(f"{ids}_nodeids")
    target, weight = node.attributes.integers(f"{ids}_ids"), _numbers(node, f"{ids}_weights").astype(np.float64)
    if len({len(tree), len(names), len(target), len(weight)}) != 1 or ((target < 0) | (target >= n_targets)).any():
        decline("weights of different lengths, or of a target that is not there")
    at = find(find.rank_of(tree), names)
    if not leaf[at].all():
        decline("a weight of a node that is not a leaf")
    if int(leaf.sum()) * n_targets > MOST_VALUES:
        decline("too many targets")
    values = np.full((int(leaf.sum()), n_targets), np.nan)
    where = (number_[at], target)
    values[where] = 0
    np.add.at(values, where, weight)
    return values


# ---- scores ----------------------------------------------------------------------------------------------------------


def aggregated(b: Builder, x: Row, ensemble: Ensemble, aggregate: int) -> Row:
    """Return the scores of all targets, float64 of shape (N, n_targets)."""
    nodes, values = ensemble.nodes, ensemble.values
    if aggregate in (MIN, MAX):
        return _extremes(b, x, nodes, values, aggregate)
    if values.shape[1] > MAX_TARGETS:
        decline("more targets than leaves should be rows for")
    (y,) = sum_steps(b, x, nodes, np.nan_to_num(values, nan=0.0), 1, [])
    return binary(b, "Div", y, number(y, len(nodes.roots))) if aggregate == AVERAGE else y


def _extremes(b: Builder, x: Row, nodes: Nodes, values: Floats, aggregate: int) -> Row:
    worst = np.inf if aggregate == MIN else -np.inf
    reached = reached_leaves(b, x, nodes, len(values))
    own = look_up(b, np.where(np.isnan(values), worst, values), reached)
    y = reduce_axes(b, "ReduceMin" if aggregate == MIN else "ReduceMax", own, [0], keep=False)
    nothing = elementwise(b, "Equal", [y, number(y, worst)], FLOATS, "bool")
    return b.step("Where", [nothing, number(y, 0), y], [(y.dtype, y.shape)])[0]


def reached_leaves(b: Builder, x: Row, nodes: Nodes, n_leaves: int) -> Row:
    """Return the number of the leaf that a row reaches in each tree, int64 of shape (N, n_trees)."""
    if x.dtype != nodes.split.dtype.name or len(x.shape) != 1:
        decline("rows of another type than the splits")
    return leaves_step(b, x, nodes, np.arange(n_leaves))


def _rows(b: Builder, node: NodeView) -> Row:
    """Return X in the type that is compared: float64 stays, all else is float32, unless splits are float64."""
    x = node.row(0)
    wide = x.dtype == "float64" or _numbers(node, "nodes_values").dtype == np.float64
    return cast_row(b, x, "float64" if wide else "float32")


def _base(node: NodeView, count: int) -> Floats | None:
    values = _numbers(node, "base_values").astype(np.float64)
    if len(values) not in (0, count):
        decline("base values that do not fit")
    return values if len(values) else None


# ---- operators -------------------------------------------------------------------------------------------------------


@lowers("TreeEnsembleRegressor", domain=ML)
def regressor(b: Builder, node: NodeView) -> Values:
    x, n_targets = _rows(b, node), node.integer("n_targets", 1)
    if n_targets < 1:
        decline("no targets")
    aggregate = AGGREGATES.get(node.text("aggregate_function", "SUM"), -1)
    if aggregate < 0:
        decline("an aggregate that the operator does not have")
    y = aggregated(b, x, read_ensemble(node, "target", n_targets, x.dtype), aggregate)
    base = _base(node, n_targets)
    y = y if base is None else binary(b, "Add", y, Const(base))
    return (_finished(b, y, transform_of(node), "float32"),)


@lowers("TreeEnsemble", domain=ML)
def ensemble(b: Builder, node: NodeView) -> Values:
    """Lower what `trees.standard` declines: minima, maxima, post transforms, many targets."""
    x, nodes = node.row(0), read_nodes(node)
    targets, aggregate = node.integer("n_targets", 1), node.integer("aggregate_function", SUM)
    target = node.attributes.integers("leaf_targetids")
    weight = to_array(node.attributes["leaf_weights"]).astype(np.float64)
    transform = node.integer("post_transform", 0)
    if len(target) != len(weight) or ((target < 0) | (target >= targets)).any() or len(weight) * targets > MOST_VALUES:
        decline("a leaf's target is not there")
    if not 0 <= transform < len(TRANSFORMS) or aggregate not in (AVERAGE, SUM, MIN, MAX):
        decline("an aggregate or a post transform that the operator does not have")
    values = np.full((len(weight), targets), np.nan)
    values[np.arange(len(weight)), target] = weight
    y = aggregated(b, x, Ensemble(nodes, values), aggregate)
    return (_finished(b, y, TRANSFORMS[transform], x.dtype),)


def _finished(b: Builder, y: Row, transform: str, dtype: str) -> Row:
    """Return scores after the post transform; of one score, only PROBIT makes another."""
    y = cast_row(b, y, dtype)
    return transformed(b, y, transform) if y.width > 1 or transform == "PROBIT" else y


@lowers("TreeEnsembleClassifier", domain=ML)
def classifier(b: Builder, node: NodeView) -> Values:
    labels = class_labels(node, "classlabels_int64s", "classlabels_strings")
    x, transform = _rows(b, node), transform_of(node)
    read = read_ensemble(node, "class", max(len(labels), 1), x.dtype)
    if len(labels) > 2:
        base = _base(node, len(labels))
        y = _score(b, x, read, np.zeros(0) if base is None else base)
        return best_label(b, y, labels), transformed(b, y, transform)
    return _of_two(b, node, x, read, labels, transform)


def _of_two(b: Builder, node: NodeView, x: Row, read: Ensemble, labels: Array, transform: str) -> Values:
    """Two classes: either both have weights, or one does and the other's score is made from it."""
    base = _numbers(node, "base_values").astype(np.float64)
    used = np.unique(node.attributes.integers("class_ids"))
    if len(labels) == 2 and (len(used) == 2 or used[0] == 1):
        return _of_two_scores(b, node, x, read, base, labels, transform)
    if len(base) > 1:
        decline("base values for more classes than have weights")
    y = _score(b, x, Ensemble(read.nodes, read.values[:, :1]), base)
    if len(labels) == 1:  # ONNX Runtime's classes are 0 and 1 then, whatever the label
        return label_where(b, y, 0, np.array([0, 1])), transformed(b, y, transform) if transform == "PROBIT" else y
    positive = _is_positive(node)
    return label_where(b, y, 0.5 if positive else 0, labels), _pair(b, y, positive, transform)


def _of_two_scores(
    b: Builder, node: NodeView, x: Row, read: Ensemble, base: Floats, labels: Array, transform: str
) -> Values:
    """Let the highest score win, where both classes have one.

    ONNX Runtime says the second class as soon as that one's score is above 0; the standard does not.
    """
    only = len(np.unique(node.attributes.integers("class_ids"))) == 1
    if len(base) not in ((0, 1) if only else (0, 2)):
        decline("base values that do not fit")
    y = _score(b, x, read, base[:0] if only else base)  # a base value of the class without weights means nothing
    if not only:
        return best_label(b, y, labels), transformed(b, y, transform)
    return label_where(b, column(b, y, 1), 0.5 if _is_positive(node) else 0, labels), transformed(b, y, transform)


def _is_positive(node: NodeView) -> bool:
    return bool((_numbers(node, "class_weights") >= 0).all())


def _score(b: Builder, x: Row, read: Ensemble, base: Floats) -> Row:
    y = aggregated(b, x, read, SUM)
    return cast_row(b, binary(b, "Add", y, Const(base)) if len(base) else y, "float32")


def _pair(b: Builder, y: Row, positive: bool, transform: str) -> Row:
    """Return two scores made from the second class's."""
    if transform == "LOGISTIC":
        return beside(b, unary(b, "Sigmoid", unary(b, "Neg", y)), unary(b, "Sigmoid", y))
    pair = beside(b, binary(b, "Sub", number(y, 1), y) if positive else unary(b, "Neg", y), y)
    return transformed(b, pair, transform) if transform == "PROBIT" else pair
