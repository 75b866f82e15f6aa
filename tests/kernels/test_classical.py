"""Operators of ai.onnx.ml, against ONNX Runtime and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .single import FINITE, check, numpy, rows

ML: dict[str, Any] = {"domain": "ai.onnx.ml"}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_scaler(dtype: str) -> None:
    x = rows(dtype, 3)
    check("Scaler", x, offset=[1.5, 0.0, -2.0], scale=[0.1, 2.0, 3.0], **ML)
    check("Scaler", x, offset=[1.5], scale=[0.1], **ML)


def test_linear_regressor() -> None:
    x = rows("float32", 3, values=FINITE)
    check("LinearRegressor", x, coefficients=[1.0, 0.5, -2.0], intercepts=[0.25], **ML)
    check("LinearRegressor", x, coefficients=[1.0, 0.5, -2.0, 3.0, 0.0, 1.0], targets=2, **ML)


@pytest.mark.parametrize("norm", ["L1", "L2"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_normalizer(dtype: str, norm: str) -> None:
    check("Normalizer", rows(dtype, 3, values=(0, 1, -1, 3)), norm=norm, **ML)


def test_feature_vectorizer() -> None:
    joined = numpy(lambda a, b: np.hstack([a, b]))  # ONNX Runtime 1.32 aborts on zero rows
    check("FeatureVectorizer", rows("float32", 2), rows("float32", 1), judge=joined, inputdimensions=[2, 1], **ML)
