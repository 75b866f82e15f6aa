"""Borders: outputs of a model that no kernel gives as they are, made of rows when the programs have run.

Nothing is computed with numbers here: dimensions are moved, values gathered in lists and maps, texts cut apart.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..text.code_points import simple_case

Array: TypeAlias = NDArray[Any]


@cache
def native_core() -> Any:
    """Return the native core, loaded late so that plans can be made without it."""
    return importlib.import_module("sardonyx._native")


def plain(value: Any) -> Any:
    """Return an output as sessions hand it out: NumPy's scalars as arrays, text as objects, sparse rows dense."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.generic | int | float | bool | str):
        value = np.asarray(value)
    if hasattr(value, "toarray"):
        return value.toarray()
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return value.astype(object)
    return value


@dataclass(frozen=True, slots=True)
class Border:
    """How an output is made of rows when the programs have run: no kernel gives maps, sequences, or rows elsewhere.

    ::

        maps      one dict a row, from `keys` to its elements          list     all sources, one after the other
        parts     of texts between delimiters, filled up with ""       kept     texts but for stop words
        part_counts     how many each has
        lead      `lead` dimensions of 1 before the rows               behind   rows after `lead` other dimensions
        stacked   and are joined with the first                        flat     1 x everything
        joined    and are joined with what follows
    """

    form: str
    sources: tuple[str, ...]
    keys: tuple[int | str, ...] = ()
    lead: int = 0

    def maker(self) -> Callable[[Array], Any]:
        """Return what makes the output of its only source."""
        if self.form == "maps":
            row_maps, keys = native_core().row_maps, self.keys
            return lambda array: row_maps(array, keys)
        return lambda array: self.cross((array,))

    def cross(self, arrays: Sequence[Array]) -> Any:
        """Return the output."""
        if self.form == "maps":
            return native_core().row_maps(arrays[0], self.keys)
        if self.form == "list":
            return [plain(array) for array in arrays]
        if self.form in ("parts", "part_counts"):
            return parted_texts(arrays[0], *self.keys)[self.form == "part_counts"]
        if self.form == "kept":
            return kept_texts(arrays[0], *self.keys)
        (array,) = arrays
        if self.form == "lead":
            return array.reshape((1,) * self.lead + array.shape)
        if self.form == "flat":
            return array.reshape(1, -1)
        if self.form == "behind":
            return np.ascontiguousarray(np.moveaxis(array, 0, self.lead))
        moved = np.ascontiguousarray(np.swapaxes(array, 0, 1))
        if self.form == "joined":
            return moved.reshape(len(moved), moved.shape[1] * moved.shape[2])
        return moved.reshape(-1, *moved.shape[2:])


def parted_texts(texts: Array, delimiter: Any = "", most: Any = -1) -> tuple[Array, Array]:
    """Return the parts of texts, as many for each as the one with the most has, and how many each has (StringSplit)."""
    whole = texts.ravel().tolist() if delimiter else map(str.strip, texts.ravel().tolist())
    parts = [text.split(delimiter or None, most) if text else [] for text in whole]
    counts = np.array([len(part) for part in parts], np.int64)
    table = np.full((len(parts), int(counts.max(initial=0))), "", object)
    for row, part in zip(table, parts, strict=True):
        row[: len(part)] = part
    return table.reshape(*texts.shape, table.shape[1]), counts.reshape(texts.shape)


def kept_texts(texts: Array, case: Any = "NONE", is_case_sensitive: Any = 0, *stop_words: Any) -> Array:
    """Return texts in another case without stop words, one empty text if none is left (StringNormalizer)."""
    table = {"LOWER": simple_case(upper=False), "UPPER": simple_case(upper=True)}.get(case, {})
    compared: Any = str if is_case_sensitive else str.lower
    stops = {compared(word) for word in stop_words}
    kept = [text.translate(table) for text in texts.ravel().tolist() if compared(text) not in stops]
    if len(kept) == texts.size:
        return as_texts(kept).reshape(texts.shape)
    if texts.ndim > 1 and len(texts) != 1:
        raise InputError(f"stop words are taken out of one list of texts, not of shape {list(texts.shape)}.")
    return as_texts(kept or [""]).reshape((1,) * (texts.ndim - 1) + (-1,))


def as_texts(texts: list[str]) -> Array:
    """Return texts as a tensor of one dimension."""
    result = np.empty(len(texts), object)
    result[:] = texts
    return result
