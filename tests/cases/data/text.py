"""Documents, dicts, bags of names: what vectorizers take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .base import Dataset, data
from .categories import categories_str


@data
def text_nan() -> Dataset:
    """A matrix of text with NaN."""
    full = categories_str()
    X, test = full.X.copy(), full.X_test.copy()
    X[::7, 0], X[::5, 1], test[::3, :2] = np.nan, np.nan, np.nan
    return Dataset(X, full.y, test)


@data
def text_none() -> Dataset:
    """A matrix of text with None."""
    full = text_nan()
    return Dataset(
        np.where(full.X != full.X, None, full.X), full.y, np.where(full.X_test != full.X_test, None, full.X_test)
    )


def _documents(sentences: list[str], strange: list[str]) -> Dataset:
    """Documents of one to three sentences; two topics; strange ones among the rows to predict."""
    rng = np.random.default_rng(17)
    texts = [" ".join(sentences[i] for i in rng.integers(0, len(sentences), rng.integers(1, 4))) for _ in range(60)]
    y = np.array([int("sea" in text.lower() or "Meer" in text) for text in texts])
    return Dataset(_objects(texts[:40]), y[:40], _objects([*texts[40:], *strange]))


def _objects(texts: list[str]) -> NDArray[Any]:
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result


ENGLISH = [
    "The old harbour lies by the sea, and the boats don't leave before six.",
    "She counted 12 gulls; he counted 13_000 (he was never good with numbers).",
    "A SHORT sentence.",
    "Why is the sea so salt, the sea so wide?\nNobody at the harbour knew.",
    "It's 4.5 miles to the mill -- or 7.2 km, as the miller says.",
    "I am as old as the mill, and the mill is old: very, very old.",
]


OTHERS = [
    "Größe und Maß: das Meer ist weiß, die Straße naß, der Fluß süß.",
    "İstanbul'da ışık ILIK, DİYARBAKIR'da sıcak İKİ gün.",
    "Ο ΟΔΥΣΣΕΥΣ ΕΙΔΕ ΤΗΝ ΘΑΛΑΣΣΑ. ΣΟΦΟΣ Σ' ΑΣ ΑΣ.Β ΌΣΟ\u0301Σ",
    "東京の港は海のそばにあります。船は六時に出る。",
    "Un café naïve, un cafe\u0301 nai\u0308ve: ﬁn, ﬂeur, №5, ①②.",
    "Gulls \U0001f426\u200d\u2b1b over the sea \U0001f30a\U0001f30a \U0001f469\u200d\U0001f4bb!",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "مرحبا بالعالم ١٢٣ नमस्ते दुनिया ๑๒๓",
]


@data
def documents_ascii() -> Dataset:
    """English in ASCII: what standard operators treat too."""
    strange = [
        "",
        " ",
        "x",
        "\x00the\x00sea\x00",
        "a\x1cb  c\t\td\r\n",
        "-- ... !",
        "sea" * 50,
        "aaaa aaa aa a",
        "_ __ 9",
    ]
    return _documents(ENGLISH, strange)


@data
def documents() -> Dataset:
    """Text in many scripts: final sigma, Turkish i, accents composed and not, emoji, whitespace beyond ASCII."""
    strange = [
        "",
        "\u2003",
        "Σ",
        "ΑΣ",
        "ΑΣ\u0301",
        "ΑΣ'Α",
        "\u00a0x\u2028y\x85z",
        "İ",
        "ß",
        "\ufdfa",
        "\x00é\x00",
        "\U0010ffff",
        "sea",
    ]
    return _documents([*ENGLISH, *OTHERS], strange)


@data
def documents_frame() -> Dataset:
    """A frame with a column of documents, beside numbers and categories."""
    full, rng = documents_ascii(), np.random.default_rng(18)

    def make(texts: NDArray[Any]) -> pd.DataFrame:
        n = len(texts)
        return pd.DataFrame({"length": rng.normal(size=n), "text": texts, "kind": rng.choice(["a", "b", "ü"], n)})

    return Dataset(make(full.X), full.y, make(full.X_test))


@data
def records() -> Dataset:
    """Rows that are dicts: absent keys, keys of numbers and of texts, lists of texts, names with the separator."""
    rng = np.random.default_rng(19)

    def row() -> dict[str, Any]:
        said: dict[str, Any] = {
            "age": int(rng.integers(0, 90)) if rng.random() < 0.8 else "unknown",
            "height": float(rng.normal(170, 10)),
            "city": str(rng.choice(["Rom", "Paris", "Köln", "東京", "", "a=b"])),
            "member": bool(rng.random() < 0.5),
            "tags": [str(t) for t in rng.choice(["x", "y", "z=1"], rng.integers(0, 4))],
            "a=b": 0.0,
        }
        return {key: said[key] for key in rng.permutation(list(said)) if rng.random() < 0.8}

    rows: list[dict[str, Any]] = [{"tags": ["x", "x", "y"], "age": 1}, {"a=b": 2.5}, *(row() for _ in range(38))]
    strange: list[dict[Any, Any]] = [
        {},
        {"never": 1, "city": "Oslo", 3: 4.0, "seen": "a"},
        {"age": "young", "height": -0.0, "city": None},
        {"height": 2**53 + 1, "tags": "x", "member": 7},
        {"city": ["Rom"], "tags": ("x", "never", "never", "never", "y")},
    ]
    y = np.array([int("height" in r and r["height"] > 168) for r in rows])
    return Dataset(rows, y, [*(row() for _ in range(20)), *strange])


@data
def feature_dicts() -> Dataset:
    """Rows of features by name: numbers, texts, bools, none at all."""
    train = [{"age": 4, "city": "Köln"}, {"age": -2.5, "open": True}, {}, {"city": "", "x" * 70: 1e6}] * 10
    test = [*train[:4], {"never": 3, "city": "東京"}, {"age": 0, "open": False}, {str(k): k for k in range(60)}]
    return Dataset(train, [0, 1, 0, 1] * 10, test)


@data
def feature_pairs() -> Dataset:
    train = [[("a", 1), ("a", 2.5), ("b", "x")], [], [("q", -1)]]
    return Dataset(train, None, [*train, [("ü", 0), ("a", -3.5)] * 9, [("b", float("nan"))]])


@data
def feature_names() -> Dataset:
    train = [["a", "b", "a"], [], ["ü" * k for k in range(1, 40)]]
    return Dataset(train, None, [*train, ["never seen"]])


@data
def documents_loud() -> Dataset:
    """Words that occur more often than a byte can count."""
    texts = _objects(["quiet words here", "words " * 3, "loud " * 130 + "words", "loud " * 300])
    return Dataset(texts, None, texts)
