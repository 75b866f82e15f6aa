"""Large attributes: written as protobuf writes them, on the node they were given to, and on no other."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper

import sardonyx
from sardonyx import _native
from sardonyx.errors import SardonyxError
from sardonyx.graph import Graph, Value, op
from sardonyx.lowering.rules import rules_for
from sardonyx.protos import large
from sardonyx.protos.large import Large
from sardonyx.session.plan_session import PlanSession

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


def forest_content(wide: bool = False) -> bytes:
    """A file of a forest with lists of integers that are large here."""
    from sklearn.ensemble import RandomForestRegressor

    X = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float64 if wide else np.float32)
    model = sardonyx.to_onnx(RandomForestRegressor(3, random_state=0).fit(X, X[:, 0]), X)
    return bytes(model.SerializeToString())


@pytest.fixture
def large_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take lists of a hundred bytes for large ones."""
    monkeypatch.setattr(large, "LEAST", 100)
    monkeypatch.setattr(large, "WORTH_LOOKING", 0)


@pytest.mark.usefixtures("large_here")
def test_lists_are_taken_out_and_written_back() -> None:
    content = forest_content()
    small, taken = large.take_out(content)
    assert len(taken) == 7
    assert len(small) < len(content)
    model, whole = onnx.load_model_from_string(small), onnx.load_model_from_string(content)
    assert large.fill_model(model, taken) == whole


@pytest.mark.usefixtures("large_here")
def test_packed_lists_are_taken_out_too() -> None:
    numbers = np.array([0, 1, 127, 128, 1 << 40, (1 << 63) - 1] * 30)
    node = onnx.NodeProto(op_type="F", attribute=[written(Large(numbers))])
    node.attribute[0].name = "a"
    body = b"".join(bytes([at << 3 | 2]) + large.varints(np.array([len(part)])) + part for at, part in _packed(node))
    small, taken = large.take_out(body)
    assert [v.array.tolist() for v in taken.values()] == [numbers.tolist()]
    model = onnx.ModelProto()
    model.ParseFromString(small)
    assert large.fill_model(model, taken).graph.node[0].attribute[0].ints == numbers.tolist()


def _packed(node: onnx.NodeProto) -> list[tuple[int, bytes]]:
    """The node as the only one of a model's graph, its integers packed."""
    attribute = node.attribute[0]
    numbers = large.varints(np.array(attribute.ints))
    inner = b"\x0a\x01a" + b"\x42" + large.varints(np.array([len(numbers)])) + numbers + b"\xa0\x01\x07"
    whole = b"\x22\x01F" + b"\x2a" + large.varints(np.array([len(inner)])) + inner
    return [(7, b"\x0a" + large.varints(np.array([len(whole)])) + whole)]


@pytest.mark.usefixtures("large_here")
@pytest.mark.parametrize("wide", [False, True])
def test_sessions_of_files_read_so_answer_the_same(wide: bool) -> None:
    content = forest_content(wide)
    X = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float64 if wide else np.float32)
    expected = sardonyx.load(onnx.load_model_from_string(content)).run(None, {"X": X})[0]
    np.testing.assert_array_equal(sardonyx.load(content).run(None, {"X": X})[0], expected)


@pytest.mark.usefixtures("large_here")
def test_what_has_no_kernel_gets_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    content = forest_content()
    X = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    expected = sardonyx.load(content).run(None, {"X": X})[0]

    def without_trees(domain: str, op_type: str, **kinds: bool) -> Any:
        return () if "Tree" in op_type else rules_for(domain, op_type, **kinds)

    monkeypatch.setattr("sardonyx.lowering.by_rule.rules_for", without_trees)
    session = sardonyx.load(content)
    assert isinstance(session, PlanSession)
    np.testing.assert_allclose(session.run(None, {"X": X})[0], expected, rtol=1e-12)


@pytest.mark.usefixtures("large_here")
def test_what_is_no_file_is_left_to_protobuf() -> None:
    content = forest_content()
    for cut in range(1, len(content), 97):
        small, taken = large.take_out(content[:cut])
        assert taken or small == content[:cut]
    rng = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(content)
        for at in rng.integers(0, len(content), 3):
            changed[at] = rng.integers(0, 256)
        with contextlib.suppress(SardonyxError):
            sardonyx.load(bytes(changed))


@pytest.mark.parametrize(
    ("content", "tag", "numbers"),
    [
        (b"", -1, []),
        (b"\x00\x7f\x80\x01", -1, [0, 127, 128]),
        (b"\xff" * 9 + b"\x01", -1, [-1]),
        (b"\x40\x05\x40\x80\x80\x00\x48\x01", 0x40, [5, 0]),
    ],
)
def test_varints_are_read(content: bytes, tag: int, numbers: list[int]) -> None:
    array, size = _native.read_varints(content, tag)
    assert array.tolist() == numbers
    assert size == len(content) - (2 if tag >= 0 else 0)


@pytest.mark.parametrize("content", [b"\x80", b"\xff" * 11])
def test_varints_without_end_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="without end"):
        _native.read_varints(content, -1)
