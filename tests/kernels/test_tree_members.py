"""Trees that ask for any number or set of numbers, against a walk in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

from .single import assert_same, model_of, native_plan, rows

VALUES = (-1.0, 0.0, -0.0, 0.5, 2.5, 3.0, 7.0, np.nan, np.inf)
SETS = [[-1.0, 2.5], [0.5], [3.0, 0.0, float("inf")]]


def grown(rng: np.random.Generator, n_nodes: int, dtype: str) -> dict[str, Any]:
    """Attributes of a tree of n inner nodes in a row, each with a leaf on one side, of every mode."""
    modes = rng.integers(0, 7, n_nodes)
    members = [SETS[int(rng.integers(3))] if mode == 6 else None for mode in modes]
    last = np.arange(n_nodes) == n_nodes - 1
    yes_is_leaf = rng.integers(0, 2, n_nodes) == 1
    leaf, nodes = np.arange(n_nodes), np.arange(1, n_nodes + 1)
    return {
        "n_targets": 1,
        "aggregate_function": int(rng.integers(0, 4)),
        "tree_roots": [0],
        "nodes_modes": numpy_helper.from_array(modes.astype(np.uint8)),
        "nodes_featureids": rng.integers(0, 2, n_nodes).tolist(),
        "nodes_splits": numpy_helper.from_array(rng.choice(VALUES[:7], n_nodes).astype(dtype)),
        "nodes_truenodeids": np.where(yes_is_leaf | last, leaf, nodes).tolist(),
        "nodes_trueleafs": (yes_is_leaf | last).astype(int).tolist(),
        "nodes_falsenodeids": np.where(last, n_nodes, np.where(yes_is_leaf, nodes, leaf)).tolist(),
        "nodes_falseleafs": (~yes_is_leaf | last).astype(int).tolist(),
        "nodes_missing_value_tracks_true": rng.integers(0, 2, n_nodes).tolist(),
        "leaf_targetids": [0] * (n_nodes + 1),
        "leaf_weights": numpy_helper.from_array(np.arange(1, n_nodes + 2).astype(dtype)),
        "membership_values": numpy_helper.from_array(np.array([v for m in members if m for v in (*m, np.nan)], dtype)),
    }


def walked(given: dict[str, Any], x: Any) -> float:
    modes, splits = (numpy_helper.to_array(given[name]) for name in ("nodes_modes", "nodes_splits"))
    sets: list[list[float]] = [[]]
    for value in numpy_helper.to_array(given["membership_values"]):
        sets.append([]) if np.isnan(value) else sets[-1].append(float(value))
    members = dict(zip(np.flatnonzero(modes == 6).tolist(), sets, strict=False))
    node, is_leaf = 0, False
    while not is_leaf:
        value, split = x[given["nodes_featureids"][node]], splits[node]
        asked = [value <= split, value < split, value >= split, value > split, value == split, value != split]
        yes = float(value) in members[node] if modes[node] == 6 else bool(asked[modes[node]])
        yes = yes or bool(np.isnan(value) and given["nodes_missing_value_tracks_true"][node])
        side = "true" if yes else "false"
        node, is_leaf = given[f"nodes_{side}nodeids"][node], bool(given[f"nodes_{side}leafs"][node])
    return float(numpy_helper.to_array(given["leaf_weights"])[node])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_mode(dtype: str) -> None:
    X = np.array(np.meshgrid(VALUES, VALUES)).reshape(2, -1).T.astype(dtype)
    for seed in range(30):
        given = grown(np.random.default_rng(seed), 1 + seed % 6, dtype)
        model = model_of("TreeEnsemble", [rows(dtype, 2)], domain="ai.onnx.ml", **given)
        (y,) = PlanRunner(native_plan(model)).run(None, {"x0": X})
        assert_same(y, np.array([[walked(given, x)] for x in X], dtype))


@pytest.mark.parametrize("mode", ["BRANCH_EQ", "BRANCH_NEQ"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_equality_in_the_older_operators(dtype: str, mode: str) -> None:
    given: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [1, 0, 0],
        "nodes_modes": [mode, "LEAF", "LEAF"], "nodes_values": [-1.0, 0.0, 0.0], "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0], "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0],
        "target_weights": [1.0, 2.0], "n_targets": 1,
    }  # fmt: skip
    model = model_of("TreeEnsembleRegressor", [rows(dtype, 2)], domain="ai.onnx.ml", **given)
    with np.errstate(invalid="ignore"):
        X = np.array(np.meshgrid(VALUES, VALUES)).reshape(2, -1).T.astype(dtype)
    (y,) = PlanRunner(native_plan(model)).run(None, {"x0": X})
    is_equal = X[:, 1:] == -1
    assert_same(y, np.where(is_equal == (mode == "BRANCH_EQ"), np.float32(1), np.float32(2)))


@pytest.mark.parametrize(("name", "value"), [("membership_values", [1.0]), ("nodes_featureids", [0, 9])])
def test_what_does_not_fit_is_left_to_the_reference(name: str, value: list[Any]) -> None:
    given = grown(np.random.default_rng(1), 2, "float32")
    given["nodes_modes"] = numpy_helper.from_array(np.array([6, 6], np.uint8))
    given["membership_values"] = numpy_helper.from_array(np.array([-1, np.nan, 0.5, np.nan], np.float32))
    model = model_of("TreeEnsemble", [rows("float32", 2)], domain="ai.onnx.ml", **given)
    (node,) = model.graph.node
    node.attribute.remove(next(a for a in node.attribute if a.name == name))
    given_value = numpy_helper.from_array(np.array(value, np.float32)) if name == "membership_values" else value
    node.attribute.append(helper.make_attribute(name, given_value))
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    assert lower(copy).reference_operators == ("TreeEnsemble",)
