"""sklearn.impute."""

import numpy as np
import pandas as pd
from sklearn.impute import MissingIndicator, SimpleImputer

from . import Case

CASES = [
    Case(SimpleImputer(), "regression_nan"),
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
