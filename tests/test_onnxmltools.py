"""Files that onnxmltools writes for boosted trees: ONNX Runtime's answers, no operator in Python."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression

import sardonyx

from .test_skl2onnx import assert_same, onnxruntimes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightgbm import LGBMClassifier, LGBMRegressor
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from xgboost import XGBClassifier, XGBRegressor, XGBRFRegressor

pytestmark = pytest.mark.filterwarnings("ignore")

SMALL: dict[str, Any] = {"n_estimators": 8, "n_jobs": 1}
LIGHT: dict[str, Any] = {**SMALL, "verbose": -1}
MODELS: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "xgboost, two classes": (XGBClassifier(**SMALL), 2, {}),
    "xgboost, three classes": (XGBClassifier(**SMALL), 3, {}),
    "xgboost, numbers": (XGBRegressor(**SMALL), 0, {}),
    "xgboost, counts": (XGBRegressor(objective="count:poisson", **SMALL), -1, {}),
    "xgboost, forest": (XGBRFRegressor(**SMALL), 0, {}),
    "lightgbm, two classes": (LGBMClassifier(**LIGHT), 2, {}),
    "lightgbm, three classes": (LGBMClassifier(**LIGHT), 3, {"zipmap": False}),
    "lightgbm, numbers": (LGBMRegressor(**LIGHT), 0, {"split": 3}),
    "lightgbm, counts": (LGBMRegressor(objective="poisson", **LIGHT), -1, {}),
}


def data(kind: int) -> tuple[Any, Any]:
    if kind > 0:
        X, y = make_classification(300, 6, n_informative=5, n_redundant=0, n_classes=kind, random_state=0)
    else:
        X, y = make_regression(300, 6, random_state=0)
    X = X.astype(np.float32)
    X[::7, 2] = np.nan
    return X, np.random.default_rng(0).poisson(2, len(X)) if kind < 0 else y


@pytest.mark.parametrize("name", MODELS)
def test_a_file_of_onnxmltools(name: str) -> None:
    estimator, kind, options = MODELS[name]
    X, y = data(kind)
    convert = convert_lightgbm if name.startswith("light") else convert_xgboost
    given = [("X", FloatTensorType([None, X.shape[1]]))]
    content = convert(estimator.fit(X, y), initial_types=given, target_opset=15, **options).SerializeToString()
    session = sardonyx.InferenceSession(content)
    assert "reference" not in session.explain()
    for actual, expected in zip(session.run(None, {"X": X}), onnxruntimes(content, X), strict=True):
        assert_same(actual, expected)
