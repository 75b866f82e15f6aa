"""Text as skl2onnx writes it, counted by the kernel of our own files (native/kernels/text/count_terms.cpp).

::

    X ─▶ StringNormalizer ─▶ Tokenizer ─▶ Flatten ─▶ TfIdfVectorizer     a matrix of tokens, as many as the longest has
    X ─────────────────▶ CountTerms ─────────────────▶ weights           no token is made

    X ─▶ RegexFullMatch       is there a match from the first character to the last? HashTerms of one column finds it

ONNX Runtime's regular expressions (RE2) have classes of ASCII only, which are spelled out; what has no automaton, or
means another thing there all the same, is left to the nodes themselves.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..lowering.rules import Attributes, Builder, Const, NodeView, Row, Tokens, Values, as_constant, decline, lowers
from ..text.assembler import Unsupported
from ..text.matching import Pattern
from ..text.patterns import compile_pattern
from ..text.re2 import as_re2
from ..text.tables import tables_of
from .elementwise import FLOATS, cast_row, elementwise
from .made_text import in_case
from .ngrams import Columns, read_ngrams, weights_of
from .shape import concat_rows, slice_axis
from .text import count_terms, hash_terms

#: texts of a row that are searched
MOST_TEXTS = 64
#: what means another thing in RE2, whose classes are of ASCII
OTHERWISE = re.compile(r"\\[wWdDsSbB]|\[:|(?<!\\)\(\?")
#: what a match may not be moved for
ANCHORS = re.compile(r"\^|\$|\\[AzZ]")
#: what no one writes
MARK = "\x01"
#: an escape or a set of characters, or else a group that is remembered
REMEMBERED = re.compile(r"(\\.|\[[^\]]*\])|\(")


def _plain(proto: onnx.NodeProto) -> onnx.NodeProto:
    node = onnx.NodeProto()
    node.CopyFrom(proto)
    return node


@lowers("StringNormalizer")
def in_another_case(b: Builder, node: NodeView) -> Values:
    x, case = node.row(0), node.text("case_change_action", "NONE")
    if x.dtype != "str" or node.attributes.get("stopwords"):
        decline("texts are taken away")
    if case not in ("NONE", "LOWER"):
        return (in_case(b, x, case),)
    return (Tokens(x, (_plain(node.proto),), lowercase=case == "LOWER", made=in_case(b, x, case)),)


@lowers("Tokenizer", domain="com.microsoft")
def tokenizer(b: Builder, node: NodeView) -> Values:
    given = node.inputs[0]
    texts = replace(given, made=None) if isinstance(given, Tokens) else Tokens(node.row(0))
    pattern = as_re2(node.text("tokenexp", ""))
    if texts.pattern or not pattern or node.integer("mark", 0) or node.integer("mincharnum", 1) > 1:
        decline("not tokens of a pattern alone")
    nodes = (*texts.nodes, _plain(node.proto))
    return (replace(texts, nodes=nodes, pattern=pattern, flat=not texts.row.shape),)


@lowers("Flatten", "Identity")
def passed_on(b: Builder, node: NodeView) -> Values:
    given = node.inputs[0]
    if not isinstance(given, Tokens) or (node.op_type == "Flatten" and node.integer("axis", 1) != 1):
        decline("")
    flat = given.flat or (node.op_type == "Flatten" and bool(given.pattern))
    made = given.made
    if made is not None and node.op_type == "Flatten":
        made = b.reshape(made, (made.width,))
    return (replace(given, nodes=(*given.nodes, _plain(node.proto)), flat=flat, made=made),)


@lowers("TfIdfVectorizer")
def counted(b: Builder, node: NodeView) -> Values:
    given = node.inputs[0]
    if not isinstance(given, Tokens) or not given.flat:
        decline("")
    if given.row.width != 1 or OTHERWISE.search(given.pattern) or node.integer("max_skip_count", 0):
        decline("tokens that are not counted as our own")
    pool, ngrams, width = read_ngrams(node)
    if pool.dtype != object or _padding(given) in pool.tolist():
        decline("what fills a matrix of tokens up is counted too")
    vocabulary = _terms(pool.tolist(), ngrams, width)
    counts = _counts(b, node, given, vocabulary)
    weights = weights_of(node, width)
    return (counts if weights is None else elementwise(b, "Mul", [counts, Const(weights)], FLOATS),)


def _padding(given: Tokens) -> str:
    values = [a.s.decode("utf-8") for node in given.nodes for a in node.attribute if a.name == "pad_value"]
    return values[0] if values else ""


def _terms(pool: list[str], ngrams: Columns, width: int) -> list[str]:
    """Return the terms in the order of their columns, tokens with a space between them."""
    terms: dict[int, str] = {}
    for places, column in ngrams.items():
        tokens = [pool[place] for place in places]
        if column in terms or not all(tokens) or (len(tokens) > 1 and any(" " in token for token in tokens)):
            decline("n-grams that share a column, or a space")
        terms[column] = " ".join(tokens)
    terms.pop(-1, None)  # shorter than what is counted
    if sorted(terms) != list(range(width)) or len(set(terms.values())) != width:
        decline("columns without an n-gram, or n-grams with two")
    return [terms[column] for column in range(width)]


def _counts(b: Builder, node: NodeView, given: Tokens, vocabulary: list[str]) -> Row:
    """Return the counts as our own operator of text counts."""
    try:
        automaton = compile_pattern(given.pattern)
    except Unsupported as error:
        decline(str(error))
    attributes: dict[str, Any] = {
        "vocabulary": numpy_helper.from_array(as_constant(np.array(vocabulary, object))),
        "stop_words": numpy_helper.from_array(np.zeros(0, object)),
        "analyzer": "word",
        "lowercase": int(given.lowercase),
        "skipped": list(automaton.skipped),
        "ngram_range": [node.integer("min_gram_length", 1), node.integer("max_gram_length", 1)],
        "binary": int(node.text("mode", "") == "IDF"),
        "to": onnx.TensorProto.FLOAT,
    }
    proto = onnx.NodeProto(op_type="CountTerms", domain="sardonyx", output=node.proto.output)
    proto.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    tables = tables_of(given.pattern, given.lowercase, None)
    inputs: tuple[Row | Const, ...] = (b.reshape(given.row, ()), *map(Const, tables))
    (counts,) = count_terms(b, NodeView(proto, inputs, 1, Attributes(proto))) or decline("no counts")
    assert isinstance(counts, Row), "rows are counted"
    return counts


# ---- whole matches ---------------------------------------------------------------------------------------------------


@lowers("RegexFullMatch", whole=None)
def matches(b: Builder, node: NodeView) -> Values:
    """Find the one match that is all of a text. Patterns that the empty text matches have no automaton."""
    x, pattern = node.row(0), as_re2(node.text("pattern", ""))
    if x.dtype != "str" or not 0 < x.width <= MOST_TEXTS or OTHERWISE.search(pattern):
        decline("not a few texts, or classes that are other than ASCII")
    forgetful = REMEMBERED.sub(lambda found: found[1] or "(?:", pattern)
    whole, given = rf"\A(?:{forgetful})\Z", b.reshape(x, (x.width,))
    try:
        if Pattern(whole).search(""):  # a character before every text makes a match of it that is not empty
            if ANCHORS.search(forgetful):
                decline("it says where the text begins")
            whole = rf"\A{MARK}(?:{forgetful})\Z"
            (given,) = b.step("ConcatText", [as_constant(np.array(MARK, object)), given], [("str", given.shape)])
        compile_pattern(whole)
    except (re.error, Unsupported) as error:
        decline(str(error))
    columns = [slice_axis(b, given, 0, i, 1, 1) for i in range(x.width)]
    found = concat_rows(b, [_found(b, column, whole) for column in columns], 0)
    return (b.reshape(cast_row(b, found, "bool"), x.shape),)


def _found(b: Builder, text: Row, pattern: str) -> Row:
    attributes: dict[str, Any] = {
        "stop_words": numpy_helper.from_array(np.zeros(0, object)),
        "analyzer": "word",
        "lowercase": 0,
        "skipped": list(compile_pattern(pattern).skipped),
        "ngram_range": [1, 1],
        "binary": 1,
        "n_features": 1,
        "alternate_sign": 0,
        "to": onnx.TensorProto.UINT8,
    }
    proto = onnx.NodeProto(op_type="HashTerms", domain="sardonyx")
    proto.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    inputs: tuple[Row | Const, ...] = (text, *map(Const, tables_of(pattern, False, None)))
    (counts,) = hash_terms(b, NodeView(proto, inputs, 1, Attributes(proto))) or decline("no counts")
    assert isinstance(counts, Row), "rows are searched"
    return counts
