"""Text as skl2onnx writes it: counted natively, or in Python, always as ONNX Runtime counts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

import sardonyx

from .single import check as check_operator
from .single import model_of, rows
from .single import onnxruntime as judged

DOCUMENTS = ["This is the first document.", "This document is the Second document.", "", "Is this the first?", "a",
             "one two three two one", "###  !", "the the the"]  # fmt: skip
OTHERS = [
    *DOCUMENTS,
    "été déjà vu first",
    "unknown words only",
    "THE FIRST",
    "first-second_third 4",
    "\tthe\nfirst  document",
]


def written(estimator: Any) -> onnx.ModelProto:
    """Return the file of skl2onnx, for a machine that has no American locale."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: onnx.ModelProto = to_onnx(estimator.fit(DOCUMENTS), initial_types=[("X", StringTensorType([None, 1]))])
    for node in model.graph.node:
        if node.op_type == "StringNormalizer":
            node.attribute.append(helper.make_attribute("locale", "C"))
    return model


def check(model: onnx.ModelProto, *, native: bool) -> None:
    session = sardonyx.InferenceSession(model.SerializeToString())
    assert ("reference" not in session.explain()) == native
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    judge = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feeds = {"X": np.array(OTHERS, object)[:, None]}
    for actual, expected in zip(session.run(None, feeds), judge.run(None, feeds), strict=True):
        assert actual.dtype == expected.dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("vectorizer", [CountVectorizer, TfidfVectorizer])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"lowercase": False},
        {"ngram_range": (1, 3)},
        {"ngram_range": (2, 2)},
        {"analyzer": "char"},
        {"token_pattern": "[a-z]+"},
        {"binary": True},
    ],
)
def test_vectorizers_are_native(vectorizer: Any, given: dict[str, Any]) -> None:
    check(written(vectorizer(**given)), native=True)


@pytest.mark.parametrize(
    ("pattern", "native"), [(r"\w+", True), (r"[^\s.]+", True), ("(?i)[a-z]+", False), (r"\b[a-z]+\b", False)]
)
def test_what_re2_reads_otherwise_runs_in_python(pattern: str, native: bool) -> None:
    model = written(CountVectorizer(ngram_range=(1, 2)))
    (node,) = [node for node in model.graph.node if node.op_type == "Tokenizer"]
    for attribute in node.attribute:
        if attribute.name == "tokenexp":
            attribute.s = pattern.encode()
    check(model, native=native)


def test_separators_run_in_python() -> None:
    model = written(CountVectorizer())
    (node,) = [node for node in model.graph.node if node.op_type == "Tokenizer"]
    kept = [a for a in node.attribute if a.name != "tokenexp"]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("separators", [" ", "\\."])])
    check(model, native=False)


def test_tokens_are_made_where_someone_asks_for_them() -> None:
    model = written(CountVectorizer())
    (node,) = [node for node in model.graph.node if node.op_type == "Tokenizer"]
    model.graph.output.append(onnx.ValueInfoProto(name=node.output[0]))
    session = sardonyx.load(model)
    counts, tokens = session.run(None, {"X": np.array([["The first one"], ["the"]], object)})
    assert counts.shape == (2, len(counts[0]))
    assert tokens.reshape(2, -1).tolist() == [["the", "first", "one"], ["the", "#", "#"]]


TEXTS = ("a", "abc", "", "a.b@c.de", "x y", "ä", "aä", "12", "a\n", "abab", "(415) 555", "a\tb")
MATCHING = (
    "[a-z]+",
    "a|abc",
    "(ab)+",
    "[^ ]+",
    "a.",
    r"\(?[0-9]{3}\)? \d+",
    "[a-z](b|bc)?c?",
    r"[\w.@]+",
    r"\S\s\S",
    r"\W+",
)


@pytest.mark.parametrize("pattern", MATCHING)
def test_whole_matches(pattern: str) -> None:
    for shape in ((), (2,)):
        check_operator("RegexFullMatch", rows("str", *shape, values=TEXTS), pattern=pattern)


@pytest.mark.parametrize("pattern", ["^a*", "^a$", r"\bab\b", "a|$", "(?i)A"])
def test_patterns_without_an_automaton_run_in_python(pattern: str) -> None:
    model = model_of("RegexFullMatch", [rows("str")], pattern=pattern)
    session = sardonyx.load(model)
    assert "reference" in session.explain()
    feeds = {"x0": np.array(TEXTS, object)}
    np.testing.assert_array_equal(session.run(None, feeds)[0], judged(model, feeds)[0])
