"""TreeEnsembleRegressor and TreeEnsembleClassifier of ai.onnx.ml with every mode, aggregate and post transform."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from sardonyx.lowering.runner import PlanRunner

from .single import Rows, assert_same, draw, model_of, native_plan, onnxruntime, rows

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
AGGREGATES = ("SUM", "AVERAGE", "MIN", "MAX")
VALUES = (-1.0, 0.0, -0.0, 1.0, 2.0, 3.0, 4.0, 0.5, np.nan, np.inf, -np.inf)


def grown(depth: int, modes: tuple[str, ...], tree: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """A random tree's nodes, whose splits are met exactly by `VALUES`."""
    nodes: list[dict[str, Any]] = []

    def grow(below: int) -> int:
        number = len(nodes)
        node = {"treeids": tree, "nodeids": number, "modes": "LEAF", "values": 0.0, "featureids": 0}
        nodes.append(node | {"truenodeids": 0, "falsenodeids": 0, "missing_value_tracks_true": 0})
        if below and (below == depth or rng.random() > 0.2):
            nodes[number] |= {
                "modes": str(rng.choice(modes)),
                "values": float(rng.integers(4)),
                "featureids": int(rng.integers(4)),
                "missing_value_tracks_true": int(rng.integers(2)),
                "truenodeids": grow(below - 1),
                "falsenodeids": grow(below - 1),
            }
        return number

    grow(depth)
    return nodes


def ensemble(trees: int, modes: tuple[str, ...], rng: np.random.Generator) -> tuple[dict[str, Any], list[Any]]:
    """Attributes of the nodes, and the leaves; every fifth tree is a leaf or nearly."""
    nodes = [node for t in range(trees) for node in grown(3 if t % 5 else t % 2, modes, t, rng)]
    attributes = {f"nodes_{key}": [node[key] for node in nodes] for key in nodes[0]}
    return attributes, [(node["treeids"], node["nodeids"]) for node in nodes if node["modes"] == "LEAF"]


def weights(side: str, leaves: list[Any], ids: list[int], draw_weight: Any) -> dict[str, Any]:
    entries = [(tree, number, i) for tree, number in leaves for i in ids]
    columns = zip(*entries, strict=True)
    result = {f"{side}_{key}": list(c) for key, c in zip(("treeids", "nodeids", "ids"), columns, strict=True)}
    return result | {f"{side}_weights": [float(draw_weight()) for _ in entries]}


def older(op: str, x: Rows, outputs: int = 1, **attributes: Any) -> Any:
    """The model in ai.onnx.ml 3: version 5 says that these operators are not for new models."""
    model = model_of(op, [x], outputs, domain="ai.onnx.ml", **attributes)
    model.opset_import[1].version = 3
    return model


def agrees(op: str, x: Rows, outputs: int = 1, **attributes: Any) -> None:
    model = older(op, x, outputs, **attributes)
    runner = PlanRunner(native_plan(model, block_rows=64), threads=1)
    feeds = {"x0": draw(x, 150, np.random.default_rng(1))}
    for actual, expected in zip(runner.run(None, feeds), onnxruntime(model, feeds), strict=True):
        if expected.dtype != np.float32:
            assert_same(actual, expected)
        else:  # quantiles of what is near a half, in float32
            assert actual.shape == expected.shape
            np.testing.assert_allclose(actual, expected, rtol=5e-5, atol=1e-4)


@pytest.mark.parametrize("modes", [MODES[:1], MODES[:4], MODES], ids=["leq", "inequalities", "all"])
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_regressor(aggregate: str, transform: str, modes: tuple[str, ...]) -> None:
    for targets, trees in product((1, 3), (1, 7)):
        rng = np.random.default_rng(7 * targets + trees)
        nodes, leaves = ensemble(trees, modes, rng)
        target = weights("target", leaves, list(range(targets)), lambda rng=rng: rng.uniform(0, 0.1))
        given = {**nodes, **target, "n_targets": targets, "aggregate_function": aggregate, "post_transform": transform}
        agrees("TreeEnsembleRegressor", rows("float32", 4, values=VALUES), **given)
        agrees("TreeEnsembleRegressor", rows("float32", 4, values=VALUES), base_values=[0.05] * targets, **given)


def test_regressor_of_double_tensors() -> None:
    nodes, leaves = ensemble(5, MODES, np.random.default_rng(0))
    given = {
        **nodes,
        **weights("target", leaves, [0], np.random.default_rng(1).normal),
        "base_values": [0.1],
        "n_targets": 1,
    }
    for name in ("nodes_values", "target_weights", "base_values"):
        given[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(given.pop(name), np.float64))
    agrees("TreeEnsembleRegressor", rows("float64", 4, values=VALUES), **given)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float64"])
def test_regressor_of_other_numbers(dtype: str) -> None:
    nodes, leaves = ensemble(5, MODES, np.random.default_rng(0))
    given = {**nodes, **weights("target", leaves, [0], np.random.default_rng(1).normal), "n_targets": 1}
    model = older("TreeEnsembleRegressor", rows(dtype, 4), **given)
    float32 = older("TreeEnsembleRegressor", rows("float32", 4), **given)
    x = draw(rows(dtype, 4, values=(-1, 0, 1, 2, 3, 4)), 50, np.random.default_rng(0))
    (actual,) = PlanRunner(native_plan(model)).run(None, {"x0": x})
    assert_same(actual, onnxruntime(float32, {"x0": x.astype(np.float32)})[0])


def test_trees_of_text_numbers_that_are_not_in_order() -> None:
    """Trees and nodes have any numbers, and come in any order, but the root first."""
    given: dict[str, Any] = {
        "nodes_treeids": [7, 7, 7, -2],
        "nodes_nodeids": [100, 5, -3, 9],
        "nodes_featureids": [1, 0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF", "LEAF"],
        "nodes_values": [0.5, 0.0, 0.0, 0.0],
        "nodes_truenodeids": [-3, 0, 0, 0],
        "nodes_falsenodeids": [5, 0, 0, 0],
        "target_treeids": [-2, 7, 7],
        "target_nodeids": [9, 5, -3],
        "target_ids": [0, 0, 0],
        "target_weights": [10.0, 1.0, 2.0],
    }
    model = model_of("TreeEnsembleRegressor", [rows("float32", 2)], domain="ai.onnx.ml", **given)
    x = np.array([[0, 0], [0, 1], [0, np.nan]], np.float32)
    assert PlanRunner(native_plan(model)).run(None, {"x0": x})[0].ravel().tolist() == [12, 11, 11]


LABELS: dict[str, Any] = {"classlabels_int64s": [5, 3, 9], "classlabels_strings": ["b", "a", "ä"]}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("base", [False, True])
def test_classifier_of_several_classes(transform: str, labels: str, base: bool) -> None:
    rng = np.random.default_rng(0)
    nodes, leaves = ensemble(7, MODES, rng)
    given = {**nodes, **weights("class", leaves, [0, 1, 2], lambda: rng.uniform(0.01, 0.1)), labels: LABELS[labels]}
    given |= {"base_values": [0.05, 0.01, 0.02]} if base else {}
    agrees("TreeEnsembleClassifier", rows("float32", 4, values=VALUES), 2, post_transform=transform, **given)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("transform", TRANSFORMS[:-1])  # ONNX Runtime leaves the second column unwritten for PROBIT
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("scored", [0, 1])
def test_classifier_of_two_classes_with_one_score(scored: int, positive: bool, transform: str, labels: str) -> None:
    rng = np.random.default_rng(0)
    nodes, leaves = ensemble(7, MODES, rng)
    draw_weight = (lambda: rng.uniform(0, 0.15)) if positive else (lambda: rng.normal(0, 0.3))
    given = {**nodes, **weights("class", leaves, [scored], draw_weight), labels: LABELS[labels][:2]}
    agrees("TreeEnsembleClassifier", rows("float32", 4, values=VALUES), 2, post_transform=transform, **given)
    if scored == 0:
        given["base_values"] = [0.1]
        agrees("TreeEnsembleClassifier", rows("float32", 4, values=VALUES), 2, post_transform=transform, **given)


def test_classifier_of_two_classes_with_two_scores() -> None:
    """The highest score wins. (ONNX Runtime says 1 as soon as the second score is above 0, whatever the labels.)"""
    nodes, leaves = ensemble(7, MODES, np.random.default_rng(0))
    given = {**nodes, **weights("class", leaves, [0, 1], np.random.default_rng(1).normal)}
    model = older("TreeEnsembleClassifier", rows("float32", 4), 2, classlabels_int64s=[5, 3], **given)
    x = draw(rows("float32", 4, values=VALUES), 60, np.random.default_rng(0))
    labels, scores = PlanRunner(native_plan(model)).run(None, {"x0": x})
    assert_same(scores, onnxruntime(model, {"x0": x})[1])
    assert labels.tolist() == np.array([5, 3])[scores.argmax(axis=1)].tolist()


def test_classifier_of_one_class() -> None:
    nodes, leaves = ensemble(7, MODES, np.random.default_rng(0))
    given = {**nodes, **weights("class", leaves, [0], np.random.default_rng(1).normal), "classlabels_int64s": [1]}
    for transform in TRANSFORMS:
        agrees("TreeEnsembleClassifier", rows("float32", 4, values=VALUES), 2, post_transform=transform, **given)


HURT: dict[str, dict[str, Any]] = {
    "a child that is not there": {"nodes_truenodeids": [9, 0, 0]},
    "a circle": {"nodes_truenodeids": [0, 0, 0]},
    "a target that is not there": {"target_ids": [0, 7]},
    "weights of a tree that is not there": {"target_treeids": [0, 3]},
    "weights of a node that is not there": {"target_nodeids": [1, 3]},
    "a weight of an inner node": {"target_nodeids": [0, 1]},
    "two nodes of one number": {"nodes_nodeids": [0, 1, 1]},
    "lists of different lengths": {"nodes_modes": ["BRANCH_LEQ", "LEAF"]},
    "numbers that are far apart": {"nodes_nodeids": [-(1 << 62), 1 << 62, 2]},
    "a mode that is not there": {"nodes_modes": ["BRANCH", "LEAF", "LEAF"]},
    "a feature that is not there": {"nodes_featureids": [-1, 0, 0]},
}


@pytest.mark.parametrize("what", HURT)
def test_what_is_no_ensemble_has_no_kernel(what: str) -> None:
    given: dict[str, Any] = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [1, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values": [0.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
    }
    from sardonyx.lowering.lower import lower

    whole = model_of("TreeEnsembleRegressor", [rows("float32", 2)], domain="ai.onnx.ml", **given)
    assert lower(whole).native
    hurt = model_of("TreeEnsembleRegressor", [rows("float32", 2)], domain="ai.onnx.ml", **given | HURT[what])
    assert lower(hurt).reference_operators == ("TreeEnsembleRegressor",)


def test_extremes_of_tree_ensemble_5() -> None:
    """Minima and maxima, of leaves that not every target has, in float64."""
    splits = numpy_helper.from_array(np.array([0.5, 1.5]))
    leaf = numpy_helper.from_array(np.array([1.0, -2.0, 3.0, 4.0]))
    given: dict[str, Any] = {
        "nodes_splits": splits,
        "nodes_modes": numpy_helper.from_array(np.zeros(2, np.uint8)),
        "leaf_weights": leaf,
        "nodes_featureids": [0, 1],
        "nodes_truenodeids": [0, 2],
        "nodes_falsenodeids": [1, 3],
        "nodes_trueleafs": [1, 1],
        "nodes_falseleafs": [1, 1],
        "leaf_targetids": [0, 1, 0, 1],
        "tree_roots": [0, 1],
        "n_targets": 2,
    }
    x = np.array([[0, 0], [1, 0], [0, 2], [1, 2]], float)
    for aggregate, expected in ((2, [[1, 0], [3, -2], [1, 4], [0, -2]]), (3, [[3, 0], [3, -2], [1, 4], [0, 4]])):
        attributes = given | {"aggregate_function": aggregate}
        model = model_of("TreeEnsemble", [rows("float64", 2)], domain="ai.onnx.ml", **attributes)
        assert PlanRunner(native_plan(model)).run(None, {"x0": x})[0].tolist() == expected
