"""CategoryLookup, OneHotBlocks and Require: native kernels against the operators' own bodies in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sardonyx.errors import ModelError, SardonyxError
from sardonyx.graph import Graph, Value, op
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program, Slot, Step
from sardonyx.lowering.runner import PlanRunner
from sardonyx.lowering.sdx import pack
from sardonyx.operators.categories import category_lookup, one_hot
from sardonyx.operators.checks import check_finite, refuse, require

from .single import ROWS, onnxruntime, rows
from .single import draw as draw_rows

DTYPES = ("str", "bool", "int8", "uint8", "int16", "int32", "int64", "uint64", "float32", "float64")


def model_of(body: Callable[[Value], Value], dtype: str, width: int) -> onnx.ModelProto:
    """A model of one input X."""
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        return graph.model({"y": body(graph.input("X", dtype, ("N", width)))})


def native(model: onnx.ModelProto, X: Any) -> Any:
    """The answer of a plan that is one native program."""
    plan = lower(model)
    assert plan.native is not None
    return PlanRunner(plan, threads=1).run(None, {"X": X})[0]


def lookup(categories: Any, codes: Any, refuse: int = 0) -> Callable[[Value], Value]:
    return lambda X: category_lookup(X, categories, codes, column="c", refuse_unknown=refuse)


@pytest.mark.parametrize("codes", [np.array([5, 6, 7, -1]), np.array([0.5, np.nan, -0.0, 9], np.float32)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_lookup(dtype: str, codes: Any) -> None:
    spec = rows(dtype, 1)
    categories = np.array(list(dict.fromkeys(spec.values))[:3], dtype=object if dtype == "str" else dtype)
    model = model_of(lookup(categories, codes[-len(categories) - 1 :]), dtype, 1)
    for n in ROWS:
        X = draw_rows(spec, n, np.random.default_rng(n))
        np.testing.assert_array_equal(native(model, X), onnxruntime(model, {"X": X})[0])


@pytest.mark.parametrize("count", [3, 40, 300])
def test_texts_that_differ_in_one_byte(count: int) -> None:
    rng = np.random.default_rng(count)
    known = ["".join(rng.choice(list("abé\0"), n)) for n in np.sort(rng.integers(0, 40, 4 * count))]
    known = list(dict.fromkeys(known))[:count]
    near = [t[:i] + "z" + t[i + 1 :] for t in known for i in {0, len(t) // 2, max(0, len(t) - 1)}]
    X = np.array([*known, *near, *(t + "\0" for t in known), *(t[:-1] for t in known)], object).reshape(-1, 1)
    codes = np.arange(len(known) + 1)
    place = {text: i for i, text in enumerate(known)}
    expected = [[place.get(text, len(known))] for text in X.ravel().tolist()]
    np.testing.assert_array_equal(native(model_of(lookup(np.array(known, object), codes), "str", 1), X), expected)


@given(
    st.lists(st.text(max_size=12), unique=True, min_size=1, max_size=40), st.lists(st.text(max_size=12), max_size=20)
)
@example(["\0", "a\0", "a"], ["", "a\0\0"])
@settings(max_examples=25, deadline=None)
def test_any_text(categories: list[str], others: list[str]) -> None:
    known = {c: i for i, c in enumerate(categories)}
    X = np.array([*categories, *others], dtype=object).reshape(-1, 1)
    body = lookup(np.array(categories, dtype=object), np.append(np.arange(len(categories)), -1))
    answer = native(model_of(body, "str", 1), X)
    assert answer.ravel().tolist() == [known.get(x, -1) for x in X.ravel()]


def test_thousands_of_categories() -> None:
    categories = np.arange(0, 60_000, 3)
    body = lookup(categories, np.append(np.arange(len(categories), dtype=np.float64), np.nan))
    X = np.arange(-5, 3000).reshape(-1, 1)
    expected = np.where((X % 3 == 0) & (X >= 0), X // 3, np.nan)
    np.testing.assert_array_equal(native(model_of(body, "int64", 1), X), expected)


@pytest.mark.parametrize("to", ["float64", "float32", "int64", "int8", "bool"])
def test_one_hot_blocks(to: str) -> None:
    model = model_of(lambda X: one_hot(X, widths=[2, 0, 3, 1], to=np.dtype(to)), "int64", 4)
    X = np.array([[0, -1, 4, 5], [1, -1, -1, -1], [-1, 2, 2, 5], [2, 0, 1, 0]])
    answer = native(model, X)
    assert answer.dtype == np.dtype(to)
    hot = [[1, 0, 0, 0, 1, 1], [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 1], [0, 0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(answer, np.array(hot).astype(to))  # positions outside their block set nothing
    np.testing.assert_array_equal(answer, onnxruntime(model, {"X": X})[0])


def test_require_passes_on_or_refuses() -> None:
    model = model_of(lambda X: require(X * 2, X > 0, message="X is positive"), "float64", 2)
    np.testing.assert_array_equal(native(model, np.array([[1.0, 2.0]])), [[2.0, 4.0]])
    with pytest.raises(SardonyxError, match="X is positive"):
        native(model, np.array([[1.0, 2.0], [3.0, np.nan]]))


def test_what_refuses_does_so_in_python_too() -> None:
    def doubled(X: Value) -> Value:
        total = op.Unique(X.reshape(-1), outputs=4)[0] * 2.0  # no kernel: what follows runs in Python
        held = require(total, total < 9, message="X is small")
        checked: Value = check_finite(
            require(held, total > 0, message="X is positive"), allow_nan=0, estimator="Doubled"
        )
        return checked

    plan = lower(model_of(doubled, "float64", 1))
    assert "Require" in plan.reference_operators
    runner = PlanRunner(plan, threads=1)
    np.testing.assert_array_equal(runner.run(None, {"X": np.array([[1.0], [2.0]])})[0], [2.0, 4.0])
    for bad, message in ((-1.0, "positive"), (5.0, "small"), (np.nan, "small")):
        with pytest.raises(SardonyxError, match=f"X is {message}"):
            runner.run(None, {"X": np.array([[1.0], [bad]])})


def program(kernel: str, row: Slot, constants: list[Slot], out: Slot, params: tuple[int, ...] = ()) -> Program:
    slots = (row, *constants, out)
    step = Step(kernel, tuple(range(len(slots) - 1)), (len(slots) - 1,), params)
    return Program(slots, (step,), (0,), (len(slots) - 1,))


def constant(dtype: str, values: list[Any]) -> Slot:
    data = np.array(values, dtype=object if dtype == "str" else dtype)
    return Slot("c", dtype, data.shape, data)


POSITIONS, OUT = Slot("x", "int64", (2,)), Slot("y", "float64", (3,))
COLUMN, CODE = Slot("x", "int64", (1,)), Slot("y", "int64", (1,))
ILLEGAL = {
    "starts out of order": program("OneHotBlocks", POSITIONS, [constant("int64", [0, 4, 3])], OUT),
    "starts before the output": program("OneHotBlocks", POSITIONS, [constant("int64", [-1, 1, 3])], OUT),
    "starts beyond the output": program("OneHotBlocks", POSITIONS, [constant("int64", [0, 1, 4])], OUT),
    "too few starts": program("OneHotBlocks", POSITIONS, [constant("int64", [0, 3])], OUT),
    "too few codes": program("CategoryLookup", COLUMN, [constant("int64", [1]), constant("int64", [1])], CODE, (0,)),
    "other types": program("CategoryLookup", COLUMN, [constant("str", ["1"]), constant("int64", [1, 2])], CODE, (0,)),
    "other codes": program("CategoryLookup", COLUMN, [constant("int64", [1]), constant("float64", [1, 2])], CODE, (0,)),
    "hashes of floats": program("HashCategory", Slot("x", "float64", (1,)), [], CODE),
    "hashes of other width": program("HashCategory", COLUMN, [], Slot("y", "int64", (2,))),
    "hashes that are no int64": program("HashCategory", COLUMN, [], Slot("y", "float64", (1,))),
    "a strange flag": program(
        "CategoryLookup", COLUMN, [constant("int64", [1]), constant("int64", [1, 2])], CODE, (2,)
    ),
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_steps_are_refused_when_loaded(name: str) -> None:
    from sardonyx import _native

    with pytest.raises(ModelError):
        _native.Program.from_bytes(pack(ILLEGAL[name]))


def test_refuse() -> None:
    model = model_of(lambda X: refuse(X, X < 0, message="negative"), "float64", 2)
    X = np.array([[0, 1], [np.nan, 2.0]])
    np.testing.assert_array_equal(native(model, X), X)
    with pytest.raises(SardonyxError, match="negative: a row is refused"):
        native(model, -X)


def test_refuse_where_python_runs() -> None:
    model = model_of(lambda X: op.Einsum(refuse(X, X < 0, message="negative"), equation="ij->ij"), "float64", 2)
    with pytest.raises(SardonyxError, match="negative: a row is refused"):
        PlanRunner(lower(model), threads=1).run(None, {"X": -np.ones((1, 2))})
