"""sklearn.isotonic."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression

from ..graph import Value, per_row, where
from ..operators.checks import require
from ..operators.interpolation import interp, knots_of_columns
from ..registry import converter


@converter(IsotonicRegression, method="predict")
def isotonic_predict(est: Any, X: Value) -> Value:
    x, y = est.X_thresholds_, est.y_thresholds_
    t = (X if X.ndim == 1 else X.reshape(-1)).astype(x.dtype)
    if est.out_of_bounds == "clip":
        t = t.clip(est.X_min_, est.X_max_).astype(x.dtype)
    if len(y) == 1:
        return per_row(y[0], t).astype(x.dtype)
    if est.out_of_bounds == "raise":
        t = require(
            t, (t >= x[0]) & (t <= x[-1]), message="IsotonicRegression: a value is outside of those trained on."
        )
    inside = (t >= x[0]) & (t <= x[-1])
    return where(inside, interp(t[:, None], *knots_of_columns([(x, y)])).reshape(-1), np.nan)


converter(IsotonicRegression, method="transform")(isotonic_predict)
