"""Trees of HistGradientBoosting: nodes, categories and the encoding of columns that comes before them.

They compare in float64. A categorical node sends a set of categories left, the other known ones right, and unknown and
missing ones where ``missing_go_to_left`` says. The encoder makes every unknown category NaN, so a set says it all::

    missing go left    x in (known - left)?  yes ──▶ right   no, NaN ──▶ left
    missing go right   x in left?            yes ──▶ left    no, NaN ──▶ right

Source: sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx and gradient_boosting.py (``_preprocess_X``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..convert import Columns, Data, as_columns, as_matrix, call, take
from ..errors import ConversionError
from ..graph import Value, concat
from ..operators.trees import Bools, Trees, build_trees
from ..protos import STRING

#: what no category is encoded as: there are at most 255
NO_CODE = 255


def read_predictors(est: Any) -> tuple[Trees, NDArray[np.float64]]:
    """Return the trees, class by class within an iteration, and their leaves' values."""
    predictors = [p for iteration in est._predictors for p in iteration]
    sizes = np.array([len(p.nodes) for p in predictors])
    starts = np.cumsum(sizes) - sizes
    nodes, first = np.concatenate([p.nodes for p in predictors]), np.repeat(starts, sizes)
    leaf, categorical = nodes["is_leaf"].astype(bool), nodes["is_categorical"].astype(bool)
    left = np.where(leaf, -1, nodes["left"] + first)
    right = np.where(leaf, -1, nodes["right"] + first)
    missing = nodes["missing_go_to_left"].astype(bool)
    set_of = np.where(categorical, np.cumsum(categorical) - 1, -1)
    sets = _sets(est, predictors, nodes, sizes, categorical)
    swap = categorical & missing
    yes, no = np.where(swap, right, left), np.where(swap, left, right)
    trees = build_trees(
        starts, yes, no, nodes["feature_idx"].astype(np.int64), nodes["num_threshold"], missing & ~swap, set_of, sets
    )
    return trees, nodes["value"][leaf].astype(np.float64).reshape(-1, 1)


def _sets(est: Any, predictors: list[Any], nodes: Any, sizes: Any, categorical: Bools) -> Bools:
    """Return the set of each categorical node, as the drawing above has it."""
    counts = np.array([len(p.raw_left_cat_bitsets) for p in predictors])
    firsts = np.repeat(np.cumsum(counts) - counts, sizes)[categorical]
    chosen = nodes[categorical]
    if not len(chosen):
        return np.zeros((0, 0), bool)
    left = _bits(np.concatenate([p.raw_left_cat_bitsets for p in predictors]))[firsts + chosen["bitset_idx"]]
    known_bitsets, of_feature = est._bin_mapper.make_known_categories_bitsets()
    known = _bits(known_bitsets)[of_feature[chosen["feature_idx"]]]
    missing_left = chosen["missing_go_to_left"].astype(bool)[:, None]
    sets: Bools = np.where(missing_left, known & ~left, left)
    sets[~sets.any(1), NO_CODE] = True  # a set of nothing cannot be written
    return sets


def _bits(bitsets: NDArray[Any]) -> Bools:
    """Return bitsets of 8 words of 32 bits as booleans."""
    octets = np.ascontiguousarray(bitsets, "<u4").view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little").astype(bool)


def preprocess(est: Any, X: Data) -> Value:
    """Return ``est._preprocess_X(X)``: encoded categorical columns first, then the numbers, float64."""
    encoder = getattr(est, "_preprocessor", None)
    if encoder is None:
        return _numbers(est, X)
    given = in_fit_order(est, X)
    parts = [
        call(transformer, "transform", chosen) if name == "encoder" else _numbers(est, chosen)
        for name, transformer, columns in encoder.transformers_
        if (chosen := take(given, np.flatnonzero(columns).tolist())).shape[1]
    ]
    return concat([p.astype(np.float64) for p in parts])


def in_fit_order(est: Any, X: Data) -> Data:
    """Return the columns of a frame in the order of the fit."""
    names = getattr(est, "feature_names_in_", None)
    if not isinstance(X, Columns) or names is None:
        return X
    if absent := [n for n in names if n not in X.names]:
        raise ConversionError(f"columns {absent} are missing in the sample; it has {list(X.names)}.")
    return take(X, [X.names.index(n) for n in names])


def _numbers(est: Any, X: Data) -> Value:
    columns = as_columns(X) if isinstance(X, Columns) else None
    if columns is not None and (
        text := [n for n, v in zip(columns.names, columns.values, strict=True) if v.dtype == STRING]
    ):
        raise ConversionError(
            f"{type(est).__name__}: columns {text} are text, and not among its categorical_features. "
            "Encode them first, or name them there."
        )
    return as_matrix(X).astype(np.float64)
