"""sklearn.compose: ColumnTransformer selects columns and joins what its transformers make of them.

::

    X  age fare sex city         by name if both the fit and X are frames, else by position
         │   │   │    │
        [num:...] [text:...]     remainder
             └───────┴───────────────┴──▶ joined in the order of transformers_

A single column given by its name, not in a list, reaches the transformer as a vector, as in scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer

from ..convert import Columns, Data, as_matrix, refuse_moments, take
from ..errors import ConversionError
from ..graph import Value
from ..registry import converter
from ._columns import weighted
from .pipeline import join, transform_step


@converter(ColumnTransformer, frame=True, finite=False)
def column_transformer(est: Any, X: Data) -> Data:
    weights = est.transformer_weights or {}
    blocks = []
    for name, transformer, columns in est.transformers_:
        indices = list(est._transformer_to_input_indices[name])
        if _is(transformer, "drop") or not indices:
            continue
        chosen = take(X, _positions(est, X, indices))
        if isinstance(columns, str | int | np.integer):
            chosen = as_matrix(chosen)[:, 0]
        if _is(transformer, "passthrough"):
            refuse_moments(chosen.values if isinstance(chosen, Columns) else [chosen], "what passes through")
            block = chosen
        else:
            block = transform_step(name, transformer, chosen)
        blocks.append(weighted(block, weights.get(name)))
    if not blocks:
        raise ConversionError("ColumnTransformer selects no columns at all; remove it from the pipeline.")
    result = join(est, blocks)
    if isinstance(result, Value):
        result.sparse = bool(est.sparse_output_)
        result.layout = replace(result.layout, follows=False)
    return result


def _is(transformer: Any, word: str) -> bool:
    return isinstance(transformer, str) and transformer == word


def _positions(est: Any, X: Data, indices: Sequence[int]) -> list[int]:
    """Where the features of the fit stand in X."""
    if not isinstance(X, Columns) or not hasattr(est, "feature_names_in_"):
        return [int(i) for i in indices]
    names = [str(est.feature_names_in_[i]) for i in indices]
    if missing := [n for n in names if n not in X.names]:
        raise ConversionError(f"columns {missing} are missing in the sample; it has {list(X.names)}.")
    return [X.names.index(n) for n in names]
