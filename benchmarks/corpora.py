"""Real text that packages carry: docstrings of libraries in English, Django's translations in a hundred languages."""

from __future__ import annotations

import ast
import gettext
import importlib.util
import sysconfig
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

#: messages that make a document: one alone is a line
MESSAGES = 12
#: scripts by the first word of their letters' names in Unicode; "" is all else
TITLES = {
    "LATIN": "Latin letters, many with accents",
    "CYRILLIC": "Cyrillic",
    "CJK": "Chinese, Japanese, Korean",
    "": "Greek, Arabic, Hebrew, Hindi, Thai, ...",
}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents, and a class of each: the part of the library that it is from."""

    title: str
    X: Any
    y: Any

    def megabytes(self) -> float:
        """Return the size in UTF-8."""
        return sum(len(text.encode()) for text in self.X) / 1e6

    def beyond_ascii(self) -> float:
        """Return the share of characters that are not ASCII."""
        text = "".join(self.X)
        return sum(c > "\x7f" for c in text) / len(text)


def corpora() -> list[Corpus]:
    """Return all texts there are; Django's translations if it is installed, as the extra ``bench`` asks for."""
    return [english(), *translations()]


def english() -> Corpus:
    """Return the docstrings of asyncio, NumPy and scikit-learn."""
    roots = [Path(sysconfig.get_paths()["stdlib"]) / "asyncio", *(Path(m.__path__[0]) for m in (np, sklearn))]
    texts = [list(docstrings(root)) for root in roots]
    X = np.array([text for part in texts for text in part], dtype=object)
    return Corpus("docstrings in English", X, np.repeat(np.arange(len(texts)), list(map(len, texts))))


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


def translations() -> list[Corpus]:
    """Return what Django says to its users, by script; the classes are its core, its admin, and the rest."""
    found: dict[str, list[tuple[str, int]]] = {script: [] for script in ("LATIN", "CYRILLIC", "CJK", "")}
    spec = importlib.util.find_spec("django")
    root = Path(spec.origin).parent if spec and spec.origin else Path("nowhere")
    for path in sorted(root.rglob("LC_MESSAGES/*.mo")):
        messages = messages_of(path)
        part = 0 if "conf" in path.parts else 1 if "admin" in path.parts else 2
        pages = [" ".join(messages[i : i + MESSAGES]) for i in range(0, len(messages), MESSAGES)]
        if path.parent.parent.name[:2] != "en":
            found[script_of("".join(pages))] += [(page, part) for page in pages]
    return [
        Corpus(TITLES[script], np.array([text for text, _ in pages], dtype=object), np.array([y for _, y in pages]))
        for script, pages in found.items()
        if pages
    ]


def messages_of(path: Path) -> list[str]:
    """Return the translated messages of a catalogue."""
    with path.open("rb") as file:
        catalogue = vars(gettext.GNUTranslations(file))["_catalog"]
    return [text for key, text in catalogue.items() if key and text]


def script_of(text: str) -> str:
    """Return what most letters of a text are: LATIN, CYRILLIC, CJK, or another one."""
    counts: dict[str, int] = {}
    for c in filter(str.isalpha, text[:2000]):
        name = unicodedata.name(c, "").partition(" ")[0]
        name = "CJK" if name in ("HIRAGANA", "KATAKANA", "HANGUL") else name
        counts[name] = counts.get(name, 0) + 1
    most = max(counts, key=counts.__getitem__, default="")
    return most if most in ("LATIN", "CYRILLIC", "CJK") else ""
