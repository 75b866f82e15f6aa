"""Operators in Python that onnx's own implementation gets wrong, as ONNX Runtime answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import sardonyx

from .test_shaped import parsed

X = np.array([[3, 1, 1, 2], [3, 1, 1, 2], [0, 3, 3, 1]], np.float32)


def assert_as_onnxruntime(text: str, opset: int = 19, **feeds: Any) -> None:
    model = parsed(text)
    model.opset_import[0].version = opset
    expected = ort.InferenceSession(model.SerializeToString()).run(None, feeds)
    for actual, e in zip(sardonyx.load(model).run(None, feeds), expected, strict=True):
        np.testing.assert_array_equal(actual, e)
        assert actual.dtype == e.dtype


@pytest.mark.parametrize("attributes", ["sorted=0", "sorted=1", "axis=0, sorted=0", "axis=-1, sorted=0", "axis=1"])
def test_unique(attributes: str) -> None:
    text = "g (float[3,4] x) => (float[a] y, int64[b] i, int64[c] j, int64[d] n)"
    if "axis" in attributes:
        text = text.replace("float[a]", "float[a,e]")
    assert_as_onnxruntime(f"{text} {{ y, i, j, n = Unique<{attributes}>(x) }}", x=X)
    assert_as_onnxruntime(f"{text} {{ y, i, j, n = Unique<{attributes}>(x) }}", x=np.tile(X[:1], (3, 1)))


@pytest.mark.parametrize(
    "bounds", [(-9, -100, -1), (-4, -100, -1), (-5, -100, -2), (9, -9, -3), (-9, 2, 1), (2, -1, -1)]
)
def test_slices_backwards(bounds: tuple[int, int, int]) -> None:
    a, b, c = (np.array([bound]) for bound in bounds)
    text = "g (float[3,4] x, int64[1] a, int64[1] b, int64[1] c) => (float[n,m] y) <int64[1] d = {1}>"
    assert_as_onnxruntime(f"{text} {{ y = Slice(x, a, b, d, c) }}", x=X, a=a, b=b, c=c)
    known = "".join(f"{name} = Constant<value_ints=[{value}]>() " for name, value in zip("abc", bounds, strict=True))
    for shape in ("3,4", "N,4"):
        text = f"g (float[{shape}] x) => (float[n,m] y) <int64[1] d = {{1}}> {{ {known} y = Slice(x, a, b, d, c) }}"
        assert_as_onnxruntime(text, x=X)


def test_slices_whose_bounds_are_attributes() -> None:
    text = "g (float[3,4] x) => (int64[n,m] y) { z = Slice<starts=[1], ends=[3], axes=[1]>(x) y = NonZero(z) }"
    assert_as_onnxruntime(text, opset=9, x=X)


@pytest.mark.parametrize("text", [
    "g (float[N,4] x, double[M] z) => (float[N,4] y) { y = Neg(x) }",
    "g (float[N,4] x, double[M] z) => (double[N,4] y) { y = CastLike(x, z) }",
])  # fmt: skip
def test_inputs_that_nothing_reads_are_inputs(text: str) -> None:
    assert_as_onnxruntime(text, x=X, z=np.zeros(7))
