"""Convolutions and pooling run natively, as ONNX Runtime answers; absurd sizes are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import sardonyx
from sardonyx.lowering.lower import lower

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
TRANSPOSED: dict[str, tuple[tuple[int, ...], list[Any], dict[str, Any]]] = {
    "plain": ((3, 4, 5), [weights(3, 2, 3, 2), weights(2)], {"strides": [2, 2]}),
    "pads": ((2, 4, 5), [weights(2, 2, 3, 3)], {"strides": [2, 3], "pads": [1, 0, 1, 2], "output_padding": [1, 2]}),
    "groups": ((4, 3, 3), [weights(4, 2, 2, 2), weights(4)], {"group": 2, "dilations": [2, 1]}),
    "one axis": ((2, 6), [weights(2, 3, 4)], {"strides": [2], "pads": [1, 1]}),
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


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolutions(name: str) -> None:
    shape, arrays, attributes = TRANSPOSED[name]
    check(model([("ConvTranspose", arrays, attributes)], ["N", *shape]), (3, *shape), (1, *shape))


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
