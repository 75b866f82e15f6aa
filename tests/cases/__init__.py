"""The one table of estimators and data: tests, benchmarks and the coverage page all read it.

A module here mirrors a scikit-learn module and holds a list ``CASES``; a new converter adds its rows there and nothing
else.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sklearn
from sklearn.base import clone

from .data import Dataset, dataset


@dataclass(frozen=True)
class Case:
    """An estimator with its parameters, and the data set it is fitted on.

    Attributes
    ----------
    estimator : object
        Unfitted estimator.
    data : str
        Name of a data set in `data/`.
    methods : tuple of str
        The methods to compare; empty means every inference method it has that takes X alone. A row for
        ``inverse_transform`` names it alone: it is compared on ``transform(X)``.
    note : str
        What this row is there to catch, if it is not plain from the parameters.
    rtol : float, optional
        Tolerance where the dtype of the result does not tell in which the estimator computes.
    since : str
        The first scikit-learn that fits this row; older ones leave it out of the table.
    """

    estimator: Any
    data: str
    methods: tuple[str, ...] = ()
    note: str = field(default="", compare=False)
    rtol: float | None = None
    since: str = "1.6"
    standard: bool = True

    @property
    def name(self) -> str:
        """A short, readable test id."""
        text = re.sub(r"<function (\w+) at \w+>", r"\1", _shown(self.estimator))
        parts = [text.replace(" ", "")[:120], self.data, *self.methods[:1], *([self.note] if self.note else [])]
        return "-".join(parts)

    def fit(self) -> tuple[Any, Dataset]:
        """Return the fitted estimator and its data."""
        data = dataset(self.data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence and deprecation are not what these rows are about
            return clone(self.estimator).fit(data.X, *([] if data.y is None else [data.y])), data


def _shown(estimator: Any) -> str:
    """An estimator on one line, also where its own text shows an address, or every parameter that it has."""
    text = " ".join(repr(estimator).split())
    if " object at 0x" not in text and not type(estimator).__module__.startswith("xgboost"):
        return text
    plain = {k: v for k, v in estimator.get_params(deep=False).items() if isinstance(v, int | float | str | list)}
    parts = [f"{k}={v!r}" for k, v in plain.items() if (v == v and not isinstance(v, list)) or len(repr(v)) < 30]
    return f"{type(estimator).__name__}({', '.join(parts)})"


def cases() -> Iterator[Case]:
    """Yield every row of the table that the installed scikit-learn fits."""
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        rows = getattr(importlib.import_module(f"{__name__}.{module}"), "CASES", ())
        yield from (case for case in rows if release(case.since) <= release(sklearn.__version__))


def release(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
