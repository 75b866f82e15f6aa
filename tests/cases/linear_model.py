"""sklearn.linear_model."""

from sklearn.linear_model import Ridge

from . import Case

CASES = [
    Case(Ridge(), "regression"),
    Case(Ridge(fit_intercept=False), "regression_multi"),
    Case(Ridge(alpha=3.0), "regression32"),
    Case(Ridge(), "regression_int"),
]
