"""What transformers do with columns while converting: name them, join them, find missing values in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..convert import Columns, Data, as_columns
from ..errors import ConversionError
from ..graph import Value, concat, where
from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..layouts import beside
from ..protos import STRING


def constant_column(X: Value, value: Any) -> Value:
    """Return a column (N, 1) of one value, as long as X."""
    first = X[:, :1]
    return where(first == first, value, value)


def array_of(X: Data) -> Data:
    """Return a frame of numbers as one matrix, and leave a frame with text as it is: an array of objects."""
    return X.matrix() if isinstance(X, Columns) and all(v.dtype != STRING for v in X.values) else X


def keeps_frames(estimator: Any) -> bool:
    """Whether the transformer returns frames (``set_output`` or ``set_config(transform_output=...)``)."""
    from sklearn.utils._set_output import _get_output_config

    return bool(_get_output_config("transform", estimator)["dense"] != "default")


def named(transformer: Any, result: Data) -> Data:
    """Return what a transformer's ``transform`` gave, as the frame that ``set_output`` makes of it."""
    if not keeps_frames(transformer) or not hasattr(transformer, "get_feature_names_out"):
        return result
    return Columns(tuple(str(n) for n in transformer.get_feature_names_out()), as_columns(result).values)


def stack(blocks: Sequence[Data]) -> Data:
    """Join results side by side: one matrix of numbers or of text, or columns where there are both."""
    values = [v for block in blocks for v in (block.values if isinstance(block, Columns) else (block,))]
    if len({v.dtype == STRING for v in values}) <= 1:
        result = concat([as_numbers(block) for block in blocks])
        result.sparse = any(value.sparse for value in values)
        result.layout = beside([value.layout for value in values if value.sparse])
        return result
    columns = [v for block in blocks for v in as_columns(block).values]
    return Columns(tuple(f"x{i}" for i in range(len(columns))), tuple(columns))


def as_numbers(block: Data) -> Value:
    """Return a block as the array NumPy makes of a frame: bools among numbers are objects, later read as float64."""
    if not isinstance(block, Columns):
        return block
    kinds = {v.dtype.kind for v in block.values}
    return concat([v.astype(np.float64) for v in block.values]) if "b" in kinds and len(kinds) > 1 else block.array()


def weighted(block: Data, weight: float | None) -> Data:
    """Multiply a block of numbers with its weight."""
    if weight is None:
        return block
    matrix = block.array() if isinstance(block, Columns) else block
    if matrix.dtype == STRING:
        raise ConversionError(
            f"transformer_weights multiplies text by {weight}; give weights to transformers of numbers only."
        )
    numbers = matrix if matrix.dtype.kind == "f" else matrix.astype(np.float64)
    result: Value = numbers * weight
    return result.like(matrix)


def missing_mask(estimator: Any, X: Value, missing: Any) -> Value | None:
    """Return where X is `missing` (scikit-learn's ``_get_mask``), or None where it can nowhere be."""
    kind = _kind(missing)
    if X.dtype == STRING:
        return _text_mask(X, missing, kind)
    if kind in ("nan", "na"):
        return _is_nan(X) if X.dtype.kind == "f" else None
    if kind != "number":
        raise ConversionError(
            f"{type(estimator).__name__}(missing_values={missing!r}) on a column of {X.dtype} numbers; "
            "use a number or np.nan."
        )
    wide = X.astype(np.int64) if X.dtype.kind in "iu" else X  # ONNX Runtime compares few integer types
    mask: Value = wide == missing
    return mask


def _is_nan(X: Value) -> Value:
    mask: Value = np.isnan(X)
    return mask


def _kind(missing: Any) -> str:
    if missing is None or isinstance(missing, str):
        return "none" if missing is None else "text"
    if type(missing).__name__ == "NAType":
        return "na"
    return "nan" if missing != missing else "number"


def _text_mask(X: Value, missing: Any, kind: str) -> Value | None:
    sentinels = {
        "nan": [MISSING_NAN],
        "none": [MISSING_NONE],
        "na": [MISSING_NAN, MISSING_NONE],
        "text": [missing],
        "number": [],
    }
    masks = [X == np.array(s, dtype=object) for s in sentinels[kind]]
    return masks[0] | masks[1] if len(masks) == 2 else masks[0] if masks else None
