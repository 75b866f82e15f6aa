"""Where, Expand, ConstantOfShape."""

from __future__ import annotations

import numpy as np
import onnx.parser
import pytest

from sardonyx.lowering.runner import PlanRunner

from .single import assert_declined, assert_same, check, native_plan, onnxruntime, reference, rows

TYPES = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool", "str"]


@pytest.mark.parametrize("dtype", TYPES)
def test_where(dtype: str) -> None:
    check("Where", rows("bool", 3), rows(dtype, 3), rows(dtype, 3), judge=reference)
    check("Where", rows("bool", 1), rows(dtype, 3), rows(dtype, 1), judge=reference)


def test_where_with_constants() -> None:
    yes, no = np.array(["yes", "nö"], dtype=object), np.array("", dtype=object)
    check("Where", rows("bool", 2), yes, no)
    check("Where", np.array([True, False, True]), rows("float64", 3), np.array(0.5))


@pytest.mark.parametrize("dtype", TYPES)
def test_expand(dtype: str) -> None:
    check("Expand", rows(dtype, 1), np.array([1, 4]), judge=reference)
    check("Expand", rows(dtype, 2, 1), np.array([2, 3]), judge=reference)
    check("Expand", rows(dtype, 2, 1), np.array([1, 1, 3]), judge=reference)
    check("Expand", rows(dtype, 2), np.array([1]), judge=reference)


def test_expand_that_repeats_rows_is_declined() -> None:
    assert_declined("Expand", rows("float64", 1), np.array([5, 3]))
    assert_declined("Expand", rows("float64", 1), np.array([2, 1, 1]))


def test_constants_as_long_as_the_rows() -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 21]>
        g (float[N,4] X) => (float[N,3] Y, double[N,2] Z, double[N] V)
        <int64[1] three={3}, double[2] c={1.5,2.5}, int64[1] two={2}, int64[1] zero={0}, double[1,2] d={1.5,2.5}>
        {
          S = Shape(X)
          n = Gather<axis=0>(S, zero)
          s3 = Concat<axis=0>(n, three)
          Y = ConstantOfShape<value = float[1] {7.5}>(s3)
          s2 = Concat<axis=0>(n, two)
          Z = Expand(d, s2)
          V = ConstantOfShape<value = double[1] {-1.0}>(n)
        }""")
    runner = PlanRunner(native_plan(model), threads=1)
    for n in (0, 1, 5):
        feeds = {"X": np.ones((n, 4), dtype=np.float32)}
        for actual, expected in zip(runner.run(None, feeds), onnxruntime(model, feeds), strict=True):
            assert_same(actual, expected)
