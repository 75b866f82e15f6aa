"""One operator as a model: lowered to a native program, run on blocks of many sizes, compared with an outside judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sardonyx.lowering.lower import lower, lower_whole
from sardonyx.lowering.plan import NativeSegment, Plan
from sardonyx.lowering.reference.graphs import element_type
from sardonyx.lowering.runner import PlanRunner

from ..parsing import parsed

Array = NDArray[Any]
Judge = Callable[..., Any]

ROWS = (0, 1, 7, 1000)


@dataclass(frozen=True)
class Rows:
    """An input of `shape` for every row; `values` are what its elements are drawn from."""

    dtype: str
    shape: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()


SPECIAL = (0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-300, 1e300, -3.7)
FINITE = (0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.25, -0.75, 7.0)
INTEGERS = (0, 1, -1, 2, 3, -5, 7, 100)
NATURALS = (0, 1, 2, 3, 5, 7, 100, 200)
TEXTS = ("", "a", "b", "ä", "Ünïcode", "a longer text than eight bytes", "B")


def rows(dtype: str, *shape: int, values: Sequence[Any] = ()) -> Rows:
    """Return an input of a model."""
    defaults: dict[str, tuple[Any, ...]] = {"str": TEXTS, "bool": (False, True), "float32": SPECIAL, "float64": SPECIAL}
    usual = defaults.get(dtype, NATURALS if dtype.startswith("u") else INTEGERS)
    return Rows(dtype, shape, tuple(values) or usual)


def draw(spec: Rows, n: int, rng: np.random.Generator) -> Array:
    """Return n rows."""
    dtype = object if spec.dtype == "str" else spec.dtype
    with np.errstate(over="ignore"):
        return np.array(spec.values, dtype=dtype)[rng.integers(0, len(spec.values), (n, *spec.shape))]


def model_of(
    op: str,
    inputs: Sequence[Rows | Array | None],
    outputs: int = 1,
    opset: int = 21,
    domain: str = "",
    **attributes: Any,
) -> onnx.ModelProto:
    """Return a model of one operator; arrays are initializers, None an input that is not given."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    values = [
        helper.make_tensor_value_info(name, element_type(x.dtype), ["N", *x.shape])
        for name, x in zip(names, inputs, strict=True)
        if isinstance(x, Rows)
    ]
    constants = [
        numpy_helper.from_array(x, name) for name, x in zip(names, inputs, strict=True) if isinstance(x, np.ndarray)
    ]
    results = [onnx.ValueInfoProto(name=f"y{i}") for i in range(outputs)]
    node = helper.make_node(op, names, [r.name for r in results], domain=domain, **attributes)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 5)]
    graph = helper.make_graph([node], "single", values, results, constants)
    model: onnx.ModelProto = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=opsets))
    model.ir_version = 10
    return model


def onnxruntime(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Any]:
    """What ONNX Runtime answers."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return list(ort.InferenceSession(model.SerializeToString(), options).run(None, feeds))


def reference(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Any]:
    """What onnx.reference answers."""
    with np.errstate(all="ignore"):
        return list(ReferenceEvaluator(model).run(None, feeds))


def of_rows(judge: Judge) -> Judge:
    """What a judge answers, who does not know what to do without rows."""

    def answer(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Any]:
        if all(len(x) for x in feeds.values()):
            return list(judge(model, feeds))
        rng = np.random.default_rng(0)
        one = {name: draw(Rows(_kind(x), x.shape[1:], _plain(x)), 1, rng) for name, x in feeds.items()}
        return [y[:0] for y in judge(model, one)]

    return answer


def _kind(x: Array) -> str:
    return "str" if x.dtype == object else x.dtype.name


def _plain(x: Array) -> tuple[Any, ...]:
    return ("",) if x.dtype == object else (0,)


def numpy(function: Callable[..., Any]) -> Judge:
    """What a function of the inputs answers (not of the constants)."""

    def judge(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Any]:
        with np.errstate(all="ignore"):
            result = function(*feeds.values())
        return list(result) if isinstance(result, tuple) else [result]

    return judge


def assert_same(actual: Any, expected: Any, rtol: float | None = None) -> None:
    """Floats within the tolerance of their type, all else identical; shapes and types too."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    if expected.dtype.kind in "OUT":
        assert actual.astype(object).tolist() == expected.astype(object).tolist()
        return
    assert actual.dtype == expected.dtype
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(actual, expected)
        return
    tolerance = rtol or (1e-5 if expected.dtype == np.float32 else 1e-12)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-6 if expected.dtype == np.float32 else 1e-14)


def native_plan(model: onnx.ModelProto, block_rows: int | None = None) -> Plan:
    """Lower the model; it must be one native program."""
    plan = lower(model, block_rows)
    assert plan.native is not None, f"left to the reference: {plan.reference_operators}"
    return plan


def check(
    op: str,
    *inputs: Rows | Array | None,
    judge: Judge = onnxruntime,
    outputs: int = 1,
    opset: int = 21,
    domain: str = "",
    rtol: float | None = None,
    **attributes: Any,
) -> None:
    """Assert that the native program of one operator answers what the judge answers, for many numbers of rows."""
    model = model_of(op, inputs, outputs, opset, domain, **attributes)
    runner = PlanRunner(native_plan(model, block_rows=64), threads=1)
    for n in ROWS:
        rng = np.random.default_rng(n)
        feeds = {f"x{i}": draw(x, n, rng) for i, x in enumerate(inputs) if isinstance(x, Rows)}
        for actual, expected in zip(runner.run(None, feeds), judge(model, feeds), strict=True):
            assert_same(actual, expected, rtol)


def assert_declined(op: str, *inputs: Rows | Array | None, outputs: int = 1, **attributes: Any) -> None:
    """Assert that the operator is left to the reference, which then gives the answer."""
    model = model_of(op, inputs, outputs, **attributes)
    plan = lower(model)
    assert plan.reference_operators == (op,)
    rng = np.random.default_rng(0)
    feeds = {f"x{i}": draw(x, 5, rng) for i, x in enumerate(inputs) if isinstance(x, Rows)}
    for actual, expected in zip(PlanRunner(plan, threads=1).run(None, feeds), reference(model, feeds), strict=True):
        assert_same(actual, expected)


def check_whole(text: str, *arrays: Array) -> None:
    """Assert that a model of fixed shapes runs natively, without rows, and answers as the reference does."""
    model = parsed(text)
    plan = lower_whole(model)
    assert plan is not None
    assert all(isinstance(segment, NativeSegment) and segment.whole for segment in plan.segments)
    feeds = dict(zip([value.name for value in model.graph.input], arrays, strict=True))
    for actual, expected in zip(PlanRunner(plan, threads=1).run(None, feeds), reference(model, feeds), strict=True):
        assert_same(actual, expected)
