"""Operators for `onnx.reference` where its own are missing or do not do what the standard says.

::

    If, Loop, Optional  see control_flow.py
    ReduceSum, Pow, ... see numbers.py
    Scatter             its later name is ScatterElements
    GatherElements      onnx's own gives up where an axis is long
    Slice               onnx's own takes nothing backwards from before the first element
    Unique              onnx's own loses its way where values are not to be sorted
    FindTokens          of the sardonyx domain: regular expressions without an automaton
    TextMethod          of the sardonyx domain: Python's methods of text
    RegexFullMatch      classes of characters as RE2 has them
    Require, ...        of the sardonyx domain: what refuses rows, which no body can
    StringNormalizer    empty texts stay where they are
    Tokenizer           of ONNX Runtime's domain: skl2onnx writes it for text
    TreeEnsemble...     onnx's own, which walk until they meet a leaf, refused where nodes lead round in a circle
    TfIdfVectorizer     onnx's own, which counts as far as the node says, refused where the pool is shorter

They are handed to every `onnx.reference.ReferenceEvaluator` that sardonyx makes (`evaluator`), also those of subgraphs.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun
from onnx.reference.ops.aionnxml.op_tree_ensemble import TreeEnsemble
from onnx.reference.ops.aionnxml.op_tree_ensemble_classifier import TreeEnsembleClassifier
from onnx.reference.ops.aionnxml.op_tree_ensemble_regressor import TreeEnsembleRegressor
from onnx.reference.ops.op_tfidf_vectorizer import TfIdfVectorizer

from ...errors import InputError, ModelError
from ...inputs.values import MISSING_NAN, MISSING_NONE
from ...text.code_points import without_accents
from ...text.methods import call, compiled, is_moot, joined, kind_of
from ...text.re2 import as_re2
from ..borders import kept_texts
from .control_flow import (
    AnyOperator,
    Identity,
    If,
    Loop,
    Optional,
    OptionalGetElement,
    OptionalHasElement,
    Scan,
)
from .numbers import NUMBERS
from .sized import SizedEvaluator

Array = NDArray[Any]


def evaluator(model: onnx.ModelProto) -> SizedEvaluator:
    """Return the reference implementation of a model, with the operators of this module."""
    return SizedEvaluator(model, new_ops=OPERATORS)


class Scatter(AnyOperator):
    """Elements replaced along an axis."""

    def _run(self, data: Array, indices: Array, updates: Array, axis: int = 0) -> tuple[Any, ...]:
        result = np.array(data)
        np.put_along_axis(result, np.where(indices < 0, indices + data.shape[axis], indices), updates, axis)
        return (result,)


class GatherElements(AnyOperator):
    """Elements chosen along an axis, however long it is."""

    def _run(self, data: Array, indices: Array, axis: int = 0) -> tuple[Any, ...]:
        axis %= data.ndim
        places = np.where(indices < 0, indices + data.shape[axis], indices)
        beside = tuple(slice(None) if d == axis else slice(n) for d, n in enumerate(indices.shape))
        return (np.take_along_axis(data[beside], places, axis),)


class Slice(AnyOperator):
    """Elements a step apart; backwards from before the first is from the first."""

    def _run(
        self, data: Array, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None
    ) -> tuple[Any, ...]:
        if starts is None:  # before opset 10
            starts, ends, axes = (getattr(self, name, None) for name in ("starts", "ends", "axes"))
        count = len(starts)
        along = range(count) if axes is None else [int(axis) % data.ndim for axis in axes]
        apart = [1] * count if steps is None else [int(step) for step in steps]
        places = [slice(None)] * data.ndim
        for axis, start, end, step in zip(along, starts, ends, apart, strict=True):
            first = 0 if step < 0 and start < -data.shape[axis] else int(start)
            places[axis] = slice(*_bounds(data.shape[axis], first, int(end), step))
        return (data[tuple(places)],)


def _bounds(n: int, start: int, end: int, step: int) -> tuple[int, int | None, int]:
    first, last, step = slice(start, end, step).indices(n)
    return first, None if last < 0 else last, step


class Unique(AnyOperator):
    """Each value once, in the order of values or of their first places."""

    def _run(self, X: Array, axis: int | None = None, sorted: int = 1) -> tuple[Any, ...]:
        whole, along = (X.reshape(-1), 0) if axis is None else (X, axis)
        values, places, inverse, counts = np.unique(
            whole, return_index=True, return_inverse=True, return_counts=True, axis=axis
        )
        order = np.arange(len(places)) if sorted else np.argsort(places)
        rank = np.argsort(order)
        results = (values.take(order, along), places[order], rank[inverse.reshape(-1)], counts[order])
        kinds = (X.dtype, *[np.dtype(np.int64)] * 3)
        made = [result.astype(kind) for result, kind in zip(results, kinds, strict=True)]
        return tuple(made[: len(self.onnx_node.output)])


class ZipMap(AnyOperator):
    """A map for every row, from the classes to the row's elements."""

    op_domain = "ai.onnx.ml"

    def _run(self, X: Array, classlabels_int64s: Any = None, classlabels_strings: Any = None) -> tuple[Any, ...]:
        keys = classlabels_strings or classlabels_int64s
        return ([dict(zip(keys, row, strict=True)) for row in np.atleast_2d(X).tolist()],)


class CastMap(AnyOperator):
    """A map's values in the order of its keys, as one row; sparse maps have the value of key i at place i."""

    op_domain = "ai.onnx.ml"

    def _run(self, X: Any, cast_to: str = "TO_FLOAT", map_form: str = "DENSE", max_map: int = 1) -> tuple[Any, ...]:
        kind: Any = {"TO_FLOAT": np.float32, "TO_INT64": np.int64, "TO_STRING": object}[cast_to]
        values = dict(sorted(X.items()))
        if map_form == "SPARSE":
            nothing = "" if kind is object else 0
            values = {i: values.get(i, nothing) for i in range(max_map)}
        cells = [str(_scalar(v)) if kind is object else kind(_scalar(v)) for v in values.values()]
        return (np.array([cells], dtype=kind),)


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray | np.generic) else value


class CategoryMapper(AnyOperator):
    """Text becomes a number, or a number its text."""

    op_domain = "ai.onnx.ml"

    def _run(
        self,
        X: Array,
        cats_int64s: Any = None,
        cats_strings: Any = None,
        default_int64: int = -1,
        default_string: str = "_Unused",
    ) -> tuple[Any, ...]:
        numbers, texts = list(cats_int64s or []), list(cats_strings or [])
        if X.dtype.kind in "OUT":
            known = dict(zip(texts, numbers, strict=True))
            return (np.array([known.get(v, default_int64) for v in X.ravel()], np.int64).reshape(X.shape),)
        names = dict(zip(numbers, texts, strict=True))
        return (np.array([names.get(v, default_string) for v in X.ravel().tolist()], object).reshape(X.shape),)


class FindTokens(AnyOperator):
    """Documents as their tokens, found with `re`, as scikit-learn's vectorizers prepare and find them.

    (sklearn/feature_extraction/text.py: _preprocess, strip_accents_unicode, strip_accents_ascii, build_tokenizer)
    """

    op_domain = "sardonyx"

    def _run(self, X: Array, token_pattern: str = "", lowercase: int = 0, strip_accents: str = "") -> tuple[Any, ...]:
        find = compiled(token_pattern).findall
        result = np.empty(X.shape, dtype=object)
        for i, text in enumerate(X.tolist()):
            if text in (MISSING_NAN, MISSING_NONE):
                raise InputError(f"document {i} is missing: an invalid document, expected text")
            tokens = find(_folded(text, lowercase, strip_accents))
            try:
                result[i] = joined(tokens)
            except ValueError as error:
                raise InputError(
                    f"token_pattern={token_pattern!r} finds {tokens!r} in document {i}; {error}."
                ) from None
        return (result,)


class TextMethod(AnyOperator):
    """What a method makes of texts (text/methods.py); what is missing stays missing."""

    op_domain = "sardonyx"

    def _run(self, X: Array, method: str = "", arguments: str = "[]", moot: int = 0) -> tuple[Any, ...]:
        given, kind = json.loads(arguments), kind_of(method)
        nothing: dict[type, Any] = {str: MISSING_NAN, int: np.nan, bool: False}
        result: Array = np.full(X.shape, nothing[kind], {str: object, int: np.float64, bool: np.bool_}[kind])
        for i, text in enumerate(X.tolist()):
            if text in (MISSING_NAN, MISSING_NONE):
                result[i] = text if kind is str else nothing[kind]
                continue
            if moot and is_moot(method, text, given):
                raise InputError(f"row {i}: pandas' .str.{method} of {text!r} depends on whether Arrow is installed; "
                                 "change such texts before the pipeline, or use .map(lambda s: ...)")  # fmt: skip
            try:
                value = call(method, text, given)
            except (IndexError, ValueError, re.error) as error:
                raise InputError(f"row {i}: {error}") from error
            result[i] = nothing[kind] if value is None else value
        return (result,)


class Require(AnyOperator):
    """The first input, refused where the second does not hold."""

    op_domain = "sardonyx"

    def _run(self, X: Array, condition: Array, message: str = "") -> tuple[Any, ...]:
        if not np.all(condition):
            raise InputError(f"{message}: a row is refused")
        return (X,)


class Refuse(AnyOperator):
    """The first input, refused where the second holds."""

    op_domain = "sardonyx"

    def _run(self, X: Array, condition: Array, message: str = "") -> tuple[Any, ...]:
        if np.any(condition):
            raise InputError(f"{message}: a row is refused")
        return (X,)


class CheckFinite(AnyOperator):
    """The input, refused where it is infinite, or NaN and that is not allowed."""

    op_domain = "sardonyx"

    def _run(self, X: Array, allow_nan: int = 0, estimator: str = "") -> tuple[Any, ...]:
        if np.isnan(X).any() and not allow_nan:
            raise InputError(f"{estimator}: Input contains NaN")
        if np.isinf(X).any():
            raise InputError(f"{estimator}: Input contains infinity or a value too large for dtype('{X.dtype}')")
        return (X,)


class StringNormalizer(AnyOperator):
    """Texts in another case, without stop words; onnx's own takes away empty texts too."""

    def _run(
        self, X: Array, case_change_action: str = "NONE", is_case_sensitive: int = 0, locale: Any = None,
        stopwords: Any = None,
    ) -> tuple[Any, ...]:  # fmt: skip
        return (kept_texts(X, case_change_action or "NONE", is_case_sensitive, *(stopwords or ())),)


class RegexFullMatch(AnyOperator):
    """Whether a pattern matches all of a text; classes of characters are ASCII, as in RE2."""

    def _run(self, X: Array, pattern: str = "") -> tuple[Any, ...]:
        match = compiled(as_re2(pattern), re.ASCII).fullmatch
        return (np.array([match(text) is not None for text in X.ravel().tolist()], bool).reshape(X.shape),)


class Tokenizer(AnyOperator):
    """Texts as their tokens, as many for each as the text with the most has: ONNX Runtime's own operator.

    Written by skl2onnx for text. (onnxruntime/contrib_ops/cpu/tokenizer.cc)
    """

    op_domain = "com.microsoft"

    def _run(
        self,
        X: Array,
        mark: int = 0,
        mincharnum: int = 1,
        pad_value: str = "",
        separators: Any = None,
        tokenexp: str = "",
    ) -> tuple[Any, ...]:
        find = compiled(as_re2(tokenexp), re.ASCII).finditer if tokenexp else None
        rows = []
        for text in X.ravel().tolist():
            parts = [match.group() or "" for match in find(text)] if find else _separated(text, separators or [])
            kept = [part for part in parts if len(part) >= max(mincharnum, 1)]
            rows.append(["\x02", *kept, "\x03"] if mark else kept)
        most = max(map(len, rows), default=0)
        result = np.empty((len(rows), most), object)
        for i, row in enumerate(rows):
            result[i] = row + [pad_value] * (most - len(row))
        return (result.reshape(*X.shape, most),)


def _separated(text: str, separators: list[str]) -> list[str]:
    """Return what is between separators, each a regular expression; the empty one is between all characters."""
    parts = [text]
    for separator in separators:
        parts = [
            part
            for whole in parts
            for part in (compiled(as_re2(separator), re.ASCII).split(whole) if separator else list(whole))
        ]
    return parts


def _checked(operator: type[OpRun], domain: str, check: Callable[[onnx.NodeProto], None]) -> type[OpRun]:
    """Return an operator that looks at its node before it is made of it: onnx's own may go on for ever."""

    def make(self: Any, node: onnx.NodeProto, *options: Any, **more: Any) -> None:
        check(node)
        operator.__init__(self, node, *options, **more)

    return type(operator.__name__, (operator,), {"op_domain": domain, "__init__": make})


def _refuse_counts(node: onnx.NodeProto) -> None:
    """Refuse n-grams that are not there: as many as the counts say are looked for, one after the other."""
    given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    size = len(given.get("pool_int64s") or given.get("pool_strings") or ())
    starts = [*given.get("ngram_counts", ()), size]
    if starts[0] < 0 or any(start > end for start, end in pairwise(starts)):
        raise ModelError(
            f"{node.op_type}: ngram_counts {starts[:-1]} must rise from 0 to the {size} items of the pool; "
            "the file is corrupt."
        )


def _refuse_circles(node: onnx.NodeProto) -> None:
    """Take nodes away to which no other leads, until none is left; what is left is a circle (Kahn 1962)."""
    below = _below({a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})
    leading = Counter(child for children in below.values() for child in children if child in below)
    free = [number for number in below if not leading[number]]
    taken = 0
    while free:
        taken += 1
        for child in below[free.pop()]:
            leading[child] -= 1
            if child in below and not leading[child]:
                free.append(child)
    if taken < len(below):
        raise ModelError(f"{node.op_type}: nodes of a tree lead to each other in a circle; the file is corrupt.")


def _below(given: Mapping[str, Any]) -> dict[Any, list[Any]]:
    """Return the nodes that each node leads to, by the names of TreeEnsemble or of the older operators."""
    sides = given.get("nodes_truenodeids", ()), given.get("nodes_falsenodeids", ())
    if "nodes_trueleafs" in given:
        leaves = given["nodes_trueleafs"], given.get("nodes_falseleafs", ())
        pairs = [zip(side, leaf, strict=False) for side, leaf in zip(sides, leaves, strict=True)]
        return {i: [n for n, leaf in both if not leaf] for i, both in enumerate(zip(*pairs, strict=False))}
    names = zip(given.get("nodes_treeids", ()), given.get("nodes_nodeids", ()), strict=False)
    rows = zip(names, given.get("nodes_modes", ()), *sides, strict=False)
    return {(tree, n): [] if mode == b"LEAF" else [(tree, yes), (tree, no)] for (tree, n), mode, yes, no in rows}


def _folded(text: str, lowercase: int, strip_accents: str) -> str:
    text = text.lower() if lowercase else text
    return without_accents(text, strip_accents) if strip_accents else text


OPERATORS: list[type[OpRun]] = [If, Loop, Scan, Optional, OptionalGetElement, OptionalHasElement, Identity, Scatter]
OPERATORS += [GatherElements, Slice, Unique, *NUMBERS]
OPERATORS += [ZipMap, CastMap, CategoryMapper, FindTokens, TextMethod, RegexFullMatch, Require, Refuse, CheckFinite]
OPERATORS += [StringNormalizer, Tokenizer]
OPERATORS += [
    _checked(operator, "ai.onnx.ml", _refuse_circles)
    for operator in (TreeEnsemble, TreeEnsembleClassifier, TreeEnsembleRegressor)
]
OPERATORS += [_checked(TfIdfVectorizer, "", _refuse_counts)]
