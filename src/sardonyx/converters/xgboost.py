"""The scikit-learn wrappers of xgboost, read from the booster's own JSON.

Rows are float32. A node asks ``x < split``, which is ``x <= (the float32 before split)``; NaN, and the wrapper's
`missing`, go where the node's default says. A set of categories leads right, what is not in it left. Margins are
float32, and so is every addition: first the base score, then tree by tree::

    float32 X ──▶ trees ──▶ base score + leaf + leaf + ... ──▶ what the objective makes of a margin

The base score is added to the leaves of each output's first tree, which are the same additions.

Source: xgboost src/predictor/cpu_predictor.cc, src/gbm/gbtree.cc, src/objective/, python-package/xgboost/sklearn.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import Booster, DMatrix, XGBClassifier, XGBModel, XGBRanker

from ..convert import Columns, Data, in_order
from ..errors import ConversionError
from ..graph import Value, as_value, concat, op, per_row, where
from ..operators.checks import check_finite
from ..operators.trees import Trees, leaves_of, sum_of
from ..protos import STRING
from ..registry import converter, spelled
from ._foreign_trees import Table, category_codes, in_columns, interleaved, read_once
from .base import softmax

Float32 = np.float32
#: categories from here on are no categories to xgboost
END_OF_CATEGORIES = float(2**24)


def _same(margin: Value) -> Value:
    return margin


def _sigmoid(margin: Value) -> Value:
    smallest = Float32(1e-16)
    return 1.0 / (np.exp(op.Min(-margin, Float32(88.7))) + 1.0 + smallest)


def _hinge(margin: Value) -> Value:
    return (margin > 0.0).astype(np.float32)


def _chosen(margin: Value) -> Value:
    return margin.argmax(1).astype(np.float32)


#: what ``PredTransform`` of an objective makes of margins, shape (N, n_outputs)
TRANSFORMS: dict[str, Callable[[Value], Value]] = {
    "reg:squarederror": _same, "reg:squaredlogerror": _same, "reg:pseudohubererror": _same,
    "reg:absoluteerror": _same, "reg:quantileerror": _same, "reg:expectileerror": _same,
    "rank:pairwise": _same, "rank:ndcg": _same, "rank:map": _same, "binary:logitraw": _same,
    "reg:logistic": _sigmoid, "binary:logistic": _sigmoid, "binary:hinge": _hinge,
    "count:poisson": np.exp, "reg:gamma": np.exp, "reg:tweedie": np.exp,
    "survival:cox": np.exp, "survival:aft": np.exp,
    "multi:softprob": softmax, "multi:softmax": _chosen,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A booster's JSON, cut off after the best iteration.

    Attributes
    ----------
    learner : dict
    trees : list of dict
        In use.
    groups : int64 array of shape (n_trees,)
        The output that each tree adds to.
    drops : float32 array of shape (n_trees,)
        What dart multiplies each tree with.
    dart : bool
    start : float32 array of shape (n_outputs,)
        Margins before the first tree.
    """

    learner: dict[str, Any]
    trees: list[Any]
    groups: NDArray[np.int64]
    drops: NDArray[np.float32]
    dart: bool
    start: NDArray[np.float32]


# ---- reading the booster ---------------------------------------------------------------------------------------------


def _read(est: Any) -> Model:
    """Return the model of a fitted wrapper."""
    document = json.loads(bytes(est.get_booster().save_raw("json")))
    learner = document["learner"]
    booster = learner["gradient_booster"]
    start = _start(document)
    if booster["name"] == "gblinear":
        nothing = np.zeros(0, np.int64)
        return Model(learner, [], nothing, nothing.astype(np.float32), False, start)
    inner = booster.get("gbtree", booster)["model"]
    stop = inner["iteration_indptr"][_iterations(est, len(inner["iteration_indptr"]) - 1)]
    dart = booster["name"] == "dart"
    drops = np.array(booster["weight_drop"] if dart else np.ones(stop), np.float32)
    return Model(learner, inner["trees"][:stop], np.array(inner["tree_info"][:stop]), drops[:stop], dart, start)


def _iterations(est: Any, n_iterations: int) -> int:
    """Return how many iterations predictions use: up to the best one, where early stopping found one."""
    try:
        return int(est.best_iteration) + 1
    except AttributeError:
        return n_iterations


def _start(document: Any) -> NDArray[np.float32]:
    """Return the base score as margins: what the same booster says of any row with zeros for leaves and weights."""
    bare = json.loads(json.dumps(document))
    learner = bare["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        booster["model"]["weights"] = [0.0] * len(booster["model"]["weights"])
    for tree in booster.get("gbtree", booster)["model"].get("trees", ()):
        leaf = np.array(tree["left_children"]) < 0
        tree["split_conditions"] = np.where(leaf, 0.0, tree["split_conditions"]).tolist()
        for vectors in {"base_weights", "leaf_weights"} & tree.keys():
            tree[vectors] = [0.0] * len(tree[vectors])
    empty = Booster()
    empty.load_model(bytearray(json.dumps(bare).encode()))
    names, types = (learner[key] or None for key in ("feature_names", "feature_types"))
    width = int(learner["learner_model_param"]["num_feature"])
    row = DMatrix(np.zeros((1, width), np.float32), feature_names=names, feature_types=types)
    return np.asarray(empty.predict(row, output_margin=True), np.float32).reshape(-1)


def _tables(model: Model, order: NDArray[np.int64]) -> tuple[Trees, NDArray[np.float32], NDArray[np.int64]]:
    """Return the trees in an order, their leaves' values of shape (n_leaves, n_columns), and their leaves' node ids."""
    table, values, ids = Table(), [], []
    for t in order.tolist():
        tree = model.trees[t]
        leaf = np.array(tree["left_children"]) < 0
        _add(table, tree, leaf)
        values.append(_leaf_values(tree, leaf))
        ids.append(np.flatnonzero(leaf))
    return table.trees(), _started(model, order, values), np.concatenate(ids)


def _add(table: Table, tree: Any, leaf: NDArray[np.bool_]) -> None:
    left, right, default_left = (np.array(tree[k]) for k in ("left_children", "right_children", "default_left"))
    categorical = (np.array(tree["split_type"]) == 1) & ~leaf
    yes, no = np.where(categorical, right, left), np.where(categorical, left, right)
    with np.errstate(over="ignore"):
        split = np.nextafter(np.array(tree["split_conditions"], np.float32), Float32(-np.inf))
    segments = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    codes = np.array(tree["categories"], np.int64)
    sets = {node: codes[first : first + size] for node, first, size in segments}
    missing = default_left.astype(bool) ^ categorical
    table.add(np.where(leaf, -1, yes), no, np.array(tree["split_indices"]), split, missing, sets)


def _leaf_values(tree: Any, leaf: NDArray[np.bool_]) -> NDArray[np.float32]:
    columns = int(tree["tree_param"]["size_leaf_vector"])
    if columns <= 1:
        return np.array(tree["split_conditions"], np.float32)[leaf, None]
    if "leaf_weights" not in tree:  # before 3.2: every node has a vector
        return np.array(tree["base_weights"], np.float32).reshape(-1, columns)[leaf]
    place = np.array(tree["right_children"])[leaf]
    return np.array(tree["leaf_weights"], np.float32).reshape(-1, columns)[place]


def _started(model: Model, order: NDArray[np.int64], values: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return what trees add, one after the other: dart's dropped shares, and the base score in each first tree."""
    first: set[int] = set()
    for i, t in enumerate(order.tolist()):
        group = int(model.groups[t])
        base = model.start if values[i].shape[1] > 1 else model.start[group : group + 1]
        if model.dart:  # xgboost predicts with each tree alone, which includes the base score, and takes that off again
            values[i] = ((base + values[i]) - base) * model.drops[t]
        if group not in first:
            values[i] = base + values[i]
            first.add(group)
    return np.concatenate(values)


# ---- the input -------------------------------------------------------------------------------------------------------


def _rows(est: Any, model: Model, X: Data, *, finite: bool) -> Value:
    """Return rows as the booster reads them: float32, NaN for what is missing, codes for categories."""
    given = _encoded(model, in_order(est, _without_qid(est, X)))
    rows = in_columns(given, lambda v: v.astype(np.float32))
    if est.missing is not None and not np.isnan(est.missing):
        rows = where(rows == Float32(est.missing), Float32(np.nan), rows)
    if finite:
        rows = check_finite(rows, allow_nan=1, estimator=type(est).__name__)
    types = model.learner["feature_types"]
    if "c" not in types:
        return rows
    categorical = np.array([kind == "c" for kind in types])
    whole = np.floor(rows)  # a code is cut off to an integer; what is none is in no set
    outside = (rows < 0.0) | (rows >= END_OF_CATEGORIES)
    return where(categorical, where(outside, Float32(-1), whole), rows)


def _without_qid(est: Any, X: Data) -> Data:
    if isinstance(est, XGBRanker) and isinstance(X, Columns):
        return X.take([i for i, name in enumerate(X.names) if name != "qid"])
    return X


def _encoded(model: Model, X: Data) -> Data:
    """Return the columns of a frame with codes in place of the categories that the booster has learnt."""
    booster = model.learner["gradient_booster"]
    encodings = booster.get("gbtree", booster)["model"].get("cats", {}).get("enc", ())
    if not isinstance(X, Columns):
        return X
    values = list(X.values)
    for i, (name, value) in enumerate(zip(X.names, X.values, strict=True)):
        categories = _categories(encodings[i], name) if i < len(encodings) else []
        if categories:
            values[i] = category_codes(value, name, categories, Float32, None)
        elif value.dtype == STRING:
            raise ConversionError(
                f"xgboost: column {name!r} is text, and was not categorical in the fit. "
                "Fit with enable_categorical=True on a frame in which it is of dtype 'category'."
            )
    return Columns(X.names, tuple(values))


def _categories(encoding: Any, name: str) -> list[Any]:
    values = encoding["values"]
    if "offsets" not in encoding:
        return list(values)
    raw = bytes(v & 0xFF for v in values)
    if not raw.isascii():
        raise ConversionError(
            f"xgboost: column {name!r} has categories that are not ASCII, and xgboost cuts them to their first bytes "
            "and may take one for another. Rename them, or encode them with OrdinalEncoder."
        )
    offsets = encoding["offsets"]
    return [raw[a:b].decode() for a, b in pairwise(offsets)]


# ---- the methods -----------------------------------------------------------------------------------------------------


def _margins(est: Any, model: Model, X: Data) -> Value:
    """Return ``predict(X, output_margin=True)``, shape (N, n_outputs)."""
    if model.learner["gradient_booster"]["name"] == "gblinear":
        return _linear(est, model, X)
    rows = _rows(est, model, X, finite=False)
    if not model.trees:
        return per_row(model.start, rows)
    vectors = int(model.trees[0]["tree_param"]["size_leaf_vector"]) > 1
    groups = 1 if vectors else len(model.start)
    try:
        order = np.arange(len(model.trees)) if vectors else interleaved(model.groups, groups)
    except ValueError as error:
        raise ConversionError(
            f"{type(est).__name__}: its outputs have different numbers of trees. Fit them as one model each."
        ) from error
    trees, values, _ = _tables(model, order)
    return sum_of(rows, trees, values, groups=groups)


def _linear(est: Any, model: Model, X: Data) -> Value:
    """Return bias and base score, plus a product a feature, in the order of the features."""
    weights = np.array(model.learner["gradient_booster"]["model"]["weights"], np.float32).reshape(-1, len(model.start))
    rows = _rows(est, model, X, finite=True)
    known = where(np.isnan(rows), Float32(0), rows)
    terms = concat([per_row((weights[-1] + model.start)[None], rows), known[:, :, None] * weights[:-1]])
    return op.CumSum(terms, np.int64(1))[:, -1, :]


def _predicted(est: Any, model: Model, margins: Value) -> Value:
    """Return what the booster's ``predict`` returns: one output of two is flat."""
    name = model.learner["objective"]["name"]
    if name not in TRANSFORMS:
        raise ConversionError(
            f"{type(est).__name__}: objective {name!r} is unknown here; known are {', '.join(TRANSFORMS)}."
        )
    result = TRANSFORMS[name](margins)
    return result.reshape(-1) if result.ndim == 2 and result.dim(1) == 1 else result


@converter(XGBModel, method="predict", frame=True, finite=False)
def predict(est: Any, X: Data) -> Value:
    model = read_once(est, _read)
    return _predicted(est, model, _margins(est, model, X))


@converter(XGBRanker, method="predict", frame=True, finite=False)
def ranker_predict(est: Any, X: Data) -> Value:
    return predict(est, X)


@converter(XGBModel, method="decision_function", frame=True, finite=False)
def margins(est: Any, X: Data) -> Value:
    result = _margins(est, read_once(est, _read), X)
    return result.reshape(-1) if result.dim(1) == 1 else result


@spelled(XGBModel, method="decision_function")
def ask_margins(est: Any, X: Any) -> Any:
    return est.predict(X, output_margin=True)


@converter(XGBModel, XGBRanker, method="apply", frame=True, finite=False)
def apply(est: Any, X: Data) -> Value:
    """Return the number of each tree's leaf among the tree's nodes, float32."""
    model = read_once(est, _read)
    if not model.trees:
        raise ConversionError(f"{type(est).__name__}(booster='gblinear') has no leaves; convert predict alone.")
    trees, _, ids = _tables(model, np.arange(len(model.trees)))
    leaves = leaves_of(_rows(est, model, X, finite=True), trees)
    numbers = as_value(ids.astype(np.float32))[leaves]
    return numbers if trees.n_trees > 1 else numbers.reshape(-1)


@converter(XGBClassifier, method="predict", frame=True, finite=False)
def classes(est: Any, X: Data) -> Value:
    """Return class numbers: the largest probability's, those above one half of several labels or of two classes."""
    if est.objective == "multi:softmax":
        return predict(est, X).astype(np.int32)
    given = predict(est, X)
    if given.ndim == 2 and est.n_classes_ != 2:
        return given.argmax(1)
    hits = given > 0.5
    return hits.astype(np.float64 if given.ndim == 2 else np.int64)


@converter(XGBClassifier, method="predict_proba", frame=True, finite=False)
def probabilities(est: Any, X: Data) -> Value:
    model = read_once(est, _read)
    margins = _margins(est, model, X)
    if est.objective == "multi:softmax":
        return softmax(margins)
    given = _predicted(est, model, margins)
    if given.ndim == 2:
        return given
    return concat([1.0 - given[:, None], given[:, None]])
