"""Sparse tensors of files, which are made dense; functions with overloads that call each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import sardonyx
from sardonyx.errors import ModelError
from sardonyx.lowering.lower import lower

X = np.array([[1, 2, 3], [-4, 5, np.nan]], np.float32)
W = np.array([[0, 2], [0, 0], [-1, 0]], np.float32)


def sparse(
    values: Any, indices: Any, dims: Any, kind: int = TensorProto.FLOAT, name: str = "W"
) -> onnx.SparseTensorProto:
    indices = np.asarray(indices, np.int64)
    result: onnx.SparseTensorProto = helper.make_sparse_tensor(
        helper.make_tensor(name, kind, [len(values)], values),
        helper.make_tensor("", TensorProto.INT64, indices.shape, indices.ravel()),
        dims,
    )
    return result


FORMS = {
    "linear": sparse([2.0, -1.0], [1, 4], [3, 2]),
    "coordinates": sparse([2.0, -1.0], [[0, 1], [2, 0]], [3, 2]),
}


def model(*nodes: onnx.NodeProto, **others: Any) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 3])]
    outputs = [helper.make_empty_tensor_value_info("Y")]
    given = others.pop("sparse_initializer", [])
    graph = helper.make_graph(list(nodes), "g", inputs, outputs, sparse_initializer=given)
    result: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], **others)
    return result


def run(proto: onnx.ModelProto) -> Any:
    return sardonyx.load(proto).run(None, {"X": X})[0]


@pytest.mark.parametrize("form", FORMS)
def test_sparse_initializers_are_made_dense(form: str) -> None:
    proto = model(helper.make_node("MatMul", ["X", "W"], ["Y"]), sparse_initializer=[FORMS[form]])
    session = sardonyx.load(proto)
    np.testing.assert_array_equal(run(proto), X @ W)
    assert [arg.name for arg in session.get_inputs()] == ["X"]


@pytest.mark.parametrize("form", FORMS)
def test_sparse_constants_are_made_dense(form: str) -> None:
    constant = helper.make_node("Constant", [], ["W"], sparse_value=FORMS[form])
    np.testing.assert_array_equal(run(model(constant, helper.make_node("MatMul", ["X", "W"], ["Y"]))), X @ W)


def test_sparse_initializers_of_branches() -> None:
    def branch(name: str) -> onnx.GraphProto:
        nodes = [helper.make_node("MatMul", ["X", "W"], [name])]
        outputs = [helper.make_empty_tensor_value_info(name)]
        graph: onnx.GraphProto = helper.make_graph(nodes, name, [], outputs, sparse_initializer=[FORMS["linear"]])
        return graph

    condition = [
        helper.make_node("ReduceMax", ["X"], ["m"], keepdims=0),
        helper.make_node("IsNaN", ["m"], ["c"]),
        helper.make_node("If", ["c"], ["Y"], then_branch=branch("a"), else_branch=branch("b")),
    ]
    np.testing.assert_array_equal(run(model(*condition)), X @ W)


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (sparse([1.0], [6], [3, 2]), "indices outside"),
        (sparse([1.0], [-1], [3, 2]), "indices outside"),
        (sparse([1.0], [[0, 2]], [3, 2]), "indices outside"),
        (sparse([1.0], [0, 1], [3, 2]), "a list of values"),
        (sparse([1.0], [[0, 1, 1]], [3, 2]), "a list of values"),
        (sparse([1.0], [0], [1 << 40, 1 << 40]), "must have 1 to"),
        (sparse([1.0], [0], [-3, -2]), "must have 1 to"),
        (sparse([], [], [0]), "must have 1 to"),
    ],
    ids=range(8),
)
def test_sparse_tensors_that_are_none(tensor: onnx.SparseTensorProto, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        sardonyx.load(model(helper.make_node("MatMul", ["X", "W"], ["Y"]), sparse_initializer=[tensor]))


def function(name: str, overload: str, *nodes: onnx.NodeProto) -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("d", 1)]
    result: onnx.FunctionProto = helper.make_function("d", name, ["x"], ["y"], list(nodes), imports, overload=overload)
    return result


def call(name: str, overload: str, x: str, y: str) -> onnx.NodeProto:
    node: onnx.NodeProto = helper.make_node(name, [x], [y], domain="d")
    node.overload = overload
    return node


def test_functions_call_the_overload_they_name() -> None:
    functions = [
        function("f", "", helper.make_node("Neg", ["x"], ["y"])),
        function("f", "twice", helper.make_node("Add", ["x", "x"], ["y"])),
        function("g", "", call("f", "twice", "x", "p"), call("f", "", "p", "q"), call("f", "twice", "q", "y")),
    ]
    proto = model(call("g", "", "X", "Y"), functions=functions)
    proto.opset_import.append(helper.make_opsetid("d", 1))
    np.testing.assert_array_equal(run(proto), -4 * X)
    assert lower(proto).reference_operators == ()


@pytest.mark.parametrize("children", [(0, 2), (1, 0), (2, 1)], ids=["itself", "back", "none"])
def test_trees_in_a_circle_are_refused(children: tuple[int, int]) -> None:
    yes, no = children
    attributes: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_values": [0.5, 0.0, 0.0],
        "nodes_modes": ["BRANCH_LEQ", "BRANCH_LEQ" if no == 0 else "LEAF", "LEAF"],
        "nodes_truenodeids": [yes, 2, 0],
        "nodes_falsenodeids": [no if no else 2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
        "n_targets": 1,
    }
    node = helper.make_node("TreeEnsembleRegressor", ["X"], ["y"], domain="ai.onnx.ml", **attributes)
    model = make(node)
    if children == (2, 1):
        assert sardonyx.load(model).run(None, {"X": np.array([[0], [1]], np.float32)})[0].ravel().tolist() == [2.0, 1.0]
        return
    with pytest.raises(ModelError, match="in a circle"):
        sardonyx.load(model).run(None, {"X": np.array([[0]], np.float32)})


@pytest.mark.parametrize("counts", [[0, -(2**62)], [-1], [5], [1, 0]])
def test_counts_of_ngrams_beyond_the_pool_are_refused(counts: list[int]) -> None:
    """Files that count to 2^62 would be counted along."""
    node = helper.make_node(
        "TfIdfVectorizer", ["X"], ["y"], mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=0,
        pool_int64s=[1, 2, 3, 4], ngram_counts=counts, ngram_indexes=[0, 1, 2],
    )  # fmt: skip
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("X", TensorProto.INT64, ["N", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    with pytest.raises(ModelError, match="ngram_counts"):
        sardonyx.load(model)


def make(node: onnx.NodeProto) -> onnx.ModelProto:
    """A model of one node, from floats of one column to floats."""
    ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 1]) for name in ("X", "y")]
    graph = helper.make_graph([node], "trees", ports[:1], ports[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)])
