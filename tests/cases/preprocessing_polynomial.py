"""sklearn.preprocessing._polynomial: SplineTransformer."""

import numpy as np
from sklearn.preprocessing import SplineTransformer

from . import Case

#: newer versions of scikit-learn have more
PARAMS = SplineTransformer().get_params()
BEYOND = ("constant", "linear", "continue", "periodic")

CASES = [
    *(Case(SplineTransformer(extrapolation=e), "regression_near") for e in BEYOND),
    *(Case(SplineTransformer(extrapolation=e, degree=1, include_bias=False), "regression32_near") for e in BEYOND),
    *(Case(SplineTransformer(extrapolation=e, degree=2, n_knots=4), "regression_int") for e in BEYOND),
    *(Case(SplineTransformer(extrapolation=e, sparse_output=True), "regression32_near") for e in BEYOND),
    *(Case(SplineTransformer(extrapolation=e, degree=0), "one_feature_inside") for e in (*BEYOND, "error")),
    Case(SplineTransformer(extrapolation="error"), "one_feature_inside", note="at both ends"),
    Case(SplineTransformer(extrapolation="linear", degree=0), "regression_near", note="its degree grows"),
    Case(SplineTransformer(degree=0, sparse_output=True), "regression_near"),
    Case(SplineTransformer(knots="quantile", degree=4, order="F"), "regression_near"),
    Case(SplineTransformer(knots="quantile", n_knots=6), "positive", note="repeated knots"),
    Case(SplineTransformer(knots=np.array([[0.0], [0.1], [1.0], [1.5]])), "one_feature"),
    Case(SplineTransformer(extrapolation="periodic", n_knots=4, degree=3), "one_feature", note="wraps onto itself"),
    Case(SplineTransformer(extrapolation="periodic"), "one_feature_constant", since="1.8"),
    *(
        Case(SplineTransformer(extrapolation=e, handle_missing="zeros"), "regression_nan")
        for e in (*BEYOND[:2], "periodic")
        if "handle_missing" in PARAMS
    ),
]
