"""sklearn.preprocessing._data: QuantileTransformer and KernelCenterer."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.preprocessing import KernelCenterer, QuantileTransformer
from sklearn.preprocessing._data import BOUNDS_THRESHOLD

from ..convert import as_float
from ..errors import ConversionError
from ..graph import Value, where
from ..operators.interpolation import interp, knots_of_columns
from ..operators.special import ndtr, ndtri
from ..registry import converter

#: what normal scores are clipped to, so that none is infinite
_LEAST, _MOST = special.ndtri([BOUNDS_THRESHOLD - np.spacing(1), 1 - (BOUNDS_THRESHOLD - np.spacing(1))])


@converter(QuantileTransformer)
def quantile_transformer(est: Any, X: Value) -> Value:
    X = as_float(X)
    if X.sparse and (est.output_distribution == "normal" or (est.quantiles_[0] < 0).any()):
        _refuse_sparse(est)
    first, last = est.quantiles_[0], est.quantiles_[-1]
    ranks = _interpolated(X, list(est.quantiles_.T), [est.references_] * X.dim(1))
    ranks += _interpolated(-X, list(-est.quantiles_[::-1].T), [-est.references_[::-1]] * X.dim(1)) * -1.0
    ranks = _bounded(est, X, (0.5 * ranks).astype(X.dtype), (first, last), (np.zeros(1), np.ones(1)))
    return ranks.like(X, "csc") if est.output_distribution == "uniform" else _normal_scores(ranks)


def _refuse_sparse(est: Any) -> NoReturn:
    raise ConversionError(
        f"QuantileTransformer(output_distribution={est.output_distribution!r}) of a sparse matrix leaves zeros "
        "without an entry alone and makes something else of those with one; a tensor cannot tell the two apart. "
        "Use 'uniform' on data that are not negative, or fit and convert with dense data."
    )


@converter(QuantileTransformer, method="inverse_transform")
def quantile_transformer_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    if X.sparse and (est.output_distribution == "normal" or (est.quantiles_[0] != 0).any()):
        _refuse_sparse(est)
    ranks = X if est.output_distribution == "uniform" else ndtr(X.astype(np.float64))
    values = _interpolated(ranks, [est.references_] * X.dim(1), list(est.quantiles_.T))
    bounds = est.quantiles_[0], est.quantiles_[-1]
    return (
        _bounded(est, ranks, values.astype(X.dtype), (np.zeros(1), np.ones(1)), bounds).astype(X.dtype).like(X, "csc")
    )


def _interpolated(X: Value, x: list[NDArray[Any]], y: list[NDArray[Any]]) -> Value:
    """``numpy.interp`` of each column: beyond the knots, what stands at the first and at the last."""
    tables = [(np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in zip(x, y, strict=True)]
    (low, high), (first, last) = (
        [np.array([table[part][end] for table in tables]) for end in (0, -1)] for part in (0, 1)
    )
    wide = X.astype(np.float64)
    return where(wide < low, first, where(wide > high, last, interp(wide, *knots_of_columns(tables))))


def _bounded(est: Any, X: Value, result: Value, of_x: tuple[Any, Any], of_y: tuple[Any, Any]) -> Value:
    """Give what is at a bound, or near it where scores are normal, the bound's own answer; the lower one wins."""
    if est.output_distribution == "normal":
        low, high = X - BOUNDS_THRESHOLD < of_x[0], X + BOUNDS_THRESHOLD > of_x[1]
    else:
        low, high = X == of_x[0], X == of_x[1]
    least, most = (np.asarray(y).astype(result.dtype) for y in of_y)
    return where(low, least, where(high, most, result))


def _normal_scores(ranks: Value) -> Value:
    """``scipy.stats.norm.ppf``, which rounds to float32 where the ranks are."""
    scores = ndtri(ranks.astype(np.float64)).astype(ranks.dtype).astype(np.float64)
    return where(scores < _LEAST, _LEAST, where(scores > _MOST, _MOST, scores)).astype(ranks.dtype)


@converter(KernelCenterer)
def kernel_centerer(est: Any, K: Value) -> Value:
    K = as_float(K)
    dtype = K.dtype
    means = K.sum(1, keepdims=True) / dtype.type(len(est.K_fit_rows_))
    centred = ((K - est.K_fit_rows_).astype(dtype) - means).astype(dtype)
    return (centred + np.asarray(est.K_fit_all_)).astype(dtype)
