"""sklearn.feature_extraction: DictVectorizer.

::

    texts (N, 1) each ──▶ CategoryLookup ──▶ OneHotBlocks ─┐
    texts (N, 1) each ──▶ CategoryLookup ──▶ OneHotBlocks ─┼─(+)─▶ [numbers] ──▶ the order of feature_names_
    numbers (N, 1) each ───────────────────────────────────┘

Keys are inputs, as `records.py` says; a key that holds up to k texts in the sample is an input of shape (N, k), whose
blocks are added up. An absent key is 0 for numbers, and a text that is no category.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer

from ..convert import Coded, Columns, Data
from ..errors import ConversionError, InputError
from ..graph import Value, concat
from ..inputs.records import ABSENT, RECORD_DTYPES, Records, describe_records
from ..inputs.signature import Signature, signature_of_records
from ..operators.categories import category_lookup, one_hot
from ..protos import STRING
from ..registry import converter, describer
from .feature_extraction_text import text_table


@describer(DictVectorizer)
def inputs_of_dicts(est: Any, X: Any) -> Signature:
    """Return the inputs: one for each key of the fit."""
    if wrong := [name for name in est.feature_names_ if not isinstance(name, str)]:
        raise ConversionError(f"DictVectorizer was fitted on the key {wrong[0]!r}, which is no text; use keys of str.")
    if isinstance(X, Mapping) or not hasattr(X, "__len__"):
        raise ConversionError("DictVectorizer: give a list of dicts as the sample, perhaps of one.")
    try:
        return signature_of_records(describe_records(X, est.feature_names_, est.separator), _dtype(est).name)
    except InputError as error:
        raise ConversionError(f"DictVectorizer: {error}") from error


@converter(DictVectorizer, frame=True, finite=False)
def dict_vectorizer(est: Any, X: Data) -> Value:
    records, values = _records(est, X)
    texts = [i for i, field in enumerate(records.fields) if field.text]
    names = [name for i in texts for name in records.categories(i).values()]
    numbers = [i for i, field in enumerate(records.fields) if not field.text]
    blocks = [_one_hot(est, records, values, texts)] if texts else []
    joined = concat([*blocks, *(values[i] for i in numbers)])
    names += [records.fields[i].key for i in numbers]
    result: Value = _in_order(joined, names, est.feature_names_)
    result.sparse = bool(est.sparse)
    return result


@converter(DictVectorizer, method="inverse_transform")
def dict_vectorizer_inverse(est: Any, X: Value) -> Coded:
    """Return the numbers, each row's to be read as a dict of those that are not zero."""
    if X.dim(1) != len(est.feature_names_):
        raise ConversionError(
            f"DictVectorizer.inverse_transform takes {len(est.feature_names_)} columns, as it has keys."
        )
    return Coded("dicts", X, (text_table(est.feature_names_),))


def _dtype(est: Any) -> np.dtype[Any]:
    dtype = np.dtype(est.dtype)
    if dtype.name not in RECORD_DTYPES:
        raise ConversionError(f"DictVectorizer(dtype={est.dtype!r}): give one of {', '.join(RECORD_DTYPES)}.")
    return dtype


def _records(est: Any, X: Data) -> tuple[Records, tuple[Value, ...]]:
    """Return how dicts became columns, and the columns, refused where that was for another vectorizer."""
    if not isinstance(X, Columns) or not isinstance(X.records, Records):
        raise ConversionError("DictVectorizer takes dicts: let it, or a pipeline that begins with it, be first.")
    alike = X.records.separator == est.separator and set(est.feature_names_) == set(X.records.features)
    if not alike or any(value.dtype not in (STRING, _dtype(est)) for value in X.values):
        raise ConversionError(
            "several DictVectorizers of other features, separators or dtypes read the same rows; convert one by one."
        )
    return X.records, X.values


def _one_hot(est: Any, records: Records, values: tuple[Value, ...], texts: list[int]) -> Value:
    """Return one block of columns for each text key: how often the row has each of its texts."""
    tables = [text_table(list(records.categories(i))) for i in texts]
    if any(ABSENT in table.tolist() for table in tables):
        raise ConversionError(f"DictVectorizer: {ABSENT!r} stands for texts that are absent; rename that category.")
    starts = np.cumsum([0, *map(len, tables)])[:-1]
    total = None
    for place in range(max(records.fields[i].width for i in texts)):
        positions = []
        for i, table, start in zip(texts, tables, starts, strict=True):
            there = place < records.fields[i].width
            codes = np.append(np.arange(len(table)) + start if there else np.full(len(table), -1), -1)
            column = values[i][:, place : place + 1] if there else values[i][:, :1]
            name = records.fields[i].name
            positions.append(category_lookup(column, table, codes, column=name, refuse_unknown=0))
        block = one_hot(concat(positions), widths=[len(table) for table in tables], to=_dtype(est))
        total = block if total is None else total + block
    assert total is not None
    return total


def _in_order(joined: Value, names: list[str], wanted: list[str]) -> Value:
    place = {name: i for i, name in enumerate(names)}
    order = np.array([place[name] for name in wanted], np.int64)
    return joined if (order == np.arange(len(names))).all() else joined[:, order]
