"""The scikit-learn wrappers of catboost, read from the model's own JSON.

Rows are float32. A split asks ``x > border``; NaN goes where the feature's treatment says. In oblivious trees all nodes
of a level ask the same, and the answers are the bits of the leaf's number, the first split's the lowest::

    x[3] > 0.5   bit 0            leaf 0b01: x[3] > 0.5, x[1] <= 2
    x[1] > 2     bit 1

Leaves are added in float64 tree by tree; then come scale and bias. What splits ask about is in `_catboost_features`.

Source: catboost catboost/libs/model/cpu/evaluator_impl.cpp, catboost/libs/eval_result/eval_helpers.cpp.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoost, CatBoostClassifier, CatBoostError, CatBoostRanker, CatBoostRegressor
from numpy.typing import NDArray

from ..convert import Data, call, in_order
from ..errors import ConversionError
from ..graph import Value, as_value, concat, per_row
from ..operators.numeric import expit
from ..operators.trees import leaves_of, sum_of
from ..registry import converter, spelled
from ._catboost_features import Splits, columns_of, features_of
from ._foreign_trees import Table, read_once
from .base import argmax_labels, softmax, take_labels

Document = dict[str, Any]
#: losses whose classes are chosen one against all others, or each for itself
ONE_BY_ONE = ("MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy")
#: losses with labels that do not exclude each other
MULTILABEL = ("MultiLogloss", "MultiCrossEntropy")


# ---- reading the model -----------------------------------------------------------------------------------------------


def _read(est: Any) -> Document:
    """Return the model's JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        try:
            est.save_model(str(path), format="json")
        except CatBoostError as error:
            raise ConversionError(
                f"{type(est).__name__}: catboost writes this model in its binary form alone ({_said(error)}): the "
                "estimators that turn text or embeddings into numbers have no other. Turn such columns into numbers "
                "before it, e.g. with TfidfVectorizer in a pipeline."
            ) from error
        document: Document = json.loads(path.read_text())
    return document


def _said(error: Exception) -> str:
    return str(error).partition(": ")[2] or str(error)


def _table(document: Document, splits: Splits) -> tuple[Table, NDArray[np.float64]]:
    """Return the nodes of all trees, and their leaves' values of shape (n_leaves, n_outputs)."""
    table, values = Table(), []
    for tree in document.get("oblivious_trees") or ():
        values.append(_add_oblivious(table, tree, splits))
    for tree in document.get("trees") or ():
        values.append(_add_nested(table, tree, splits))
    outputs = len(document["scale_and_bias"][1])
    return table, np.concatenate([v.reshape(-1, outputs) for v in values])


def _add_oblivious(table: Table, tree: Document, splits: Splits) -> NDArray[np.float64]:
    """Append a full tree: level by level, nodes in the order of the bits that lead to them."""
    chosen = np.array([split["split_index"] for split in tree.get("splits") or []], np.int64)
    depth, n_leaves = len(chosen), 1 << len(chosen)
    level = np.repeat(np.arange(depth), 1 << np.arange(depth))
    bits = np.arange(n_leaves - 1) - (1 << level) + 1
    zero = (2 << level) - 1 + bits
    _append(table, zero, zero + (1 << level), splits, chosen[level], n_leaves)
    return np.array(tree["leaf_values"], np.float64)


def _append(table: Table, zero: Any, one: Any, splits: Splits, asked: Any, n_leaves: int) -> None:
    """Append a tree: `zero` is where the answer 0 leads. Having the code asked for is 1, and a set's yes."""
    asked, none = np.array(asked, np.int64), np.full(n_leaves, -1)
    code = splits.code[asked]
    coded = code >= 0
    zero, one = np.array(zero, np.int64), np.array(one, np.int64)
    table.add(
        np.append(np.where(coded, one, zero), none),
        np.append(np.where(coded, zero, one), none),
        np.append(splits.column[asked], none),
        np.append(splits.border[asked], np.zeros(n_leaves)).astype(np.float32),
        np.append(~coded & ~splits.missing[asked], np.zeros(n_leaves)).astype(bool),
        {int(node): code[node : node + 1] for node in np.flatnonzero(coded)},
    )


def _add_nested(table: Table, tree: Document, splits: Splits) -> NDArray[np.float64]:
    """Append a tree whose nodes hold their children: inner nodes first, then its leaves."""
    inner: list[Document] = []
    leaves: list[Document] = []
    numbers: dict[int, int] = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        kind = inner if "split" in node else leaves
        numbers[id(node)] = len(kind)
        kind.append(node)
        waiting += [node["right"], node["left"]] if "split" in node else []

    def at(node: Document) -> int:
        return numbers[id(node)] + (0 if "split" in node else len(inner))

    _append(
        table,
        [at(node["left"]) for node in inner],
        [at(node["right"]) for node in inner],
        splits,
        [node["split"]["split_index"] for node in inner],
        len(leaves),
    )
    return np.concatenate([np.atleast_1d(np.array(leaf["value"], np.float64)) for leaf in leaves])


# ---- the methods -----------------------------------------------------------------------------------------------------


def _raw(est: Any, X: Data) -> tuple[Document, Value]:
    """Return ``predict(X, prediction_type="RawFormulaVal")``, shape (N, n_outputs)."""
    document = read_once(est, _read)
    features = features_of(est, document)
    rows = columns_of(est, features, in_order(est, X))
    scale, bias = document["scale_and_bias"]
    table, values = _table(document, features.splits())
    if not table.count:
        return document, per_row(np.array(bias, np.float64), rows)
    sums = sum_of(rows, table.trees(), values)
    scaled = sums if scale == 1 else sums * float(scale)
    return document, scaled + np.array(bias, np.float64) if any(bias) else scaled


def _loss(est: Any) -> str:
    return str(est.get_all_params()["loss_function"]).partition(":")[0]


def _flat(values: Value) -> Value:
    return values.reshape(-1) if values.dim(1) == 1 else values


@converter(CatBoost, CatBoostRanker, method="predict", frame=True, finite=False)
def raw_values(est: Any, X: Data) -> Value:
    return _flat(_raw(est, X)[1])


@converter(CatBoostRegressor, method="predict", frame=True, finite=False)
def values(est: Any, X: Data) -> Value:
    raw, kind = _raw(est, X)[1], est._get_default_prediction_type()
    if kind == "Exponent":
        return _flat(np.exp(raw))
    if kind == "RMSEWithUncertainty":
        return concat([raw[:, :1], np.exp(raw[:, 1:] * 2.0)])
    return _flat(raw)


@converter(CatBoostClassifier, method="predict_proba", frame=True, finite=False)
def probabilities(est: Any, X: Data) -> Value:
    raw = _raw(est, X)[1]
    if raw.dim(1) == 1:
        return concat([expit(-raw), expit(raw)])
    return expit(raw) if _loss(est) in ONE_BY_ONE else softmax(raw)


@converter(CatBoostClassifier, method="predict_log_proba", frame=True, finite=False)
def log_probabilities(est: Any, X: Data) -> Value:
    return np.log(call(est, "predict_proba", X))


@converter(CatBoostClassifier, method="predict", frame=True, finite=False)
def classes(est: Any, X: Data) -> Value:
    """Return labels, of several classes as a column; of labels that do not exclude each other, 0 or 1 each."""
    document, raw = _raw(est, X)
    border = float(document["model_info"].get("binclass_probability_threshold", 0.5))
    least = float(np.log(border / (1 - border)))
    if _loss(est) in MULTILABEL:
        return (raw > least).astype(np.int64)
    if raw.dim(1) == 1:
        return take_labels(est.classes_, (raw > least).reshape(-1).astype(np.int64))
    return argmax_labels(est.classes_, raw)[:, None]


@converter(CatBoost, method="decision_function", frame=True, finite=False)
def scores(est: Any, X: Data) -> Value:
    return _flat(_raw(est, X)[1])


@spelled(CatBoost, method="decision_function")
def ask_scores(est: Any, X: Any) -> Any:
    return CatBoost.predict(est, X, prediction_type="RawFormulaVal")  # a ranker's own takes no type


@converter(CatBoost, method="apply", frame=True, finite=False)
def leaves(est: Any, X: Data) -> Value:
    """Return the number of each tree's leaf among the tree's leaves."""
    document = read_once(est, _read)
    features = features_of(est, document)
    rows = columns_of(est, features, in_order(est, X))
    table, _ = _table(document, features.splits())
    if not table.count:
        raise ConversionError(f"{type(est).__name__} has no trees, and so no leaves; convert predict alone.")
    trees = table.trees()
    numbers = np.concatenate(_leaf_numbers(document))
    result: Value = as_value(numbers)[leaves_of(rows, trees)]
    return result


@spelled(CatBoost, method="apply")
def ask_leaves(est: Any, X: Any) -> Any:
    return est.calc_leaf_indexes(X)


def _leaf_numbers(document: Document) -> list[NDArray[np.int64]]:
    """Return what catboost calls the leaves of each tree, in the order of the table."""
    outputs = len(document["scale_and_bias"][1])
    full = [np.arange(len(tree["leaf_values"]) // outputs) for tree in document.get("oblivious_trees") or ()]
    return full + [_nested_numbers(tree) for tree in document.get("trees") or ()]


def _nested_numbers(tree: Document) -> NDArray[np.int64]:
    """Return the numbers of the leaves, from left to right: an only leaf below a node is laid out before the rest."""
    numbers: dict[int, int] = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if "split" in node:
            right_first = "split" in node["left"] and "split" not in node["right"]
            waiting += [node["left"], node["right"]] if right_first else [node["right"], node["left"]]
        else:
            numbers[id(node)] = len(numbers)
    return np.array([numbers[id(leaf)] for leaf in _leaves_of(tree)])


def _leaves_of(tree: Document) -> Iterator[Document]:
    """Yield the leaves from left to right, as `_add_nested` appends them."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if "split" in node:
            waiting += [node["right"], node["left"]]
        else:
            yield node
