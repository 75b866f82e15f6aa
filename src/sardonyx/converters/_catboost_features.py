"""The columns that catboost's trees ask about: float features, categories one by one, statistics of categories.

It registers nothing.

::

    "city" (N, 1) ──▶ HashCategory ─┬─▶ place among the hashes that splits ask for          one-hot: is it this one?
                                    └─▶ hash of a combination ──▶ table of its statistics   CTR: is it above a border?
    "age" (N, 1)  ──▶ float32 ──────┴─▶ (above a border? part of a combination too)

A model holds 32-bit hashes of its categories, never the categories: what comes in is hashed. What counts of targets
make a statistic is known for every hash of the fit, so that each CTR is one look-up in a table of float32.

Source: catboost catboost/libs/model/static_ctr_provider.cpp, ctr_provider.h, online_ctr.h,
model_export/json_model_helpers.cpp.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..convert import Columns, Data
from ..errors import ConversionError
from ..graph import Value, concat
from ..operators.categories import category_lookup, hash_category
from ..protos import STRING
from ._columns import constant_column
from ._foreign_trees import in_columns

Document: TypeAlias = dict[str, Any]

#: what hashes of combinations are made with
FACTOR: Final = np.int64(0x4906BA494954CB65)
#: the hash of an empty place in a table
NOWHERE: Final = str(2**64 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """What nodes ask, one element a question: whether a column is above a border, or has a code.

    Attributes
    ----------
    column : int64 array of shape (n_splits,)
    border : float32 array of shape (n_splits,)
    code : int64 array of shape (n_splits,)
        The code asked for, of a categorical column; -1 elsewhere.
    missing : bool array of shape (n_splits,)
        Whether NaN is above the border.
    """

    column: NDArray[np.int64]
    border: NDArray[np.float32]
    code: NDArray[np.int64]
    missing: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What a model says of its features.

    Attributes
    ----------
    floats, categories, statistics : list of dict
        Float features, categorical ones, CTRs.
    tables : dict
        By a CTR's identifier: counts by hash.
    """

    floats: list[Document]
    categories: list[Document]
    statistics: list[Document]
    tables: Document

    def splits(self) -> Splits:
        """Return all splits, in the order of catboost's numbers: of floats, of categories, of statistics."""
        true = [f["nan_value_treatment"] == "AsTrue" for f in self.floats]
        coded = [c["values"] for c in self.categories if c.get("values")]
        borders = [f["borders"] for f in self.floats], [s["borders"] for s in self.statistics]
        counts = np.array([len(part) for part in (*borders[0], *coded, *borders[1])], np.int64)
        total = [sum(map(len, part)) for part in (borders[0], coded, borders[1])]
        return Splits(
            column=np.repeat(np.arange(len(counts)), counts),
            border=np.array([*chain(*borders[0]), *[0.0] * total[1], *chain(*borders[1])], np.float32),
            code=np.array([*[-1] * total[0], *chain(*(range(len(c)) for c in coded)), *[-1] * total[2]], np.int64),
            missing=np.append(np.repeat(true, counts[: len(true)]), np.zeros(total[1] + total[2])).astype(bool),
        )


def features_of(est: Any, document: Document) -> Features:
    """Return a model's features."""
    info = document["features_info"]
    floats, categories, statistics = (info.get(k) or [] for k in ("float_features", "categorical_features", "ctrs"))
    features = Features(floats, categories, statistics, document.get("ctr_data") or {})
    if features.statistics:
        _check_tables(est)
        if absent := [s["identifier"] for s in statistics if s["identifier"] not in features.tables]:
            raise ConversionError(
                f"{type(est).__name__}: the model lacks the statistics of its categories ({absent[0]}). Fit with "
                "final_ctr_computation_mode='Default'."
            )
    return features


#: losses of several targets, each of which has statistics of its own; a model's JSON names them all alike
SEVERAL_TARGETS = ("MultiRMSE", "MultiRMSEWithMissingValues", "MultiLogloss", "MultiCrossEntropy")


def _check_tables(est: Any) -> None:
    """Refuse several targets, or binarizations of one, for a kind of CTR: the model's JSON keeps one table of them."""
    parameters = est.get_all_params()
    loss = str(parameters.get("loss_function", "")).partition(":")[0]
    if loss in SEVERAL_TARGETS:
        raise ConversionError(
            f"{type(est).__name__}(loss_function={loss!r}): statistics of categories by each of several targets, of "
            "which the model's JSON holds one (catboost itself answers otherwise after reading it). "
            "Fit one estimator for each target, or with one_hot_max_size as large as the number of categories."
        )
    for kind in ("simple_ctr", "combinations_ctr", "per_feature_ctr"):
        targets: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for text in parameters.get(kind) or ():
            parts = str(text).split(":")
            name = ":".join(part for part in parts if "=" not in part)
            targets[name].add(tuple(part for part in parts if part.startswith("TargetBorder")))
        if several := [name for name, found in targets.items() if len(found) > 1]:
            raise ConversionError(
                f"{type(est).__name__}: {kind} asks for {several[0]} of several binarizations of the target, of which "
                "the model's JSON holds one. Give one TargetBorderCount and TargetBorderType for each type of CTR."
            )


# ---- columns ---------------------------------------------------------------------------------------------------------


def columns_of(est: Any, features: Features, X: Data) -> Value:
    """Return the columns that `Features.splits` counts, float32: floats, codes of categories, statistics."""
    places = [f["flat_feature_index"] for f in features.floats]
    if places == list(range(len(X.values) if isinstance(X, Columns) else X.dim(1))):
        return in_columns(X, lambda v: _as_number(est, v))
    floats = {f["feature_index"]: _as_number(est, _column(f, X)) for f in features.floats}
    hashes = {c["feature_index"]: _hashes(est, c, X) for c in features.categories}
    codes = [_codes(c, hashes[c["feature_index"]]) for c in features.categories if c.get("values")]
    combined: dict[str, Value] = {}
    statistics = []
    for statistic in features.statistics:
        known = combined.get(statistic["identifier"])
        known = _combined(features, statistic["elements"], floats, hashes) if known is None else known
        combined[statistic["identifier"]] = known
        statistics.append(_statistic(statistic, features.tables[statistic["identifier"]], known))
    return concat([*floats.values(), *codes, *statistics])


def _column(feature: Document, X: Data) -> Value:
    at = int(feature["flat_feature_index"])
    return X.values[at] if isinstance(X, Columns) else X[:, at : at + 1]


def _as_number(est: Any, column: Value) -> Value:
    if column.dtype == STRING:
        raise ConversionError(
            f"{type(est).__name__}: the sample has text where the model has numbers. Give it the dtypes of the "
            "training data, or name such columns in cat_features."
        )
    return column.astype(np.float32)


def _hashes(est: Any, feature: Document, X: Data) -> Value:
    column = _column(feature, X)
    if column.dtype == np.uint64 or column.dtype.kind == "f":
        raise ConversionError(
            f"{type(est).__name__}: the categories of column {feature['feature_id']!r} are {column.dtype} in the "
            "sample; catboost takes text and integers that are never missing. Convert them with .astype(str) in the "
            "training data too."
        )
    given = column if column.dtype == STRING else column.astype(np.int64)
    result: Value = hash_category(given, column=str(feature["feature_id"]))
    return result


def _codes(feature: Document, hashes: Value) -> Value:
    """Return the place of each category among those that splits ask for, -1 for any other."""
    values = np.array(feature["values"], np.int64)
    codes = np.append(np.arange(len(values), dtype=np.float32), np.float32(-1))
    name = str(feature["feature_id"])
    result: Value = category_lookup(hashes, values, codes, column=name, refuse_unknown=0)
    return result


def _combined(
    features: Features, elements: list[Document], floats: dict[int, Value], hashes: dict[int, Value]
) -> Value:
    """Return the hash of a combination of categories and of answers to splits; integers wrap."""
    parts = list(_parts(features, elements, floats, hashes))
    start = constant_column(parts[0], np.int64(0))
    return reduce(lambda before, part: (before + part * FACTOR) * FACTOR, parts, start)


def _parts(
    features: Features, elements: list[Document], floats: dict[int, Value], hashes: dict[int, Value]
) -> Iterator[Value]:
    treatments = {f["feature_index"]: f["nan_value_treatment"] for f in features.floats}
    for element in elements:
        kind = element["combination_element"]
        if kind == "cat_feature_value":
            yield hashes[element["cat_feature_index"]]
        elif kind == "cat_feature_exact_value":
            yield (hashes[element["cat_feature_index"]] == np.int64(element["value"])).astype(np.int64)
        else:
            at = element["float_feature_index"]
            above = floats[at] > np.float32(element["border"])
            above = above | np.isnan(floats[at]) if treatments[at] == "AsTrue" else above
            yield above.astype(np.int64)


def _statistic(statistic: Document, table: Document, hashes: Value) -> Value:
    keys, counts = _counts(table)
    good, total, nothing = _ratios(statistic, counts, table["counter_denominator"])
    numerator, denominator, shift, scale = (
        np.float32(statistic[k]) for k in ("prior_numerator", "prior_denomerator", "shift", "scale")
    )

    def calculated(good: Any, total: Any) -> Any:
        ratio = (np.asarray(good, np.float32) + numerator) / (np.asarray(total, np.float32) + denominator)
        return (ratio + shift) * scale

    values = np.append(calculated(good, total), calculated(0, nothing)).astype(np.float32)
    result: Value = category_lookup(hashes, keys, values, column=statistic["identifier"], refuse_unknown=0)
    return result


def _counts(table: Document) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the hashes of a table, and the counts beside each."""
    stride = int(table["hash_stride"])
    rows = [table["hash_map"][i : i + stride] for i in range(0, len(table["hash_map"]), stride)]
    kept = [row for row in rows if row[0] != NOWHERE]
    keys = np.array([int(row[0]) for row in kept], np.uint64).view(np.int64)
    return keys, np.array([row[1:] for row in kept], np.float64).reshape(len(kept), stride - 1)


def _ratios(statistic: Document, counts: NDArray[Any], denominator: float) -> tuple[Any, Any, float]:
    """Return what is counted and of how many, and of how many nothing is counted where a hash is unknown."""
    kind, border = statistic["ctr_type"], int(statistic["target_border_idx"])
    if kind in ("BinarizedTargetMeanValue", "FloatTargetMeanValue"):
        return counts[:, 0], counts[:, 1], 0
    if kind in ("Counter", "FeatureFreq"):
        return counts[:, 0], np.full(len(counts), denominator), denominator
    if kind == "Buckets":
        return counts[:, border], counts.sum(axis=1), 0
    border = border if counts.shape[1] > 2 else 0
    return counts[:, border + 1 :].sum(axis=1), counts.sum(axis=1), 0
