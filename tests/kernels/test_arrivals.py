"""Inputs that are maps: DictVectorizer and CastMap, as ONNX Runtime has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import sardonyx
from sardonyx.errors import InputError

from .single import assert_same, onnxruntime

ELEMENTS = {"str": TensorProto.STRING, "int64": TensorProto.INT64, "float32": TensorProto.FLOAT}


def model_of_map(op: str, key: str, value: str, **attributes: Any) -> onnx.ModelProto:
    kind = onnx.TypeProto()
    kind.map_type.key_type = ELEMENTS[key]
    kind.map_type.value_type.CopyFrom(helper.make_tensor_type_proto(ELEMENTS[value], []))
    nodes = [helper.make_node(op, ["x"], ["y"], domain="ai.onnx.ml", **attributes)]
    graph = helper.make_graph(nodes, "map", [helper.make_value_info("x", kind)], [onnx.ValueInfoProto(name="y")])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return model


@pytest.mark.parametrize(
    ("key", "vocabulary", "given"),
    [
        ("str", {"string_vocabulary": ["a", "ä", ""]}, {"ä": 2.5, "": 1.0, "unknown": 9.0}),
        ("int64", {"int64_vocabulary": [4, -2]}, {-2: 2.5, 4: float("nan")}),
        ("int64", {"int64_vocabulary": [4]}, {7: 1.0}),
    ],
)
def test_maps_become_rows(key: str, vocabulary: dict[str, Any], given: dict[Any, Any]) -> None:
    model = model_of_map("DictVectorizer", key, "float32", **vocabulary)
    session = sardonyx.load(model)
    assert "reference" not in session.explain()
    assert_same(session.run(None, {"x": given})[0], onnxruntime(model, {"x": given})[0])  # type: ignore[dict-item]


def test_what_follows_is_native_too() -> None:
    model = model_of_map("DictVectorizer", "str", "float32", string_vocabulary=["a", "b"])
    model.graph.node.append(helper.make_node("Neg", ["y"], ["z"]))
    model.graph.output[0].name = "z"
    session = sardonyx.load(model)
    assert "reference" not in session.explain()
    assert_same(session.run(["z"], {"x": {"b": 1.5}})[0], np.array([[-0.0, -1.5]], np.float32))


def test_several_maps_are_several_rows() -> None:
    session = sardonyx.load(model_of_map("DictVectorizer", "int64", "str", int64_vocabulary=[1, 2]))
    (y,) = session.run(None, {"x": [{1: "a"}, {2: "b"}]})
    assert y.tolist() == [["a", ""], ["", "b"]]


@pytest.mark.parametrize("to", ["TO_FLOAT", "TO_INT64"])
def test_sparse_maps_have_places(to: str) -> None:
    model = model_of_map("CastMap", "int64", "float32", cast_to=to, map_form="SPARSE", max_map=4)
    session, given = sardonyx.load(model), {2: 2.5, 0: -1.0}
    assert "reference" not in session.explain()
    assert_same(session.run(None, {"x": given})[0], onnxruntime(model, {"x": given})[0])  # type: ignore[dict-item]


def test_dense_maps_are_as_wide_as_they_come() -> None:
    model, given = model_of_map("CastMap", "int64", "float32"), {2: 2.5, 0: -1.0}
    assert_same(sardonyx.load(model).run(None, {"x": given})[0], np.array([[-1, 2.5]], np.float32))


@pytest.mark.parametrize("given", [3.0, {"a": "text"}, {"a": [1.0, 2.0]}, None])
def test_what_is_no_map_is_refused(given: Any) -> None:
    session = sardonyx.load(model_of_map("DictVectorizer", "str", "float32", string_vocabulary=["a"]))
    with pytest.raises(InputError, match="is a map of float32"):
        session.run(None, {"x": given})
