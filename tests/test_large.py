"""Large attributes: written as protobuf writes them, on the node they were given to, and on no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from sardonyx.graph import Graph, Value, op
from sardonyx.large import Large

OPSET = {"": 21, "ai.onnx.ml": 5, "sardonyx": 1}


def written(large: Large) -> onnx.AttributeProto:
    stub = large.stub("a")
    large.write(stub)
    return stub


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_integers_are_what_protobuf_writes(numbers: list[int]) -> None:
    expected = onnx.AttributeProto(name="a", type=onnx.AttributeProto.INTS, ints=numbers)
    assert written(Large(np.array(numbers, np.int64))).SerializeToString() == expected.SerializeToString()


@pytest.mark.parametrize("edge", [0, 1, 2**7 - 1, 2**7, 2**14, 2**31, 2**56, 2**63 - 1])
def test_numbers_beside_a_large_one(edge: int) -> None:
    assert list(written(Large(np.array([0, edge, 1], np.int64))).ints) == [0, edge, 1]


def test_booleans_are_integers() -> None:
    assert list(written(Large(np.array([True, False, True]))).ints) == [1, 0, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_tensors(dtype: type) -> None:
    array: NDArray[Any] = np.arange(6, dtype=dtype)[::2]
    assert written(Large(array, tensor=True)) == helper.make_attribute("a", numpy_helper.from_array(array))


def test_functions_that_differ_in_a_large_attribute_only_keep_their_own() -> None:
    graph = Graph(OPSET)
    X = graph.input("X", np.float32, ("N", 2))
    numbers = [np.arange(3), np.arange(3)[::-1], np.arange(3)]

    def body(x: Value) -> list[Value]:
        return [op.Flatten(x)]

    def step(x: Value, given: NDArray[Any]) -> Value:
        def inner(y: Value) -> list[Value]:
            return list(graph_of(y).function("sardonyx", "F", body, [y], ["Y"], {"a": Large(given)}))

        return graph.function("sardonyx", "Step", inner, [x], ["Y"])[0]

    def graph_of(value: Value) -> Graph:
        return value.graph

    with graph.scope():
        outputs = {f"y{i}": step(X, n) for i, n in enumerate(numbers)}
    model = graph.model(outputs)
    calls = {f.name: list(f.node[0].attribute[0].ints) for f in model.functions if f.name.startswith("Step")}
    assert [calls[n.op_type] for n in model.graph.node if n.op_type in calls] == [n.tolist() for n in numbers]
    assert not any(a.doc_string for f in model.functions for n in f.node for a in n.attribute)
    onnx.checker.check_model(model)
