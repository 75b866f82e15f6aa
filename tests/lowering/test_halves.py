"""Floats of 16 bits: cast to the last bit, moved as they are, computed with in float32."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

import sardonyx
from sardonyx import _native
from sardonyx.lowering.program import Program, Slot, Step
from sardonyx.lowering.sdx import pack

Array = NDArray[Any]
TYPES: dict[str, tuple[int, Any]] = {
    "float16": (TensorProto.FLOAT16, np.float16),
    "bfloat16": (TensorProto.BFLOAT16, ml_dtypes.bfloat16),
}
ALL_BITS = np.arange(1 << 16, dtype=np.uint16)


def loaded(text: str) -> Any:
    session = sardonyx.load(onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["": 21]> {text}'))
    assert "reference" not in session.explain()
    return session


def cast(source: int, target: int) -> Any:
    x, y = (helper.make_tensor_value_info(n, t, ["N"]) for n, t in (("x", source), ("y", target)))
    graph = helper.make_graph([helper.make_node("Cast", ["x"], ["y"], to=target)], "g", [x], [y])
    session = sardonyx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))
    assert "reference" not in session.explain()
    return lambda array: session.run(None, {"x": array})[0]


def same_bits(actual: Array, expected: Array) -> None:
    """All but the payload of NaN."""
    assert actual.dtype == expected.dtype
    with np.errstate(invalid="ignore"):
        nan = expected != expected
        np.testing.assert_array_equal(actual != actual, nan)
    size = np.dtype(f"u{expected.dtype.itemsize}")
    np.testing.assert_array_equal(actual[~nan].view(size), expected[~nan].view(size))


@pytest.mark.parametrize("half", TYPES)
@pytest.mark.parametrize(("element", "wide"), [(TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64)])
def test_every_value_is_widened_and_comes_back(half: str, element: int, wide: Any) -> None:
    number, dtype = TYPES[half]
    values = ALL_BITS.view(dtype)
    with np.errstate(all="ignore"):
        expected = values.astype(wide)
    widened = cast(number, element)(values)
    same_bits(widened, expected)
    same_bits(cast(element, number)(widened), values)


@pytest.mark.parametrize("half", TYPES)
def test_numbers_are_rounded_once_to_the_nearest(half: str) -> None:
    number, dtype = TYPES[half]
    values = ALL_BITS.view(dtype)
    with np.errstate(invalid="ignore"):
        finite = np.sort(values[np.isfinite(values)].astype(np.float64))
    middle = (finite[1:] + finite[:-1]) / 2
    tried = np.concatenate(
        [middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf), [np.inf, -np.inf, 1e300]]
    )
    rounded = cast(TensorProto.DOUBLE, number)(tried).astype(np.float64)
    largest = finite[-1]
    near = np.abs(tried) < largest
    below = finite[np.clip(np.searchsorted(finite, tried[near], "right") - 1, 0, None)]
    above = finite[np.clip(np.searchsorted(finite, tried[near], "left"), None, len(finite) - 1)]
    down, up = tried[near] - below, above - tried[near]
    assert ((rounded[near] == below) | (rounded[near] == above)).all()
    np.testing.assert_array_equal(rounded[near][down < up], below[down < up])
    np.testing.assert_array_equal(rounded[near][down > up], above[down > up])
    ties = rounded[near][(down == up) & (down > 0)].astype(dtype).view(np.uint16)
    assert (ties % 2 == 0).all()
    assert np.isinf(rounded[-3:]).all()


def test_integers_and_bools() -> None:
    values = np.array([0, 1, -1, 2047, 2049, 65504, 70000, -(1 << 40)])
    with np.errstate(over="ignore"):
        same_bits(cast(TensorProto.INT64, TensorProto.FLOAT16)(values), values.astype(np.float16))
    halves = np.array([0.5, -2.75, 300, np.nan, -0.0], np.float16)
    assert cast(TensorProto.FLOAT16, TensorProto.INT32)(halves[:3]).tolist() == [0, -2, 300]
    assert cast(TensorProto.FLOAT16, TensorProto.BOOL)(halves).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("half", TYPES)
@pytest.mark.parametrize("body", ["Add(x, y)", "Sub(x, y)", "Mul(x, y)", "Div(x, y)"])
@pytest.mark.parametrize("rows", ["N", "3000"])
def test_arithmetic_is_that_of_the_type(half: str, body: str, rows: str) -> None:
    dtype = TYPES[half][1]
    session = loaded(f"g ({half}[{rows}, 2] x, {half}[{rows}, 2] y) => ({half}[{rows}, 2] z) {{ z = {body} }}")
    rng = np.random.default_rng(0)
    x, y = (rng.integers(0, 1 << 16, (3000, 2), dtype=np.uint16).view(dtype) for _ in range(2))
    with np.errstate(all="ignore"):
        operation = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}[body[:3]]
        same_bits(session.run(None, {"x": x, "y": y})[0], operation(x, y))


@pytest.mark.parametrize("half", TYPES)
def test_a_network(half: str) -> None:
    """A product, a comparison that gives integers, elements moved, attributes of the type."""
    dtype = TYPES[half][1]
    session = loaded(f"""g ({half}[N, 4] x) => ({half}[N, 2] y, int64[N, 1] k, {half}[N, 2, 2] moved)
        <float[4, 2] wide = {{1, 2, 3, 4, 5, 6, 7, 8}}, int64[3] shape = {{-1, 2, 2}}>
        {{ w = CastLike(wide, x) h = MatMul(x, w) y = Softmax<axis=1>(h) k = ArgMax<axis=1>(h) r = Reshape(x, shape)
           moved = Transpose<perm=[0, 2, 1]>(r) }}""")
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(dtype)
    y, k, moved = session.run(None, {"x": x})
    h = x.astype(np.float32) @ np.arange(1, 9, dtype=np.float32).reshape(4, 2)
    e = np.exp(h - h.max(1, keepdims=True))
    tolerance = {"float16": 2**-7, "bfloat16": 2**-4}[half]  # h and what softmax does with it are rounded
    np.testing.assert_allclose(y.astype(np.float32), e / e.sum(1, keepdims=True), rtol=tolerance, atol=tolerance)
    assert (k.dtype, y.dtype, moved.dtype) == (np.int64, dtype, dtype)
    same_bits(moved, np.ascontiguousarray(x.reshape(-1, 2, 2).swapaxes(1, 2)))
    for given in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x.astype(np.float64)):
        same_bits(session.run(["y"], {"x": given})[0], y)
    with pytest.raises(sardonyx.InputError, match="cannot hold exactly"):
        session.run(None, {"x": np.full((1, 4), 1 / 3)})


def test_trees_of_halves() -> None:
    halves = {n: onnx.numpy_helper.from_array(np.array(v, np.float16)) for n, v in (
        ("nodes_splits", [0.1]), ("leaf_weights", [1.5, 2.5]))}  # fmt: skip
    node = helper.make_node(
        "TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, tree_roots=[0], nodes_featureids=[0],
        nodes_truenodeids=[0], nodes_falsenodeids=[1], nodes_trueleafs=[1], nodes_falseleafs=[1], leaf_targetids=[0, 0],
        nodes_modes=onnx.numpy_helper.from_array(np.zeros(1, np.uint8)), **halves)  # fmt: skip
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT16, ["N", 1]) for n in "xy")
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    session = sardonyx.load(
        helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opsets, ir_version=10)
    )
    assert "reference" not in session.explain()
    given = np.array([[0.1], [np.nextafter(np.float16(0.1), np.float16(1))], [0]], np.float16)
    assert session.run(None, {"x": given})[0].tolist() == [[1.5], [2.5], [1.5]]


def test_kernels_that_would_read_beyond_halves_are_refused() -> None:
    """A file may say float16 of any slot; most kernels tell numbers apart by larger types."""
    slots = (
        Slot("x", "float16", (2,)),
        Slot("keys", "float16", (1,), np.zeros(1, np.float16)),
        Slot("values", "int64", (1,), np.zeros(1, np.int64)),
        Slot("y", "int64", (2,)),
    )
    program = Program(slots, (Step("LabelEncoder", (0, 1, 2, 2), (3,)),), (0,), (3,))
    with pytest.raises(sardonyx.ProgramError, match="does not know floats of 16 bits"):
        _native.Program.from_bytes(pack(program))
    sparse = (replace(slots[0], sparse=True), Slot("y", "float16", (2,)))
    with pytest.raises(sardonyx.ProgramError, match="a sparse slot of floats of 16 bits"):
        _native.Program.from_bytes(pack(Program(sparse, (Step("Densify", (0,), (1,)),), (0,), (1,))))
