"""The table of data sets, and how one gets into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """Training data (`X`, `y`) and rows to predict (`X_test`, of the same kind as `X`)."""

    X: Any
    y: Any
    X_test: Any


_makers: dict[str, Callable[[], Dataset]] = {}


def data(maker: Callable[[], Dataset]) -> Callable[[], Dataset]:
    """Register a data set under its function's name."""
    _makers[maker.__name__] = maker
    return maker


@cache
def dataset(name: str) -> Dataset:
    """Return a data set by name; treat it as read-only."""
    return _makers[name]()
