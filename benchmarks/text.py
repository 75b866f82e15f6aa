"""Text at speed: TF-IDF of words and pairs, alone and into a logistic regression, on docstrings of libraries.

``python -m benchmarks.text`` prints the figures; both sides run in one process, in turn, and must agree. Then by how
much a call makes the process grow, with vocabularies of ten thousand and of a million terms.
"""

from __future__ import annotations

import ast
import ctypes
import sysconfig
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sardonyx

from .sparse import peak

ROUNDS = 5


def docstrings(root: Path) -> Iterator[str]:
    """Yield the docstrings of more than a line of the Python files below a directory."""
    for path in sorted(root.rglob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                if len(text) > 80:
                    yield text


def seconds(*calls: Callable[[], Any]) -> list[float]:
    """Return the least processor time of each call, all called in turn."""
    least = [np.inf] * len(calls)
    for _ in range(ROUNDS):
        for i, call in enumerate(calls):
            start = time.process_time()
            call()
            least[i] = min(least[i], time.process_time() - start)
    return least


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
            ctypes.CDLL(None).malloc_trim(0)  # what is free already would be taken first, and not be seen
            grown.append(peak(partial(predict, X)))
        print(f"{count} terms: a call takes {grown[0]:.1f} MB, scikit-learn's {grown[1]:.1f} MB")


def main() -> None:
    """Print the figures."""
    roots = [Path(sysconfig.get_paths()["stdlib"]) / "asyncio", *(Path(m.__path__[0]) for m in (np, sklearn))]
    texts = [list(docstrings(root)) for root in roots]
    X = np.array([text for part in texts for text in part], dtype=object)
    y = np.repeat(np.arange(len(texts)), list(map(len, texts)))
    megabytes = sum(len(text.encode()) for text in X) / 1e6
    print(f"{len(X)} documents, {megabytes:.1f} MB, {np.mean([t.isascii() for t in X]):.1%} ASCII")
    vectorizer = TfidfVectorizer(ngram_range=(1, 2)).fit(X)
    session = sardonyx.load(sardonyx.to_onnx(vectorizer, X[:10]), threads=1)
    ours, theirs = session.transform(X), vectorizer.transform(X)
    theirs.sort_indices()
    same = all((getattr(ours, part) == getattr(theirs, part)).all() for part in ("indptr", "indices"))
    print(f"same structure: {same}; largest difference {abs(ours.data - theirs.data).max():.0e}")
    fast, slow = seconds(lambda: session.transform(X), lambda: vectorizer.transform(X))
    print(f"transform: {megabytes / fast:.0f} MB/s on one thread, {slow / fast:.1f} times scikit-learn")
    pipeline = make_pipeline(vectorizer, LogisticRegression(tol=0.01, max_iter=500)).fit(X, y)
    session = sardonyx.load(sardonyx.to_onnx(pipeline, X[:10]), threads=1)
    print(f"same labels: {(session.predict(X) == pipeline.predict(X)).all()}")
    fast, slow = seconds(lambda: session.predict(X), lambda: pipeline.predict(X))
    print(f"predict:   {megabytes / fast:.0f} MB/s on one thread, {slow / fast:.1f} times scikit-learn")
    print_memory()


if __name__ == "__main__":
    main()
