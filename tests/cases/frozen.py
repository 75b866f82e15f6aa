"""sklearn.frozen (scikit-learn 1.6)."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Case

try:
    from sklearn.frozen import FrozenEstimator
except ImportError:
    CASES: list[Case] = []
else:
    from .data import dataset

    _binary, _regression = dataset("binary"), dataset("regression")
    CASES = [
        Case(FrozenEstimator(LogisticRegression().fit(_binary.X, _binary.y)), "binary"),
        Case(FrozenEstimator(Ridge().fit(_regression.X, _regression.y)), "regression"),
        Case(make_pipeline(FrozenEstimator(StandardScaler().fit(_binary.X)), LogisticRegression()), "binary_str"),
    ]
