"""Convolutions and pooling run natively, as ONNX Runtime answers; absurd sizes are left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import sardonyx
from sardonyx.errors import ProgramError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program

from ..native.programs import ISAS, Builder, load

Array = NDArray[Any]
rng = np.random.default_rng(0)


def weights(*shape: int) -> Array:
    return rng.normal(size=shape).astype(np.float32)


def model(
    nodes: list[tuple[str, list[Any], dict[str, Any]]], shape: list[Any], opset: int = 17, kind: int = TensorProto.FLOAT
) -> bytes:
    """Return a chain of nodes; what is beside each one's first input are constants."""
    made, constants, last = [], [], "X"
    for i, (op_type, arrays, attributes) in enumerate(nodes):
        names = [f"w{i}_{j}" for j in range(len(arrays))]
        constants += [numpy_helper.from_array(np.asarray(a), name) for a, name in zip(arrays, names, strict=True)]
        made.append(helper.make_node(op_type, [last, *names], [f"y{i}"], **attributes))
        last = f"y{i}"
    X, Y = helper.make_tensor_value_info("X", kind, shape), helper.make_tensor_value_info(last, kind, None)
    graph = helper.make_graph(made, "g", [X], [Y], constants)
    proto: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return bytes(proto.SerializeToString())


def check(content: bytes, *shapes: tuple[int, ...], dtype: str = "float32") -> None:
    judge = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    session = sardonyx.InferenceSession(content)
    for shape in shapes:
        X = rng.normal(size=shape).astype(dtype)
        X.reshape(-1)[::5] = 0
        (actual,), (expected,) = session.run(None, {"X": X}), judge.run(None, {"X": X})
        assert actual.shape == expected.shape
        assert actual.dtype == expected.dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    assert "reference" not in session.explain()


CONVOLUTIONS: dict[str, tuple[tuple[int, ...], list[Any], dict[str, Any]]] = {
    "plain": ((3, 6, 7), [weights(4, 3, 2, 3)], {}),
    "bias, pads, strides": ((3, 6, 7), [weights(4, 3, 3, 3), weights(4)], {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
    "dilated": ((2, 9, 9), [weights(3, 2, 3, 2)], {"dilations": [2, 3]}),
    "groups": ((4, 5, 5), [weights(6, 2, 3, 3), weights(6)], {"group": 2, "pads": [1] * 4}),
    "depthwise": ((4, 5, 5), [weights(4, 1, 3, 3)], {"group": 4}),
    "one axis": ((3, 8), [weights(2, 3, 3), weights(2)], {"pads": [2, 0]}),
    "three axes": ((2, 3, 4, 5), [weights(2, 2, 2, 2, 2)], {"strides": [1, 2, 2]}),
    "same, upper": ((1, 5, 6), [weights(1, 1, 2, 4)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "same, lower": ((1, 5, 6), [weights(1, 1, 2, 4)], {"auto_pad": "SAME_LOWER", "strides": [2, 1]}),
    "valid": ((1, 5, 6), [weights(1, 1, 2, 2)], {"auto_pad": "VALID", "kernel_shape": [2, 2]}),
}
POOLS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "largest": ("MaxPool", (3, 6, 7), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "largest, pads": ("MaxPool", (2, 6, 7), {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1], "strides": [2, 1]}),
    "largest, dilated": ("MaxPool", (2, 7, 7), {"kernel_shape": [2, 3], "dilations": [2, 2]}),
    "largest, ceiling": ("MaxPool", (1, 6, 6), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "largest, one axis": ("MaxPool", (2, 9), {"kernel_shape": [4], "strides": [3], "pads": [0, 2], "ceil_mode": 1}),
    "mean": ("AveragePool", (3, 6, 7), {"kernel_shape": [2, 3], "strides": [2, 2]}),
    "mean, pads": ("AveragePool", (2, 5, 5), {"kernel_shape": [3, 3], "pads": [1] * 4}),
    "mean with pads": ("AveragePool", (2, 5, 5), {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1}),
    "mean, same": ("AveragePool", (1, 5, 6), {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name: str) -> None:
    shape, arrays, attributes = CONVOLUTIONS[name]
    content = model([("Conv", arrays, attributes)], ["N", *shape])
    check(content, (2, *shape), (1, *shape), (0, *shape), (40, *shape))


SHARED: dict[str, tuple[tuple[int, ...], list[Any], dict[str, Any]]] = {  # large enough for threads to share a row
    "filters": ((16, 32, 32), [weights(23, 16, 3, 3), weights(23)], {"pads": [1] * 4}),
    "strides": ((16, 63, 63), [weights(22, 16, 3, 3)], {"strides": [2, 2]}),
    "in place": ((64, 20, 20), [weights(130, 64, 1, 1), weights(130)], {}),
    "groups": ((12, 40, 40), [weights(36, 4, 3, 3), weights(36)], {"group": 3, "pads": [1] * 4}),
    "depthwise": ((64, 41, 41), [weights(64, 1, 5, 5)], {"group": 64, "pads": [2] * 4}),
}


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("name", SHARED)
def test_threads_share_a_row(name: str, isa: str) -> None:
    shape, arrays, attributes = SHARED[name]
    content = model([("Conv", arrays, attributes), ("Relu", [], {})], ["N", *shape])
    check(content, (1, *shape))
    plan = lower(onnx.load_from_string(content))
    assert plan.native is not None
    alone, together = (load(plan.native, threads, isa) for threads in (1, 3))
    X = rng.normal(size=(7, *shape)).astype("float32")
    (expected,) = alone.run(None, {"X": X})
    for rows in (1, 2, 7):
        for _ in range(6):  # the first four without
            np.testing.assert_array_equal(together.run(None, {"X": X[:rows]})[0], expected[:rows])
    with ThreadPoolExecutor(3) as callers:
        for result in callers.map(lambda i: together.run(None, {"X": X[i : i + 2]})[0] - expected[i : i + 2], range(6)):
            assert not result.any()


@pytest.mark.parametrize("opset", [11, 17, 19, 21])
@pytest.mark.parametrize("name", POOLS)
def test_pooling(name: str, opset: int) -> None:
    op_type, shape, attributes = POOLS[name]
    check(model([(op_type, [], attributes)], ["N", *shape], opset), (3, *shape), (0, *shape), (1, *shape))


def test_in_float64() -> None:
    nodes: list[Any] = [("Conv", [weights(2, 1, 3).astype(np.float64)], {}), ("MaxPool", [], {"kernel_shape": [2]})]
    content = model(nodes, ["N", 1, 8], 17, TensorProto.DOUBLE)
    X = rng.normal(size=(4, 1, 8))
    (actual,) = sardonyx.InferenceSession(content).run(None, {"X": X})
    judge: Any = ReferenceEvaluator(onnx.load_from_string(content))
    (expected,) = judge.run(None, {"X": X})
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [["N", 1, 8, 8], [2, 1, 8, 8], ["N", 1, "H", "W"]])
def test_a_network_of_images(shape: list[Any]) -> None:
    nodes: list[Any] = [
        ("Conv", [weights(4, 1, 3, 3), weights(4)], {"pads": [1, 1, 1, 1]}),
        ("Relu", [], {}),
        ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", [weights(8, 4, 3, 3), weights(8)], {}),
        ("BatchNormalization", [weights(8), weights(8), weights(8), weights(8) ** 2], {}),
        ("GlobalAveragePool", [], {}),
        ("Flatten", [], {}),
        ("Gemm", [weights(3, 8), weights(3)], {"transB": 1}),
        ("Softmax", [], {"axis": -1}),
    ]
    check(model(nodes, shape), (2, 1, 8, 8), *([] if shape[0] == 2 else [(5, 1, 8, 8)]))


def test_a_maximum_of_nan_is_nan() -> None:
    session = sardonyx.InferenceSession(model([("MaxPool", [], {"kernel_shape": [2]})], ["N", 1, 3]))
    (y,) = session.run(None, {"X": np.array([[[np.nan, 1, 2]], [[np.inf, -np.inf, -np.inf]]], np.float32)})
    assert np.array_equal(y, np.array([[[np.nan, 2]], [[np.inf, -np.inf]]], np.float32), equal_nan=True)


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [1 << 40]},
        {"kernel_shape": [2], "pads": [1 << 62, 1 << 62]},
        {"kernel_shape": [2], "dilations": [1 << 62]},
        {"kernel_shape": [2], "strides": [0]},
        {"kernel_shape": [2], "strides": [-1]},
        {"kernel_shape": [1 << 15], "pads": [1 << 15, 1 << 15]},
        {"kernel_shape": [0]},
        {"kernel_shape": [2, 2]},
        {"kernel_shape": [2], "pads": [-1, 0]},
        {"kernel_shape": [9]},
    ],
)
def test_absurd_windows_are_left_alone(attributes: dict[str, Any]) -> None:
    proto = onnx.load_from_string(model([("AveragePool", [], attributes)], ["N", 1, 3]))
    assert lower(proto).reference_operators


# ---- any window, in every instruction set ----------------------------------------------------------------------------


@st.composite
def axes_of_windows(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """Draw size, kernel, count, stride, dilation and padding of three axes; windows may end beyond the image."""
    axes: list[tuple[int, ...]] = [(1, 1, 1, 1, 1, 0)] * draw(st.integers(0, 2))
    for _ in range(3 - len(axes)):
        size, kernel = draw(st.integers(1, 19)), draw(st.integers(1, 4))
        stride, dilation, before = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
        most = max(0, size + before + draw(st.integers(0, 3)) - (kernel - 1) * dilation - 1) // stride + 1
        axes.append((size, kernel, draw(st.integers(max(1, most - 1), most)), stride, dilation, before))
    return axes


def seen(X: Array, axes: list[tuple[int, ...]], outside: float) -> Array:
    """Return (N, C, counts, kernels): what each window sees."""
    for i, (size, kernel, count, stride, dilation, before) in enumerate(axes):
        at = np.arange(count)[:, None] * stride + np.arange(kernel) * dilation - before
        inside = ((at >= 0) & (at < size)).reshape(at.shape + (1,) * (X.ndim - 3 - i))
        X = np.where(inside, np.take(X, np.clip(at, 0, size - 1), axis=2 + i), outside)
        X = np.moveaxis(X, 3 + i, -1)
    return X


def numbers(axes: list[tuple[int, ...]]) -> list[int]:
    return [number for axis in axes for number in axis]


def convolution(
    axes: list[tuple[int, ...]], groups: int, channels: int, filters: int, dtype: str, relu: int = 0
) -> tuple[Program, Array, Array]:
    """Return a program of one step, its weights and its bias."""
    of = np.random.default_rng(filters)
    w = of.integers(-3, 4, (groups * filters, channels, *(axis[1] for axis in axes))).astype(dtype)
    bias = of.integers(-3, 4, groups * filters).astype(dtype)
    b = Builder(block_rows=4)
    x = b.input("X", dtype, (groups * channels, *(axis[0] for axis in axes)))
    shape = (groups * filters, *(axis[2] for axis in axes))
    params = (1, groups * channels, groups * filters, groups, *numbers(axes), relu)
    y = b.step("Conv", [x, b.constant("w", w), b.constant("b", bias)], ("y", dtype, shape), *params)
    return b.program(y), w, bias


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    axes_of_windows(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.sampled_from(["float32", "float64"])
)
def test_any_convolution(axes: list[tuple[int, ...]], groups: int, channels: int, filters: int, dtype: str) -> None:
    program, w, bias = convolution(axes, groups, channels, filters, dtype)
    X = np.random.default_rng(0).integers(-4, 5, (3, groups * channels, *(axis[0] for axis in axes))).astype(dtype)
    parts = seen(X, axes, 0).reshape(3, groups, channels, *(axis[2] for axis in axes), -1)
    wide = w.reshape(groups, filters, channels, -1)
    expected = np.einsum("ngcdhwk,gmck->ngmdhw", parts, wide).reshape(3, groups * filters, *parts.shape[3:6])
    for isa in ISAS:
        native = load(program, isa=isa)
        (y,) = native.run(None, {"X": X})
        np.testing.assert_array_equal(y, expected + bias.reshape(-1, 1, 1, 1))  # of small integers all sums are exact
        np.testing.assert_array_equal(native.run(None, {"X": X[1:2]})[0], y[1:2])


@pytest.mark.parametrize("isa", ISAS)
def test_a_row_of_a_convolution_does_not_depend_on_its_neighbours(isa: str) -> None:
    program, _, _ = convolution([(1, 1, 1, 1, 1, 0), (11, 3, 11, 1, 1, 1), (13, 3, 13, 1, 1, 1)], 2, 3, 7, "float32")
    X = rng.normal(size=(9, 6, 1, 11, 13)).astype(np.float32)
    native = load(program, isa=isa)
    (together,) = native.run(None, {"X": X})
    for i in range(9):
        np.testing.assert_array_equal(native.run(None, {"X": X[i : i + 1]})[0][0], together[i])


@pytest.mark.parametrize("isa", ISAS)
def test_relu_behind_a_convolution_keeps_nan(isa: str) -> None:
    axes: list[tuple[int, ...]] = [(1, 1, 1, 1, 1, 0), (1, 1, 1, 1, 1, 0), (9, 1, 9, 1, 1, 0)]
    program, w, bias = convolution(axes, 1, 1, 2, "float32", relu=1)
    X = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1, -1, 100, -100], np.float32).reshape(1, 1, 1, 1, 9)
    with np.errstate(invalid="ignore"):
        sums = w.reshape(1, 2, 1, 1, 1) * X + bias.reshape(1, 2, 1, 1, 1)
    (y,) = load(program, isa=isa).run(None, {"X": X})
    np.testing.assert_array_equal(y, np.where(np.isnan(sums), sums, np.maximum(sums, 0)))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(axes_of_windows(), st.integers(1, 3), st.sampled_from(["float32", "float64"]), st.booleans())
def test_any_pooling(axes: list[tuple[int, ...]], channels: int, dtype: str, mean: bool) -> None:
    b = Builder(block_rows=4)
    counts = tuple(axis[2] for axis in axes)
    inputs = [b.input("X", dtype, (channels, *(axis[0] for axis in axes)))]
    if mean:
        inputs.append(b.constant("d", np.full(counts, 2, dtype)))
    program = b.program(b.step("Pool", inputs, ("y", dtype, (channels, *counts)), channels, int(mean), *numbers(axes)))
    X = np.random.default_rng(0).integers(-9, 10, (3, channels, *(axis[0] for axis in axes))).astype(dtype)
    if not mean:
        X.reshape(-1)[:: X.size // 5 + 1] = np.nan
    parts = seen(X, axes, 0 if mean else -np.inf)
    expected = parts.sum(axis=(-1, -2, -3)) / 2 if mean else parts.max(axis=(-1, -2, -3))
    for isa in ISAS:
        (y,) = load(program, isa=isa).run(None, {"X": X})
        np.testing.assert_array_equal(y, expected)


AXES = [(1, 1, 1, 1, 1, 0), (5, 2, 4, 1, 1, 0), (6, 3, 4, 1, 1, 0)]


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("number", [-1, 0, 1 << 25, 1 << 62, (1 << 63) - 1, -(1 << 63)])
def test_absurd_numbers_of_windows_are_refused(at: int, number: int) -> None:
    if (at, number) == (5, 0):
        return  # no padding is what there is
    axes = [AXES[0], AXES[1], tuple(number if i == at else n for i, n in enumerate(AXES[2]))]
    b = Builder()
    x = b.input("X", "float32", (2, 1, 5, 6))
    w = b.constant("w", weights(3, 2, 1, 2, 3))
    conv = b.step("Conv", [x, w], ("y", "float32", (3, 1, 4, 4)), 1, 2, 3, 1, *numbers(axes), 0)
    pool = b.step("Pool", [x], ("z", "float32", (2, 1, 4, 4)), 2, 0, *numbers(axes))
    for output in (conv, pool):
        step = next(step for step in b.steps if output in step.outputs)
        program = b.program(output)
        with pytest.raises(ProgramError):
            load(Program(program.slots, (step,), program.inputs, (output,)))


# ---- what is fused ---------------------------------------------------------------------------------------------------


def kernels_of(nodes: list[tuple[str, list[Any], dict[str, Any]]]) -> list[str]:
    program = lower(onnx.load_from_string(model(nodes, ["N", 3, 6, 7]))).native
    assert program is not None
    return [step.kernel for step in program.steps]


def test_normalised_channels_are_other_weights() -> None:
    conv: Any = ("Conv", [weights(4, 3, 2, 3)], {})
    norm: Any = ("BatchNormalization", [weights(4), weights(4), weights(4), weights(4) ** 2], {})
    assert kernels_of([conv, norm, ("Relu", [], {})]) == ["Conv"]
    assert kernels_of([conv, ("Mul", [np.float32(2)], {}), ("Add", [weights(4, 1, 1)], {})]) == ["Conv"]
    check(model([conv, norm, ("Relu", [], {})], ["N", 3, 6, 7]), (5, 3, 6, 7))
    check(model([conv, ("Div", [weights(4, 1, 1)], {})], ["N", 3, 6, 7]), (5, 3, 6, 7))
    check(model([conv, norm], [2, 3, 6, 7]), (2, 3, 6, 7))


def test_what_is_no_number_a_channel_stays_behind() -> None:
    conv: Any = ("Conv", [weights(4, 3, 2, 3)], {})
    for other in (weights(1, 1, 5), weights(5, 1), weights(4, 1, 5), np.full((4, 1, 1), np.inf, np.float32)):
        assert kernels_of([conv, ("Mul", [other], {})]) == ["Conv", "Mul"]
    assert kernels_of([conv, ("Relu", [], {}), ("Add", [weights(4, 1, 1)], {})]) == ["Conv", "Add"]


def test_one_window_that_sees_all_is_a_product() -> None:
    nodes: list[Any] = [("Conv", [weights(4, 3, 6, 7), weights(4)], {}), ("Relu", [], {})]
    assert kernels_of(nodes) == ["Linear", "Identity", "Relu"]
    check(model(nodes, ["N", 3, 6, 7]), (1, 3, 6, 7), (9, 3, 6, 7))
