"""Text at speed: TF-IDF of words and pairs, alone and into a logistic regression, on docstrings of libraries.

``python -m benchmarks.text`` prints the figures; both sides run in one process, in turn, and must agree.
"""

from __future__ import annotations

import ast
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sardonyx

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


if __name__ == "__main__":
    main()
