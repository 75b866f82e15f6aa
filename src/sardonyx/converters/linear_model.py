"""sklearn.linear_model."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import Ridge
from sklearn.linear_model._base import LinearModel

from ..graph import Value
from ..registry import converter


@converter(LinearModel, Ridge, method="predict")
def linear_model(est: Any, X: Value) -> Value:
    return X @ est.coef_.T + est.intercept_
