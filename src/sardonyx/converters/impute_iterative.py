"""sklearn.impute._iterative: IterativeImputer, whose rounds are laid out one after the other.

::

    X ──▶ initial imputer ──▶ feature 3 := its model of the others, where missing ──▶ feature 1 := ... ──▶ next round
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.experimental import enable_iterative_imputer as _enabled  # noqa: F401
from sklearn.impute import IterativeImputer

from ..convert import Data, as_float, as_matrix, call, checked
from ..errors import ConversionError
from ..graph import Value, where
from ..operators.checks import require
from ..registry import converter
from ._columns import missing_mask
from .impute import with_indicator


@converter(IterativeImputer, finite=False)
def iterative_imputer(est: Any, X: Value) -> Data:
    if est.sample_posterior:
        raise ConversionError(
            "IterativeImputer(sample_posterior=True) draws its answer at random, so there is nothing to convert. "
            "Set sample_posterior=False and fit again."
        )
    X = checked(est, as_float(X))
    mask = missing_mask(est, X, est.missing_values)
    assert mask is not None  # floats can be missing, numbers are compared
    filled = as_matrix(call(est.initial_imputer_, "transform", X))
    return with_indicator(est, _rounds(est, filled, _open(est, mask)), X)


def _open(est: Any, mask: Value) -> Value:
    """Return which of the features that are kept are to be imputed."""
    empty = est._is_empty_feature
    if not empty.any():
        return mask
    return mask & ~empty if est.keep_empty_features else mask[:, np.flatnonzero(~empty)]


def _rounds(est: Any, filled: Value, missing: Value) -> Value:
    if not est.n_iter_:
        return filled
    message = (
        "IterativeImputer: a row without any value; what scikit-learn answers depends on the other rows. "
        "Leave such rows out"
    )
    filled = require(filled, ~missing.astype(np.int64).min(1, keepdims=True).astype(bool), message=message)
    features = np.arange(filled.dim(1))
    for triplet in est.imputation_sequence_:
        at, others = int(triplet.feat_idx), filled[:, np.asarray(triplet.neighbor_feat_idx, np.int64)]
        asked = where(missing[:, at : at + 1], others, others.dtype.type(0))  # what other rows hold, it may refuse
        predicted = call(triplet.estimator, "predict", asked)
        imputed = _limited(predicted.reshape(-1, 1), est._min_value[at], est._max_value[at])
        filled = where(missing & (features == at), imputed.astype(filled.dtype), filled)
    return filled


def _limited(X: Value, least: np.floating[Any], most: np.floating[Any]) -> Value:
    """``np.clip``, which lets NaN through."""
    X = X if np.isneginf(least) else where(X < least, least, X)
    return X if np.isposinf(most) else where(X > most, most, X)
