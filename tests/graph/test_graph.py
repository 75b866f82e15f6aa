"""Values compute what NumPy computes; functions, weights and loops mean what was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import sardonyx.operators.numeric  # noqa: F401  (adds log1p and expm1 to UFUNCS)
from sardonyx.errors import ConversionError
from sardonyx.graph import FUNCTIONS, OPERATORS, UFUNCS, Graph, Value, concat, loop, op, where

OPSET = {"": 21, "ai.onnx.ml": 5, "sardonyx": 1, "sardonyx.steps": 1}
RNG = np.random.default_rng(0)


def evaluate(body: Callable[[Value], Value], X: NDArray[Any]) -> Any:
    """Author `body`, check the model, and run it in ONNX Runtime."""
    graph = Graph(OPSET)
    with graph.scope():
        result = body(graph.input("X", X.dtype, ("N", *X.shape[1:])))
    model = graph.model({"Y": result})
    onnx.checker.check_model(model, full_check=True)
    return ort.InferenceSession(model.SerializeToString()).run(None, {"X": X})[0]


def same(body: Callable[[Any], Any], X: NDArray[Any], exact_dtype: bool = True) -> None:
    """The same expression on a Value and on an array gives the same numbers and dtype."""
    actual, expected = evaluate(body, X), body(X)
    assert not exact_dtype or actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=1e-6 if expected.dtype == np.float32 else 1e-13)


UNARY = [u for u in UFUNCS if u.nin == 1 and u is not np.logical_not]
BINARY = [u for u in UFUNCS if u.nin == 2 and u not in (np.matmul, np.logical_and, np.logical_or)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ufunc", UNARY, ids=lambda u: u.__name__)
def test_unary_ufuncs(ufunc: np.ufunc, dtype: Any) -> None:
    same(ufunc, np.abs(RNG.normal(size=(5, 3))).astype(dtype) + dtype(0.1))


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda u: u.__name__)
def test_binary_ufuncs(ufunc: np.ufunc) -> None:
    X, y = np.abs(RNG.normal(size=(5, 3))), np.array([0.5, 1.0, 2.0])
    same(lambda x: ufunc(x, y), X)
    same(lambda x: ufunc(2.5, x), X)
    same(lambda x: ufunc(x, x[:, :1]), X)


@pytest.mark.parametrize("ufunc", [np.logical_and, np.logical_or])
def test_logical_ufuncs(ufunc: np.ufunc) -> None:
    same(lambda x: ~ufunc(x > 0, x < 1), RNG.normal(size=(9, 3)))


INDICES: dict[str, Any] = {
    "slice": np.s_[:, 1:3],
    "step": np.s_[:, ::2],
    "backwards": np.s_[:, ::-1],
    "integer": np.s_[:, 2],
    "negative": np.s_[:, -1],
    "list": np.s_[:, [3, 0, 0]],
    "mask": np.s_[:, np.array([True, False, False, True])],
    "none": np.s_[:, None, 1:],
    "ellipsis": np.s_[..., 1],
    "empty": np.s_[:, 2:2],
}


@pytest.mark.parametrize("key", INDICES.values(), ids=INDICES)
def test_indexing(key: Any) -> None:
    same(lambda x: x[key], RNG.normal(size=(5, 4)))


EXPRESSIONS: dict[str, Callable[[Any], Any]] = {
    "where": lambda x: np.where(x > 0, x, 0.0),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "reductions": lambda x: np.sum(x, axis=1) + np.mean(x, axis=1) - np.max(x, axis=1) * np.min(x, axis=1),
    "keepdims": lambda x: x - x.max(axis=1, keepdims=True),
    "argmax": lambda x: np.argmax(x, axis=1),
    "argmin": lambda x: np.argmin(x, axis=1),
    "concatenate": lambda x: np.concatenate([x, x * 2], axis=1),
    "hstack": lambda x: np.hstack([x, -x]),
    "matmul": lambda x: x @ np.arange(12.0).reshape(4, 3) + [1.0, 2.0, 3.0],
    "power": lambda x: abs(x) ** 1.5,
    "reverse": lambda x: 1 - 2 * (3 / (x + 10)) + x / 4,
    "compare": lambda x: ((x >= 0) & (x != 1)) | ((x < -1) ^ (x <= -2)),
}


@pytest.mark.parametrize("body", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expressions(body: Callable[[Any], Any]) -> None:
    same(body, RNG.normal(size=(6, 4)))


@pytest.mark.parametrize("left", [np.float32, np.float64, np.int64, np.int32])
@pytest.mark.parametrize("right", [np.float32(0.1), np.array([0.1]), np.array([3]), 3, 0.5, np.float64(0.1)])
def test_promotion_is_numpys(left: Any, right: Any) -> None:
    same(lambda x: x + right, np.arange(8).reshape(4, 2).astype(left))


def test_division_of_integers_is_true_division() -> None:
    same(lambda x: x / 4, np.arange(6).reshape(3, 2))


def test_a_function_gets_its_weights_as_inputs_and_small_constants_inside() -> None:
    weights = RNG.normal(size=(20, 30))

    def body(X: Value) -> Value:
        graph = X.graph
        return graph.function(OPERATORS, "Project", lambda x: [x @ weights + 1.0], [X], ["Y"])[0]

    same_as = RNG.normal(size=(3, 20))
    np.testing.assert_allclose(evaluate(body, same_as), same_as @ weights + 1.0)


def test_identical_functions_are_shared_and_different_ones_get_numbers() -> None:
    graph = Graph(OPSET)
    with graph.scope():
        X = graph.input("X", np.float64, ("N", 2))
        y = X
        for factor in (2.0, 2.0, 3.0):
            (y,) = graph.function(OPERATORS, "Times", lambda x, f=factor: [x * f], [y], ["Y"])
    model = graph.model({"Y": y})
    assert [f.name for f in model.functions] == ["Times", "Times:2"]
    actual = ort.InferenceSession(model.SerializeToString()).run(None, {"X": np.ones((1, 2))})[0]
    assert actual.tolist() == [[12.0, 12.0]]


def test_nested_functions_hand_weights_down() -> None:
    weights = RNG.normal(size=(4, 40))

    def inner(x: Value) -> list[Value]:
        return [x @ weights]

    def outer(x: Value) -> list[Value]:
        from sardonyx.graph import current_graph

        return [current_graph().function(OPERATORS, "Inner", inner, [x + 1.0], ["Y"])[0] * 2.0]

    X = RNG.normal(size=(3, 4))
    actual = evaluate(lambda x: x.graph.function(OPERATORS, "Outer", outer, [x], ["Y"])[0], X)
    np.testing.assert_allclose(actual, ((X + 1) @ weights) * 2)


def test_loop_stops_by_its_condition_and_sees_outer_values() -> None:
    weights = np.arange(20.0)

    def body(X: Value) -> Value:
        def turn(i: Value, total: Value) -> tuple[Value, Value]:
            return i < 4, total + X + weights.sum()

        return loop(turn, 100, X * 0.0)[0]

    X = RNG.normal(size=(3, 2))
    np.testing.assert_allclose(evaluate(body, X), 5 * (X + 190))


def test_one_value_may_be_several_outputs() -> None:
    graph = Graph(OPSET)
    with graph.scope():
        X = graph.input("X", np.float64, ("N", 2))
        y = X + 1.0
    model = graph.model({"a": y, "b": y, "c": X})
    a, b, c = ort.InferenceSession(model.SerializeToString()).run(None, {"X": np.zeros((1, 2))})
    assert a.tolist() == b.tolist() == [[1.0, 1.0]]
    assert c.tolist() == [[0.0, 0.0]]


def test_strings() -> None:
    X = np.array([["a", "ü"], ["", "日本"]], dtype=object)
    graph = Graph(OPSET)
    with graph.scope():
        x = graph.input("X", np.str_, ("N", 2))
        y = x == np.array(["a", "日本"])
    actual = ort.InferenceSession(graph.model({"Y": y}).SerializeToString()).run(None, {"X": X})[0]
    assert actual.tolist() == [[True, False], [False, True]]


ERRORS: dict[str, tuple[Callable[..., Any], str]] = {
    "unknown operator": (op.Frobnicate, "no operator 'Frobnicate'"),
    "unknown attribute": (lambda x: op.ArgMax(x, axes=1), "no attribute 'axes'.*keepdims"),
    "wrong shapes": (lambda x: x @ np.ones((7, 2)), "MatMul does not accept"),
    "unknown ufunc": (np.arctan2, "numpy.arctan2"),
    "unknown function": (np.sort, "numpy.sort"),
    "truth value": (lambda x: 1 if x > 0 else 0, "np.where"),
}


@pytest.mark.parametrize(("body", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_to_do(body: Callable[..., Any], message: str) -> None:
    graph = Graph(OPSET)
    x = graph.input("X", np.float64, ("N", 3))
    operands = [x, x] if body is np.arctan2 else [x]
    with graph.scope(), pytest.raises(ConversionError, match=message):
        body(*operands)


def test_every_rule_has_a_test() -> None:
    tested = {*UNARY, *BINARY, np.matmul, np.logical_and, np.logical_or, np.logical_not}
    assert tested == set(UFUNCS)
    tested_by_name = {
        *(np.where, np.concatenate, np.hstack, np.sum, np.mean, np.max, np.min, np.argmax, np.argmin, np.clip)
    }
    assert set(FUNCTIONS) == tested_by_name


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_of_every_width_are_chosen(dtype: str) -> None:
    top = np.iinfo(dtype).max
    X = np.array([[0, top, 1], [top, top - 1, top]], dtype)
    same(lambda x: np.where(x == top, x, X.dtype.type(3)), X)
    if dtype != "uint64":
        same(lambda x: np.argmax(x, axis=1), X)
        same(lambda x: np.argmin(x, axis=1), X)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(width=32), min_size=1, max_size=5), st.sampled_from(["float32", "float64"]))
def test_edges_of_arithmetic(numbers: list[float], dtype: str) -> None:
    X = np.array([numbers], dtype=dtype)
    with np.errstate(all="ignore"):
        expected = np.where(np.isnan(X), 0.0, X * 2.0 - X / 3.0)
    np.testing.assert_array_equal(evaluate(lambda x: where(np.isnan(x), 0.0, x * 2.0 - x / 3.0), X), expected)


def test_concat_promotes() -> None:
    X = np.arange(4, dtype=np.int64).reshape(2, 2)
    actual = evaluate(lambda x: concat([x, x.astype(np.float32)]), X)
    assert actual.dtype == np.float64
