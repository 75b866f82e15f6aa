"""Normalisation of layers, rows apart and as a whole, as ONNX Runtime answers; the rest is in test_windows.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import sardonyx
from sardonyx.lowering.lower import lower

from ..parsing import parsed
from .single import FINITE, assert_same, check, numpy, rows

SCALE, SHIFT = np.array([0.5, -1.0, 2.0, 1.5], np.float32), np.array([1.0, 0.0, -2.0, 3.0], np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4,), (3, 4)])
def test_layers(dtype: str, shape: tuple[int, ...]) -> None:
    x, scale, shift = rows(dtype, *shape, values=FINITE), SCALE.astype(dtype), SHIFT.astype(dtype)
    for axis in {-1, len(shape)}:
        check("LayerNormalization", x, scale, shift, rtol=1e-5, axis=axis, epsilon=0.01)
    check("LayerNormalization", x, scale, rtol=1e-5)


def test_from_an_axis_on() -> None:
    scale = np.arange(12, dtype=np.float32).reshape(3, 4)
    for axis in (1, -2):
        check("LayerNormalization", rows("float32", 3, 4, values=FINITE), scale, rtol=1e-5, axis=axis)
    # with its mean and the inverse of its deviation
    check("LayerNormalization", rows("float32", 3, 4, values=FINITE), SCALE, SHIFT, outputs=3, rtol=1e-5)


def test_root_mean_squares() -> None:
    def judge(x: Any) -> Any:
        return x / np.sqrt(np.mean(np.square(x), axis=-1, keepdims=True) + np.float32(1e-5)) * SCALE

    check("RMSNormalization", rows("float32", 3, 4, values=FINITE), SCALE, judge=numpy(judge), opset=23, rtol=1e-5)


def test_the_rows_normalized_are_no_rows() -> None:
    model = parsed("g (float[N,4] x, float[N,4] s) => (float[N,4] y) { y = LayerNormalization<axis=0>(x, s) }")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert lower(model).reference_operators == ("LayerNormalization",)
    (expected,) = ort.InferenceSession(model.SerializeToString()).run(None, {"x": x, "s": x})
    (y,) = sardonyx.load(model).run(None, {"x": x, "s": x})
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_half_precision_and_scales_of_rows() -> None:
    model = parsed("g (float[N,4] x, float[N,4] s) => (float[N,4] y) { y = LayerNormalization<axis=1>(x, s) }")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    (y,) = sardonyx.load(model).run(None, {"x": x, "s": x})
    gap = x - x.mean(axis=1, keepdims=True)
    assert_same(y, gap / np.sqrt(np.square(gap).mean(axis=1, keepdims=True) + 1e-5) * x, rtol=1e-5)
