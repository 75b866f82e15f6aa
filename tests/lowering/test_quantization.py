"""Quantised networks run natively, as ONNX Runtime answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from numpy.typing import NDArray

import sardonyx

Array = NDArray[Any]


def content_of(text: str, opset: int = 17) -> bytes:
    model: onnx.ModelProto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {text}')
    return bytes(model.SerializeToString())


def check(content: bytes, X: Array) -> None:
    judge = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    session = sardonyx.InferenceSession(content)
    for x in (X, X[:1], X[:0]):
        (actual,), (expected,) = session.run(None, {"x": x}), judge.run(None, {"x": x})
        assert actual.dtype == expected.dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
    assert "reference" not in session.explain()


HARD = np.array([[np.nan, np.inf, -np.inf], [0.25, 0.75, -0.25], [1e9, -1e9, -0.0], [31.9, -64.2, 1.24]], np.float32)


@pytest.mark.parametrize("opset", [13, 17, 19, 21])
@pytest.mark.parametrize(("zero", "kind"), [("10", "uint8"), ("-3", "int8"), ("0", "int8")])
def test_numbers_are_rounded_and_cut(zero: str, kind: str, opset: int) -> None:
    text = f"""g (float[N,3] x) => ({kind}[N,3] y)
        <float s = {{0.5}}, {kind} z = {{{zero}}}> {{ y = QuantizeLinear(x, s, z) }}"""
    check(content_of(text, opset), HARD)


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_there_and_back_by_columns(opset: int) -> None:
    text = """g (float[N,3] x) => (float[N,3] y)
        <float[3] s = {0.5, 0.25, 1.5}, uint8[3] z = {10, 0, 128}>
        { q = QuantizeLinear<axis = 1>(x, s, z)  y = DequantizeLinear<axis = -1>(q, s, z) }"""
    check(content_of(text, opset), HARD)


def test_without_a_zero_point() -> None:
    text = (
        "g (float[N,3] x) => (float[N,3] y) <float s = {0.5}> { q = QuantizeLinear(x, s)  y = DequantizeLinear(q, s) }"
    )
    check(content_of(text), HARD)


def test_a_layer_with_quantised_weights() -> None:
    text = """g (float[N,3] x) => (float[N,2] y)
        <float s = {0.05}, int8 z = {0}, int8[2,3] w = {100, -7, 3, -90, 14, 55}, float[2] ws = {0.02, 0.03},
         int8[2] wz = {0, 1}, float[2] b = {0.5, -1}>
        { q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)  v = DequantizeLinear<axis = 0>(w, ws, wz)
          y = Gemm<transB = 1>(d, v, b) }"""
    check(content_of(text), HARD[1:])


@pytest.mark.parametrize("zero", ["int8 wz = {3}", "int8[2] wz = {3, -4}"])
def test_products_of_integers(zero: str) -> None:
    text = f"""g (uint8[N,3] x) => (int32[N,2] y)
        <uint8 z = {{7}}, int8[3,2] w = {{100, -7, 3, -90, 14, 55}}, {zero}> {{ y = MatMulInteger(x, w, z, wz) }}"""
    check(content_of(text), np.random.default_rng(0).integers(0, 256, (5, 3)).astype(np.uint8))


def test_scales_of_the_batch() -> None:
    text = """g (float[N,3] x) => (float[N,2] y) <int8[3,2] w = {100, -7, 3, -90, 14, 55}, float ws = {0.02}>
        { q, s, z = DynamicQuantizeLinear(x)  i = MatMulInteger(q, w, z)  f = Cast<to = 1>(i)  t = Mul(s, ws)
          y = Mul(f, t) }"""
    content = content_of(text)
    X = np.array([[0, 255, 12], [3, 4, 200], [1, 1, 7]], np.float32)  # whole numbers of steps: no ties
    session = sardonyx.InferenceSession(content)
    judge = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": X})[0], judge.run(None, {"x": X})[0], rtol=1e-6)
    assert "reference" not in session.explain()
