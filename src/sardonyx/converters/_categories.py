"""Categories as tensors: what an encoder's `categories_` look like beside a column of a given dtype, and look-ups."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value, op
from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..protos import STRING


def text_categories(categories: NDArray[Any]) -> NDArray[np.object_]:
    """Return text categories with None and NaN as the strings that stand for them in a tensor."""
    return np.array([_text(c) for c in categories.tolist()], dtype=object)


def _text(category: Any) -> str:
    if category is None:
        return MISSING_NONE
    if isinstance(category, float) and np.isnan(category):
        return MISSING_NAN
    if not isinstance(category, str):
        raise ConversionError(
            f"category {category!r} is a {type(category).__name__} in a column of objects, and the sample's column is "
            "text. Give each column one dtype (a DataFrame with numeric and text columns) and fit again."
        )
    return category


def category_table(estimator: Any, feature: str, categories: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the categories to look a column of `dtype` up in: text, or numbers of any dtype.

    Raises
    ------
    ConversionError
        If the column is text and the categories are not, or the other way round.
    """
    if dtype == STRING and categories.dtype.kind in "UO":
        return text_categories(categories)
    if dtype != STRING and categories.dtype.kind in "fiub":
        return categories
    numbers = (int, float, np.number)
    if dtype != STRING and categories.dtype.kind == "O" and all(isinstance(c, numbers) for c in categories):
        return np.array(categories.tolist())
    return _refuse_categories(type(estimator).__name__, feature, categories, dtype)


def _refuse_categories(name: str, feature: str, categories: NDArray[Any], dtype: np.dtype[Any]) -> NoReturn:
    if categories.dtype.kind in "mM":
        raise ConversionError(
            f"{name}: the categories of feature {feature} are moments or durations "
            f"({categories.dtype}), which tensors do not have. Make text or numbers of them, and fit again."
        )
    if categories.dtype.kind == "O" and not any(isinstance(c, str) for c in categories):
        raise ConversionError(
            f"{name}: feature {feature} was fitted on objects ({categories[:3].tolist()!r} ...), "
            "which tensors do not have. Make text of them, or numbers with NaN for what is missing, and fit again."
        )
    raise ConversionError(
        f"{name}: feature {feature} was fitted on {categories.dtype} values "
        f"({categories[:3].tolist()!r} ...), and the sample has {dtype} there. "
        "Convert with a sample that has the dtypes of the training data."
    )


def tensor_of(categories: NDArray[Any]) -> NDArray[Any]:
    """Return categories as they stand in a tensor."""
    return text_categories(categories) if categories.dtype.kind in "UO" else categories


def gather(table: NDArray[Any], codes: Value) -> Value:
    """Return ``table[codes]``."""
    result: Value = op.Gather(np.ascontiguousarray(table), codes, axis=0)
    return result
