"""Rows that are dicts, as DictVectorizer takes them: keys become inputs, a row says some of them.

::

    features of the fit        inputs, one for each key
    "age", "city=Rome",        age  (N, 1) number     a row {"age": 4, "city": "Rome"}
    "city=Paris"        ──▶    city (N, 1) text   ──▶ age 4, city Rome; key absent: 0, ABSENT

Which key a feature comes from, its name alone does not tell: "a=b" may be the number ``{"a=b": 2}`` or the text
``{"a": "b"}``, and a key may hold lists of texts. The sample's rows decide, and where they do not have a feature, its
first separator. A later row that says a feature in another way is refused; keys and texts that no feature is of are
ignored, as scikit-learn does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Number
from typing import Any, Final

import numpy as np

from ..errors import InputError
from .rows import Array, Rows
from .values import MISSING_NONE

#: what a tensor holds where a row has no text, or none that a feature is of
ABSENT: Final = MISSING_NONE

#: dtypes of numbers in rows that are dicts
RECORD_DTYPES: Final = ("float64", "float32", "int64", "int32")


@dataclass(frozen=True, slots=True)
class Field:
    """One input: the key it is read from, whether it holds text, and how many texts a row has at most."""

    name: str
    key: str
    text: bool
    width: int = 1


@dataclass(frozen=True)
class Records(Rows):
    """How rows that are dicts become inputs.

    Attributes
    ----------
    separator : str
        Stands between a key and its text in the name of a feature.
    fields : tuple of Field
        The inputs.
    features : tuple of str
        The names of all features.
    owners : tuple of int
        For each feature, which of the fields it is read from.
    """

    separator: str
    fields: tuple[Field, ...]
    features: tuple[str, ...]
    owners: tuple[int, ...]

    @cached_property
    def _owner_of(self) -> dict[str, int]:
        return dict(zip(self.features, self.owners, strict=True))

    def categories(self, field: int) -> dict[str, str]:
        """Return the features that are read from a field, by their text."""
        start = len(self.fields[field].key + self.separator)
        return {f[start:]: f for f, owner in self._owner_of.items() if owner == field}

    def tensors(self, X: Any, dtypes: Mapping[str, str]) -> dict[str, Array]:
        """Return rows as the inputs, numbers in the dtype that the vectorizer gives them, which is one.

        Raises
        ------
        InputError
            If X is no dict or rows of dicts, a value is nothing that scikit-learn takes, or a row says a feature in
            another way than the sample's rows did.
        """
        rows = rows_of_records(X)
        dtype = np.dtype(next((name for name in dtypes.values() if name != "str"), "float64"))
        forms = [(ABSENT, object) if f.text else (0, dtype) for f in self.fields]
        result = [np.full((len(rows), f.width), *form) for f, form in zip(self.fields, forms, strict=True)]
        for number, row in enumerate(rows):
            used: Counter[int] = Counter()
            for key, feature, value in said(row, self.separator):
                if (field := self._owner_of.get(feature)) is not None:
                    self._check(self.fields[field], key, value, feature, number, used[field])
                    result[field][number, used[field]] = value if isinstance(value, str) else _number(value, dtype, key)
                    used[field] += 1
        return {field.name: array for field, array in zip(self.fields, result, strict=True)}

    def _check(self, field: Field, key: Any, value: Any, feature: str, number: int, used: int) -> None:
        if field.text != isinstance(value, str) or field.key != str(key):
            kind = "texts" if field.text else "numbers"
            raise InputError(
                f"row {number} says {feature!r} by {{{key!r}: {value!r}}}, and the model reads it from {kind} of the "
                f"key {field.key!r}, as the sample did. Convert the model with a sample that has such a row."
            )
        if used >= field.width:
            raise InputError(
                f"row {number} has {used + 1} known texts of the key {field.key!r}, and the model takes {field.width}, "
                "as many as rows of the sample had. Convert the model with a sample that has such a row."
            )


def describe_records(X: Any, features: Sequence[str], separator: str) -> Records:
    """Return how rows like a sample's become inputs, for features of these names.

    Raises
    ------
    InputError
        If X is no dict or rows of dicts, or its rows say one feature in several ways.
    """
    owner: dict[str, tuple[str, bool]] = {}
    width: dict[tuple[str, bool], int] = {}
    known = set(features)
    for row in rows_of_records(X):
        counts: Counter[tuple[str, bool]] = Counter()
        for key, feature, value in said(row, separator):
            if feature in known:
                source = str(key), isinstance(value, str)
                if owner.setdefault(feature, source) != source:
                    raise InputError(
                        f"rows say {feature!r} in two ways, one of them {{{key!r}: {value!r}}}; rename the key, or "
                        "choose another separator."
                    )
                counts[source] += 1
        width.update({source: max(count, width.get(source, 1)) for source, count in counts.items()})
    for feature in features:
        owner.setdefault(feature, _source(feature, separator))
    sources = dict.fromkeys(owner[feature] for feature in features)
    place = {source: i for i, source in enumerate(sources)}
    names = _names([key for key, _ in sources], [text for _, text in sources], separator)
    fields = [Field(name, *source, width.get(source, 1)) for name, source in zip(names, sources, strict=True)]
    return Records(separator, tuple(fields), tuple(features), tuple(place[owner[f]] for f in features))


def rows_of_records(X: Any) -> list[Mapping[Any, Any]]:
    """Return X as rows, each a mapping; one mapping alone is one row.

    Raises
    ------
    InputError
        If X is something else.
    """
    rows = [X] if isinstance(X, Mapping) else list(X) if isinstance(X, Iterable) else None
    if rows is None or not all(isinstance(row, Mapping) for row in rows):
        wrong = X if rows is None else next(row for row in rows if not isinstance(row, Mapping))
        raise InputError(f"a row is a dict of keys and values; give a list of dicts, not {type(wrong).__name__}.")
    return rows


def said(row: Mapping[Any, Any], separator: str) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (key, name of the feature, value) of all that a row says, in the order and the words of scikit-learn."""
    for key, value in row.items():
        if isinstance(value, str):
            yield key, f"{key}{separator}{value}", value
        elif isinstance(value, Number) or value is None:
            yield key, key, value
        elif isinstance(value, Iterable) and not isinstance(value, Mapping):
            yield from ((key, f"{key}{separator}{text}", text) for text in _texts(key, value))
        else:
            raise InputError(
                f"Unsupported value Type {type(value)} for {key}: {value}.\n{type(value)} objects are not supported."
            )


def _texts(key: Any, values: Iterable[Any]) -> Iterator[str]:
    try:
        for value in values:
            if not isinstance(value, str):
                raise InputError(
                    f"Unsupported type {type(value)} in iterable value. Only iterables of string are supported."
                )
            yield value
    except TypeError as error:  # an array without dimensions
        raise InputError(f"the key {key!r} holds {values!r}, which is no number, text or list of texts.") from error


def _source(feature: str, separator: str) -> tuple[str, bool]:
    key, found, _ = feature.partition(separator) if separator else (feature, "", "")
    return key, bool(found)


def _names(keys: list[str], texts: list[bool], separator: str) -> list[str]:
    """Return a name for each input: the key, with a mark where numbers have that name already."""
    numbers = {key for key, text in zip(keys, texts, strict=True) if not text}
    names: list[str] = []
    for key, text in zip(keys, texts, strict=True):
        name = key or "(empty)"
        while (text and name in numbers) or name in names[: len(names) * (name != key)]:
            name += separator or "*"
        names.append(name)
    return names


def _number(value: Any, dtype: np.dtype[Any], key: Any) -> Any:
    """Return what the vectorizer makes of a number: NumPy's own scalar of the dtype."""
    try:
        with np.errstate(all="ignore"):
            return dtype.type(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"the key {key!r} holds {value!r}, which is no {dtype}: {error}.") from error
