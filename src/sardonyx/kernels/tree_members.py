"""Trees that ask whether a feature is some number, or one of a set: the numbers become codes in columns of their own.

::

    x[3] == 0.5 ?     x[3] in {-1, 2.5} ?          numbers asked of feature 3: -1, 0.5, 2.5
    X ─┬─────────────────────────────┬─▶ Concat ─▶ X, and the place of x[3] among them: 0, 1, 2, or 3 for any other
       └─ x[3] ─▶ LabelEncoder ──────┘
    x[n] == 1 ?       x[n] in {0, 2} ?             small whole numbers, which kernels look up in sets of bits

These rules come after those of `trees` and `tree_ensembles`, and hand them the node with other attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ..lowering.rules import Attributes, Builder, Declined, NodeView, Row, Values, decline, lowers
from .shape import concat_rows, slice_axis
from .tree_ensembles import ML, _numbers, _rows, classifier, ensemble, regressor
from .trees import LEQ, MEMBER, standard

EQUAL, NOT_EQUAL = 4, 5
#: the most numbers that are asked of one feature
MOST_NUMBERS = 1 << 15

Array = NDArray[Any]


class _Codes:
    """Codes of the numbers that nodes ask for, by feature, and the columns that hold them."""

    def __init__(self, x: Row, features: Array, asked: Sequence[Array]) -> None:
        self.x = x
        self.columns = np.unique(features)
        self.keys = [
            np.unique(np.concatenate([a for f, a in zip(features, asked, strict=True) if f == column]))
            for column in self.columns
        ]
        inside = not len(self.columns) or (self.columns[0] >= 0 and self.columns[-1] < x.width)
        if not inside or max(map(len, self.keys), default=0) > MOST_NUMBERS:
            decline("a feature that is not there, or too many numbers asked of one")

    def place(self, feature: int) -> int:
        """Return the column in which the codes of a feature are."""
        return self.x.width + int(np.searchsorted(self.columns, feature))

    def code(self, feature: int, numbers: Array) -> Array:
        """Return the codes of numbers."""
        return np.searchsorted(self.keys[int(np.searchsorted(self.columns, feature))], numbers)

    def rows(self, b: Builder) -> Row:
        """Return the rows with the columns of codes behind their own; NaN stays NaN."""
        pieces = [self.x]
        for feature, keys in zip(self.columns, self.keys, strict=True):
            column = slice_axis(b, self.x, 0, int(feature), 1, 1)
            known = np.append(keys, np.nan).astype(self.x.dtype)
            codes = np.append(np.arange(len(keys)), np.nan).astype(self.x.dtype)
            other = np.array([len(keys)], self.x.dtype)
            pieces += b.step("LabelEncoder", [column, known, codes, other], [(self.x.dtype, (1,))])
        return concat_rows(b, pieces, 0)


def _with(node: NodeView, x: Row, **attributes: Any) -> NodeView:
    """Return the node with other attributes, reading other rows."""
    proto = onnx.NodeProto()
    proto.CopyFrom(node.proto)
    kept = [a for a in node.proto.attribute if a.name not in attributes]
    del proto.attribute[:]
    proto.attribute.extend(kept)
    proto.attribute.extend(
        helper.make_attribute(name, value) for name, value in attributes.items() if value is not None
    )
    return replace(node, proto=proto, inputs=(x,), attributes=Attributes(proto, node.attributes.large))


@lowers("TreeEnsembleRegressor", "TreeEnsembleClassifier", domain=ML)
def older(b: Builder, node: NodeView) -> Values:
    modes = np.array(node.attributes.get("nodes_modes", []), dtype=object)
    at = np.flatnonzero(np.isin(modes, (b"BRANCH_EQ", b"BRANCH_NEQ")))
    x, features = _rows(b, node), node.attributes.integers("nodes_featureids").copy()
    values = _numbers(node, "nodes_values").astype(x.dtype)
    if not len(at) or len(values) != len(modes) or len(features) != len(modes) or len(x.shape) != 1:
        decline("no equality")
    codes = _Codes(x, features[at], list(values[at, None]))
    for i in at:
        values[i] = codes.code(features[i], values[i : i + 1])[0]
        features[i] = codes.place(features[i])
    wide = x.dtype == "float64"
    given: dict[str, Any] = {
        "nodes_featureids": features.tolist(),
        "nodes_values": None if wide else values.tolist(),
        "nodes_values_as_tensor": numpy_helper.from_array(values) if wide else None,
    }
    changed = _with(node, codes.rows(b), **given)
    return regressor(b, changed) if node.op_type == "TreeEnsembleRegressor" else classifier(b, changed)


@lowers("TreeEnsemble", domain=ML)
def newest(b: Builder, node: NodeView) -> Values:
    x, features = node.row(0), node.attributes.integers("nodes_featureids").copy()
    modes, splits = node.attributes.tensor("nodes_modes"), node.attributes.tensor("nodes_splits").copy()
    at = np.flatnonzero(np.isin(modes, (EQUAL, NOT_EQUAL, MEMBER)))
    if not len(at) or len({len(features), len(modes), len(splits)}) != 1 or splits.dtype.name != x.dtype:
        decline("no equality and no sets")
    if len(x.shape) != 1 or modes.max() > MEMBER or modes.min() < LEQ:
        decline("a mode that the operator does not have")
    sets = iter(_sets(node, int((modes == MEMBER).sum())))
    asked = [next(sets) if modes[i] == MEMBER else splits[i : i + 1] for i in at]
    codes = _Codes(x, features[at], asked)
    members: list[float] = []
    for i, numbers in zip(at, asked, strict=True):
        members += [*map(float, codes.code(features[i], numbers)), np.nan]
        features[i] = codes.place(features[i])
    turned = modes == NOT_EQUAL
    changed = _with(
        node,
        codes.rows(b),
        nodes_featureids=features.tolist(),
        nodes_modes=numpy_helper.from_array(
            np.where(np.isin(modes, (EQUAL, NOT_EQUAL)), MEMBER, modes).astype(np.uint8)
        ),
        membership_values=numpy_helper.from_array(np.array(members, splits.dtype)),
        nodes_missing_value_tracks_true=_tracking(node, turned),
        **_sides(node, turned),
    )
    try:
        return standard(b, changed)
    except Declined:
        return ensemble(b, changed)


def _sets(node: NodeView, count: int) -> list[Array]:
    """Return the sets of ``membership_values``, each of which ends with NaN."""
    tensor = node.attributes.get("membership_values")
    values = numpy_helper.to_array(tensor) if isinstance(tensor, onnx.TensorProto) else np.zeros(0)
    parts = np.split(values, np.flatnonzero(np.isnan(values)) + 1)
    sets = [part[~np.isnan(part)] for part in parts]
    return sets if len(sets) >= count else decline("nodes ask for sets that are not given")


def _tracking(node: NodeView, turned: Array) -> list[int]:
    """Return where NaN is followed as true; NaN is unlike every number, so it never is where that is asked."""
    name = "nodes_missing_value_tracks_true"
    given = node.attributes.integers(name) if node.attributes.get(name) else np.zeros(len(turned), np.int64)
    if len(given) != len(turned):
        decline("attributes of different lengths")
    return [int(n) for n in np.where(turned, 0, given)]


def _sides(node: NodeView, turned: Array) -> dict[str, list[int]]:
    """Return the children, in turn where a node asks whether a number is another."""
    sides: dict[str, list[int]] = {}
    for kind in ("nodeids", "leafs"):
        names = (f"nodes_true{kind}", f"nodes_false{kind}")
        yes, no = (node.attributes.integers(name) for name in names)
        if not len(yes) == len(no) == len(turned):
            decline("attributes of different lengths")
        pairs = (np.where(turned, no, yes), np.where(turned, yes, no))
        sides |= {name: [int(n) for n in side] for name, side in zip(names, pairs, strict=True)}
    return sides
