"""Operators of tree ensembles: which leaf a row reaches in every tree, and the sum of those leaves' values, in order.

The standard's ``ai.onnx.ml.TreeEnsemble`` has one number a leaf and promises no order of summation. Here that number is
the leaf's own, which looks values up in a table; the sum goes from the first tree to the last, as scikit-learn's::

    X ──▶ TreeEnsemble ──▶ leaves (N, trees) ──▶ values[leaves] (N, trees, columns) ──▶ running sum, its last

`Trees` holds an ensemble as the standard writes it; `converters/` fill it, the attributes of the calling node carry it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value, attribute_ref, concat, op
from ..protos.large import Large
from . import operator

#: the mode of a node in ai.onnx.ml.TreeEnsemble that asks for x in a set; 0 is x <= split
MEMBER = 6
#: integers that a float32 counts exactly
EXACT_FLOAT32 = 2**24

Ints = NDArray[Any]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Trees as ``ai.onnx.ml.TreeEnsemble`` writes them: inner nodes and leaves numbered apart, through all trees.

    ::

        feature[i] <= split[i]?  yes ──▶ children[0, i]     a leaf's number where is_leaf[0, i], else a node's
                                 no  ──▶ children[1, i]
                                 NaN ──▶ yes where missing[i], else no

    Attributes
    ----------
    feature : int array of shape (n_nodes,)
    split : float32 or float64 array of shape (n_nodes,)
        In the dtype in which rows are compared. Nothing where the node asks for a set.
    children : int array of shape (2, n_nodes)
    is_leaf : bool array of shape (2, n_nodes)
    missing : bool array of shape (n_nodes,)
    set_of : int array of shape (n_nodes,)
        Row of `sets` where the node asks for ``feature[i] in sets[...]``, else -1.
    sets : bool array of shape (n_sets, n_categories)
    roots : int64 array of shape (n_trees,)
        First node of each tree. A tree that is a leaf has a node that leads there both ways.
    tree_of_leaf : int array of shape (n_leaves,)
    """

    feature: Ints
    split: NDArray[Any]
    children: Ints
    is_leaf: Bools
    missing: Bools
    set_of: Ints
    sets: Bools
    roots: Ints
    tree_of_leaf: Ints

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which rows are compared; float64 too where float32 cannot count the leaves."""
        return np.dtype(np.float64) if len(self.tree_of_leaf) > EXACT_FLOAT32 else self.split.dtype

    def attributes(self) -> dict[str, Large]:
        """Return the attributes of ``TreeEnsemble`` whose leaf weights are the leaves' numbers."""
        member = self.set_of >= 0
        split = np.where(member, 0, self.split) if member.any() else self.split
        tensors = {
            "nodes_splits": split.astype(self.dtype, copy=False),
            "nodes_modes": np.multiply(member, MEMBER, dtype=np.uint8),
            "leaf_weights": np.arange(len(self.tree_of_leaf), dtype=self.dtype),
        }
        if member.any():
            tensors["membership_values"] = _written_sets(self.sets[self.set_of[member]], self.dtype)
        integers = {
            "nodes_featureids": self.feature,
            "nodes_truenodeids": self.children[0],
            "nodes_falsenodeids": self.children[1],
            "nodes_trueleafs": self.is_leaf[0],
            "nodes_falseleafs": self.is_leaf[1],
            "nodes_missing_value_tracks_true": self.missing,
            "leaf_targetids": self.tree_of_leaf,
            "tree_roots": self.roots,
        }
        return {k: Large(v, tensor=True) for k, v in tensors.items()} | {k: Large(v) for k, v in integers.items()}


def build_trees(
    starts: Ints, left: Ints, right: Ints, feature: Ints, split: NDArray[Any], missing: Bools, set_of: Ints, sets: Bools
) -> Trees:
    """Return the trees of nodes that are numbered together with their leaves.

    Parameters
    ----------
    starts : int64 array of shape (n_trees,)
        First node of each tree, its root.
    left, right : int64 arrays of shape (n_all,)
        Children through all trees; below 0 in a leaf.
    feature, split, missing, set_of, sets
        As in `Trees`, but one entry for leaves, too.
    """
    leaf = left < 0
    inner = np.flatnonzero(~leaf)
    number = np.where(leaf, np.cumsum(leaf), np.cumsum(~leaf)) - 1
    stumps = np.flatnonzero(leaf[starts])  # trees without a node: each gets one
    roots = number[starts]
    roots[stumps] = len(inner) + np.arange(len(stumps))
    below = np.stack([left[inner], right[inner]])
    only = np.stack([starts[stumps]] * 2)
    children = np.concatenate([below, only], axis=1)
    tree = np.searchsorted(starts, np.flatnonzero(leaf), side="right") - 1
    n = len(stumps)
    return Trees(
        feature=_extended(feature[inner], n, 0),
        split=_extended(split[inner], n, 0),
        children=number[children],
        is_leaf=leaf[children],
        missing=_extended(missing[inner], n, False),
        set_of=_extended(set_of[inner], n, -1),
        sets=sets,
        roots=roots,
        tree_of_leaf=tree,
    )


def join_trees(parts: Iterable[Trees], n_nodes: int, n_leaves: int) -> Trees:
    """Return the trees of all parts, which have no sets: each part's nodes and leaves after those of the one before.

    Parts may be made when they are asked for: nodes come to millions, so that memory is for one part and the whole.
    """
    whole = Trees(
        feature=np.empty(n_nodes, np.int32),
        split=np.empty(n_nodes, np.float32),
        children=np.empty((2, n_nodes), np.int32 if max(n_nodes, n_leaves) < 1 << 31 else np.int64),
        is_leaf=np.empty((2, n_nodes), bool),
        missing=np.empty(n_nodes, bool),
        set_of=np.full(n_nodes, -1, np.int8),
        sets=np.zeros((0, 0), bool),
        roots=np.zeros(0, np.int64),
        tree_of_leaf=np.empty(n_leaves, np.int32),
    )
    roots: list[NDArray[Any]] = []
    node = leaf = tree = 0
    for part in parts:
        nodes, leaves = slice(node, node + len(part.feature)), slice(leaf, leaf + len(part.tree_of_leaf))
        whole.feature[nodes], whole.split[nodes], whole.missing[nodes] = part.feature, part.split, part.missing
        whole.is_leaf[:, nodes] = part.is_leaf
        whole.children[:, nodes] = part.children + np.where(part.is_leaf, leaf, node)
        whole.tree_of_leaf[leaves] = part.tree_of_leaf + tree
        roots.append(part.roots + node)
        node, leaf, tree = nodes.stop, leaves.stop, tree + part.n_trees
    return replace(whole, roots=np.concatenate(roots))


@operator("TreeEnsembleLeaves", outputs=("leaves",))
def tree_leaves(X: Value, *, n_trees: int, **nodes: Large) -> Value:
    """Return the number of the leaf that each row reaches in each tree.

    Parameters
    ----------
    X : Value of shape (N, n_features)
        Rows, float32 or float64 as ``nodes_splits``.
    n_trees : int
        Number of trees.
    **nodes
        The attributes of ``ai.onnx.ml.TreeEnsemble`` of these names, with the leaves' numbers as ``leaf_weights``.

    Returns
    -------
    int64 Value of shape (N, n_trees)
    """
    return _reached(X, n_trees, nodes)


@operator("TreeEnsembleSum")
def tree_sum(X: Value, values: Value, *base: Value, n_trees: int, groups: int, **nodes: Large) -> Value:
    """Return the sums over trees, from the first to the last, of the values of the leaves that each row reaches.

    Parameters
    ----------
    X : Value of shape (N, n_features)
        Rows, float32 or float64 as ``nodes_splits``.
    values : float64 or float32 Value of shape (n_leaves, n_columns)
        Of the leaves. Sums are made in its dtype.
    *base : Value of shape (N, groups * n_columns)
        What the sums start from, if given; of the same dtype.
    n_trees : int
        Number of trees.
    groups : int
        Tree ``t`` adds to the columns of group ``t % groups``.
    **nodes
        As in `tree_leaves`.

    Returns
    -------
    Value of shape (N, groups * n_columns), of the dtype of `values`
    """
    terms = values[_reached(X, n_trees, nodes)].reshape(0, n_trees // groups, groups * values.dim(1))
    if base:
        terms = concat([base[0][:, None, :], terms])
    return op.CumSum(terms, np.int64(1))[:, -1, :] if terms.dim(1) > 1 else terms.reshape(0, groups * values.dim(1))


def leaves_of(X: Value, trees: Trees) -> Value:
    """Return the leaves' numbers, int64 of shape (N, n_trees); X has the trees' dtype or a narrower one."""
    trees = _of_held(X, trees)
    result: Value = tree_leaves(X.astype(trees.dtype), n_trees=trees.n_trees, **trees.attributes())
    return result


def sum_of(X: Value, trees: Trees, values: NDArray[Any], *base: Value, groups: int = 1) -> Value:
    """Return the sums over trees of leaf values of shape (n_leaves, n_columns)."""
    if len(values) != len(trees.tree_of_leaf) or trees.n_trees % groups:
        raise ConversionError(f"{len(values)} values and {groups} groups do not fit these trees.")
    trees, given = _of_held(X, trees), X.astype(trees.dtype)
    result: Value = tree_sum(given, values, *base, n_trees=trees.n_trees, groups=groups, **trees.attributes())
    return result


def _of_held(X: Value, trees: Trees) -> Trees:
    """Return the trees as they are for X: of a sparse matrix, NaN always goes to "no" (``Tree._apply_sparse_csr``)."""
    return replace(trees, missing=np.zeros_like(trees.missing)) if X.sparse else trees


def round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 not above each threshold: ``float32 x <= threshold`` keeps its meaning."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    lower = np.nextafter(near, np.float32(-np.inf))
    rounded: NDArray[np.float32] = np.where(near > thresholds, lower, near)
    return rounded


# ---- details ---------------------------------------------------------------------------------------------------------


def _reached(X: Value, n_trees: int, nodes: Mapping[str, Large]) -> Value:
    """Return the leaves' numbers: one target a tree, and every tree adds one leaf's number to its own."""
    refs = {k: attribute_ref(k, v.type) for k, v in nodes.items()}
    reached: Value = op.TreeEnsemble(X, **refs, n_targets=n_trees, aggregate_function=1, post_transform=0)
    return reached.astype(np.int64)


def _extended(array: NDArray[Any], count: int, value: Any) -> NDArray[Any]:
    return np.concatenate([array, np.full(count, value, array.dtype)])


def _written_sets(sets: Bools, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the sets as ``membership_values``: members one after the other, NaN after each set."""
    marked = np.concatenate([sets, np.ones((len(sets), 1), bool)], axis=1)
    written = np.broadcast_to(np.append(np.arange(sets.shape[1]).astype(dtype), np.nan), marked.shape)[marked]
    return np.asarray(written, dtype)
