"""sklearn.compose: the pipelines that people write for tables of numbers and text."""

import numpy as np
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from . import Case

NUMBERS = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
TEXT = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))

TITANIC = ColumnTransformer(
    [("num", NUMBERS, ["age", "fare", "siblings"]), ("text", TEXT, ["sex", "city", "cabin"])], remainder="drop"
)

CASES = [
    Case(
        ColumnTransformer([("keep", "passthrough", ["fare", "siblings"])]).set_output(transform="pandas"),
        "mixed",
        note="the answer is a frame of floats and integers",
    ),
    Case(make_pipeline(TITANIC, Ridge()), "mixed"),
    Case(make_pipeline(TITANIC, Ridge()), "strangers"),
    Case(TITANIC, "strangers"),
    Case(TITANIC, "mixed_categorical"),
    Case(
        ColumnTransformer(
            [
                ("num", NUMBERS, make_column_selector(dtype_include=np.number)),
                ("text", OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude=[np.number, bool])),
            ],
            remainder="passthrough",
            sparse_threshold=0,
        ),
        "strangers",
    ),
    Case(
        ColumnTransformer(
            [
                ("ord", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["deck", "sex"]),
                ("gone", "drop", ["city"]),
            ],
            remainder=SimpleImputer(strategy="most_frequent"),
        ),
        "strangers",
        note="the imputer gives text and numbers",
    ),
    Case(
        ColumnTransformer([("keep", "passthrough", ["city", "age", "alone"])]),
        "mixed",
        note="text and numbers side by side",
    ),
    Case(ColumnTransformer([("keep", "passthrough", ["alone", "fare"]), ("scale", MinMaxScaler(), ["fare"])]), "mixed"),
    Case(
        ColumnTransformer(
            [("a", StandardScaler(), [2, 0]), ("b", MinMaxScaler(), slice(3, 5))], remainder="passthrough"
        ),
        "regression",
    ),
    Case(
        ColumnTransformer(
            [("a", StandardScaler(), [True, False] * 3 + [True]), ("none", MinMaxScaler(), [])],
            transformer_weights={"a": 2.5},
        ),
        "regression32",
    ),
    Case(
        ColumnTransformer([("a", StandardScaler(), [-1, -3]), ("b", "passthrough", [0])], remainder=MinMaxScaler()),
        "regression_int",
    ),
    Case(
        ColumnTransformer(
            [("flat", FunctionTransformer(), slice("age", "siblings")), ("none", "drop", "sex")], sparse_threshold=1.0
        ),
        "mixed",
    ),
    Case(
        make_pipeline(
            ColumnTransformer(
                [("num", SimpleImputer(), ["fare", "age"])], remainder="passthrough", verbose_feature_names_out=False
            ).set_output(transform="pandas"),
            ColumnTransformer(
                [("hot", OneHotEncoder(), ["sex", "alone"]), ("scale", StandardScaler(), ["age", "siblings"])]
            ),
            Ridge(),
        ),
        "mixed",
        note="set_output, then selection by name",
    ),
    Case(
        make_pipeline(
            TITANIC, ColumnTransformer([("scale", StandardScaler(), [3, 1])], remainder="passthrough"), Ridge()
        ),
        "mixed",
        note="nested",
    ),
]
