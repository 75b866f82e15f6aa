"""Metrics that no search of neighbours knows: all distances are computed, then the nearest are chosen.

It registers nothing. Rows are compared whole here, by products of matrices: correlations, answers yes and no, points on
a sphere, rows with gaps. scikit-learn asks SciPy's ``cdist`` for most of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value, where
from ..operators.checks import require
from ..operators.neighbors import COUNTED, Counted, pairwise_distances


def _correlation(X: Value, fit_X: NDArray[Any], name: str) -> Value:
    rows, known = X.astype(np.float64), fit_X.astype(np.float64)
    known = known - known.mean(axis=1, keepdims=True)
    if not known.any(axis=1).all():
        raise ConversionError(
            f"{name}(metric='correlation'): a training row is constant, and correlates with nothing. Leave it out of "
            "the fit, or choose another metric."
        )
    rows = rows - rows.mean(1, keepdims=True)
    varied = (rows * rows).sum(1, keepdims=True) > 0
    rows = require(rows, varied, message=f"{name}: a constant row correlates with nothing")
    result: Value = pairwise_distances(rows, known, np.float64(2), np.ones(X.dim(1)), metric="cosine")
    return result


def _haversine(X: Value, fit_X: NDArray[Any], name: str) -> Value:
    rows, known = X.astype(np.float64), fit_X.astype(np.float64)
    result: Value = pairwise_distances(rows, known, np.float64(2), np.ones(2), metric="haversine")
    return result


def _nan_euclidean(X: Value, fit_X: NDArray[Any], name: str) -> Value:
    """``nan_euclidean_distances``: squares are expanded, then what has no partner is taken away, in the rows' dtype."""
    dtype: type[np.floating[Any]] = np.float32 if X.dtype == fit_X.dtype == np.float32 else np.float64
    rows, known = X.astype(dtype), fit_X.astype(dtype)
    gone, lost = np.isnan(rows).astype(dtype), np.isnan(known).astype(dtype)
    rows, known = where(gone != 0, dtype(0), rows), np.nan_to_num(known)
    wide, whole = rows.astype(np.float64), known.astype(np.float64)
    squares = (wide * wide).sum(1, keepdims=True) + (whole * whole).sum(axis=1)[None]
    expanded = (wide @ _columns(whole) * -2.0 + squares).astype(dtype)
    present = (1 - gone) @ _columns(1 - lost)
    alone = (rows * rows) @ _columns(lost), gone @ _columns(known * known)
    squared = _no_less(_no_less(expanded) - alone[0] - alone[1])
    distances = np.sqrt(squared / where(present == 0, dtype(1), present) * float(X.dim(1)))
    return where(present == 0, dtype(np.inf), distances)  # no feature in common: as far as can be


def _columns(matrix: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(matrix.T)


def _no_less(x: Value) -> Value:
    zero = x.dtype.type(0)
    return where(x < zero, zero, x)


def _alike(X: Value, fit_X: NDArray[Any]) -> tuple[Value, Value, Value]:
    """Return how many features rows and training rows have both, and how many only the one or the other has."""
    rows = (X if X.dtype == np.bool_ else X != 0).astype(np.float64)
    known = (fit_X != 0).astype(np.float64)
    both = rows @ _columns(known)
    return both, rows.sum(1, keepdims=True) - both, known.sum(axis=1)[None] - both


def _counted(distance: Counted) -> Callable[[Value, NDArray[Any], str], Value]:
    def distances(X: Value, fit_X: NDArray[Any], name: str) -> Value:
        both, first, second = _alike(X, fit_X)
        return distance(both, first + second, float(X.dim(1)))

    return distances


def _yule(X: Value, fit_X: NDArray[Any], name: str) -> Value:
    both, first, second = _alike(X, fit_X)
    half = first * second
    whole = both * (float(X.dim(1)) - both - first - second) + half
    return where(half == 0, 0.0, 2.0 * half / where(half == 0, 1.0, whole))


#: metric -> all distances of rows to training rows, shape (N, n_fit)
SPECIAL: Final[dict[str, Callable[[Value, NDArray[Any], str], Value]]] = {
    "correlation": _correlation,
    "haversine": _haversine,
    "nan_euclidean": _nan_euclidean,
    "yule": _yule,
    **{name: _counted(distance) for name, distance in COUNTED.items()},
}


def check_shared(est: Any, distances: Value, indices: Value) -> tuple[Value, Value]:
    """Refuse rows of which a neighbour shares no feature with it: which one that is, scikit-learn leaves to chance."""
    if est.effective_metric_ not in ("nan_euclidean", "dice", "sokalsneath"):
        return distances, indices
    message = f"{type(est).__name__}: a row shares features with fewer training rows than it is to have neighbours"
    shared = ~np.isinf(distances)
    return require(distances, shared, message=message), require(indices, shared, message=message)


def check_radius(est: Any, metric: str, fit_X: NDArray[Any]) -> None:
    """Refuse what a tree finds within a radius by going wrong: where distances are none, or detours are shorter."""
    if est._fit_method == "brute":
        return
    lost = "is no metric, so that a tree leaves out rows within the radius" if metric == "dice" else ""
    if metric == "sokalsneath" and not fit_X.any(axis=1).all():
        lost = "of two rows without any feature is not a number"
    if lost:
        raise ConversionError(f"{type(est).__name__}(metric={metric!r}) {lost}. Fit with algorithm='brute'.")


def whitening(est: Any, parameters: dict[str, Any]) -> NDArray[np.float64]:
    """Return the matrix by which rows are multiplied so that the ``mahalanobis`` distance is the euclidean one."""
    inverse = parameters.get("VI")
    inverse = np.linalg.inv(parameters["V"]) if inverse is None and parameters.get("V") is not None else inverse
    if inverse is None or (parameters.get("VI") is None and getattr(est, "_fit_method", "") == "brute"):
        raise ConversionError(f"{type(est).__name__}(metric='mahalanobis') needs metric_params={{'VI': ...}}.")
    inverse = np.asarray(inverse, np.float64)
    try:
        return np.linalg.cholesky((inverse + inverse.T) / 2)
    except np.linalg.LinAlgError as error:
        raise ConversionError(
            f"{type(est).__name__}(metric='mahalanobis'): VI is not positive definite, so that it gives no distances. "
            "Give the inverse of a covariance matrix."
        ) from error
