"""Reductions, ArgMax, Softmax, CumSum, TopK."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from .single import FINITE, assert_declined, check, model_of, native_plan, numpy, onnxruntime, rows

FLOATS = ["float32", "float64"]
REDUCTIONS: dict[str, Any] = {
    "ReduceSum": np.sum,
    "ReduceProd": np.prod,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceSumSquare": lambda x, **k: np.sum(np.square(x), **k),
    "ReduceL1": lambda x, **k: np.sum(np.abs(x), **k),
    "ReduceL2": lambda x, **k: np.sqrt(np.sum(np.square(x), **k)),
    "ReduceLogSum": lambda x, **k: np.log(np.sum(x, **k)),
}


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("axes", [(1,), (-1,), (2,), (1, 2), (2, 3), (1, 2, 3)])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", REDUCTIONS)
def test_reductions(op: str, dtype: str, axes: tuple[int, ...], keep: int) -> None:
    expected = numpy(lambda x: REDUCTIONS[op](x, axis=axes, keepdims=bool(keep)))
    check(op, rows(dtype, 2, 3, 5), np.array(axes), judge=expected, keepdims=keep)


def test_axes_apart_from_each_other() -> None:
    for keep in (0, 1):
        check("ReduceSum", rows("float64", 2, 3, 5, values=FINITE), np.array([1, 3]), keepdims=keep)
        check("ReduceMax", rows("float64", 2, 3, 5, values=FINITE), np.array([3, 1]), keepdims=keep)
    for op in ("ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"):
        check(op, rows("float64", 2, 3, 5, values=FINITE), np.array([1, 3]), rtol=1e-6)
        check(op, rows("float32", 2, 3, 2, 2, 2, values=FINITE), np.array([1, 3, 5]), keepdims=0)
    check("ReduceLogSum", rows("float64", 2, 3, 5, values=(0.5, 1.0, 2.5)), np.array([1, 3]))


@pytest.mark.parametrize("op", [*REDUCTIONS, "ReduceLogSumExp"])
def test_over_no_axes_each_value_is_reduced_alone(op: str) -> None:
    check(op, rows("float32", 3), np.zeros(0, np.int64), noop_with_empty_axes=1)


def test_axes_as_an_attribute() -> None:
    check("ReduceSum", rows("float64", 6, values=FINITE), opset=11, axes=[1])
    check("ReduceMean", rows("float64", 6, values=FINITE), opset=13, axes=[-1], keepdims=0)


def test_reductions_of_integers_wrap() -> None:
    for dtype in ("int32", "int64", "uint64"):
        expected = numpy(lambda x: np.sum(x, axis=1, dtype=x.dtype, keepdims=True))
        check("ReduceSum", rows(dtype, 9), np.array([1]), judge=expected)
        check("ReduceMax", rows(dtype, 9), np.array([1]), judge=numpy(lambda x: np.max(x, axis=1, keepdims=True)))


def test_sums_of_nothing() -> None:
    check("ReduceSum", rows("float64", 0), np.array([1]), judge=numpy(lambda x: x.sum(axis=1, keepdims=True)))
    check("ReduceProd", rows("float64", 0), np.array([1]), judge=numpy(lambda x: x.prod(axis=1, keepdims=True)))


def test_reductions_over_the_rows_are_declined() -> None:
    assert_declined("ReduceSum", rows("float64", 3, values=FINITE), np.array([0]))
    assert_declined("ReduceMean", rows("float64", 3, values=FINITE))


def log_sum_exp(x: Any) -> Any:
    most = x.max(axis=1, keepdims=True)
    shift = np.where(np.isfinite(most), most, 0)
    return np.log(np.sum(np.exp(x - shift), axis=1, keepdims=True)) + shift


@pytest.mark.parametrize("dtype", FLOATS)
def test_log_sum_exp(dtype: str) -> None:
    check("ReduceLogSumExp", rows(dtype, 4), np.array([1]), judge=numpy(log_sum_exp))
    large = rows(dtype, 4, values=(1000.0, -1000.0, 3e38, 0.0))
    check("ReduceLogSumExp", large, np.array([1]), judge=numpy(log_sum_exp))


@pytest.mark.parametrize("inner", [2, 4, 9, 19, 37])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "int64"])
def test_columns_beside_each_other(dtype: str, inner: int) -> None:
    """As many as registers hold, and what is left of them."""
    x = rows(dtype, 5, inner)
    for op, name in (("ReduceMax", "max"), ("ReduceMin", "min")):
        check(op, x, np.array([1]), judge=numpy(lambda x, f=name: getattr(np, f)(x, axis=1)), keepdims=0)
    check("ReduceSum", x, np.array([1]), judge=numpy(lambda x: np.sum(x, axis=1, dtype=x.dtype)), keepdims=0)
    for op, name in (("ArgMax", "argmax"), ("ArgMin", "argmin")):
        check(op, x, judge=numpy(lambda x, f=name: getattr(np, f)(x, axis=1)), axis=1, keepdims=0)


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "uint8"])
def test_positions(dtype: str, axis: int) -> None:
    check("ArgMax", rows(dtype, 4, 3), judge=numpy(lambda x: np.argmax(x, axis=axis)), axis=axis, keepdims=0)
    check("ArgMin", rows(dtype, 4, 3), judge=numpy(lambda x: np.argmin(x, axis=axis, keepdims=True)), axis=axis)


def test_the_last_position_among_equals() -> None:
    x = rows("float32", 6, values=(1.0, 2.0))
    check("ArgMax", x, axis=1, select_last_index=1)
    check("ArgMin", x, axis=1, select_last_index=1)


def test_positions_along_the_rows_are_declined() -> None:
    assert_declined("ArgMax", rows("float64", 3, values=FINITE), axis=0)


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax(op: str, dtype: str, axis: int) -> None:
    check(
        op, rows(dtype, 4, 3, values=(*FINITE, 1000.0, -1000.0)), axis=axis, rtol=1e-5 if dtype == "float32" else 1e-12
    )


def test_softmax_of_what_is_not_finite() -> None:
    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    check("Softmax", rows("float64", 4), judge=numpy(softmax), axis=1)


def test_softmax_before_opset_13_runs_over_all_that_follows() -> None:
    check("Softmax", rows("float32", 2, 3, values=FINITE), opset=11, judge=onnxruntime)
    check("Softmax", rows("float32", 2, 3, values=FINITE), opset=11, axis=2)


@pytest.mark.parametrize("flags", [{}, {"exclusive": 1}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}])
def test_running_sums(flags: dict[str, Any]) -> None:
    for dtype in ("float64", "float32", "int64"):
        x = rows(dtype, 4, 3, values=(1, 2, 3, -7))
        check("CumSum", x, np.array(1), **flags)
        check("CumSum", x, np.array(-1), **flags)


def top_k(x: Any, k: int, axis: int, largest: int) -> tuple[Any, Any]:
    """A stable sort in which NaN is the greatest number."""
    key = np.where(np.isnan(x), np.inf, x)
    order = np.lexsort((~np.isnan(x), -key), axis=axis) if largest else np.lexsort((np.isnan(x), key), axis=axis)
    at = np.take(order, range(k), axis=axis)
    return np.take_along_axis(x, at, axis=axis), at


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize(("n", "k"), [(7, 1), (7, 3), (7, 7), (80, 5), (80, 40), (80, 80), (33, 33)])
def test_top_k(n: int, k: int, largest: int) -> None:
    for dtype in FLOATS:
        expected = numpy(lambda x: top_k(x, k, 1, largest))
        check("TopK", rows(dtype, n), np.array([k]), judge=expected, outputs=2, largest=largest)


def test_top_k_along_an_inner_axis() -> None:
    expected = numpy(lambda x: top_k(x, 2, 1, 1))
    check("TopK", rows("float64", 4, 3), np.array([2]), judge=expected, outputs=2, axis=1)
    check("TopK", rows("int64", 9), np.array([4]), outputs=2, largest=0, judge=onnxruntime)
    check("TopK", rows("float32", 9, values=FINITE), np.array([4]), outputs=2, judge=onnxruntime)


def unit(x: Any, p: int) -> Any:
    return x / (np.abs(x).sum(axis=-1, keepdims=True) if p == 1 else np.sqrt((x * x).sum(axis=-1, keepdims=True)))


def test_lp_normalization() -> None:
    for p in (1, 2):
        check(
            "LpNormalization",
            rows("float64", 3, values=FINITE[2:]),
            judge=numpy(functools.partial(unit, p=p)),
            p=p,
            axis=-1,
        )


def test_many_rows_in_the_blocks_of_a_program() -> None:
    program = native_plan(model_of("ReduceSum", [rows("float64", 6), np.array([1])])).native
    assert program is not None
    assert [step.kernel for step in program.steps] == ["ReduceSum"]
