"""sklearn.preprocessing."""

from __future__ import annotations

from typing import Any

from sklearn.preprocessing import StandardScaler

from ..convert import as_float
from ..graph import Value
from ..registry import converter


@converter(StandardScaler)
def standard_scaler(est: Any, X: Value) -> Value:
    X = as_float(X)
    dtype = X.dtype
    if est.with_mean:
        X = (X - est.mean_).astype(dtype)
    return (X / est.scale_).astype(dtype) if est.with_std else X


@converter(StandardScaler, method="inverse_transform")
def standard_scaler_inverse(est: Any, X: Value) -> Value:
    X = as_float(X)
    dtype = X.dtype
    if est.with_std:
        X = (X * est.scale_).astype(dtype)
    return (X + est.mean_).astype(dtype) if est.with_mean else X
