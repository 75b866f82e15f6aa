"""sklearn.compose._target: the regressor, then the way back of its target."""

from __future__ import annotations

from typing import Any

from sklearn.compose import TransformedTargetRegressor

from ..convert import Data, as_matrix, call, step
from ..graph import Value
from ..registry import converter


@converter(TransformedTargetRegressor, method="predict", frame=True, finite=False)
def transformed_target(est: Any, X: Data) -> Value:
    y = step("regressor", est.regressor_, ["predict"], X)["predict"]
    y = as_matrix(call(est.transformer_, "inverse_transform", y[:, None] if y.ndim == 1 else y))
    return y.reshape(-1) if est._training_dim == 1 and y.ndim == 2 and y.shape[1] == 1 else y
