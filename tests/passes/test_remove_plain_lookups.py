"""Labels that are their own indices need no look-up; the answers stay, and so do errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sardonyx.graph import Graph, Value, op
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program

from ..native.programs import load

X = np.array([[0.5, -1, 2], [3, 3, 1], [-1, -2, -3], [np.nan, 1, 2]])


def program_of(labels: Any, two: bool, beside: bool = False) -> Program:
    """The label of the greatest score, or whether the first is positive; `beside`: the index too."""
    graph = Graph({"": 21})
    with graph.scope():
        x = graph.input("X", np.float64, ("N", 3))
        if two:
            at: Value = op.Cast(op.Gather(x, np.array(0), axis=1) > 0.0, to=7)
        else:
            at = op.ArgMax(x, axis=1, keepdims=0)
        found = op.Gather(np.array(labels), at)
        outputs = {"y": found, "at": at + 1} if beside else {"y": found}
    program = lower(graph.model(outputs)).native
    assert program is not None
    return program


def kernels_of(program: Program) -> list[str]:
    return [step.kernel for step in program.steps]


@pytest.mark.parametrize(
    ("labels", "two", "left"),
    [
        ([0, 1, 2], False, ["ArgMax"]),
        ([0, 1, 2, 3], False, ["ArgMax"]),
        ([0, 2, 1], False, ["ArgMax", "Gather"]),
        ([1, 2, 3], False, ["ArgMax", "Gather"]),
        ([0.0, 1.0, 2.0], False, ["ArgMax", "Gather"]),
        ([0, 1], True, ["Gather", "Greater", "Cast"]),
        ([0, 1, 2], True, ["Gather", "Greater", "Cast"]),
        ([-1, 1], True, ["Gather", "Greater", "Cast", "Gather"]),
        ([False, True], True, ["Gather", "Greater"]),
        ([True, False], True, ["Gather", "Greater", "Cast", "Gather"]),
        ([[0], [1]], True, ["Gather", "Greater", "Cast", "Gather"]),
    ],
)
def test_only_tables_of_their_own_indices(labels: Any, two: bool, left: list[str]) -> None:
    program = program_of(labels, two)
    assert kernels_of(program) == left
    at = (X[:, 0] > 0).astype(int) if two else np.argmax(X, axis=1)
    (y,) = load(program).run(None, {"X": X})
    expected = np.array(labels)[at]
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == expected.dtype


def test_indices_that_others_read_stay() -> None:
    program = program_of([0, 1, 2], two=False, beside=True)
    assert "Gather" in kernels_of(program)
    y, at = load(program).run(None, {"X": X})
    np.testing.assert_array_equal(at, y + 1)


def test_an_index_beyond_the_table_is_still_refused() -> None:
    program = program_of([0, 1], two=False)
    assert kernels_of(program) == ["ArgMax", "Gather"]
    with pytest.raises(Exception, match="out of range"):
        load(program).run(None, {"X": X[:1]})


def test_any_index_of_a_file_is_looked_up() -> None:
    graph = Graph({"": 21})
    with graph.scope():
        model = graph.model({"y": op.Gather(np.array([0, 1, 2]), graph.input("i", np.int64, ("N",)))})
    program = lower(model).native
    assert program is not None
    assert load(program).run(None, {"i": np.array([-1, 0, 2])})[0].tolist() == [2, 0, 2]
