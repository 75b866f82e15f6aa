"""What the converters of xgboost, lightgbm and catboost share: tables of nodes, columns as the libraries read them.

It registers nothing.

::

    the library's own model text  ──▶  Table, one row a node or leaf  ──▶  Trees, and the rows of its leaves
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..convert import Columns, Data
from ..graph import Value, concat, current_graph
from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..operators.categories import category_lookup
from ..operators.trees import Bools, Ints, Trees, build_trees
from ..protos import STRING

Model = TypeVar("Model")


@dataclass(slots=True)
class Table:
    """Nodes and leaves of trees, collected tree by tree; children are counted within their tree.

    ``x[feature] <= split`` (or ``x[feature]`` in the set) goes to `yes`, NaN as `missing` says.
    """

    starts: list[int] = field(default_factory=list)
    parts: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    sets: list[NDArray[np.int64]] = field(default_factory=list)
    count: int = 0

    def add(
        self, yes: Ints, no: Ints, feature: Ints, split: NDArray[Any], missing: Bools, sets: dict[int, Ints]
    ) -> None:
        """Append a tree: arrays of shape (n,), `yes` below 0 in leaves; `sets` are members by node."""
        set_of = np.full(len(yes), -1)
        for node, members in sets.items():
            set_of[node] = len(self.sets)
            self.sets.append(members)
        leaf = yes < 0
        below = (np.where(leaf, -1, side + self.count) for side in (yes, no))
        self.starts.append(self.count)
        self.parts.append((*below, np.where(leaf, 0, feature), split, np.where(leaf, False, missing), set_of))
        self.count += len(yes)

    def trees(self) -> Trees:
        """Return the trees; leaves are numbered in the order of their rows."""
        yes, no, feature, split, missing, set_of = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        starts = np.array(self.starts)
        return build_trees(starts, yes, no, feature, split, missing, set_of, _membership(self.sets))


def _membership(sets: Sequence[NDArray[np.int64]]) -> Bools:
    """Return sets of codes as booleans; a set of nothing, which cannot be written, holds a code that nothing has."""
    width = max((int(members.max(initial=-1)) for members in sets), default=-1) + 2
    table = np.zeros((len(sets), width), bool)
    for row, members in zip(table, sets, strict=True):
        row[members if len(members) else width - 1] = True
    return table


def interleaved(groups: NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
    """Return an order of trees in which tree ``t`` is of group ``t % n_groups``, each group's own order kept.

    Raises
    ------
    ValueError
        If groups have different numbers of trees.
    """
    by_group = [np.flatnonzero(groups == g) for g in range(n_groups)]
    return np.stack(by_group, axis=1).ravel()


def in_columns(X: Data, convert: Callable[[Value], Value]) -> Value:
    """Return X as one matrix, each column of a frame converted apart: promoting them together might round."""
    if not isinstance(X, Columns):
        return convert(X)
    return concat([convert(v) for v in X.values])


def category_codes(X: Value, name: str, categories: Sequence[Any], dtype: Any, unknown: float | None) -> Value:
    """Return the codes of a pandas categorical column, NaN where it is missing.

    Parameters
    ----------
    X : Value of shape (N, 1)
        Text or numbers.
    name : str
        Of the column.
    categories : sequence
        In the order of their codes.
    dtype : dtype
        Of the codes, a float.
    unknown : float or None
        What another category becomes; None refuses it.
    """
    table = np.asarray(list(categories), object if X.dtype == STRING else None)
    codes = np.arange(len(table), dtype=dtype)
    if X.dtype == STRING:
        table = np.append(table, [MISSING_NAN, MISSING_NONE])
        codes = np.append(codes, np.full(2, np.nan, dtype))
    else:
        common = np.result_type(X.dtype, table.dtype)
        X, table = X.astype(common), table.astype(common)
        if X.dtype.kind == "f":
            table, codes = np.append(table, common.type(np.nan)), np.append(codes, dtype(np.nan))
    codes = np.append(codes, dtype(np.nan if unknown is None else unknown))
    result: Value = category_lookup(X, table, codes, column=name, refuse_unknown=int(unknown is None))
    return result


def read_once(est: Any, read: Callable[[Any], Model]) -> Model:
    """Return ``read(est)``, kept for the other methods of the same step."""
    memo = current_graph().memo
    key = ("model", id(est))
    if key not in memo:
        memo[key] = read(est)
    model: Model = memo[key]
    return model
