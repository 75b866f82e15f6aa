"""sklearn.impute._knn: KNNImputer. The search is the operator `NanNeighbors`; averages are standard operators."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import KNNImputer

from ..convert import Data, as_float, checked
from ..errors import ConversionError
from ..graph import Value, where
from ..operators.neighbors import nan_neighbors
from ..registry import converter
from ._columns import missing_mask
from .impute import with_indicator
from .neighbors import distance_weights


@converter(KNNImputer, finite=False)
def knn_imputer(est: Any, X: Value) -> Data:
    X = checked(est, as_float(X))
    mask = missing_mask(est, X, est.missing_values)
    assert mask is not None  # floats can be missing, numbers are compared
    return with_indicator(est, _kept(est, where(mask, _imputed(est, X, mask).astype(X.dtype), X)), X)


def _imputed(est: Any, X: Value, mask: Value) -> Value:
    """Return the average of each feature over its donors; its mean in the fit where none is at a known distance."""
    if est.metric != "nan_euclidean":
        raise ConversionError(
            f"KNNImputer(metric={est.metric!r}) runs Python code, which a model file cannot hold. "
            "Use metric='nan_euclidean'."
        )
    fit = np.where(est._mask_fit_X, np.nan, est._fit_X.astype(np.float64))
    holes = where(mask, np.nan, X.astype(np.float64))
    single = X.dtype == est._fit_X.dtype == np.float32
    distances, values = nan_neighbors(holes, fit, k=min(int(est.n_neighbors), len(fit)), single=int(single))
    known = distances == distances
    given = distance_weights(est, distances)
    weights = where(known, 1.0, 0.0) if given is None else where(known, given, 0.0)
    total = weights.sum(2)
    none = total == 0
    average = (where(known, values, 0.0) * weights).sum(2) / where(none, 1.0, total)
    return where(none, _means(est), average)


def _means(est: Any) -> NDArray[np.float64]:
    means = [np.ma.array(c, mask=m).mean() for c, m in zip(est._fit_X.T, est._mask_fit_X.T, strict=True)]
    return np.array([0.0 if mean is np.ma.masked else float(mean) for mean in means])


def _kept(est: Any, X: Value) -> Value:
    """Return the features that had a value in the fit; the others are zero, or left out."""
    valid = est._valid_mask
    if valid.all():
        return X
    return where(valid, X, X.dtype.type(0)) if est.keep_empty_features else X[:, np.flatnonzero(valid)]
