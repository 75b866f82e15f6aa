"""Rows that are no rows of columns: what a kind of them says of itself. Kinds are in records.py and bags.py.

A new kind is a class here in `inputs`, its place in a file's description (description/rows.py), and the `describer` of
the estimator that takes such rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from .containers import Csr

Array: TypeAlias = NDArray[Any]


class Rows(ABC):
    """How rows of a kind become the inputs of a model."""

    @abstractmethod
    def tensors(self, X: Any, dtypes: Mapping[str, str]) -> dict[str, Array]:
        """Return rows as tensors, for any runtime.

        Parameters
        ----------
        X : object
            Rows of this kind.
        dtypes : mapping of str to str
            The model's inputs, and their dtypes.

        Raises
        ------
        InputError
            If a row is of another kind.
        """

    def feeds(self, X: Any, dtypes: Mapping[str, str]) -> Mapping[str, Array | Csr]:
        """Return what `tensors` returns, for this runtime: what is sparse may be so."""
        return self.tensors(X, dtypes)
