"""Operators in Python that onnx's own implementation gets wrong, as ONNX Runtime answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

import sardonyx
from sardonyx.lowering.reference.operators import evaluator

from ...parsing import parsed

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


EMPTY = np.zeros((0, 3), np.float32)
OLD: dict[str, tuple[str, int, Any]] = {
    "softmax of all axes": ("float[2,3,4] y) { y = Softmax(z)", 11, np.arange(24.0).reshape(2, 3, 4)),
    "log softmax": ("float[2,3,4] y) { y = LogSoftmax<axis=-2>(z)", 12, np.arange(24.0).reshape(2, 3, 4)),
    "hardmax": ("float[2,3,4] y) { y = Hardmax<axis=0>(z)", 11, np.arange(24.0).reshape(2, 3, 4)),
    "hardmax by axis": ("float[2,3,4] y) { y = Hardmax<axis=1>(z)", 18, np.arange(24.0).reshape(2, 3, 4) % 5),
    "lengths": ("float[2,2] y) { y = LpNormalization<axis=0, p=1>(z)", 18, [[-1.0, 2.0], [3.0, -5.0]]),
    "masks": ("float[2,2] y, float[2,2] m) { y, m = Dropout(z)", 9, [[-1.0, 2.0], [3.0, -5.0]]),
    "flat": ("float[n,m] y) { y = Flatten<axis=1>(z)", 18, EMPTY),
    "squares alone": ("float[2] y) { y = ReduceSumSquare<noop_with_empty_axes=1>(z)", 18, [2.0, -3.0]),
    "axes as attribute": ("float[2] y) { y = ReduceLogSumExp<axes=[1], keepdims=0>(z)", 13, [[1.0, 2.0], [3.0, -5.0]]),
    "sums of nothing": ("float[1,3] y) { y = ReduceL2<axes=[0]>(z)", 13, EMPTY),
    "a slope": ("float[2] y) { s = Reciprocal(z) y = PRelu(z, s)", 16, [0.0, -1.0]),
}


@pytest.mark.parametrize("text", OLD)
@pytest.mark.parametrize("known", [True, False])
def test_operators_of_numbers(text: str, known: bool) -> None:
    """Folded, as all is known, and run: behind `NonZero`, after which nothing is."""
    body, opset, given = OLD[text]
    x = np.asarray(given, np.float32)
    shape = ",".join(map(str, x.shape))
    if known:
        model = parsed(f"g (float[1] q) => ({body} }}")
        model.opset_import[0].version = opset
        model.graph.initializer.append(onnx.numpy_helper.from_array(x, "z"))
        feeds: dict[str, Any] = {"q": x.reshape(-1)[:1] if x.size else np.zeros(1, np.float32)}
    else:
        model = parsed(
            f"g (float[{shape}] x) => (int64[n,m] i, {body.replace('{', '{ i = NonZero(x) z = Identity(x)')} }}"
        )
        model.opset_import[0].version, feeds = opset, {"x": x}
    expected = ort.InferenceSession(model.SerializeToString()).run(None, feeds)
    with np.errstate(all="ignore"):
        by_reference = expected if known else list(evaluator(model).run(None, feeds))
    for answers in (sardonyx.load(model).run(None, feeds), by_reference):
        for actual, e in zip(answers, expected, strict=True):
            np.testing.assert_allclose(actual, e, rtol=1e-6)
            assert actual.dtype == e.dtype
            assert actual.shape == e.shape


@pytest.mark.parametrize("axis", ["", "<axis=0>", "<axis=-1>"])
@pytest.mark.parametrize("condition", [[], [1], [0, 1, 1, 1, 1, 1]])
def test_conditions_of_other_lengths(axis: str, condition: list[int]) -> None:
    text = f"g (float[3,4] x, bool[k] c) => (float[{'n' if not axis else 'n,m'}] y) {{ y = Compress{axis}(x, c) }}"
    assert_as_onnxruntime(text, x=X, c=np.array(condition, bool))


def test_statistics_of_old_batch_normalizations() -> None:
    given = {name: np.arange(1, 5, dtype=np.float32) + i for i, name in enumerate("sbmv")}
    text = """g (float[3,4] x, float[4] s, float[4] b, float[4] m, float[4] v) => (float[3,4] y)
        { y = BatchNormalization(x, s, b, m, v) }"""
    for opset in (7, 8, 9, 14):
        model = parsed(text)
        model.opset_import[0].version = opset
        feeds = {"x": X, **given}
        expected = ort.InferenceSession(model.SerializeToString()).run(None, feeds)[0]
        np.testing.assert_allclose(next(iter(evaluator(model).run(None, feeds))), expected, rtol=1e-5, atol=1e-6)


def test_powers_of_integers() -> None:
    model = parsed("g (int64[6] a, int64[6] b) => (int64[6] y) { y = Pow(a, b) }")
    feeds = {"a": np.array([2, 1, -1, -1, 3, -2]), "b": np.array([-1, -2, -3, -2, 2, 3])}
    assert next(iter(evaluator(model).run(None, feeds))).tolist() == [0, 1, -1, 1, 9, -8]
