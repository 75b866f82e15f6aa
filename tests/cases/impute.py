"""sklearn.impute."""

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer as _enabled  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from . import Case

#: frames that scikit-learn makes float64 of, whatever their columns are
OWN = ("own_dtypes", "bools_and_codes")

SIMPLE = [
    Case(SimpleImputer(), "regression_nan"),
    Case(SimpleImputer(add_indicator=True), "complete_first", ("inverse_transform",)),
    Case(SimpleImputer(strategy="median", add_indicator=True), "complete_first", ("inverse_transform",)),
    Case(SimpleImputer(strategy="median"), "regression_nan"),
    Case(SimpleImputer(strategy="most_frequent"), "regression_nan"),
    Case(SimpleImputer(strategy="constant", fill_value=-7.5), "regression_nan"),
    Case(SimpleImputer(strategy="constant"), "regression_nan"),
    Case(SimpleImputer(add_indicator=True), "regression_nan"),
    Case(SimpleImputer(strategy="most_frequent", add_indicator=True), "regression_nan"),
    Case(SimpleImputer(missing_values=pd.NA), "regression_nan"),
    Case(SimpleImputer(strategy=np.max), "regression_nan"),
    Case(SimpleImputer(), "empty_feature"),
    Case(SimpleImputer(keep_empty_features=True, add_indicator=True), "empty_feature"),
    Case(SimpleImputer(strategy="constant", fill_value=3, keep_empty_features=True), "empty_feature32"),
    Case(SimpleImputer(add_indicator=True), "empty_feature32"),
    Case(SimpleImputer(), "regression_int"),
    Case(SimpleImputer(missing_values=-1), "imputed_int"),
    Case(SimpleImputer(missing_values=-1, strategy="most_frequent", add_indicator=True), "imputed_int"),
    Case(SimpleImputer(missing_values=0, strategy="constant", fill_value=9), "imputed_int"),
    *(Case(i, d) for i in (SimpleImputer(strategy="most_frequent"), SimpleImputer(strategy="constant")) for d in OWN),
    Case(SimpleImputer(strategy="most_frequent"), "text_nan"),
    Case(SimpleImputer(strategy="constant", fill_value=""), "text_nan"),
    Case(SimpleImputer(strategy="constant"), "text_nan"),
    Case(SimpleImputer(strategy="most_frequent", add_indicator=True), "text_nan", note="text and bools side by side"),
    Case(SimpleImputer(missing_values=None, strategy="most_frequent"), "text_none"),
    Case(SimpleImputer(missing_values="", strategy="constant", fill_value="ü"), "categories_str"),
    Case(SimpleImputer(strategy="most_frequent", add_indicator=True), "categories_str", note="nothing was missing"),
    Case(MissingIndicator(), "categories_str", note="nothing was missing"),
    Case(MissingIndicator(), "regression", note="nothing was missing"),
    Case(MissingIndicator(error_on_new=False), "regression_nan"),
    Case(MissingIndicator(features="all"), "regression_nan"),
    Case(MissingIndicator(missing_values=-1), "imputed_int"),
    Case(MissingIndicator(error_on_new=False), "text_nan"),
    Case(MissingIndicator(features="all", missing_values=None), "text_none"),
]


def gaussian(distances):  # type: ignore[no-untyped-def]
    """Weights of a user's own."""
    return np.exp(-0.5 * distances**2)


NEIGHBOURS = [
    Case(KNNImputer(), "regression_nan"),
    Case(KNNImputer(weights="distance", n_neighbors=3, add_indicator=True), "scattered_nan"),
    Case(KNNImputer(weights=gaussian), "scattered_nan"),
    Case(KNNImputer(n_neighbors=500), "regression_nan", note="more than there are donors"),
    Case(KNNImputer(n_neighbors=4), "scattered_nan32"),
    Case(KNNImputer(weights="distance"), "scattered_nan32", note="as float32 rounds"),
    Case(KNNImputer(), "empty_feature"),
    Case(KNNImputer(keep_empty_features=True, add_indicator=True, n_neighbors=60), "empty_feature32"),
    Case(KNNImputer(missing_values=-1, n_neighbors=80), "imputed_int", note="all donors: ties do not matter"),
    Case(KNNImputer(missing_values=-1, n_neighbors=80, weights="distance"), "imputed_int"),
    Case(KNNImputer(n_neighbors=1), "frame_nan"),
    Case(KNNImputer(n_neighbors=2), "lonely_nan", note="donors at no known distance"),
]

ITERATIVE = [
    Case(IterativeImputer(random_state=0), "regression_nan"),
    Case(IterativeImputer(random_state=0, max_iter=3, add_indicator=True), "regression_nan32", rtol=1e-5),
    Case(IterativeImputer(random_state=0, max_iter=0, initial_strategy="median"), "regression_nan"),
    Case(IterativeImputer(random_state=0, min_value=-0.5, max_value=[0.5, 1, 2, 3, 4, 5, 6.0]), "regression_nan"),
    Case(IterativeImputer(random_state=0, n_nearest_features=2, max_iter=4), "regression_nan"),
    Case(IterativeImputer(random_state=0, skip_complete=True, imputation_order="roman"), "regression_nan"),
    Case(IterativeImputer(random_state=0, imputation_order="random", initial_strategy="most_frequent"), "frame_nan"),
    Case(IterativeImputer(random_state=0, imputation_order="arabic", max_iter=2), "empty_feature"),
    Case(IterativeImputer(random_state=0, keep_empty_features=True, max_iter=2, add_indicator=True), "empty_feature"),
    Case(IterativeImputer(missing_values=-1, random_state=0, initial_strategy="constant", fill_value=2), "imputed_int"),
    Case(IterativeImputer(DecisionTreeRegressor(random_state=0), random_state=0, max_iter=2), "regression_nan"),
    Case(IterativeImputer(RandomForestRegressor(3, random_state=0), random_state=0, max_iter=2), "regression_nan"),
    Case(IterativeImputer(KNeighborsRegressor(3), random_state=0, max_iter=2), "regression_nan"),
    Case(IterativeImputer(make_pipeline(StandardScaler(), Ridge()), random_state=0), "regression_nan"),
]

CASES = SIMPLE + NEIGHBOURS + ITERATIVE
