"""sklearn.feature_extraction.text: documents become counts of terms, and those become weights.

::

    X (N,) ──▶ CountTerms(vocabulary) ──▶ TfIdf(idf)          CountVectorizer, TfidfVectorizer, TfidfTransformer
           ──▶ HashTerms(n_features)  ──▶ TfIdf                HashingVectorizer

Callables in place of analyzer, tokenizer, preprocessor or strip_accents are called once, with a text that remembers
what was done to it (tracing/texts.py): ``str.split``, ``lambda s: re.sub(r"[0-9]", "#", s.lower())``. Refused are those
that do what has no form there, and methods that a subclass overrides. Regular expressions that have no automaton
(`patterns.py`) run in Python::

    X (N,) ──▶ FindTokens(re) ──▶ CountTerms, whose pattern is what stands between marks
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
    strip_accents_ascii,
    strip_accents_unicode,
)

from ..convert import Coded, as_float
from ..errors import ConversionError
from ..graph import Value
from ..operators.text import OPSET, TOKENS, count_terms, find_tokens, hash_terms, tf_idf
from ..operators.texts import text_method
from ..protos import STRING, tensor_type
from ..registry import converter, fitless
from ..text.assembler import Unsupported
from ..text.patterns import compile_pattern
from ..text.tables import tables_of
from ..tracing import trace_text

Array = NDArray[Any]

#: methods that scikit-learn's analyzers are made of
HOOKS = (
    "decode", "build_preprocessor", "build_tokenizer", "build_analyzer", "get_stop_words",
    "_word_ngrams", "_char_ngrams", "_char_wb_ngrams",
)  # fmt: skip


@converter(CountVectorizer, finite=False)
def count_vectorizer(est: Any, X: Value) -> Value:
    return _counts(est, X)


@fitless(CountVectorizer)
def has_vocabulary(est: Any) -> bool:
    """Whether it counts without a fit, the terms of a vocabulary of the user's."""
    return est.vocabulary is not None and type(est).transform is CountVectorizer.transform


@converter(TfidfVectorizer, finite=False)
def tfidf_vectorizer(est: Any, X: Value) -> Value:
    counts = _as_weights(est, _counts(est, X))
    return _weighted(counts, est.idf_ if est.use_idf else None, est.sublinear_tf, est.norm)


@converter(TfidfTransformer)
def tfidf_transformer(est: Any, X: Value) -> Value:
    return _weighted(as_float(X), est.idf_ if est.use_idf else None, est.sublinear_tf, est.norm)


fitless(HashingVectorizer)(lambda est: True)  # scikit-learn 1.6 does not say so


@converter(HashingVectorizer, finite=False)
def hashing_vectorizer(est: Any, X: Value) -> Value:
    X, analysis, tables = _analysis(est, X)
    columns = {"n_features": int(est.n_features), "alternate_sign": int(est.alternate_sign)}
    to, analysis = _counted(est, analysis)
    counts: Value = hash_terms(X, *tables, **columns, to=tensor_type(to), **analysis)
    counts = sparse_counts(est, counts, int(est.n_features))
    return counts if est.norm is None else _weighted(_as_weights(est, counts), None, False, est.norm)


def _counts(est: Any, X: Value) -> Value:
    X, analysis, tables = _analysis(est, X)
    vocabulary = _vocabulary(est)
    to, analysis = _counted(est, analysis)
    result: Value = count_terms(X, *tables, vocabulary=vocabulary, to=tensor_type(to), **analysis)
    return sparse_counts(est, result, len(vocabulary))


def _counted(est: Any, analysis: dict[str, Any]) -> tuple[np.dtype[Any], dict[str, Any]]:
    """Return the dtype to count in, and the attributes: bools are counts of at most one."""
    dtype = count_type(est)
    return (dtype, analysis) if dtype.kind != "b" else (np.dtype(np.int8), {**analysis, "binary": 1})


def sparse_counts(est: Any, counts: Value, width: int) -> Value:
    """Return counts as the sparse matrix of a known width, and of the estimator's dtype, that they are."""
    counts.sparse, counts.shape = True, ("N", width)
    return counts.astype(count_type(est))


def _as_weights(est: Any, counts: Value) -> Value:
    """Return counts, made in their own dtype, as scikit-learn weighs them: in float64 unless they are floats."""
    return counts if count_type(est).kind == "f" else counts.astype(np.float64)


@converter(CountVectorizer, method="inverse_transform", finite=False)
def count_vectorizer_inverse(est: Any, X: Value) -> Coded:
    """Return which terms each document has."""
    terms = _vocabulary(est)
    if X.ndim != 2 or X.dim(1) != len(terms):
        raise ConversionError(f"{type(est).__name__}.inverse_transform takes {len(terms)} columns, as it has terms.")
    there = X.astype(np.bool_) if X.sparse else X != 0
    return Coded("terms", there.like(X), (terms.astype(np.str_),))


def _weighted(counts: Value, idf: Any, sublinear_tf: bool, norm: str | None) -> Value:
    factors = [] if idf is None else [np.asarray(idf)]
    result: Value = tf_idf(counts, *factors, sublinear_tf=int(sublinear_tf), norm=norm or "")
    result.sparse = True  # also where a dense matrix was given
    return result


# ---- what an analyzer is made of -------------------------------------------------------------------------------------


def _analysis(est: Any, X: Value) -> tuple[Value, dict[str, Any], tuple[Array, ...]]:
    """Return the documents, and the attributes and the tables that say how they become terms."""
    _refuse_code(est)
    _check_documents(est, X)
    if callable(est.analyzer):
        return _terms_of(_called(est, "analyzer", X, tokens=True), binary=est.binary)
    words = est.analyzer == "word"
    pattern, folding = est.token_pattern if words else "", (int(est.lowercase), est.strip_accents or "")
    split = words and est.tokenizer is not None
    if callable(est.preprocessor) or folding[1] not in ("", "ascii", "unicode") or split:
        X, folding = _preprocessed(est, X), (0, "")
    if split:
        X, pattern = _called(est, "tokenizer", X, tokens=True), TOKENS
    if words and not _has_automaton(pattern):
        X = find_tokens(X, token_pattern=pattern, lowercase=folding[0], strip_accents=folding[1])
        pattern, folding = TOKENS, (0, "")
    stop_words = est.get_stop_words() if words else None
    attributes = {
        "stop_words": text_table(sorted(set(stop_words or ()))),
        "analyzer": est.analyzer,
        "lowercase": folding[0],
        "strip_accents": folding[1],
        "token_pattern": pattern,
        "skipped": list(compile_pattern(pattern).skipped) if words else [0, 0],
        "ngram_range": [int(n) for n in est.ngram_range],
        "binary": int(est.binary),
    }
    return X, attributes, tables_of(pattern if words else None, bool(folding[0]), folding[1] or None)


def _terms_of(X: Value, *, binary: bool) -> tuple[Value, dict[str, Any], tuple[Array, ...]]:
    """Return what `_analysis` does where an analyzer has found the terms."""
    attributes = {
        "stop_words": text_table([]), "analyzer": "word", "lowercase": 0, "strip_accents": "", "token_pattern": TOKENS,
        "skipped": list(compile_pattern(TOKENS).skipped), "ngram_range": [1, 1], "binary": int(binary),
    }  # fmt: skip
    return X, attributes, tables_of(TOKENS, False, None)


def _called(est: Any, parameter: str, X: Value, *, tokens: bool) -> Value:
    """Return what a user's function makes of the documents."""
    function = getattr(est, parameter)
    label = f"{type(est).__name__}({parameter}={getattr(function, '__name__', repr(function))})"
    return trace_text(label, function, X, tokens=tokens)


def _preprocessed(est: Any, X: Value) -> Value:
    """Return documents as ``build_preprocessor`` prepares them."""
    if callable(est.preprocessor):
        return _called(est, "preprocessor", X, tokens=False)
    X = text_method(X, "lower", moot=False) if est.lowercase else X
    kind = {strip_accents_unicode: "unicode", strip_accents_ascii: "ascii"}.get(est.strip_accents, est.strip_accents)
    if callable(kind):
        return _called(est, "strip_accents", X, tokens=False)
    return text_method(X, "unaccent", kind, moot=False) if kind else X


def _refuse_code(est: Any) -> None:
    name = type(est).__name__
    for hook in HOOKS:
        owner = next(cls for cls in type(est).__mro__ if hook in vars(cls))
        if not owner.__module__.startswith("sklearn."):
            raise ConversionError(
                f"{owner.__name__} overrides {hook}, which runs Python code for every document. Register a converter: "
                f"@sardonyx.converter({name}) def convert(est, X): ... (see docs/converters.md)."
            )


def _check_documents(est: Any, X: Value) -> None:
    name = type(est).__name__
    if est.input != "content":
        raise ConversionError(
            f"{name}(input={est.input!r}) opens files; fit it with input='content' and give it what the files contain."
        )
    if X.dtype != STRING or X.ndim != 1:
        raise ConversionError(
            f"{name} takes documents, one text each: give a list of str, a Series, or select the column of a frame by "
            "its name alone, not in a list."
        )
    if X.graph.opset[""] < OPSET:
        raise ConversionError(f"{name} needs ai.onnx {OPSET} or later; convert with target_opset={OPSET}.")


def _has_automaton(pattern: str) -> bool:
    try:
        compile_pattern(pattern)
    except Unsupported:
        return False
    return True


def text_table(texts: list[str]) -> Array:
    """Return texts as a tensor, refused where a file cannot hold them."""
    if wrong := [text for text in texts if any("\ud800" <= c <= "\udfff" for c in text)]:
        raise ConversionError(f"{wrong[0]!r} holds half a character, which no file can; leave the term out.")
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result


def _vocabulary(est: Any) -> Array:
    """Return the terms in the order of their columns."""
    est._check_vocabulary()
    terms = sorted(est.vocabulary_, key=est.vocabulary_.__getitem__)
    if not all(isinstance(term, str) for term in terms):
        raise ConversionError(f"{type(est).__name__}'s vocabulary holds what is no text; give it terms of type str.")
    return text_table(terms)


def count_type(est: Any) -> np.dtype[Any]:
    """Return the dtype of an estimator's counts."""
    dtype = np.dtype(est.dtype)
    if dtype.kind not in "biuf" or dtype.itemsize > 8 or dtype == np.float16:
        raise ConversionError(
            f"{type(est).__name__}(dtype={dtype}): counts are bools, integers, float32 or float64; set one."
        )
    return dtype
