"""What moves elements or renames dimensions: against onnx.reference, for every size of element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx.parser
import pytest

from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

from .single import assert_declined, assert_same, check, draw, model_of, native_plan, numpy, reference, rows

TYPES = ["float64", "float32", "int16", "int8", "bool", "str"]
REFERENCE: dict[str, Any] = {"judge": reference}


@pytest.mark.parametrize("dtype", TYPES)
def test_concat(dtype: str) -> None:
    check("Concat", rows(dtype, 1), rows(dtype, 3), rows(dtype, 1), axis=1, **REFERENCE)
    check("Concat", rows(dtype, 2, 1), rows(dtype, 2, 3), axis=2, **REFERENCE)
    check("Concat", rows(dtype, 2, 2), rows(dtype, 3, 2), axis=1, **REFERENCE)
    check("Concat", rows(dtype, 0), rows(dtype, 3), axis=-1, **REFERENCE)
    check("Concat", *[rows(dtype, 1)] * 40, axis=1, **REFERENCE)


def test_rows_below_rows_are_joined_when_the_program_has_run() -> None:
    model = model_of("Concat", [rows("float64", 3), rows("float64", 3)], axis=0)
    plan = lower(model)
    assert not plan.reference_operators
    feeds = {name: draw(rows("float64", 3), 5, np.random.default_rng(k)) for k, name in enumerate(("x0", "x1"))}
    assert_same(PlanRunner(plan, threads=1).run(None, feeds)[0], np.concatenate(list(feeds.values())))


SLICES = {
    "some": ([1], [3], [1], None),
    "negative": ([-3], [-1], [-1], None),
    "steps": ([0], [100], [1], [2]),
    "backwards": ([-1], [-100], [1], [-1]),
    "backwards with steps": ([4], [0], [1], [-2]),
    "none": ([3], [2], [1], None),
    "two axes": ([1, 0], [4, 2], [1, 2], [2, 1]),
    "all rows": ([0, 1], [2**62, 3], [0, 1], None),
}


@pytest.mark.parametrize("bounds", SLICES.values(), ids=SLICES.keys())
@pytest.mark.parametrize("dtype", TYPES)
def test_slice(dtype: str, bounds: tuple[Any, ...]) -> None:
    check("Slice", rows(dtype, 6, 3), *[None if b is None else np.array(b) for b in bounds], **REFERENCE)


def test_slice_of_rows_is_declined() -> None:
    assert_declined("Slice", rows("float64", 3), np.array([1]), np.array([3]), np.array([0]))


@pytest.mark.parametrize("dtype", TYPES)
def test_gather_of_columns(dtype: str) -> None:
    check("Gather", rows(dtype, 4), np.array([3, 0, 0, -1]), axis=1, **REFERENCE)
    check("Gather", rows(dtype, 4), np.array(2), axis=1, **REFERENCE)
    check("Gather", rows(dtype, 4, 3), np.array([[3, 0], [1, -4]]), axis=1, **REFERENCE)
    check("Gather", rows(dtype, 4, 3), np.array([2, 1]), axis=-1, **REFERENCE)


@pytest.mark.parametrize("dtype", TYPES)
def test_gather_from_a_table(dtype: str) -> None:
    indices = rows("int64", 2, values=(0, 1, 2, -1, -3))
    check("Gather", draw(rows(dtype), 3, np.random.default_rng(0)), indices, **REFERENCE)
    check("Gather", draw(rows(dtype, 2), 3, np.random.default_rng(0)), indices, **REFERENCE)
    check("Gather", draw(rows(dtype, 2), 3, np.random.default_rng(0)), rows("int64", values=(0, 2)), **REFERENCE)


def test_an_index_out_of_range_is_refused() -> None:
    from .single import model_of

    model = model_of("Gather", [np.arange(3.0), rows("int64", 1)])
    with pytest.raises(Exception, match="index 3 is out of range for an axis of 3"):
        PlanRunner(native_plan(model), threads=1).run(None, {"x1": np.array([[0], [3]])})


def test_gather_of_rows_is_declined() -> None:
    assert_declined("Gather", rows("float64", 3), np.array([0, 1]), axis=0)


def test_gather_elements() -> None:
    indices = rows("int64", 2, values=(0, 3, -1))
    check("GatherElements", rows("float64", 4), indices, axis=1)
    check("GatherElements", rows("str", 4), indices, axis=1, **REFERENCE)
    check("GatherElements", rows("float64", 4, 3), rows("int64", 2, 3, values=(0, 3, -1)), axis=1)
    check("GatherElements", rows("float64", 3, 4), rows("int64", 3, 2, values=(0, 3, -1)), axis=2)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 3, 2, 1), (0, 1, 3, 2), (0, 1, 2, 3)])
def test_transpose(dtype: str, order: tuple[int, ...]) -> None:
    check("Transpose", rows(dtype, 2, 3, 4), perm=order, **REFERENCE)


@pytest.mark.parametrize("target", [(-1, 12), (0, 12), (0, -1), (-1, 2, 6), (0, 2, -1), (0, 0, -1)])
def test_reshape(target: tuple[int, ...]) -> None:
    for dtype in TYPES:
        shape = tuple((0, 3, 4)[i] if n == 0 and i else n for i, n in enumerate(target[1:], 1))
        own = tuple(12 // -math.prod(shape) if n == -1 else n for n in shape)
        check("Reshape", rows(dtype, 3, 4), np.array(target), judge=numpy(lambda x, own=own: x.reshape(len(x), *own)))


def test_reshape_of_one_number_a_row() -> None:
    check("Reshape", rows("float64", 1), np.array([-1]))
    check("Reshape", rows("float64"), np.array([-1, 1]))


def test_reshape_that_mixes_rows_is_declined() -> None:
    assert_declined("Reshape", rows("float64", 4), np.array([-1]))
    assert_declined("Reshape", rows("float64", 4), np.array([-1, 2]))


def test_dimensions_of_one() -> None:
    check("Flatten", rows("float64", 2, 3))
    check("Squeeze", rows("float64", 1, 3), np.array([1]))
    check("Squeeze", rows("float64", 3, 1), np.array([-1]))
    check("Squeeze", rows("float64", 1), opset=11, axes=[1])
    check("Unsqueeze", rows("float64", 3), np.array([1]))
    check("Unsqueeze", rows("float64", 3), np.array([-1, 1]))
    check("Unsqueeze", rows("float64"), opset=11, axes=[1])
    assert_declined("Squeeze", rows("float64", 1, 3))


def test_tile_pad_split_compress() -> None:
    check("Tile", rows("float64", 2, 3), np.array([1, 2, 3]))
    check("Pad", rows("float64", 3), np.array([0, 1, 0, 2]), np.array(7.5))
    check("Pad", rows("float64", 2, 3), np.array([1, 2]), None, np.array([2]))
    check("Split", rows("float64", 6), np.array([1, 2, 3]), axis=1, outputs=3)
    check("Split", rows("float64", 6), axis=1, outputs=2, num_outputs=2)
    check("Split", rows("float64", 5), axis=1, outputs=2, num_outputs=2)
    check("Compress", rows("float64", 3), np.array([True, False, True]), axis=1)
    assert_declined("Tile", rows("float64", 2), np.array([2, 1]))


@pytest.mark.parametrize("axis", [1, -1])
def test_one_hot(axis: int) -> None:
    check("OneHot", rows("int64", 4, values=(0, 1, 2, -1)), np.array(3), np.array([2, 5]), axis=axis)


def test_array_feature_extractor() -> None:
    check("ArrayFeatureExtractor", rows("float64", 4), np.array([2, 0]), domain="ai.onnx.ml")
    check("ArrayFeatureExtractor", rows("str", 4), np.array([3]), domain="ai.onnx.ml")


def test_an_output_whose_rows_are_not_first() -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 21]>
        g (double[N,1] X) => (double[1,N] Y) { T = Transpose(X)  Y = Neg(T) }""")
    feeds = {"X": np.arange(4.0).reshape(4, 1)}
    assert_same(PlanRunner(lower(model), threads=1).run(None, feeds)[0], -feeds["X"].T)


def test_one_dimension_is_flattened_to_one_row() -> None:
    assert_declined("Flatten", rows("float32"), axis=0)
    check("Flatten", rows("float32"), axis=1)
