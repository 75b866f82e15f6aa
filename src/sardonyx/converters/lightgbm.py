"""The scikit-learn wrappers of lightgbm, read from the booster's own model text.

Rows are float64 (integers of an array go through float32, as lightgbm reads them), a node asks ``x <= threshold``, sums
go tree by tree in float64. What a node makes of a missing value is its own matter, so columns stand several times where
nodes read them differently::

    as it is     missing type None: NaN is 0     missing type NaN: NaN goes the default way
    zeros gone   missing type Zero: NaN and 0 go the default way, so 0 is NaN here
    whole        categories: cut off to an integer; NaN, negative and huge ones are in no set

Source: LightGBM include/LightGBM/tree.h, src/io/tree.cpp, src/boosting/gbdt_prediction.cpp, src/objective/,
python-package/lightgbm/sklearn.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMModel
from numpy.typing import NDArray

from ..convert import Columns, Data, as_matrix, call, in_order
from ..errors import ConversionError
from ..graph import Value, as_value, concat, op, per_row, where
from ..operators.numeric import expit, log1p
from ..operators.trees import Trees, leaves_of, sum_of
from ..protos import STRING
from ..registry import converter, spelled
from ._foreign_trees import Table, category_codes, in_columns, read_once
from .base import argmax_labels, both_classes, softmax

#: ``kZeroThreshold``: what is not farther from zero is zero
ZERO = float(np.float32(1e-35))
#: bits of a node's decision type, and the missing types in it
CATEGORICAL, DEFAULT_LEFT = 1, 2
NONE_MISSING, ZERO_MISSING = 0, 1
#: integers from here on are cut off to none
END_OF_INT = 2.0**31

Block = dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A booster's text: what its head says, and one block of fields a tree."""

    head: Block
    trees: list[Block]

    @property
    def groups(self) -> int:
        """Trees of one iteration."""
        return int(self.head["num_tree_per_iteration"])

    @property
    def average(self) -> bool:
        """Whether the sum is divided by the number of iterations, as random forests do."""
        return "average_output" in self.head


# ---- reading the booster ---------------------------------------------------------------------------------------------


def _read(est: Any) -> Model:
    """Return the model of a fitted wrapper, cut off after the best iteration."""
    if est.get_params().get("pred_early_stop"):
        raise ConversionError(
            f"{type(est).__name__}(pred_early_stop=True) stops summing where it feels sure. Set it to False."
        )
    text = est.booster_.model_to_string().split("\nend of trees")[0]
    head, *trees = re.split(r"^Tree=\d+\n", text, flags=re.MULTILINE)
    return Model(_fields(head), [_fields(tree) for tree in trees])


def _fields(text: str) -> Block:
    pairs = (line.partition("=") for line in text.splitlines() if line)
    return {key: value for key, _, value in pairs}


def _numbers(block: Block, key: str, dtype: Any) -> NDArray[Any]:
    return np.array(block.get(key, "").split(), dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The columns that nodes read: those as they are, then those with zeros gone, then whole ones."""

    n_features: int
    zeros_gone: NDArray[np.int64]
    whole: NDArray[np.int64]

    def places(self, feature: NDArray[np.int64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where nodes find their column; kind is its decision type."""
        gone = self.n_features + np.searchsorted(self.zeros_gone, feature)
        whole = self.n_features + len(self.zeros_gone) + np.searchsorted(self.whole, feature)
        numeric = np.where((kind >> 2) & 3 == ZERO_MISSING, gone, feature)
        return np.where(kind & CATEGORICAL, whole, numeric)


def _columns(model: Model) -> Layout:
    """Return which features are read in which way."""
    feature = np.concatenate([_numbers(t, "split_feature", np.int64) for t in model.trees])
    kind = np.concatenate([_numbers(t, "decision_type", np.int64) for t in model.trees])
    categorical = (kind & CATEGORICAL).astype(bool)
    zero = ~categorical & ((kind >> 2) & 3 == ZERO_MISSING)
    return Layout(int(model.head["max_feature_idx"]) + 1, np.unique(feature[zero]), np.unique(feature[categorical]))


def _add(table: Table, tree: Block, columns: Layout) -> None:
    """Append a tree: inner nodes first, then its leaves; children below 0 are leaves."""
    kind = _numbers(tree, "decision_type", np.int64)
    n, n_leaves = len(kind), int(tree["num_leaves"])
    left, right = (_numbers(tree, k, np.int64) for k in ("left_child", "right_child"))
    yes, no = (np.where(side < 0, n + ~side, side) for side in (left, right))
    threshold = _numbers(tree, "threshold", np.float64)
    categorical, default_left = (kind & CATEGORICAL).astype(bool), (kind & DEFAULT_LEFT).astype(bool)
    missing = np.where((kind >> 2) & 3 == NONE_MISSING, threshold >= 0, default_left) & ~categorical
    bounds, words = (_numbers(tree, k, np.int64) for k in ("cat_boundaries", "cat_threshold"))
    sets = {
        int(i): _members(words[bounds[c] : bounds[c + 1]])
        for i, c in zip(np.flatnonzero(categorical), threshold[categorical].astype(int), strict=True)
    }
    leaves = np.full(n_leaves, -1)
    table.add(
        np.append(yes, leaves),
        np.append(no, leaves),
        np.append(columns.places(_numbers(tree, "split_feature", np.int64), kind), leaves),
        np.append(_beside_zero(threshold), np.zeros(n_leaves)),
        np.append(missing, np.zeros(n_leaves, bool)),
        sets,
    )


def _beside_zero(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return thresholds that take what is nearly zero as they take zero, which lightgbm reads it as."""
    above = np.where(threshold >= 0, np.maximum(threshold, ZERO), threshold)
    return np.where(threshold < 0, np.minimum(above, np.nextafter(-ZERO, -np.inf)), above)


def _members(words: NDArray[np.int64]) -> NDArray[np.int64]:
    octets = words.astype("<u4").view(np.uint8)
    return np.flatnonzero(np.unpackbits(octets, bitorder="little"))


# ---- the input -------------------------------------------------------------------------------------------------------


def _rows(est: Any, X: Data) -> Value:
    """Return rows as lightgbm reads them: float64; an array of integers goes through float32."""
    if not isinstance(X, Columns):
        matrix = as_matrix(X)
        return (matrix if matrix.dtype.kind == "f" else matrix.astype(np.float32)).astype(np.float64)
    in_order(est, X)
    return in_columns(_encoded(est, X), lambda v: v.astype(np.float64))


def _encoded(est: Any, X: Columns) -> Columns:
    """Return the columns of a frame with codes in place of pandas' categories; unknown ones are missing."""
    known = dict(zip(_categorical(est, X), est.booster_.pandas_categorical or (), strict=True))
    values = list(X.values)
    for i, (name, value) in enumerate(zip(X.names, X.values, strict=True)):
        if i in known:
            values[i] = category_codes(value, name, known[i], np.float64, np.nan)
        elif value.dtype == STRING:
            raise ConversionError(
                f"{type(est).__name__}: column {name!r} is text, and was not categorical in the fit. "
                "Fit on a frame in which it is of dtype 'category'."
            )
    return Columns(X.names, tuple(values))


def _categorical(est: Any, X: Columns) -> list[int]:
    """Return the columns that were of pandas' categorical dtype in the fit, which the model lists without names."""
    wanted = len(est.booster_.pandas_categorical or ())
    text = [i for i, v in enumerate(X.values) if v.dtype == STRING]
    written = re.search(r"^\[categorical_feature: ([\d,]+)\]$", est.booster_.model_to_string(), re.MULTILINE)
    named = [int(i) for i in written[1].split(",")] if written else []
    for found in (named, text):
        if len(found) == wanted and set(text) <= set(found):
            return found
    raise ConversionError(
        f"{type(est).__name__}: which {wanted} of the columns {list(X.names)} were categorical in the fit cannot be "
        "told: some are ordered, or others were named as categorical_feature. Encode them with OrdinalEncoder first."
    )


def _laid_out(rows: Value, columns: Layout) -> Value:
    """Return the columns that nodes read."""
    parts = [rows]
    if len(columns.zeros_gone):
        given = rows[:, columns.zeros_gone]
        parts.append(where(abs(given) <= ZERO, np.nan, given))
    if len(columns.whole):
        given = rows[:, columns.whole]
        parts.append(where((given > -1.0) & (given < END_OF_INT), np.floor(abs(given)), -1.0))
    return concat(parts)


# ---- margins ---------------------------------------------------------------------------------------------------------


def _trees(model: Model, rows: Value) -> tuple[Value, Trees]:
    """Return the columns that nodes read, and the trees."""
    columns, table = _columns(model), Table()
    for tree in model.trees:
        _add(table, tree, columns)
    return _laid_out(rows, columns), table.trees()


def _raw(est: Any, X: Data) -> tuple[Model, Value]:
    """Return ``predict(X, raw_score=True)``, shape (N, n_outputs)."""
    model, rows = read_once(est, _read), _rows(est, X)
    laid, trees = _trees(model, rows)
    if any(t.get("is_linear") == "1" and t["leaf_coeff"].strip() for t in model.trees):
        sums = _linear_sums(model, where(abs(rows) <= ZERO, 0.0, rows), leaves_of(laid, trees))
    else:
        values = np.concatenate([_numbers(t, "leaf_value", np.float64) for t in model.trees])
        sums = sum_of(laid, trees, values[:, None], groups=model.groups)
    return model, sums


def _linear_sums(model: Model, rows: Value, leaves: Value) -> Value:
    """Return the sums of leaves that are linear models: ``const + coeff * x + ...``, or `leaf_value` where x is NaN."""
    tables = [_linear_leaves(t) for t in model.trees]
    width = max(features.shape[1] for *_, features, _ in tables)
    value, const = (np.concatenate([t[k] for t in tables]) for k in (0, 1))
    features, coefficients = (np.concatenate([_widened(t[k], width) for t in tables]) for k in (2, 3))
    n_trees, n_features = len(model.trees), rows.dim(1)
    padded = concat([rows, per_row(np.zeros(1), rows)])  # what a leaf with fewer features reads there
    places = as_value(np.where(features < 0, n_features, features))[leaves].reshape(0, n_trees * width)
    chosen = op.GatherElements(padded, places, axis=1).reshape(0, n_trees, width)
    terms = concat([as_value(const[:, None])[leaves], chosen * as_value(coefficients)[leaves]], axis=2)
    linear = op.CumSum(terms, np.int64(2))[:, :, -1]
    absent = np.isnan(chosen).astype(np.float64).max(2) > 0.0
    each = where(absent, as_value(value)[leaves], linear).reshape(0, n_trees // model.groups, model.groups)
    return op.CumSum(each, np.int64(1))[:, -1, :]


def _linear_leaves(tree: Block) -> tuple[NDArray[Any], ...]:
    """Return values, constants, features (-1: none) and coefficients of a tree's leaves."""
    value = _numbers(tree, "leaf_value", np.float64)
    counts = _numbers(tree, "num_features", np.int64) if "num_features" in tree else np.zeros(len(value), np.int64)
    width = max(int(counts.max(initial=0)), 1)
    filled = np.arange(width) < counts[:, None]
    features, coefficients = np.full(filled.shape, -1), np.zeros(filled.shape)
    features[filled] = _numbers(tree, "leaf_features", np.int64)
    coefficients[filled] = _numbers(tree, "leaf_coeff", np.float64)
    return value, _numbers(tree, "leaf_const", np.float64) if "leaf_const" in tree else value, features, coefficients


def _widened(table: NDArray[Any], width: int) -> NDArray[Any]:
    fill = -1 if table.dtype.kind == "i" else 0
    return np.pad(table, ((0, 0), (0, width - table.shape[1])), constant_values=fill)


# ---- objectives ------------------------------------------------------------------------------------------------------


def _same(raw: Value, _: Block) -> Value:
    return raw


def _logistic(raw: Value, parameters: Block) -> Value:
    result: Value = expit(raw * float(parameters.get("sigmoid", 1)))
    return result


def _exponential(raw: Value, _: Block) -> Value:
    result: Value = np.exp(raw)
    return result


def _squared(raw: Value, parameters: Block) -> Value:
    return np.sign(raw) * raw * raw if "sqrt" in parameters else raw


#: what ``ConvertOutput`` of an objective makes of raw scores, shape (N, n_outputs)
OBJECTIVES: dict[str, Callable[[Value, Block], Value]] = {
    "regression": _squared, "regression_l1": _squared, "huber": _squared, "fair": _squared, "quantile": _squared,
    "mape": _squared, "poisson": _exponential, "gamma": _exponential, "tweedie": _exponential,
    "binary": _logistic, "multiclass": lambda raw, _: softmax(raw), "multiclassova": _logistic,
    "cross_entropy": lambda raw, _: expit(raw), "cross_entropy_lambda": lambda raw, _: log1p(np.exp(raw)),
    "lambdarank": _same, "rank_xendcg": _same,
}  # fmt: skip


def _converted(est: Any, model: Model, raw: Value) -> Value:
    """Return what the booster's ``predict`` returns; one output is flat. Random forests average, raw scores do not."""
    if model.average:
        raw = raw / float(len(model.trees) // model.groups)
    name, *rest = model.head.get("objective", "").split() or [""]
    parameters = {key: value for key, _, value in (text.partition(":") for text in rest)}
    if name not in OBJECTIVES and name not in ("", "custom"):
        raise ConversionError(
            f"{type(est).__name__}: objective {name!r} is unknown here; known are {', '.join(OBJECTIVES)}."
        )
    return _flat(OBJECTIVES.get(name, _same)(raw, parameters))


def _flat(values: Value) -> Value:
    return values.reshape(-1) if values.dim(1) == 1 else values


# ---- the methods -----------------------------------------------------------------------------------------------------


@converter(LGBMModel, method="predict", frame=True, finite=False)
def predict(est: Any, X: Data) -> Value:
    return _converted(est, *_raw(est, X))


@converter(LGBMClassifier, method="predict_proba", frame=True, finite=False)
def probabilities(est: Any, X: Data) -> Value:
    given = predict(est, X)
    return given if given.ndim == 2 or callable(est.objective_) else both_classes(given)


@converter(LGBMClassifier, method="predict", frame=True, finite=False)
def classes(est: Any, X: Data) -> Value:
    given: Value = call(est, "predict_proba", X)
    return given if callable(est.objective_) else argmax_labels(est.classes_, given)


@converter(LGBMModel, LGBMClassifier, method="decision_function", frame=True, finite=False)
def scores(est: Any, X: Data) -> Value:
    return _flat(_raw(est, X)[1])


@spelled(LGBMModel, method="decision_function")
def ask_scores(est: Any, X: Any) -> Any:
    return est.predict(X, raw_score=True)


@converter(LGBMModel, method="apply", frame=True, finite=False)
def leaves(est: Any, X: Data) -> Value:
    """Return the number of each tree's leaf among the tree's leaves."""
    model = read_once(est, _read)
    laid, trees = _trees(model, _rows(est, X))
    numbers = np.concatenate([np.arange(int(tree["num_leaves"])) for tree in model.trees])
    result: Value = as_value(numbers)[leaves_of(laid, trees)]
    return result


@spelled(LGBMModel, method="apply")
def ask_leaves(est: Any, X: Any) -> Any:
    return est.predict(X, pred_leaf=True)
