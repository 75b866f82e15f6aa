"""RNN, GRU and LSTM: every attribute and optional input, by rows and whole, as ONNX Runtime answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import sardonyx
from sardonyx.kernels.recurrent import FORMS
from sardonyx.lowering.lower import lower, lower_whole
from sardonyx.lowering.plan import NativeSegment
from sardonyx.lowering.runner import PlanRunner

Array = NDArray[Any]
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
NAMES = {
    "leakyrelu": "LeakyRelu",
    "thresholdedrelu": "ThresholdedRelu",
    "scaledtanh": "ScaledTanh",
    "hardsigmoid": "HardSigmoid",
}
T, N, IN, H = 5, 35, 3, 7  # more sequences than go together


def single(
    op: str,
    direction: str = "forward",
    given: str = "",
    *,
    constants: bool = True,
    dtype: str = "float32",
    largest: float = 0.8,
    **more: Any,
) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """Return a model of one operator with the optional inputs named, and its inputs."""
    rng, g, d = np.random.default_rng(0), GATES[op], DIRECTIONS[direction]

    def draw(*shape: int) -> Array:
        return rng.uniform(-largest, largest, shape).astype(dtype)

    x, h0, c0 = draw(T, N, IN), draw(d, N, H), draw(d, N, H)
    if more.get("layout"):
        x, h0, c0 = (np.ascontiguousarray(a.swapaxes(0, 1)) for a in (x, h0, c0))
    lengths = rng.integers(0, T + 1, N).astype(np.int32)
    lengths[0] = T  # or ONNX Runtime's Y would be shorter
    every = {"X": x, "W": draw(d, g * H, IN), "R": draw(d, g * H, H), "B": draw(d, 2 * g * H), "lens": lengths}
    every |= {"h0": h0, "c0": c0, "P": draw(d, 3 * H)}
    asked = {"X", "W", "R", *given.split()}
    names = [name if name in asked else "" for name in every][: 8 if op == "LSTM" else 6]
    known = {"W", "R", "B", "P"} if constants else set()
    outputs = ["Y", "Y_h", *(["Y_c"] if op == "LSTM" else [])]
    node = helper.make_node(op, names, outputs, hidden_size=H, direction=direction, **more)
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(every[name].dtype), every[name].shape)
        for name in every
        if name in asked - known
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    results = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    weights = [numpy_helper.from_array(every[name], name) for name in every if name in asked & known]
    graph = helper.make_graph([node], "g", inputs, results, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return model, {name: every[name] for name in every if name in asked - known}


def whole(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    plan = lower_whole(model)
    assert plan is not None
    return PlanRunner(plan, threads=1).run(None, feeds)


def judge(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    return list(ort.InferenceSession(model.SerializeToString()).run(None, feeds))


def assert_close(actual: list[Array], expected: list[Array], tolerance: float = 1e-5) -> None:
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == e.shape
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("op", "more"), [
    ("RNN", {}),
    ("RNN", {"clip": 0.3}),
    ("GRU", {}),
    ("GRU", {"clip": 0.3}),
    ("GRU", {"linear_before_reset": 1}),
    ("GRU", {"linear_before_reset": 1, "clip": 0.2}),
    ("LSTM", {}),
    ("LSTM", {"input_forget": 1}),
    ("LSTM", {"clip": 0.3}),
])  # fmt: skip
def test_the_standards_operators(op: str, direction: str, more: dict[str, Any]) -> None:
    of_cells = ["B h0 c0 P", "B lens c0 P"] if op == "LSTM" else []
    for given in ["", "B h0", "B lens", "lens h0", *of_cells]:
        for constants in (True, False):
            model, feeds = single(op, direction, given, constants=constants, **more)
            assert_close(whole(model, feeds), judge(model, feeds))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("op", GATES)
def test_activations(op: str, name: str) -> None:
    count = {"RNN": 1, "GRU": 2, "LSTM": 3}[op] * 2
    takes = dict(zip(("activation_alpha", "activation_beta"), FORMS[name], strict=True))
    alphas: dict[str, Any] = {key: [0.3] * count for key, usual in takes.items() if usual is not None}
    for more in ({}, alphas) if name not in ("affine", "scaledtanh", "thresholdedrelu") else (alphas,):
        model, feeds = single(
            op, "bidirectional", "B", activations=[NAMES.get(name, name.title())] * count, largest=0.3, **more
        )
        assert_close(whole(model, feeds), judge(model, feeds), 1e-4)


def test_alphas_are_used_up_in_order() -> None:
    names: dict[str, Any] = {"activations": ["HardSigmoid", "LeakyRelu", "ScaledTanh"]}
    model, feeds = single("LSTM", given="B", **names, activation_alpha=[0.3, 0.1, 0.9], activation_beta=[0.4, 0.8])
    assert_close(whole(model, feeds), judge(model, feeds))


@pytest.mark.parametrize("op", GATES)
def test_rows_first_and_float64_are_the_same(op: str) -> None:
    given = "B lens h0 c0 P" if op == "LSTM" else "B lens h0"
    expected = judge(*single(op, "bidirectional", given))
    wide, feeds = single(op, "bidirectional", given, dtype="float64")
    exact = whole(wide, feeds)
    assert all(y.dtype == np.float64 for y in exact)
    assert_close([y.astype(np.float32) for y in exact], expected)
    model, feeds = single(op, "bidirectional", given, dtype="float64", layout=1)
    y, *states = whole(model, feeds)
    turned = [y.transpose(1, 2, 0, 3), *(state.swapaxes(0, 1) for state in states)]
    for a, e in zip(turned, exact, strict=True):  # the same numbers in the same order
        np.testing.assert_array_equal(a, e)


def network(op: str, direction: str, layers: int = 2, steps: Any = T) -> onnx.ModelProto:
    """Return layers as PyTorch writes them with batch_first: first states of as many rows, outputs turned back."""
    rng, d, g = np.random.default_rng(1), DIRECTIONS[direction], GATES[op]
    known: dict[str, Array] = {"rest": np.array([0, 0, -1]), "zero": np.array([0]), "one": np.array([1])}
    known |= {"states": np.array([layers * d]), "hidden": np.array([H]), "last": np.array(-1)}
    nodes = [
        helper.make_node("Shape", ["X"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["rows"]),
        helper.make_node("Concat", ["states", "rows", "hidden"], ["wide"], axis=0),
        helper.make_node("ConstantOfShape", ["wide"], ["first"]),
        helper.make_node("Transpose", ["X"], ["x0"], perm=[1, 0, 2]),
    ]
    for i in range(layers):
        for name, shape in {"W": (d, g * H, H * d if i else IN), "R": (d, g * H, H), "B": (d, 2 * g * H)}.items():
            known[f"{name}{i}"] = rng.uniform(-0.6, 0.6, shape).astype(np.float32)
        known |= {f"from{i}": np.array([i * d]), f"to{i}": np.array([(i + 1) * d])}
        given = [f"x{i}", f"W{i}", f"R{i}", f"B{i}", "", *[f"h{i}"] * (1 + (op == "LSTM"))]
        nodes += [
            helper.make_node("Slice", ["first", f"from{i}", f"to{i}", "zero"], [f"h{i}"]),
            helper.make_node(op, given, [f"Y{i}", f"last{i}"], hidden_size=H, direction=direction),
        ]
        if d == 1:
            nodes.append(helper.make_node("Squeeze", [f"Y{i}", "one"], [f"x{i + 1}"]))
        else:
            nodes.append(helper.make_node("Transpose", [f"Y{i}"], [f"t{i}"], perm=[0, 2, 1, 3]))
            nodes.append(helper.make_node("Reshape", [f"t{i}", "rest"], [f"x{i + 1}"]))
    nodes += [
        helper.make_node("Transpose", [f"x{layers}"], ["out"], perm=[1, 0, 2]),
        helper.make_node("Concat", [f"last{i}" for i in range(layers)], ["ends"], axis=0),
        helper.make_node("Gather", ["out", "last"], ["end"], axis=1),
    ]
    X = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", steps, IN])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("out", "ends", "end")]
    weights = [numpy_helper.from_array(array, name) for name, array in known.items()]
    graph = helper.make_graph(nodes, "g", [X], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("op", GATES)
def test_pytorchs_layers_serve_any_number_of_rows(op: str, direction: str, layers: int) -> None:
    model = network(op, direction, layers)
    plan = lower(model)
    (segment,) = plan.segments
    assert isinstance(segment, NativeSegment)
    assert not segment.whole
    runner = PlanRunner(plan, threads=1)
    rng = np.random.default_rng(2)
    for n in (1, 3, 70):
        x = rng.normal(size=(n, T, IN)).astype(np.float32)
        assert_close(runner.run(None, {"X": x}), judge(model, {"X": x}))
    every = runner.run(["out"], {"X": x})[0]
    assert all(np.array_equal(runner.run(["out"], {"X": x[i : i + 1]})[0][0], every[i]) for i in (0, 33, 69))
    assert [y.shape for y in runner.run(None, {"X": x[:0]})] == [
        (0, T, every.shape[2]),
        (layers * DIRECTIONS[direction], 0, H),
        (0, every.shape[2]),
    ]


def test_any_number_of_steps() -> None:
    model = network("LSTM", "bidirectional", steps="T")
    session = sardonyx.load(model)
    for n, steps in ((1, 1), (4, 6), (40, 3), (2, 6)):
        x = np.random.default_rng(n).normal(size=(n, steps, IN)).astype(np.float32)
        assert_close(session.run(None, {"X": x}), judge(model, {"X": x}))


def test_lengths_of_each_row() -> None:
    model, feeds = single("GRU", "bidirectional", "B lens", layout=1)
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    plan = lower(model)
    assert plan.native is not None
    fixed, _ = single("GRU", "bidirectional", "B lens", layout=1)
    assert_close(PlanRunner(plan, threads=1).run(None, feeds), whole(fixed, feeds), 0)
    for wrong in (-1, T + 1):
        feeds["lens"] = np.full(N, wrong, np.int32)
        with pytest.raises(ValueError, match=rf"sequence_lens: {wrong} is not in \[0, {T}\]"):
            PlanRunner(plan, threads=1).run(None, feeds)


@pytest.mark.parametrize("more", [
    {"activations": ["Tanh", "Unheard"]},
    {"activations": ["Tanh"]},
    {"hidden_size": 3},
])  # fmt: skip
def test_what_the_standard_does_not_know_is_declined(more: dict[str, Any]) -> None:
    model, _ = single("GRU")
    for name, value in more.items():
        kept = [a for a in model.graph.node[0].attribute if a.name != name]
        del model.graph.node[0].attribute[:]
        model.graph.node[0].attribute.extend([*kept, helper.make_attribute(name, value)])
    assert lower_whole(model) is None


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_activations_of_any_number(name: str) -> None:
    """In float32 they have code of their own: a few units in the last place, NaN and infinities included."""
    numbers = np.concatenate([np.linspace(-95, 95, 20001), np.geomspace(1e-30, 1, 997), [np.inf, -np.inf, np.nan]])
    x = numbers.astype(np.float32)[None, :, None]
    weights = [numpy_helper.from_array(np.full((1, 1, 1), w, np.float32), n) for n, w in (("W", 1), ("R", 0))]
    node = helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=1, activations=[name])
    X = helper.make_tensor_value_info("X", TensorProto.FLOAT, x.shape)
    Y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", [X], [Y], weights)
    (y,) = whole(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8), {"X": x})
    exact = x.ravel().astype(np.float64)
    with np.errstate(over="ignore"):
        expected = np.tanh(exact) if name == "tanh" else 1 / (1 + np.exp(-exact))
    np.testing.assert_allclose(y.ravel(), expected, rtol=4e-7, atol=1e-37)
    assert np.array_equal(np.signbit(y.ravel()), np.signbit(expected))
