"""TfIdfVectorizer: modes, skips, lengths and weights, of numbers and of text, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from sardonyx.lowering.lower import lower

from .single import check, check_whole, model_of, of_rows, onnxruntime, rows

NUMBERS = [2, 3, 5, 2, 3, 5, 3, 2, 3]  # 2 | 3 | 5 | is a pair of them twice, a triple
TEXTS = ["a", "b", "ä", "a", "b", "ä", "b", "a", "b"]


def pool(dtype: str) -> dict[str, Any]:
    counts = {"ngram_counts": [0, 3, 7], "ngram_indexes": [0, 1, 2, 4, 3]}
    return counts | ({"pool_strings": TEXTS[:7]} if dtype == "str" else {"pool_int64s": NUMBERS[:7]})


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "str"])
def test_modes(dtype: str, mode: str) -> None:
    values = ("a", "b", "ä", "", "c") if dtype == "str" else (2, 3, 5, 7)
    for least, most, skipped in ((1, 1, 0), (1, 2, 0), (2, 2, 0), (1, 2, 3), (2, 2, 5)):
        lengths: dict[str, Any] = {"min_gram_length": least, "max_gram_length": most, "max_skip_count": skipped}
        weights: dict[str, Any] = {} if mode == "TF" else {"weights": [2.0, 0.5, 1.0, 3.0, 4.0]}
        check(
            "TfIdfVectorizer",
            rows(dtype, 8, values=values),
            mode=mode,
            judge=of_rows(onnxruntime),
            **pool(dtype),
            **lengths,
            **weights,
        )


def test_one_list_of_tokens_has_no_rows() -> None:
    check_whole(
        "g (int64[9] x) => (float[a] y) { y = TfIdfVectorizer<mode=\"TF\", min_gram_length=2, max_gram_length=2, "
        "max_skip_count=1, ngram_counts=[0, 3], ngram_indexes=[0, 1, 2, 3, 4], pool_int64s=[2, 3, 5, 2, 3, 5, 3]>(x) }",
        np.array([2, 3, 5, 3, 2, 3, 3, 5, 3]),
    )  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        {"ngram_counts": [0, 9]},
        {"ngram_counts": [0, 2]},
        {"ngram_indexes": [0]},
        {"ngram_indexes": [0, 1, -2, 4, 3]},
        {"min_gram_length": 3},
        {"mode": "NONE"},
        {"pool_strings": ["a"], "pool_int64s": []},
    ],
)
def test_what_does_not_fit_is_left_to_the_reference(broken: dict[str, Any]) -> None:
    given: dict[str, Any] = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0}
    attributes = {k: v for k, v in (given | pool("int64") | broken).items() if v}
    model = onnx.ModelProto()
    model.CopyFrom(model_of("Abs", [rows("int64", 4)]))
    (node,) = model.graph.node
    node.op_type = "TfIdfVectorizer"
    node.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in attributes.items())
    assert lower(model).reference_operators == ("TfIdfVectorizer",)
