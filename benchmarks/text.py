"""Text at speed: TF-IDF of words and pairs, alone and into a logistic regression, on real text of many languages.

    python -m benchmarks.text

For each corpus (corpora.py) the answers must agree, then both are timed in turns in one process: the processor time of
one thread, and time on the clock with two. ONNX Runtime is given our file and skl2onnx's, and a hundred documents that
it can treat: its rows are dense. Last, by how much a call makes the process grow, with vocabularies of ten thousand
and of a million terms.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sardonyx

from .corpora import Corpus, corpora
from .sparse import peak

ROUNDS, TURN, FEW = 5, 0.1, 100
Clock = Callable[[], float]


def seconds(clock: Clock, *calls: Callable[[], Any]) -> list[float]:
    """Return the least time of each call, made in turns, and each turn for a while: servers are warm, too."""
    least = [np.inf] * len(calls)
    for _ in range(ROUNDS):
        for i, call in enumerate(calls):
            stop = time.perf_counter() + TURN
            while time.perf_counter() < stop:
                start = clock()
                call()
                least[i] = min(least[i], clock() - start)
    return least


def figures(corpus: Corpus) -> Iterator[tuple[str, str, str, str]]:
    """Yield method, megabytes a second on one thread, and times scikit-learn on one thread and on two."""
    X, vectorizer = corpus.X, TfidfVectorizer(ngram_range=(1, 2))
    pipeline = make_pipeline(vectorizer, LogisticRegression(tol=0.01, max_iter=500)).fit(X, corpus.y)
    for estimator, method in ((vectorizer, "transform"), (pipeline, "predict")):
        model = sardonyx.to_onnx(estimator, X[:10], methods=[method])
        calls = [partial(getattr(sardonyx.load(model, threads=n), method), X) for n in (1, 2)]
        theirs = partial(getattr(estimator, method), X)
        check_same(calls[0](), theirs())
        fast, slow = seconds(time.process_time, calls[0], theirs)
        faster, usual = seconds(time.perf_counter, calls[1], theirs)
        yield method, f"{corpus.megabytes() / fast:.0f}", f"{slow / fast:.1f}", f"{usual / faster:.1f}"


def check_same(ours: Any, theirs: Any) -> None:
    """Compare labels, or sparse matrices: structure exactly, values within 1e-12."""
    if not hasattr(theirs, "indptr"):
        np.testing.assert_array_equal(ours, theirs)
        return
    theirs.sort_indices()
    for part in ("indptr", "indices"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    np.testing.assert_allclose(ours.data, theirs.data, rtol=0, atol=1e-12)


def skl2onnx_file(pipeline: Any) -> Any:
    """Return the file of skl2onnx; with the locale that every machine has, which lowers ASCII alike."""
    import skl2onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {id(pipeline): {"zipmap": False}}
        kinds = [("X", skl2onnx.common.data_types.StringTensorType([None, 1]))]
        model = skl2onnx.to_onnx(pipeline, initial_types=kinds, options=options)
    for node in model.graph.node:
        if node.op_type == "StringNormalizer":
            node.attribute.append(helper.make_attribute("locale", "C"))
    return model


def against_onnxruntime(corpus: Corpus) -> Iterator[str]:
    """Yield a line about each file that ONNX Runtime can run: how it answers, how much longer it takes."""
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(tol=0.01, max_iter=500))
    pipeline.fit(corpus.X, corpus.y)
    X = np.array([text for text in corpus.X if text.isascii()][:FEW], dtype=object)
    model = sardonyx.to_onnx(pipeline, X, methods=["predict"])
    ours = partial(sardonyx.load(model, threads=1).predict, X)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    for title, file, rows in (("our file", model, X), ("skl2onnx's file", skl2onnx_file(pipeline), X[:, None])):
        session = onnxruntime.InferenceSession(file.SerializeToString(), options)
        feeds = {session.get_inputs()[0].name: rows}
        theirs = partial(session.run, None, feeds)
        same = np.mean(np.ravel(theirs()[0]) == pipeline.predict(X))
        fast, slow = seconds(time.process_time, ours, theirs)
        yield f"{title}: {same:.0%} of the labels right, {slow / fast:.0f} times as long as sardonyx"


def with_terms(count: int) -> tuple[Any, Any]:
    """Return a pipeline as if fitted, with so many terms, and documents of two hundred of them."""
    rng = np.random.default_rng(0)
    terms = [f"w{i:x}" for i in range(count)]
    vectorizer = TfidfVectorizer(vocabulary={term: i for i, term in enumerate(terms)})
    vectorizer.fit(["w0"])
    model = LogisticRegression()
    parameters = {"coef_": rng.normal(size=(1, count)), "intercept_": np.zeros(1), "classes_": np.arange(2)}
    for name, value in (parameters | {"n_features_in_": count}).items():
        setattr(model, name, value)
    X = [" ".join(terms[i] for i in rng.integers(0, count, 200)) for _ in range(20_000)]
    return make_pipeline(vectorizer, model), np.array(X, dtype=object)


def print_memory() -> None:
    """Print by how much a call makes the process grow."""
    for count in (10_000, 1_000_000):
        pipeline, X = with_terms(count)
        session = sardonyx.load(sardonyx.to_onnx(pipeline, X[:10], methods=["predict"]))
        session.predict(X[:1000])
        grown = []
        for predict in (session.predict, pipeline.predict):
            grown.append(peak(partial(predict, X)))
        print(f"{count} terms: a call takes {grown[0]:.1f} MB, scikit-learn's {grown[1]:.1f} MB")


def main() -> None:
    """Print the figures."""
    columns = ("text", "MB", "not ASCII", "method", "MB/s, 1 thread", "× scikit-learn", "with 2 threads")
    table = Table(*columns, title="TfidfVectorizer(ngram_range=(1, 2)) and LogisticRegression, answers the same")
    found = corpora()
    for corpus in found:
        for method, *times in figures(corpus):
            about = (corpus.title, f"{corpus.megabytes():.2f}", f"{corpus.beyond_ascii():.0%}")
            table.add_row(*about, method, *times)
    Console(width=120).print(table)
    print(f"ONNX Runtime, {FEW} documents in ASCII, one thread:")
    for line in against_onnxruntime(found[0]):
        print(f"  {line}")
    print_memory()


if __name__ == "__main__":
    main()
