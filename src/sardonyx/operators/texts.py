"""Methods of text, one by one: ``TextMethod``.

::

    X (N,) ──▶ TextMethod(method="strip") ──▶ TextMethod(method="len") ──▶ int64 (N,)

Our runtime calls Python's own methods. The standard makes no text but lower and upper case, which it does for ASCII;
what looks for a constant part is `RegexFullMatch` and needs no operator of our own.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..graph import Value, op
from ..protos import STRING, tensor_type
from ..text.methods import kind_of
from . import operator
from .text import ASCII, or_refused, recased, refused


@operator("TextMethod")
def _text_method(X: Value, *, method: str, arguments: str, moot: int) -> Any:
    """Return what a method makes of each text.

    What is missing stays missing: as text; as NaN, where the method gives numbers; as false, where it gives bools.

    Parameters
    ----------
    X : Value of shape (N,)
        Texts.
    method : str
        One of ``sardonyx.text.methods.METHODS``.
    arguments : str
        Its arguments, a list in JSON.
    moot : int
        1 to refuse texts of which pandas' answer depends on Arrow.
    """
    if method in ("lower", "upper"):
        return recased(or_refused(X, op.RegexFullMatch(X, pattern=ASCII)), method.upper())
    texts = refused(X)
    if kind_of(method) is str:
        return op.Identity(texts)
    number = tensor_type(np.dtype(np.float64 if kind_of(method) is int else np.bool_))
    return op.Cast(op.RegexFullMatch(texts, pattern=""), to=number)


def text_method(X: Value, method: str, *arguments: Any, moot: bool) -> Value:
    """`TextMethod`, with arguments of Python."""
    assert X.dtype == STRING, "texts"
    result: Value = _text_method(X, method=method, arguments=json.dumps(list(arguments)), moot=int(moot))
    return result
