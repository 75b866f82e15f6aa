"""What Python's methods of text make of one text: the only functions of text that a file may ask for by name.

``call("lower", "ÄB", [])`` is ``"äb"``. Tracing writes them (tracing/texts.py), the operator ``TextMethod`` of the
``sardonyx`` domain names them, and what runs it calls them here. Arguments come from files: patterns are compiled,
widths are bounded, and so is the time that a pattern may take (matching.py).

pandas gives such work to Arrow where it is installed, which knows other rules of Unicode for some texts. Where the two
might differ, and a file says that pandas was meant, the text is refused (`is_moot`) rather than treated one way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from .code_points import without_accents
from .matching import Pattern

#: the widest text that padding makes
MOST = 10_000
#: stands behind every token of a list: a noncharacter, which cannot occur in exchanged text
BEHIND: Final = "\ufdd1"
#: whitespace that Arrow and Python agree on
SPACES: Final = " \t\n\r\f\v"


@lru_cache(maxsize=256)
def compiled(pattern: str, flags: int = 0) -> Pattern:
    """Return a regular expression."""
    return Pattern(pattern, flags)


def _width(width: int) -> int:
    if not 0 <= width <= MOST:
        raise ValueError(f"a width of {width}: at most {MOST}")
    return width


def _piece(text: str, sep: str | None, most: int, last: int, place: int, strict: int) -> str | None:
    """Return one piece of a text that is cut up; None where there are fewer, or IndexError where that is Python's."""
    pieces = text.rsplit(sep, most) if last else text.split(sep, most)
    if not -len(pieces) <= place < len(pieces):
        if strict:
            raise IndexError(f"list index out of range: {text!r} has {len(pieces)} pieces")
        return None
    return pieces[place]


def _character(text: str, place: int, strict: int) -> str | None:
    if not -len(text) <= place < len(text):
        if strict:
            raise IndexError(f"string index out of range: {text!r}")
        return None
    return text[place]


def _extract(text: str, pattern: str, flags: int, group: int) -> str | None:
    found = compiled(pattern, flags).search(text)
    return found.group(group) if found else None


def joined(tokens: list[Any]) -> str:
    """Return tokens, some of which may be empty, as one text."""
    if any(not isinstance(t, str) or BEHIND in t for t in tokens):
        raise ValueError("tokens are texts without noncharacters")
    return "".join([t + BEHIND for t in tokens])


#: method -> (what it gives, function of a text and the arguments)
METHODS: Final[dict[str, tuple[type, Callable[..., Any]]]] = {
    "lower": (str, str.lower), "upper": (str, str.upper), "title": (str, str.title), "casefold": (str, str.casefold),
    "capitalize": (str, str.capitalize), "swapcase": (str, str.swapcase),
    "strip": (str, str.strip), "lstrip": (str, str.lstrip), "rstrip": (str, str.rstrip),
    "removeprefix": (str, str.removeprefix), "removesuffix": (str, str.removesuffix),
    "replace": (str, str.replace),
    "sub": (str, lambda text, pattern, repl, flags, count: compiled(pattern, flags).sub(repl, text, count)),
    "slice": (str, lambda text, start, stop, step: text[start:stop:step]),
    "character": (str, _character), "piece": (str, _piece), "extract": (str, _extract),
    "zfill": (str, lambda text, width: text.zfill(_width(width))),
    "ljust": (str, lambda text, width, fill: text.ljust(_width(width), fill)),
    "rjust": (str, lambda text, width, fill: text.rjust(_width(width), fill)),
    "center": (str, lambda text, width, fill: text.center(_width(width), fill)),
    "unaccent": (str, without_accents),
    "around": (str, lambda text, before, after: before + text + after),
    "len": (int, len), "count": (int, str.count), "find": (int, str.find), "rfind": (int, str.rfind),
    "count_matches": (int, lambda text, pattern, flags: sum(1 for _ in compiled(pattern, flags).finditer(text))),
    "contains": (bool, lambda text, part: part in text),
    "startswith": (bool, lambda text, part: text.startswith(part)),
    "endswith": (bool, lambda text, part: text.endswith(part)),
    "search": (bool, lambda text, pattern, flags: compiled(pattern, flags).search(text) is not None),
    "match": (bool, lambda text, pattern, flags: compiled(pattern, flags).match(text) is not None),
    "fullmatch": (bool, lambda text, pattern, flags: compiled(pattern, flags).fullmatch(text) is not None),
    **{name: (bool, getattr(str, name)) for name in (
        "isalpha", "isalnum", "isdigit", "isdecimal", "isnumeric", "isspace", "islower", "isupper", "istitle",
        "isascii",
    )},
    "split_tokens": (str, lambda text, sep: joined(text.split(sep))),
    "find_tokens": (str, lambda text, pattern, flags: joined(compiled(pattern, flags).findall(text))),
    "characters": (str, lambda text: joined(list(text))),
}  # fmt: skip

_CASES = ("title", "casefold", "capitalize", "swapcase", "islower", "isupper", "istitle")
#: characters that ASCII letters are equal to without regard to case
_FOLDED = "\u0130\u0131\u017f\u212a"


def kind_of(method: str) -> type:
    """Return what a method gives: str, int or bool."""
    return METHODS[method][0]


def call(method: str, text: str, arguments: list[Any]) -> Any:
    """Return what a method makes of a text; None is a missing text.

    Raises
    ------
    IndexError, ValueError
        As the method does.
    """
    return METHODS[method][1](text, *arguments)


def is_moot(method: str, text: str, arguments: list[Any]) -> bool:
    """Whether pandas' answer depends on whether Arrow gives it."""
    if method in ("lower", "upper"):
        return "\u03a3" in text or any(len(getattr(c, method)()) != 1 for c in text)
    if method in _CASES:
        return not text.isascii() and not all(map(_is_plain, text))
    if method in ("isdigit", "isdecimal", "isnumeric"):
        return any(c.isnumeric() and not c.isascii() for c in text)
    if method in ("strip", "lstrip", "rstrip", "isspace"):
        return not arguments and any(c.isspace() and c not in SPACES for c in text)
    if method in ("sub", "search", "match", "fullmatch", "count_matches"):
        return _is_moot_pattern(arguments[0], int(arguments[-2 if method == "sub" else -1]), text)
    return False


def _is_plain(c: str) -> bool:
    """Whether a character's other cases are one character each."""
    return c != "\u03a3" and len(c.upper()) == len(c.lower()) == 1 and c.title() == c.upper()


def _is_moot_pattern(pattern: str, flags: int, text: str) -> bool:
    if "$" in pattern and text.endswith("\n"):
        return True
    if re.search(r"\\[sS]", pattern) and any(c.isspace() and c not in " \t\n\r\f" for c in text):
        return True
    if re.search(r"\\[wWbBdD]", pattern) and not text.isascii():
        return True
    folded = bool(flags & re.IGNORECASE) or "(?" in pattern
    return folded and (any(c in _FOLDED for c in text) or not (pattern.isascii() or text.isascii()))
