"""sklearn.decomposition._nmf: the weights of fixed components, iterated for the whole batch.

scikit-learn stops when the batch has converged, so that a row's weights depend on the rows it comes with. So do ours:
they are those of ``transform`` for the same batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.decomposition._nmf import _BaseNMF

from ..convert import as_float
from ..errors import ConversionError
from ..graph import Value
from ..operators.checks import refuse
from ..operators.factorization import multiplicative_updates, non_negative_descent
from ..registry import converter


@converter(NMF)
def nmf(est: Any, X: Value) -> Value:
    X = _rows(est, X)
    X = refuse(X, X < 0, message="NMF: negative values in the data")
    if not est.components_.any():
        raise ConversionError("NMF: components_ are all zeros, which transform refuses. Fit it on other data.")
    if est.solver == "cd":
        return _coordinate_descent(est, X)
    if est._beta_loss <= 0:
        X = refuse(X, X == 0, message="NMF: zeros in the data, with a beta_loss of at most 0")
    return _updates(est, X, est.max_iter, "divergence")


@converter(MiniBatchNMF)
def minibatch_nmf(est: Any, X: Value) -> Value:
    return _updates(est, _rows(est, X), est._transform_max_iter, "change")


@converter(_BaseNMF, method="inverse_transform", finite=False)
def nmf_inverse(est: Any, X: Value) -> Value:
    original: Value = X @ est.components_
    return original


def _rows(est: Any, X: Value) -> Value:
    X = as_float(X)
    if X.dtype != est.components_.dtype:
        raise ConversionError(
            f"{type(est).__name__} was fitted on {est.components_.dtype}, the sample is {X.dtype}; "
            f"give a sample of the dtype of the fit: X.astype({est.components_.dtype.name!r})."
        )
    return X


def _penalties(est: Any, X: Value) -> tuple[float, float]:
    """Return the L1 and L2 penalties of W: ``_compute_regularization``."""
    return X.dim(1) * est.alpha_W * est.l1_ratio, X.dim(1) * est.alpha_W * (1.0 - est.l1_ratio)


def _coordinate_descent(est: Any, X: Value) -> Value:
    H: NDArray[Any] = est.components_
    l1, l2 = _penalties(est, X)
    HHt = H @ H.T
    HHt.flat[:: len(H) + 1] += l2
    XHt: Value = X @ H.T
    XHt = XHt - XHt.dtype.type(l1) if l1 else XHt
    return non_negative_descent(XHt, HHt, _order(est), np.float64(est.tol), max_iter=int(est.max_iter))


def _order(est: Any) -> NDArray[np.int64]:
    """Return the components in the order of the sweeps: the same for all, or one for each."""
    n = len(est.components_)
    if not est.shuffle:
        return np.arange(n)[None]
    if not isinstance(est.random_state, int | np.integer):
        raise ConversionError(
            f"NMF(shuffle=True, random_state={est.random_state!r}) visits the components in another order each time. "
            "Set random_state to a number, or shuffle=False."
        )
    random = np.random.RandomState(est.random_state)
    return np.stack([random.permutation(n) for _ in range(est.max_iter)])


def _updates(est: Any, X: Value, max_iter: int, rule: str) -> Value:
    penalties, tol = np.array(_penalties(est, X), np.float64), np.float64(est.tol)
    options = {"beta": repr(float(est._beta_loss)), "max_iter": int(max_iter), "rule": rule}
    weights: Value = multiplicative_updates(X, est.components_, penalties, tol, **options)
    return weights
