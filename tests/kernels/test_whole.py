"""Tensors of known shapes without rows: every axis, every way of moving and joining them, against onnx.reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sardonyx.lowering.lower import lower, lower_whole
from sardonyx.lowering.runner import PlanRunner

from ..parsing import parsed
from .single import FINITE, SPECIAL, assert_same, check, check_whole, of_rows, onnxruntime, rows

Array = NDArray[Any]


def numbers(*shape: int) -> Array:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


X = numbers(3, 4, 2)


@pytest.mark.parametrize("axis", [-3, 0, 1, 2])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin", "LpNormalization"])
def test_along_every_axis(op: str, axis: int) -> None:
    element = "int64" if op.startswith("Arg") else "float"
    check_whole(f"g (float[3,4,2] x) => ({element}[a,b,c] y) {{ y = {op}<axis={axis}>(x) }}", X)


@pytest.mark.parametrize("axes", ["", "{0}", "{0,2}", "{-1,-3}", "{0,1,2}"])
@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"])
def test_reductions_of_any_axes(op: str, axes: str) -> None:
    count = axes.count(",") + 1
    given = f"<int64[{count}] axes={axes}>" if axes else ""
    second = ", axes" if axes else ""
    for keep in (0, 1):
        check_whole(f"g (float[3,4,2] x) => (float[a] y) {given} {{ y = {op}<keepdims={keep}>(x{second}) }}", X)


BODIES = {
    "transpose": "y = Transpose(x)",
    "transpose and flatten": "t = Transpose<perm=[2,0,1]>(x) y = Flatten<axis=2>(t)",
    "flatten nothing": "y = Flatten<axis=0>(x)",
    "shape": "y = Shape(x)",
    "size": "y = Size(x)",
    "reshape": "s = Constant<value_ints=[2,-1,0]>() t = Transpose<perm=[1,2,0]>(x) y = Reshape(x, s)",
    "squeeze": "s = Constant<value_ints=[1,3,4,1,2]>() r = Reshape(x, s) y = Squeeze(r)",
    "unsqueeze": "a = Constant<value_ints=[0,-1]>() y = Unsqueeze(x, a)",
    "expand": "s = Constant<value_ints=[2,1,1,2]>() y = Expand(x, s)",
    "tile": "r = Constant<value_ints=[2,1,3]>() y = Tile(x, r)",
    "concat with a constant": "c = Constant<value=float[3,4,1] {0,1,2,3,4,5,6,7,8,9,10,11}>() y = Concat<axis=2>(x, c)",
    "concat below": "y = Concat<axis=0>(x, x)",
    "gather": "i = Constant<value_ints=[2,-3]>() y = Gather<axis=0>(x, i)",
    "split": "y, z = Split<axis=0, num_outputs=2>(x)",
    "slice": "s = Constant<value_ints=[2]>() e = Constant<value_ints=[-9]>() a = Constant<value_ints=[0]>() "
    "p = Constant<value_ints=[-1]>() y = Slice(x, s, e, a, p)",
    "broadcast": "c = Constant<value=float[5,1,1,2] {1,2,3,4,5,6,7,8,9,10}>() y = Mul(x, c)",
    "top k": "k = Constant<value_ints=[2]>() y, z = TopK<axis=0>(x, k)",
    "cumulative": "a = Constant<value_int=0>() y = CumSum<exclusive=1, reverse=1>(x, a)",
    "padded by reflection": "p = Constant<value_ints=[2,0,1,0,1,0]>() y = Pad<mode=\"reflect\">(x, p)",
    "padded by edges": "p = Constant<value_ints=[1,1,0,1,2,0]>() y = Pad<mode=\"edge\">(x, p)",
    "one hot": "i = ArgMax<axis=2, keepdims=0>(x) d = Constant<value_int=3>() v = Constant<value_floats=[0.0,1.0]>() "
    "y = OneHot<axis=0>(i, d, v)",
    "identity matrix": "s = Constant<value_ints=[4,6]>() r = Reshape(x, s) y = EyeLike<k=1>(r)",
    "some, flattened": "c = Constant<value=bool[4] {1,0,0,1}>() y = Compress(x, c)",
    "mean of inputs": "z = Neg(x) w = Abs(x) y = Mean(x, z, w)",
    "triangle": "k = Constant<value_int=-1>() y = Trilu<upper=0>(x, k)",
    "channels": "s = Constant<value_floats=[1.0,2.0,0.5,1.5]>() m = Constant<value_floats=[0.0,1.0,-1.0,0.5]>() "
    "y = BatchNormalization<epsilon=0.01>(x, s, m, m, s)",
    "a mask": "y, z = Dropout(x)",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bodies(body: str) -> None:
    outputs = "y, float[c] z" if "z = Split" in body or ("z =" in body and "y, z" not in body) else "y"
    outputs = {"top k": "y, int64[c] z", "a mask": "y, bool[c] z"}.get(
        next(name for name, text in BODIES.items() if text == body), outputs
    )
    kind = "int64" if "Shape(x)" in body or "Size" in body else "float"
    check_whole(f"g (float[3,4,2] x) => ({kind}[a] {outputs}) {{ {body} }}", X)


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4, 2)), ((4,), (4, 2)), ((3, 4), (4,)), ((4,), (4,)), ((2, 1, 3, 4), (5, 4, 2)), ((2, 3, 4), (4, 2))],
)
def test_matrix_products(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    shapes = [",".join(map(str, shape)) for shape in (left, right)]
    text = f"g (float[{shapes[0]}] x, float[{shapes[1]}] w) => (float[a] y) {{ y = MatMul(x, w) }}"
    check_whole(text, numbers(*left), numbers(*right))


@pytest.mark.parametrize("turned", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_gemm(turned: tuple[int, int]) -> None:
    x, w = numbers(3, 4), numbers(4, 2)
    x, w = (np.ascontiguousarray(a.T) if t else a for a, t in zip((x, w), turned, strict=True))
    shapes = [",".join(map(str, a.shape)) for a in (x, w)]
    check_whole(
        f"g (float[{shapes[0]}] x, float[{shapes[1]}] w, float[2] c) => (float[a,b] y) "
        f"{{ y = Gemm<transA={turned[0]}, transB={turned[1]}, alpha=0.5, beta=2.0>(x, w, c) }}",
        x, w, numbers(2),
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["uint64", "int8"])
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Min", "Max", "Less", "GreaterOrEqual", "Equal", "BitwiseXor"])
def test_large_unsigned_numbers(op: str, dtype: str) -> None:
    limits = np.iinfo(dtype)
    x = np.array([0, 1, limits.max, limits.max - 1, limits.max // 2, limits.max // 2 + 1, 7], dtype)
    kind = "bool" if op in ("Less", "GreaterOrEqual", "Equal") else dtype
    check_whole(f"g ({dtype}[7] x, {dtype}[7,1] w) => ({kind}[a,b] y) {{ y = {op}(x, w) }}", x, x[:, None].copy())


def test_pools_of_everything() -> None:
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        check(op, rows("float32", 3, 4, 2, values=FINITE), judge=of_rows(onnxruntime))


def test_integers_to_the_power_of_floats() -> None:
    x = np.array([0, 1, 2, 3, 10], np.int32)
    check_whole(
        "g (int32[5] x, float[5] e) => (int32[a] y) { y = Pow(x, e) }", x, np.array([2, 0.5, 3, 1, 0], np.float32)
    )


def test_scalars_and_nothing() -> None:
    check_whole("g (float x) => (float y) { y = Exp(x) }", np.array(1.5, np.float32))
    check_whole("g (float[0,3] x) => (float[a] y) { y = Transpose(x) }", np.zeros((0, 3), np.float32))
    check_whole(
        "g (float[0,3] x) => (float[a] y) <int64[1] a={0}> { y = ReduceSum(x, a) }", np.zeros((0, 3), np.float32)
    )


def test_negative_pads_take_away() -> None:
    model = parsed("g (float[3,4] x) => (float[a] y) <int64[4] p={-1,1,0,-2}> { y = Pad(x, p) }")
    x = numbers(3, 4)
    (y,) = PlanRunner(lower(model)).run(None, {"x": x})
    assert_same(y, np.pad(x[1:, :2], ((0, 0), (1, 0))))


def test_special_numbers() -> None:
    with np.errstate(over="ignore"):
        x = np.array(SPECIAL).astype(np.float32)
    count = len(x)
    check_whole(f"g (float[{count}] x) => (float[a] y) <int64[1] a={{0}}> {{ y = ReduceMax(x, a) }}", x)


def test_operators_of_rows_amid_others() -> None:
    """What ai.onnx.ml defines for rows, where a tensor's columns become its rows."""
    check_whole(
        "g (float[3,4] x) => (float[a] y) { t = Transpose(x) "
        'n = ai.onnx.ml.Normalizer<norm="L1">(t) y = Transpose(n) }',
        numbers(3, 4),
    )
    check_whole(
        "g (float[2,3] x) => (float[a] y) { s = Softmax<axis=0>(x) "
        "y = ai.onnx.ml.Scaler<offset=[1.0, 2.0, 3.0], scale=[2.0, 2.0, 0.5]>(s) }",
        numbers(2, 3),
    )


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_columns_at_computed_places(shape: tuple[int, ...]) -> None:
    dims = ",".join(map(str, shape))
    check_whole(
        f"g (float[{dims}] x, int64[2] i) => (float[a] y) {{ y = ai.onnx.ml.ArrayFeatureExtractor(x, i) }}",
        numbers(*shape),
        np.array([2, 0]),
    )


@pytest.mark.parametrize(
    "text",
    [
        "g (float[3,4] x) => (float[a] y) { y = Det(x) }",
        "g (float[3,N] x) => (float[a] y) { y = Transpose(x) }",
        "g (float[3,4] x, float[5,2] w) => (float[a] y) { y = MatMul(x, w) }",
        "g (float[2,3,4] x, float[5,4,2] w) => (float[a] y) { y = MatMul(x, w) }",
        "g (float[3] x) => (float[a] y) <int64[1] s={4}> { y = Reshape(x, s) }",
        "g (float[3] x) => (float[a] y) <int64[1] s={2}> { y = Expand(x, s) }",
        "g (float[3,4] x) => (float[a] y) { y = Transpose<perm=[0,2]>(x) }",
        "g (float[3,4] x) => (float[a] y) <int64[2] s={0,2}> { y = Unsqueeze(x, s) z = Unsqueeze(x, b) "
        "b = Constant<value_ints=[1,1]>() }",
        "g (float[999999999] x) => (float[a] y) { y = Exp(x) }",
    ],
)
def test_what_is_not_to_be_had(text: str) -> None:
    model = parsed(text)
    try:
        assert lower_whole(model) is None
    except Exception as error:  # a model that is not well formed may be refused at once
        assert type(error).__name__ == "ModelError"  # noqa: PT017


def test_a_whole_model_refuses_other_shapes() -> None:
    plan = lower(parsed("g (float[3,4] x) => (float[12] y) <int64[1] s = {12}> { y = Reshape(x, s) }"))
    assert not plan.reference_operators
    with pytest.raises(ValueError, match=r"float64 of shape \[3, 4\]; the model takes float32 of shape \[3, 4\]"):
        PlanRunner(plan).run(None, {"x": np.zeros((3, 4))})
