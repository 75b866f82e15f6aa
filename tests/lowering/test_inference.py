"""What is asked of onnx's C++ about foreign nodes, and what must never reach it: most of it was a crash or a hang."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import sardonyx
from sardonyx.errors import ModelError
from sardonyx.lowering.inference import infer_types, is_consistent, is_legal, is_sound

OPSETS = (("", 20), ("ai.onnx.ml", 4))


def tensor(*shape: int | str | None, element: int = TensorProto.FLOAT) -> onnx.TypeProto:
    kind: onnx.TypeProto = helper.make_tensor_type_proto(element, shape)
    return kind


def inferred(node: onnx.NodeProto, opsets: tuple[tuple[str, int], ...] = OPSETS, **inputs: onnx.TypeProto) -> str:
    (kind,) = infer_types([node], inputs, [], [node.output[0]], opsets)
    return str(kind).strip()


def test_types_of_sound_nodes_are_known() -> None:
    (kind,) = infer_types(
        [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Relu", ["p"], ["y"])],
        {"x": tensor("N", 3)},
        [helper.make_tensor("w", TensorProto.FLOAT, [3, 2], [0.0] * 6)],
        ["y"],
        OPSETS,
    )
    assert kind == tensor("N", 2)


def test_lists_of_sizes_are_followed() -> None:
    zero = helper.make_tensor("zero", TensorProto.INT64, [1], [0])
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["rows"]),
        helper.make_node("Reshape", ["x", "rows"], ["y"]),
    ]
    assert infer_types(nodes, {"x": tensor("N", 1)}, [zero], ["y"], OPSETS) == [tensor("N")]


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("TreeEnsemble", [""], ["y"], domain="ai.onnx.ml"),
        helper.make_node("DictVectorizer", [""], ["y"], domain="ai.onnx.ml", int64_vocabulary=[1]),
        helper.make_node("LabelEncoder", [""], ["y"], domain="ai.onnx.ml", keys_strings=["a"], values_floats=[1.0]),
        helper.make_node("EyeLike", [""], ["y"]),
        helper.make_node("RegexFullMatch", [""], ["y"], pattern="a"),
        helper.make_node("Relu", [], ["y"]),
        helper.make_node("Relu", ["x", "x"], ["y"]),
        helper.make_node("Relu", ["x"], ["y"], alpha=1.0),
        helper.make_node("Cast", ["x"], ["y"]),
        helper.make_node("Cast", ["x"], ["y"], to="float"),
        helper.make_node("Einsum", ["x"], ["y"], equation=b"ni\0i"),
        helper.make_node("Nothing", ["x"], ["y"]),
        helper.make_node("Relu", ["x"], ["y"], domain="elsewhere"),
    ],
    ids=lambda node: node.op_type,
)
def test_nodes_that_break_their_schema_have_no_types(node: onnx.NodeProto) -> None:
    assert not is_sound(node, OPSETS)
    assert inferred(node, x=tensor("N", 3)) == ""


@pytest.mark.parametrize("version", [-1, 0, 1 << 40, -(1 << 63)])
def test_versions_that_are_none(version: int) -> None:
    assert inferred(helper.make_node("Relu", ["x"], ["y"]), (("", version),), x=tensor("N")) == ""


@pytest.mark.parametrize(
    "kind",
    [onnx.TypeProto(), tensor(-1), tensor(1 << 40), tensor(2, element=88), tensor(*[1] * 99), tensor(element=0)],
    ids=str,
)
def test_types_that_no_value_has_are_not_handed_on(kind: onnx.TypeProto) -> None:
    assert not is_legal(kind)
    assert inferred(helper.make_node("Relu", ["x"], ["y"]), x=kind) == ""
    assert inferred(helper.make_node("SequenceConstruct", ["x"], ["y"]), x=kind) == ""


def test_long_lists_of_integers_are_not_followed_element_by_element() -> None:
    node = helper.make_node("Mul", ["x", "x"], ["y"])
    assert inferred(node, x=tensor(1 << 30, element=TensorProto.INT64)) != ""


def test_nodes_behind_unknown_ones_have_no_types() -> None:
    bad = helper.make_node("Nothing", ["x"], ["p"])
    tree = helper.make_node("Relu", ["p"], ["y"])
    assert infer_types([bad, tree], {"x": tensor("N", 3)}, [], ["y"], OPSETS) == [onnx.TypeProto()]


def test_tensors_hold_what_their_shapes_say() -> None:
    assert is_consistent(helper.make_tensor("", TensorProto.INT64, [2], [1, 2]))
    assert not is_consistent(TensorProto(data_type=TensorProto.INT64, dims=[3], raw_data=b"12345678"))
    assert not is_consistent(TensorProto(data_type=TensorProto.INT64, dims=[-1], int64_data=[1]))
    assert not is_consistent(TensorProto(data_type=99, dims=[1], raw_data=b"1"))


def subgraph(nodes: list[onnx.NodeProto], output: str) -> onnx.GraphProto:
    graph: onnx.GraphProto = helper.make_graph(nodes, output, [], [helper.make_empty_tensor_value_info(output)])
    return graph


def branches(*nodes: onnx.NodeProto) -> onnx.NodeProto:
    graphs = [subgraph([*nodes, helper.make_node("Identity", [nodes[-1].output[0]], [n])], n) for n in ("a", "b")]
    node: onnx.NodeProto = helper.make_node("If", ["c"], ["z"], then_branch=graphs[0], else_branch=graphs[1])
    return node


def test_subgraphs_must_be_sound_too() -> None:
    assert is_sound(branches(helper.make_node("Relu", ["x"], ["p"])), OPSETS)
    assert not is_sound(branches(helper.make_node("Relu", ["x", "x"], ["p"])), OPSETS)
    assert not is_sound(branches(helper.make_node("Scaler", ["x"], ["p"], domain="ai.onnx.ml")), OPSETS)


def function(name: str, *nodes: onnx.NodeProto, opset: int = 20) -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("d", 1)]
    result: onnx.FunctionProto = helper.make_function("d", name, ["x"], ["y"], list(nodes), imports)
    return result


def calling(*functions: onnx.FunctionProto) -> onnx.ModelProto:
    c = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    x, z = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in "xz")
    node = branches(helper.make_node(functions[0].name, ["x"], ["p"], domain="d"))
    graph = helper.make_graph([node], "g", [c, x], [z])
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("d", 1)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=imports, functions=functions)
    return model


def run(model: onnx.ModelProto) -> np.ndarray:
    x = np.array([[-1, 2]], np.float32)
    (z,) = sardonyx.load(model).run(None, {"c": np.array(True), "x": x})
    return np.asarray(z)


def test_functions_that_subgraphs_call_are_put_in_line() -> None:
    inner = function("g", helper.make_node("Relu", ["x"], ["y"]))
    outer = function("f", helper.make_node("g", ["x"], ["p"], domain="d"), helper.make_node("Neg", ["p"], ["y"]))
    assert run(calling(outer, inner)).tolist() == [[0, -2]]


def test_functions_of_another_opset_must_mean_the_same() -> None:
    assert run(calling(function("f", helper.make_node("Relu", ["x"], ["y"]), opset=14))).tolist() == [[0, 2]]
    with pytest.raises(ModelError, match="where Cast is another operator"):
        sardonyx.load(calling(function("f", helper.make_node("Cast", ["x"], ["y"], to=1), opset=13)))


def test_functions_that_multiply_or_call_each_other_are_refused() -> None:
    last = function("f0", helper.make_node("Relu", ["x"], ["y"]))
    doubling = [
        function(
            f"f{k}",
            helper.make_node(f"f{k - 1}", ["x"], ["p"], domain="d"),
            helper.make_node(f"f{k - 1}", ["p"], ["y"], domain="d"),
        )
        for k in range(40, 0, -1)
    ]
    with pytest.raises(ModelError, match="do its functions multiply"):
        sardonyx.load(calling(*doubling, last))
    with pytest.raises(ModelError, match="do they call each other"):
        sardonyx.load(calling(function("f", helper.make_node("f", ["x"], ["y"], domain="d"))))
