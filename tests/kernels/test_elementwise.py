"""Arithmetic, comparison, logic and functions of one number, against ONNX Runtime, onnx.reference and NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx.parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sardonyx
from sardonyx.lowering.reference.graphs import element_type
from sardonyx.lowering.runner import PlanRunner

from .single import FINITE, INTEGERS, NATURALS, assert_declined, check, model_of, native_plan, numpy, reference, rows

FLOATS = ["float32", "float64"]
ARITHMETIC = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.true_divide}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", ARITHMETIC)
def test_arithmetic_of_floats_is_bit_identical(op: str, dtype: str) -> None:
    check(op, rows(dtype, 3), rows(dtype, 3), judge=numpy(ARITHMETIC[op]), rtol=1e-300)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"])
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul"])
def test_arithmetic_of_integers_wraps(op: str, dtype: str) -> None:
    check(op, rows(dtype, 5), rows(dtype, 5), judge=numpy(ARITHMETIC[op]))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8"])
def test_integer_division_truncates_and_by_zero_is_zero(dtype: str) -> None:
    def truncated(a: Any, b: Any) -> Any:
        safe = np.where(b == 0, 1, b).astype(object)
        quotient = np.abs(a.astype(object)) // np.abs(safe) * np.sign(a.astype(object)) * np.sign(safe)
        return np.where(b == 0, 0, quotient).astype(dtype)

    check("Div", rows(dtype, 4), rows(dtype, 4), judge=numpy(truncated))


def test_the_smallest_integer_divided_by_minus_one_wraps() -> None:
    least = int(np.iinfo(np.int64).min)
    divisor = np.array([-1], dtype=np.int64)
    check("Div", rows("int64", 2, values=[least]), divisor, judge=numpy(lambda a: a))
    check("Mod", rows("int64", 2, values=[least]), divisor, judge=numpy(lambda a: a * 0))


VECTOR = np.array([1.5, -2.0, 0.25])
BROADCASTS: dict[str, tuple[Any, ...]] = {
    "scalar": (rows("float64", 3), np.array(2.5)),
    "scalar left": (np.array(2.5), rows("float64", 3)),
    "vector": (rows("float64", 3), VECTOR),
    "vector left": (VECTOR, rows("float64", 3)),
    "one row": (rows("float64", 3), VECTOR.reshape(1, 3)),
    "one number a row": (rows("float64", 3), rows("float64", 1)),
    "one number a row left": (rows("float64", 1), rows("float64", 3)),
    "outer": (rows("float64", 4, 1), rows("float64", 1, 3)),
    "matrix": (rows("float64", 2, 3), VECTOR),
    "column": (rows("float64", 3, 2), VECTOR.reshape(3, 1)),
    "inner": (rows("float64", 2, 1, 4), rows("float64", 2, 3, 4)),
    "constant grows": (rows("float64", 1), VECTOR),
    "no dimensions": (rows("float64"), rows("float64")),
    "no columns": (rows("float64", 0), np.array(2.5)),
    "deep": (rows("float64", 2, 1, 2, 1, 2), np.arange(12.0).reshape(2, 1, 3, 2)),
}


@pytest.mark.parametrize("operands", BROADCASTS.values(), ids=BROADCASTS.keys())
@pytest.mark.parametrize("op", ["Sub", "Less"])
def test_broadcasting(op: str, operands: tuple[Any, ...]) -> None:
    check(op, *operands)


def test_what_meets_the_rows_is_declined() -> None:
    assert_declined("Add", rows("float64", 5), np.ones((5, 1)))
    assert_declined("Add", rows("float64", 5), np.ones((1, 1, 5)))
    assert_declined("Add", rows("float64"), rows("float64", 5))
    assert_declined("Add", rows("float64"), np.ones(5))


@pytest.mark.parametrize("dtype", [*FLOATS, "int32", "int64"])
@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
def test_comparisons(op: str, dtype: str) -> None:
    check(op, rows(dtype, 3), rows(dtype, 3))


def test_equality_of_texts_and_booleans() -> None:
    check("Equal", rows("str", 2), rows("str", 2))
    check("Equal", rows("str", 2), np.array(["ä", ""], dtype=object))
    check("Equal", rows("bool", 2), rows("bool", 2))


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "uint8"])
@pytest.mark.parametrize("op", ["Min", "Max"])
def test_extremes_pass_nan_on(op: str, dtype: str) -> None:
    function = np.minimum if op == "Min" else np.maximum
    check(op, rows(dtype, 3), rows(dtype, 1), judge=numpy(function))
    bound = np.array([3], dtype=dtype)
    check(op, bound, rows(dtype, 3), rows(dtype, 3), judge=numpy(lambda a, b: function(function(a, b), bound)))


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(op: str) -> None:
    check(op, rows("bool", 3), rows("bool", 1))


@pytest.mark.parametrize("dtype", ["int32", "uint8", "uint32"])
@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bits(op: str, dtype: str) -> None:
    check(op, rows(dtype, 3), rows(dtype, 3))
    check("BitwiseNot", rows(dtype, 3))


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts(direction: str) -> None:
    shift = np.array([0, 1, 31], dtype=np.uint32)
    check("BitShift", rows("uint32", 3), shift, direction=direction)


@pytest.mark.parametrize("dtype", FLOATS)
def test_powers_of_floats(dtype: str) -> None:
    check("Pow", rows(dtype, 3, values=FINITE), rows(dtype, 3, values=FINITE), judge=numpy(np.power))
    check("Pow", rows(dtype, 3), np.array(2.0, dtype=dtype), judge=numpy(np.square))
    check("Pow", rows(dtype, 3), np.array(3, dtype=np.int64), judge=numpy(lambda a: a ** a.dtype.type(3)))
    check("Pow", rows(dtype, 3), np.array([-1.0], dtype=dtype), judge=numpy(np.reciprocal))


def test_powers_of_integers() -> None:
    base, exponent = rows("int64", 2, values=INTEGERS), rows("int64", 2, values=(0, 1, 2, 5, 70))
    check("Pow", base, exponent, judge=numpy(np.power))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_remainders_of_integers(dtype: str) -> None:
    divisor = rows(dtype, 3, values=(1, 2, 3, 7) if dtype == "uint8" else (1, -1, 2, -3, 7))
    check("Mod", rows(dtype, 3), divisor, judge=numpy(np.mod))
    check("Mod", rows(dtype, 3), divisor, judge=numpy(np.fmod), fmod=1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_remainders_of_floats(dtype: str) -> None:
    check("Mod", rows(dtype, 3), rows(dtype, 3), judge=numpy(np.fmod), fmod=1)


UNARY: dict[str, Any] = {
    "Abs": np.abs, "Neg": np.negative, "Sign": np.sign, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log,
    "Reciprocal": np.reciprocal, "Tanh": np.tanh, "Floor": np.floor, "Ceil": np.ceil, "Round": np.rint, "Sin": np.sin,
    "Cos": np.cos, "Tan": np.tan, "Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan, "Sinh": np.sinh,
    "Cosh": np.cosh, "Asinh": np.arcsinh, "Acosh": np.arccosh, "Atanh": np.arctanh,
    "Relu": lambda x: np.maximum(x, 0), "Erf": lambda x: np.vectorize(math.erf, otypes=[x.dtype])(x),
    "Sigmoid": lambda x: np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x))),
    "Softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), "Softsign": lambda x: x / (1 + np.abs(x)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", UNARY)
def test_functions_of_one_number(op: str, dtype: str) -> None:
    check(op, rows(dtype, 5), judge=numpy(lambda x: UNARY[op](x).astype(dtype)))


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8"])
@pytest.mark.parametrize("op", ["Abs", "Sign", "Relu"])
def test_functions_of_one_integer(op: str, dtype: str) -> None:
    check(op, rows(dtype, 5), judge=numpy(lambda x: UNARY[op](x).astype(dtype)))


def test_not_and_tests_of_numbers() -> None:
    check("Not", rows("bool", 3))
    for dtype in FLOATS:
        check("IsNaN", rows(dtype, 3))
        check("IsInf", rows(dtype, 3))
        check("IsInf", rows(dtype, 3), detect_negative=0)
        check("IsInf", rows(dtype, 3), detect_positive=0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_clip(dtype: str) -> None:
    low, high = np.array(-1, dtype=dtype), np.array(2, dtype=dtype)
    check("Clip", rows(dtype, 3), low, high, judge=numpy(lambda x: np.clip(x, low, high)))
    check("Clip", rows(dtype, 3), None, high, judge=numpy(lambda x: np.minimum(x, high)))
    check("Clip", rows(dtype, 3), low, judge=numpy(lambda x: np.maximum(x, low)))


def test_clip_before_its_bounds_were_inputs() -> None:
    check("Clip", rows("float32", 3), judge=numpy(lambda x: np.clip(x, -1, 2)), opset=6 + 1, min=-1.0, max=2.0)


def test_leaky_and_parametric_relu() -> None:
    check("LeakyRelu", rows("float32", 3), alpha=0.5)
    check("LeakyRelu", rows("float64", 3), judge=numpy(lambda x: np.where(x < 0, x * 0.5, x)), alpha=0.5)
    check("PRelu", rows("float64", 3), np.array([0.5, 0.25, 2.0]), judge=reference)


def test_celu_and_a_slope_that_is_wider() -> None:
    check("Celu", rows("float32", 5), alpha=0.5)
    check("Celu", rows("float64", 5, values=FINITE), judge=numpy(lambda x: np.where(x < 0, np.expm1(x), x)), rtol=1e-12)
    scalar = sardonyx.load(onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> g (float x, float[3,1] s) => (float y, float[3,2] z) '
        "<float[1,2] w = {-1.0, 2.0}> { y = Celu(x) z = PRelu(w, s) }"))  # fmt: skip
    y, z = scalar.run(None, {"x": np.float32(-1), "s": np.ones((3, 1), np.float32)})
    assert y.shape == ()
    assert z.tolist() == [[-1, 2]] * 3


def test_sum_of_several() -> None:
    check("Sum", rows("float64", 3), rows("float64", 1), np.array(2.0))


@pytest.mark.parametrize("target", ["float32", "float64", "int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("source", ["float32", "float64", "int64", "uint8", "bool"])
def test_casts(source: str, target: str) -> None:
    values = () if source == "bool" else NATURALS
    check("Cast", rows(source, 3, values=values), judge=numpy(lambda x: x.astype(target)), to=element_type(target))


BEYOND = [np.nan, np.inf, -np.inf, 1e10, -1e10, 3e9, 300, -300, -1.9, 255.9, 2.0**31, -(2.0**31), 1e20, 9.3e18]


@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize("target", ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint64"])
def test_casts_of_what_a_type_does_not_hold_answer_as_onnxruntime(source: str, target: str) -> None:
    check("Cast", rows(source, 3, values=BEYOND), to=element_type(target))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(width=64), min_size=1, max_size=40), st.floats(width=64))
def test_any_floats(values: list[float], other: float) -> None:
    x = np.array(values)
    for op, function in ARITHMETIC.items():
        runner = RUNNERS[op]
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(
                runner.run(None, {"x0": x, "x1": np.full_like(x, other)})[0], function(x, other)
            )


RUNNERS = {
    op: PlanRunner(native_plan(model_of(op, [rows("float64"), rows("float64")])), threads=1) for op in ARITHMETIC
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_expit_has_scipys_bits(dtype: Any) -> None:
    from scipy.special import expit

    from sardonyx.graph import Graph
    from sardonyx.operators import numeric

    X = np.random.default_rng(0).normal(scale=20, size=(2000, 3)).astype(dtype)
    X[:4] = [[0.0, -0.0, np.nan], [np.inf, -np.inf, 1e-300], [745.0, -745.0, 800.0], [-800.0, 36.7, -36.7]]
    graph = Graph({"": 21, "sardonyx": 1})
    with graph.scope():
        y = numeric.expit(graph.input("X", dtype, ("N", 3)))
    answer = sardonyx.load(graph.model({"Y": y})).run(None, {"X": X})[0]
    if dtype == np.float64:
        np.testing.assert_array_equal(answer, expit(X))
    else:
        np.testing.assert_allclose(answer, expit(X), rtol=1e-6)
