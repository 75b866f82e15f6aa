"""sklearn.compose._target."""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Case
from .compose import TITANIC

CASES = [
    Case(
        TransformedTargetRegressor(make_pipeline(TITANIC, Ridge()), transformer=StandardScaler()),
        "mixed",
        note="a frame",
    ),
    Case(TransformedTargetRegressor(Ridge()), "regression"),
    Case(TransformedTargetRegressor(), "regression_multi"),
    Case(TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), "regression"),
    Case(TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), "regression_multi"),
    Case(TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1), "regression_positive"),
    Case(TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp), "regression_positive"),
    Case(TransformedTargetRegressor(Ridge(), func=np.sqrt, inverse_func=np.square), "regression_positive"),
]
