"""sklearn.preprocessing."""

from sklearn.preprocessing import StandardScaler

from . import Case

CASES = [
    Case(StandardScaler(), "regression"),
    Case(StandardScaler(with_mean=False), "regression_nan"),
    Case(StandardScaler(with_std=False), "regression32"),
    Case(StandardScaler(), "regression_int"),
    Case(StandardScaler(), "regression", ("inverse_transform",)),
]
