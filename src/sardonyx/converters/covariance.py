"""sklearn.covariance: of its estimators, the one that judges rows."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.covariance import EllipticEnvelope

from ..convert import call
from ..graph import Value, where
from ..registry import converter


@converter(EllipticEnvelope, method="score_samples")
def envelope_scores(est: Any, X: Value) -> Value:
    delta = X - est.location_
    distance = np.sqrt(((delta @ est.get_precision()) * delta).sum(1))  # the root and its square, as scikit-learn
    return -(distance * distance)


@converter(EllipticEnvelope, method="decision_function")
def envelope_decision(est: Any, X: Value) -> Value:
    return call(est, "score_samples", X) - est.offset_


@converter(EllipticEnvelope, method="predict")
def envelope_predict(est: Any, X: Value) -> Value:
    return where(call(est, "decision_function", X) >= 0, np.int64(1), np.int64(-1))
