"""GatherND, GatherElements, ScatterND, ScatterElements, Trilu: by rows and without, against onnx.reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.parser
import pytest

from sardonyx.errors import InputError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

from .single import FINITE, check, check_whole, model_of, native_plan, of_rows, onnxruntime, reference, rows

REFERENCE: dict[str, Any] = {"judge": of_rows(reference)}
TYPES = ["float64", "float32", "int32", "uint8", "str"]


@pytest.mark.parametrize("dtype", TYPES)
def test_gather_nd_by_rows(dtype: str) -> None:
    at = rows("int64", 3, 1, values=(0, 1, -1))
    check("GatherND", rows(dtype, 2, 4), at, batch_dims=1, **REFERENCE)
    check("GatherND", rows(dtype, 2, 4), rows("int64", 2, values=(0, 1, -1)), batch_dims=1, **REFERENCE)
    check("GatherND", rows(dtype, 2, 4), rows("int64", 2, 1, values=(0, -4, 3)), batch_dims=2, **REFERENCE)


def test_gather_nd_of_a_table() -> None:
    table = np.arange(12.0).reshape(3, 2, 2)
    check("GatherND", table, rows("int64", 2, values=(0, 1, -1)), **REFERENCE)
    check("GatherND", table, rows("int64", 4, 1, values=(0, 1, -3)), **REFERENCE)


def test_gather_elements_of_a_part() -> None:
    at = rows("int64", 2, 2, values=(0, 1, -2))
    check("GatherElements", rows("float64", 3, 4), at, axis=2, judge=of_rows(onnxruntime))
    check("GatherElements", rows("str", 3), rows("int32", 5, values=(0, 1, -1)), axis=1, judge=of_rows(onnxruntime))


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
def test_scatter_elements_by_rows(dtype: str, reduction: str) -> None:
    values = FINITE if dtype.startswith("float") else (1, 2, -3)
    data, updates = rows(dtype, 3, 4, values=values), rows(dtype, 2, 2, values=values)
    at = rows("int64", 2, 2, values=(0, 1, 2, -1))
    for axis in (1, 2):
        check("ScatterElements", data, at, updates, axis=axis, reduction=reduction, **REFERENCE)


def test_scatter_keeps_text() -> None:
    check("ScatterElements", rows("str", 3), rows("int64", 2, values=(0, 2)), rows("str", 2), axis=1, **REFERENCE)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
def test_scatter_nd(reduction: str) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    at, u = np.array([[0, 1], [2, -1], [0, 1]]), np.arange(6, dtype=np.float32).reshape(3, 2)
    check_whole(
        "g (float[3,4,2] x, int64[3,2] at, float[3,2] u) => (float[a] y) "
        f'{{ y = ScatterND<reduction="{reduction}">(x, at, u) }}',
        x, at, u,
    )  # fmt: skip
    check_whole(
        f'g (float[3,4,2] x) => (float[a] y) <int64[1,1] at={{1}}, float[1,4,2] u={{1,2,3,4,5,6,7,8}}> '
        f'{{ y = ScatterND<reduction="{reduction}">(x, at, u) }}',
        x,
    )  # fmt: skip


def test_scatter_of_old_opsets() -> None:
    check("Scatter", rows("float64", 3), rows("int64", 2, values=(0, 2)), rows("float64", 2), axis=1, opset=10,
          judge=lambda model, feeds: [_scattered(*feeds.values())])  # fmt: skip


def _scattered(x: Any, at: Any, u: Any) -> Any:
    y = x.copy()
    np.put_along_axis(y, at, u, axis=1)
    return y


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_triangles(dtype: str) -> None:
    for k in (-1, 0, 2):
        for upper in (0, 1):
            check("Trilu", rows(dtype, 3, 4), np.array(k), upper=upper, **REFERENCE)


def test_indices_beyond_are_refused_when_they_come() -> None:
    model = model_of("GatherND", [rows("float64", 2), rows("int64", 1)], batch_dims=1)
    runner = PlanRunner(native_plan(model))
    with pytest.raises(InputError, match="GatherND: index 2 is out of range for an axis of 2"):
        runner.run(None, {"x0": np.zeros((1, 2)), "x1": np.array([[2]])})


@pytest.mark.parametrize(
    "text",
    [
        "g (float[3,4] x, int64[2,3] at, float[2] u) => (float[3,4] y) { y = ScatterND(x, at, u) }",
        "g (float[3,4] x, int64[2,1] at, float[2] u) => (float[3,4] y) { y = ScatterND(x, at, u) }",
        "g (float[3,4] x, int64[4,4] at, float[4,4] u) => (float[3,4] y) { y = ScatterElements<axis=1>(x, at, u) }",
        "g (float[3,4] x, int64[2,3] at) => (float[a] y) { y = GatherND(x, at) }",
        "g (float[3,4] x, int64[2,2] at) => (float[a] y) { y = GatherND<batch_dims=1>(x, at) }",
        "g (string[3] x, int64[3] at, string[3] u) => (string[3] y) "
        '{ y = ScatterElements<axis=0, reduction="add">(x, at, u) }',
    ],
)
def test_what_does_not_fit_is_left_to_the_reference(text: str) -> None:
    model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["": 18]> {text}')
    assert lower(model).reference_operators
