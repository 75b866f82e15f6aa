"""Loops that Python leads go many rounds at a time, and answer as they do round by round."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import sardonyx
from sardonyx.lowering.reference import rounds

Array = NDArray[Any]
W = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
info = helper.make_tensor_value_info
node = helper.make_node


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "WORTH", 0)
    monkeypatch.setattr(rounds, "MOST_NODES", 40)
    monkeypatch.setattr("sardonyx.lowering.control_flow.MOST_UNROLLED", 300)


def model(nodes: list[onnx.NodeProto], **constants: Any) -> bytes:
    known = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    known.append(numpy_helper.from_array(W, "W"))
    graph = helper.make_graph(
        nodes, "g", [info("X", FLOAT, ["N", 3])], [info("s", FLOAT, None), info("Y", FLOAT, None)]
    )
    graph.initializer.extend(known)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


STEP = [node("MatMul", ["x", "W"], ["xw"]), node("Mul", ["state", "half"], ["h"]), node("Add", ["h", "xw"], ["next"])]


def scan(**attributes: Any) -> bytes:
    body = helper.make_graph(
        [*STEP, node("Tanh", ["next"], ["y"])],
        "body",
        [info("state", FLOAT, [3]), info("x", FLOAT, [3])],
        [info("next", FLOAT, [3]), info("y", FLOAT, [3])],
    )
    nodes = [node("Scan", ["s0", "X"], ["s", "Y"], body=body, num_scan_inputs=1, **attributes)]
    return model(nodes, s0=np.zeros(3, np.float32), half=np.float32(0.5))


def loop(again: list[onnx.NodeProto]) -> bytes:
    """Return a loop over the rows; `again` makes the condition `more` of `go` and `next`."""
    body = helper.make_graph(
        [node("Gather", ["X", "i"], ["x"], axis=0), *STEP, node("Tanh", ["next"], ["y"]), *again],
        "body",
        [info("i", INT, []), info("go", BOOL, []), info("state", FLOAT, None)],
        [info("more", BOOL, []), info("next", FLOAT, None), info("y", FLOAT, None)],
    )
    nodes = [node("Shape", ["X"], ["sizes"]), node("Gather", ["sizes", "zero"], ["n"], axis=0)]
    nodes.append(node("Loop", ["n", "", "s0"], ["s", "Y"], body=body))
    constants = {"s0": np.zeros(3, np.float32), "half": np.float32(0.5), "zero": np.array(0), "limit": np.float32(1.5)}
    return model(nodes, **constants)


def check(content: bytes, counts: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> int:
    """Compare with ONNX Runtime; return how often rounds were led together."""
    led = []
    lead = rounds.Rounds._lead

    def counted(self: Any, *args: Any) -> Any:
        results = lead(self, *args)
        led.append(results is not None)
        return results

    monkeypatch.setattr(rounds.Rounds, "_lead", counted)
    session = sardonyx.InferenceSession(content)
    judge = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    for n in counts:
        X = np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32)
        for actual, expected in zip(session.run(None, {"X": X}), judge.run(None, {"X": X}), strict=True):
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
    return sum(led)


SURE = [node("Identity", ["go"], ["more"])]


def test_scans_and_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(scan(), (151, 160, 1, 200), monkeypatch) == 3
    assert check(loop(SURE), (151, 160, 1, 200), monkeypatch) == 3


def test_a_scan_along_another_direction_goes_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(scan(scan_input_directions=[1]), (150,), monkeypatch) == 0


def test_a_loop_that_may_end_goes_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [
        node("ReduceMax", ["next"], ["most"], keepdims=0),
        node("Less", ["most", "limit"], ["more"]),
    ]
    assert check(loop(ends), (150,), monkeypatch) == 0


def test_a_loop_whose_state_grows_goes_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    body = helper.make_graph(
        [*SURE, node("Concat", ["state", "one"], ["grown"], axis=0), node("Gather", ["X", "i"], ["y"], axis=0)],
        "body",
        [info("i", INT, []), info("go", BOOL, []), info("state", FLOAT, [None])],
        [info("more", BOOL, []), info("grown", FLOAT, [None]), info("y", FLOAT, [3])],
    )
    nodes = [node("Shape", ["X"], ["sizes"]), node("Gather", ["sizes", "zero"], ["n"], axis=0)]
    nodes.append(node("Loop", ["n", "", "s0"], ["s", "Y"], body=body))
    content = model(nodes, s0=np.zeros(1, np.float32), one=np.ones(1, np.float32), zero=np.array(0))
    assert check(content, (150, 151), monkeypatch) == 0
