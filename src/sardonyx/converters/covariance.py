"""sklearn.covariance: of its estimators, the one that judges rows."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.covariance import EllipticEnvelope

from ..convert import call
from ..graph import Value, where
from ..operators.mahalanobis import mahalanobis
from ..registry import converter


@converter(EllipticEnvelope, method="score_samples")
def envelope_scores(est: Any, X: Value) -> Value:
    center = np.asarray(est.location_, np.float64)
    distance = mahalanobis(X.astype(np.float64), center, np.asarray(est.get_precision(), np.float64)).reshape(-1)
    return -(distance * distance)  # the root and its square, as scikit-learn


@converter(EllipticEnvelope, method="decision_function")
def envelope_decision(est: Any, X: Value) -> Value:
    return call(est, "score_samples", X) - est.offset_


@converter(EllipticEnvelope, method="predict")
def envelope_predict(est: Any, X: Value) -> Value:
    return where(call(est, "decision_function", X) >= 0, np.int64(1), np.int64(-1))
