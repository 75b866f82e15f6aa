"""sklearn.compose._target: the regressor, then the way back of its target."""

from __future__ import annotations

from typing import Any

from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import FunctionTransformer

from ..convert import Data, call, step
from ..graph import Value
from ..registry import converter


@converter(TransformedTargetRegressor, method="predict", frame=True, finite=False)
def transformed_target(est: Any, X: Data) -> Value:
    y = step("regressor", est.regressor_, ["predict"], X)["predict"]
    y = _inverse(est.transformer_, y[:, None] if y.ndim == 1 else y)
    return y.reshape(-1) if est._training_dim == 1 and y.ndim == 2 and y.shape[1] == 1 else y


def _inverse(transformer: Any, y: Value) -> Value:
    """Return ``transformer.inverse_transform(y)``; functions made of NumPy's ufuncs are traced by calling them."""
    if not isinstance(transformer, FunctionTransformer):
        return call(transformer, "inverse_transform", y)
    if transformer.inverse_func is None:
        return y
    result: Value = transformer.inverse_func(y, **(transformer.inv_kw_args or {}))
    return result
