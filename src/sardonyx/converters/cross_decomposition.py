"""sklearn.cross_decomposition."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.cross_decomposition import PLSSVD
from sklearn.cross_decomposition._pls import _PLS

from ..convert import as_float
from ..graph import Value
from ..registry import converter


def _centred(est: Any, X: Value) -> Value:
    """Subtract the mean in place, as scikit-learn does: X keeps its dtype."""
    X = as_float(X)
    return (X - est._x_mean).astype(X.dtype)


@converter(_PLS, method="predict")
def pls_predict(est: Any, X: Value) -> Value:
    y = _centred(est, X) @ est.coef_.T + est.intercept_
    return y.reshape(-1) if est._predict_1d else y


@converter(_PLS)
def pls_transform(est: Any, X: Value) -> Value:
    centred = _centred(est, X)
    return (centred / est._x_std).astype(centred.dtype) @ est.x_rotations_


@converter(_PLS, method="inverse_transform")
def pls_inverse(est: Any, X: Value) -> Value:
    return (as_float(X) @ est.x_loadings_.T) * est._x_std + est._x_mean


@converter(PLSSVD)
def pls_svd(est: Any, X: Value) -> Value:
    return ((X.astype(np.float64) - est._x_mean) / est._x_std) @ est.x_weights_
