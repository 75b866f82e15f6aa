"""TfIdfVectorizer of ai.onnx (native/kernels/text/ngrams.cpp): n-grams of tokens, counted and weighted.

::

    tokens ─▶ LabelEncoder ─▶ numbers ─▶ Ngrams ─▶ counts ─▶ weights
              the pool's tokens          a tree of the pool's n-grams
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Row, Values, as_constant, decline, lowers
from .elementwise import FLOATS, cast_row, elementwise

#: of an output
MOST_COLUMNS = 1 << 24
#: n-grams as tuples of tokens' numbers, and the column of each
Columns: TypeAlias = dict[tuple[int, ...], int]


@lowers("TfIdfVectorizer", whole=None)
def tf_idf_vectorizer(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    if not x.shape or len(x.shape) > 1 - x.lead:
        decline("not a list of tokens, or lists of them")
    pool, ngrams, width = read_ngrams(node)
    tokens = x if x.dtype == "str" else cast_row(b, x, "int64")
    known, places = np.unique(pool, return_inverse=True)
    if Const(known).dtype != tokens.dtype:
        decline("tokens of another type than the pool's")
    numbers = Const(np.arange(len(known)))
    (ids,) = b.step("LabelEncoder", [tokens, as_constant(known), numbers, np.array([-1])], [("int64", x.shape)])
    columns = {tuple(places[list(at)].tolist()): column for at, column in ngrams.items()}
    edges, ends = _tree(columns)
    lists = x.shape[0] if len(x.shape) == 2 else 1
    longest, skipped = node.integer("max_gram_length", 1), node.integer("max_skip_count", 0)
    params = (lists, x.shape[-1], longest, min(max(skipped, 0), x.shape[-1]))
    (counts,) = b.step("Ngrams", [ids, edges, ends], [("float32", (*x.shape[:-1], width))], params)
    return (_weighted(b, node, counts, width),)


def read_ngrams(node: NodeView) -> tuple[Array, Columns, int]:
    """Return the pool of tokens, the n-grams as tuples of places in it with their columns, and how many columns."""
    given: Any = node.attributes.get("pool_strings") or node.attributes.get("pool_int64s") or decline("no pool")
    pool = as_constant(np.array(given, object if isinstance(given[0], bytes) else np.int64))
    starts, columns = (node.integers(name) or decline(f"no {name}") for name in ("ngram_counts", "ngram_indexes"))
    least, most = node.integer("min_gram_length", 1), node.integer("max_gram_length", 1)
    if not 1 <= least <= most or min(columns) < 0 or max(columns) >= MOST_COLUMNS:
        decline("lengths or columns out of range")
    found: Columns = {}
    number = iter(columns)
    for n, (start, end) in enumerate(pairwise((*starts, len(pool))), 1):
        if not 0 <= start <= end <= len(pool) or (end - start) % n:
            decline("counts that do not fit the pool")
        for first in range(start, end, n):
            column = next(number, None)
            if column is None:
                decline("n-grams without a column")
            if n <= most:
                found[tuple(range(first, first + n))] = column if n >= least else -1
    return pool, found, max(columns) + 1


def _tree(columns: Columns) -> tuple[Array, Array]:
    """Return the edges of a tree of n-grams, sorted by parent and token, and the column that each ends in."""
    level: dict[tuple[int, ...], int] = {(): 0}
    edges: list[tuple[int, int]] = []
    ends: list[int] = []
    prefixes = {ngram[:n] for ngram in columns for n in range(1, len(ngram) + 1)}
    for n in range(1, max(map(len, columns), default=0) + 1):
        below: dict[tuple[int, ...], int] = {}
        for prefix in sorted((p for p in prefixes if len(p) == n), key=lambda p: (level[p[:-1]], p[-1])):
            edges.append((level[prefix[:-1]], prefix[-1]))
            ends.append(columns.get(prefix, -1))
            below[prefix] = len(edges)
        level = below
    return np.array(edges, np.int64).reshape(-1, 2), np.array(ends, np.int64)


def _weighted(b: Builder, node: NodeView, counts: Row, width: int) -> Row:
    weights = weights_of(node, width)
    if node.text("mode", "") == "IDF":
        there = elementwise(b, "Greater", [counts, Const(np.zeros((), np.float32))], FLOATS, "bool")
        counts = cast_row(b, there, "float32")
    return counts if weights is None else elementwise(b, "Mul", [counts, Const(weights)], FLOATS)


def weights_of(node: NodeView, width: int) -> Array | None:
    """Return the weight of each column; None where counts are not weighed."""
    mode = node.text("mode", "")
    if mode not in ("TF", "IDF", "TFIDF"):
        decline(f"no mode {mode!r}")
    given: Any = node.attributes.get("weights")
    if mode == "TF" or given is None:
        return None
    columns = node.integers("ngram_indexes") or ()
    if len(given) != len(columns):
        decline("not one weight an n-gram")
    weights = np.ones(width, np.float32)
    weights[list(columns)] = given
    return weights
