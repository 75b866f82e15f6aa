"""Rows that are bags: sets of labels, as MultiLabelBinarizer takes them, or of features by name, as FeatureHasher does.

No tensor has rows of different lengths, so such rows come into a model as the matrix that they stand for::

    [("b", "a"), (), ("z",)]      LabelSets(("a", "b"))      [[1, 1], [0, 0], [0, 0]]      labels beyond the fit: none
    [{"age": 4, "city": "Rome"}]  HashedFeatures(8)          the columns that MurmurHash3 says, with their signs

A session makes that matrix from rows as scikit-learn takes them; another runtime is fed with ``session.feeds(rows)``.

Source: scikit-learn ``preprocessing/_label.py``, ``feature_extraction/_hash.py``, ``_hashing_fast.pyx``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..errors import InputError
from .containers import Csr
from .rows import Array, Rows

#: indptr, indices and data of compressed sparse rows; a row may say a column several times
Entries: TypeAlias = tuple[Array, Array, Array]


class Bags(Rows):
    """Rows that stand for those of a matrix."""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of columns."""

    @abstractmethod
    def entries(self, X: Any, dtype: np.dtype[Any]) -> Entries:
        """Return rows as the entries of the matrix, in a dtype."""

    def tensors(self, X: Any, dtypes: Mapping[str, str]) -> dict[str, Array]:
        """Return the matrix, dense."""
        return {name: csr.toarray() for name, csr in self.feeds(X, dtypes).items()}

    def feeds(self, X: Any, dtypes: Mapping[str, str]) -> dict[str, Csr]:
        """Return the matrix."""
        ((name, dtype),) = dtypes.items()
        indptr, indices, data = self.entries(X, np.dtype(dtype))
        return {name: Csr((len(indptr) - 1, self.width), indptr, indices, data)}


@dataclass(frozen=True, eq=False)
class LabelSets(Bags):
    """Rows that are sets of labels; `classes` are the columns."""

    classes: Array

    @cached_property
    def _columns(self) -> dict[Any, int]:
        return {label: i for i, label in enumerate(self.classes.tolist())}

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.classes)

    def entries(self, X: Any, dtype: np.dtype[Any]) -> Entries:
        """Return rows as ones in the columns of their labels.

        Raises
        ------
        InputError
            If X is no sequence of sequences of labels.
        """
        indptr, indices = [0], list[int]()
        for number, row in enumerate(_rows(X)):
            try:
                indices += sorted({self._columns[label] for label in row if label in self._columns})
            except TypeError as error:
                raise InputError(f"row {number} is {row!r}; a row is a tuple, list or set of labels.") from error
            indptr.append(len(indices))
        return np.array(indptr, np.int64), np.array(indices, np.int64), np.ones(len(indices), dtype)


@dataclass(frozen=True)
class HashedFeatures(Bags):
    """Rows that are features by name: a dict, pairs, or names alone, as `input_type` says."""

    n_features: int
    input_type: str
    alternate_sign: bool

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.n_features

    def entries(self, X: Any, dtype: np.dtype[Any]) -> Entries:
        """Return rows as their values, in the columns that their names are hashed to.

        Raises
        ------
        InputError
            If rows are not what `input_type` says, or a value is no number of the dtype.
        """
        indptr, names, values = [0], list[Any](), list[Any]()
        for number, row in enumerate(_rows(X)):
            for name, value in self._features(row, number):
                if value != 0:
                    names.append(name)
                    values.append(value)
            indptr.append(len(names))
        hashes = _hashes(names)
        columns = np.abs(hashes) % self.n_features
        signs = np.where((hashes < 0) & self.alternate_sign, -1, 1)
        return np.array(indptr, np.int64), columns, (_numbers(values, dtype) * signs).astype(dtype)

    def _features(self, row: Any, number: int) -> Iterator[tuple[Any, Any]]:
        """Yield names and values of a row; a text is part of its name."""
        said = row.items() if self.input_type == "dict" and hasattr(row, "items") else row
        kind = {"dict": "a dict", "pair": "a list of pairs (name, value)", "string": "a list of texts"}[self.input_type]
        if isinstance(row, str):
            raise InputError(f"row {number} is {row!r}; with input_type={self.input_type!r} a row is {kind}.")
        try:
            pairs = [(name, 1) for name in said] if self.input_type == "string" else [(f, v) for f, v in said]
        except (TypeError, ValueError) as error:
            raise InputError(
                f"row {number} is {row!r}; with input_type={self.input_type!r} a row is {kind}."
            ) from error
        for name, value in pairs:
            if not isinstance(name, str | bytes) or not isinstance(value, str | Number | np.bool_):
                raise InputError(f"row {number} says {value!r} of {name!r}; names are text, values numbers or text.")
            yield (f"{name!s}={value}", 1) if isinstance(value, str) else (name, value)


def _rows(X: Any) -> Iterable[Any]:
    if isinstance(X, str | Mapping) or not isinstance(X, Iterable):
        raise InputError(f"give a list of rows, each of them a collection; not one {type(X).__name__}.")
    return X


def _hashes(names: list[Any]) -> NDArray[np.int64]:
    try:
        return _native.hash_texts(names).astype(np.int64)
    except UnicodeEncodeError as error:
        raise InputError(f"a name of a feature holds half a character: {error}; rename it.") from error


def _numbers(values: list[Any], dtype: np.dtype[Any]) -> Array:
    try:
        with np.errstate(all="ignore"):
            return np.array(values).astype(dtype) if values else np.zeros(0, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"a value is no {dtype}: {error}; give numbers.") from error
