"""Kernels of tree ensembles: the same bits in every instruction set, hostile files, and the standard's own operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper

from sardonyx import _native
from sardonyx.graph import Graph
from sardonyx.kernels import forest_plan, forest_scan
from sardonyx.kernels.forest_scan import MANY, SAME
from sardonyx.lowering.lower import lower
from sardonyx.lowering.plan import NativeSegment
from sardonyx.lowering.program import Program
from sardonyx.lowering.runner import PlanRunner
from sardonyx.lowering.sdx import pack
from sardonyx.operators.trees import Trees, build_trees, join_trees, leaves_of, sum_of
from sardonyx.protos.large import Large

from ..native.files import changed, try_every_byte, try_file
from ..native.programs import ISAS, load

FEATURES, CATEGORIES = 3, 70


def random_trees(seed: int, depth: int, dtype: type, n_trees: int = 5, members: bool = True) -> Trees:
    """Trees of random shape: every node of a complete tree is cut to a leaf with some probability."""
    rng = np.random.default_rng(seed)
    size = 2 ** (depth + 1) - 1
    place = np.arange(size)
    left, right = [], []
    for t in range(n_trees):
        inner = (place < 2**depth - 1) & (rng.random(size) < 0.8)
        left.append(np.where(inner, 2 * place + 1 + t * size, -1))
        right.append(np.where(inner, 2 * place + 2 + t * size, -1))
    total = size * n_trees
    feature = rng.integers(0, FEATURES, total)
    member = (feature == 0) & members
    sets = rng.random((max(1, int(member.sum())), CATEGORIES)) < 0.5
    sets[:, 1] = True
    return _reachable(
        np.arange(n_trees) * size,
        np.concatenate(left),
        np.concatenate(right),
        feature,
        rng.integers(-3, 4, total).astype(dtype),
        rng.random(total) < 0.5,
        np.where(member, np.cumsum(member) - 1, -1),
        sets,
    )


def _reachable(starts: Any, left: Any, right: Any, *of_nodes: Any) -> Trees:
    """Drop the nodes below those that were cut."""
    *each, sets = of_nodes
    keep = np.zeros(len(left), bool)
    frontier = starts
    while len(frontier):
        keep[frontier] = True
        inner = frontier[left[frontier] >= 0]
        frontier = np.concatenate([left[inner], right[inner]])
    new = np.cumsum(keep) - 1
    yes, no = (np.where(c[keep] < 0, -1, new[c[keep]]) for c in (left, right))
    feature, split, missing, set_of = (a[keep] for a in each)
    return build_trees(new[starts], yes, no, feature, split, missing, set_of, sets)


def random_rows(seed: int, n: int, dtype: type) -> NDArray[Any]:
    """Values at the splits, categories, and what is none."""
    rng = np.random.default_rng(seed)
    X: NDArray[Any] = rng.integers(-3, 4, (n, FEATURES)).astype(dtype)
    X[:, 0] = rng.choice([*range(CATEGORIES), 90, 0.5, -1, -0.0, np.nan, np.inf, -np.inf, 1e30], n)
    X[:, 2] = rng.choice([-3, -0.0, 0.0, 1, 2, np.nan, np.inf, -np.inf], n)
    return X


def reached(trees: Trees, X: NDArray[Any]) -> NDArray[np.int64]:
    """The leaves, walked one by one."""
    result = np.empty((len(X), trees.n_trees), np.int64)
    for r, row in enumerate(X):
        result[r] = [_leaf(trees, root, row) for root in trees.roots]
    return result


def _leaf(trees: Trees, node: int, row: NDArray[Any]) -> int:
    while True:
        x, s = row[trees.feature[node]], trees.set_of[node]
        known = s >= 0 and 0 <= x < CATEGORIES and x == int(x)
        yes = bool(known and trees.sets[s, int(x)]) if s >= 0 else x <= trees.split[node]
        side = 0 if (trees.missing[node] if np.isnan(x) else yes) else 1
        if trees.is_leaf[side, node]:
            return int(trees.children[side, node])
        node = int(trees.children[side, node])


def program_of(trees: Trees, dtype: type, values: NDArray[Any] | None = None, groups: int = 1) -> Program:
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        X = graph.input("X", dtype, ("N", FEATURES))
        y = leaves_of(X, trees) if values is None else sum_of(X, trees, values, groups=groups)
    (segment,) = lower(graph.model({"y": y})).segments
    assert isinstance(segment, NativeSegment)
    return segment.program


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("depth", [1, 3, 5, 6, 9])
@pytest.mark.parametrize("members", [False, True])
def test_every_instruction_set(depth: int, dtype: type, members: bool, isa: str) -> None:
    trees, X = random_trees(depth, depth, dtype, 9, members), random_rows(depth, 150, dtype)
    leaves = reached(trees, X)
    for columns, groups in ((1, 1), (1, 3), (2, 1), (3, 1), (5, 1)):
        values = np.random.default_rng(1).normal(size=(len(trees.tree_of_leaf), columns))
        expected = np.full((len(X), groups * columns), -0.0)
        for t in range(9):
            expected[:, (t % groups) * columns :][:, :columns] += values[leaves[:, t]]
        native = load(program_of(trees, dtype, values, groups), isa=isa)
        for n in (150, 64, 8, 7, 1, 0):
            np.testing.assert_array_equal(native.run(None, {"X": X[:n]})[0], expected[:n])
    np.testing.assert_array_equal(load(program_of(trees, dtype), isa=isa).run(None, {"X": X})[0], leaves)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("dtype", "members"), [(np.float32, False), (np.float32, True), (np.float64, False)])
def test_large_trees_are_scanned_at_their_top(dtype: type, members: bool, isa: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(forest_scan, "SCAN_LEAVES", 20)
    monkeypatch.setattr(forest_scan, "TOP_LEAVES", 6)
    monkeypatch.setattr(forest_plan, "rest_cost", lambda *_: 0.0)
    small, large = (random_trees(1, depth, dtype, 6, members) for depth in (3, 9))
    trees, X = small if members else _joined(small, large), random_rows(5, 600, dtype)
    if members:
        monkeypatch.setattr(forest_scan, "SCAN_LEAVES", 4)
    values = np.random.default_rng(0).normal(size=(len(trees.tree_of_leaf), 2))
    program = program_of(trees, dtype, values)
    (step,) = program.steps
    assert step.params[2], "scanned"
    assert program.slots[step.inputs[12]].width, "and walked"
    leaves, expected = reached(trees, X), np.full((len(X), 2), -0.0)
    for t in range(trees.n_trees):
        expected += values[leaves[:, t]]
    native = load(program, isa=isa)
    for n in (600, 512, 300, 65, 33):
        np.testing.assert_array_equal(native.run(None, {"X": X[:n]})[0], expected[:n])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("members", [False, True])
def test_many_rows_walk_as_one_does(dtype: type, members: bool, isa: str, monkeypatch: Any) -> None:
    """Chains and bushes: rows that arrive soon, rows that are listed again and again; with NaN, and without."""
    monkeypatch.setattr(forest_plan, "scan_cost", lambda *_: np.inf)
    trees, X = random_trees(3, 11, dtype, 8, members), random_rows(3, 300, dtype)
    program = program_of(trees, dtype, np.random.default_rng(0).normal(size=(len(trees.tree_of_leaf), 2)))
    (step,) = program.steps
    assert not step.params[2], "not scanned"
    native = load(program, isa=isa)
    for rows in (X, X[~np.isnan(X).any(axis=1)]):
        alone = np.concatenate([native.run(None, {"X": rows[r : r + 1]})[0] for r in range(len(rows))])
        for n in (len(rows), 65, 37, 36, 31, 13, 12, 4):
            np.testing.assert_array_equal(native.run(None, {"X": rows[:n]})[0], alone[:n])


def _packed_places(missing: NDArray[np.bool_]) -> list[int]:
    """Return the features in use of a chain of nodes that ask for features 0, 1 ..., then for all of them again."""
    n = len(missing)
    child = np.arange(1, n + 1)
    trees = build_trees(
        np.zeros(1, np.int64),
        np.append(child, np.full(n + 1, -1)),
        np.append(child + n, np.full(n + 1, -1)),
        np.append(np.arange(n) % (n // 2), np.zeros(n + 1, np.int64)),
        np.zeros(2 * n + 1, np.float32),
        np.append(missing, np.zeros(n + 1, bool)),
        np.full(2 * n + 1, -1),
        np.zeros((1, 32), bool),
    )
    given = packing(trees) | {"n_features": n}
    used: list[int] = _native.pack_trees(*given.values())[4].tolist()
    return used


def test_places_come_twice_where_nan_goes_both_ways() -> None:
    assert _packed_places(np.zeros(6, bool)) == [0, 1, 2]
    assert _packed_places(np.ones(6, bool)) == [~0, ~1, ~2]
    assert _packed_places(np.arange(6) == 1) == [0, 1, 2, 0, ~0, ~1, ~2]


def _joined(*parts: Trees) -> Trees:
    """Trees without sets, together."""
    wide = [replace(p, split=p.split.astype(np.float32)) for p in parts]
    whole = join_trees(wide, sum(len(p.feature) for p in parts), sum(len(p.tree_of_leaf) for p in parts))
    return replace(whole, split=np.concatenate([p.split for p in parts]))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("depth", "n_trees"), [(3, 200), (6, 30), (8, 7)])
def test_scans_of_many_cuts(depth: int, n_trees: int, dtype: type, isa: str) -> None:
    trees = random_trees(depth, depth, dtype, n_trees, members=False)
    rng = np.random.default_rng(depth)
    special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], len(trees.split))
    normal = rng.normal(size=len(special))
    split: NDArray[Any] = np.where(rng.random(len(special)) < 0.1, special, normal).astype(dtype)
    trees = replace(trees, split=split)
    X: NDArray[Any] = rng.choice(np.append(split, [np.nan, np.inf, -np.inf, 0, -0.0]), (300, FEATURES)).astype(dtype)
    X[::3] = np.nextafter(X[::3], np.asarray(np.inf, dtype))
    table, leaves, expected = rng.normal(size=(len(trees.tree_of_leaf), 1)), reached(trees, X), np.full((300, 1), -0.0)
    for t in range(n_trees):
        expected += table[leaves[:, t]]
    program = program_of(trees, dtype, table)
    (step,) = program.steps
    columns = program.slots[step.inputs[8]].data
    assert columns is not None
    assert {MANY, SAME} <= set(columns[:, 0].tolist())
    native = load(program, isa=isa)
    for n in (300, 257, 256, 130, 65, 33, 12, 2):
        np.testing.assert_array_equal(native.run(None, {"X": X[:n]})[0], expected[:n])


def complete(depth: int, n_trees: int) -> Trees:
    """Complete trees in which every node asks for a feature of its own, splits and directions of NaN being random."""
    rng = np.random.default_rng(depth)
    size, inner = 2 ** (depth + 1) - 1, 2**depth - 1
    place = np.arange(size)
    child = np.concatenate([np.where(place < inner, 2 * place + 1 + t * size, -1) for t in range(n_trees)])
    total = size * n_trees
    feature = np.concatenate([place % inner + t * inner for t in range(n_trees)])
    split = rng.choice([-1, 0, -0.0, 1, np.inf, -np.inf, np.nan], total).astype(np.float32)
    missing, no_set = rng.random(total) < 0.5, np.full(total, -1)
    right = np.where(child >= 0, child + 1, -1)
    return build_trees(
        np.arange(n_trees) * size, child, right, feature, split, missing, no_set, np.zeros((1, 32), bool)
    )


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("depth", "n_trees", "bits"), [(4, 9, 32), (13, 2, 32), (15, 1, 64)])
def test_nodes_of_every_width(depth: int, n_trees: int, bits: int, isa: str) -> None:
    trees = complete(depth, n_trees)
    n_features = int(trees.feature.max()) + 1
    rng = np.random.default_rng(0)
    X: NDArray[Any] = rng.choice([-2, -1, 0, -0.0, 1, 2, np.inf, -np.inf], (13, n_features)).astype(np.float32)
    X[9:] = np.where(rng.random(X[9:].shape) < 0.3, np.nan, X[9:])
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        y = leaves_of(graph.input("X", np.float32, ("N", n_features)), trees)
    (segment,) = lower(graph.model({"y": y})).segments
    assert isinstance(segment, NativeSegment)
    (step,) = segment.program.steps
    assert segment.program.slots[step.inputs[1]].dtype == f"uint{bits}"
    native, leaves = load(segment.program, isa=isa), reached(trees, X)
    for part in (slice(None), slice(9), slice(1), slice(12, 13)):
        np.testing.assert_array_equal(native.run(None, {"X": X[part]})[0], leaves[part])


def packing(trees: Trees) -> dict[str, Any]:
    """The arguments of `pack_trees`, which may be changed."""
    return {
        "feature": trees.feature.copy(),
        "split": trees.split,
        "yes": trees.children[0].copy(),
        "no": trees.children[1].copy(),
        "yes_is_leaf": trees.is_leaf[0],
        "no_is_leaf": trees.is_leaf[1],
        "missing": trees.missing,
        "set_of": trees.set_of,
        "roots": trees.roots.copy(),
        "rows": np.zeros(0, np.int32),
        "n_leaves": len(trees.tree_of_leaf),
        "n_features": FEATURES,
    }


def _put(name: str, place: Callable[[Trees], Any], value: int) -> Callable[[Trees, dict[str, Any]], None]:
    def change(trees: Trees, given: dict[str, Any]) -> None:
        given[name][place(trees)] = value

    return change


def _make(name: str, value: Callable[[Any], Any]) -> Callable[[Trees, dict[str, Any]], None]:
    def change(trees: Trees, given: dict[str, Any]) -> None:
        given[name] = value(given[name])

    return change


WRONG = {
    "a root that is not there": _put("roots", lambda t: 0, 1 << 20),
    "a child that is not there": _put("yes", lambda t: np.flatnonzero(~t.is_leaf[0])[0], -1),
    "a leaf that is not there": _put("no", lambda t: np.flatnonzero(t.is_leaf[1])[0], 1 << 20),
    "a node reached twice": _put("roots", lambda t: 1, 0),
    "a feature that is not there": _put("feature", lambda t: 0, FEATURES),
    "more features than a program can have": _make("n_features", lambda n: 1 << 40),
    "rows below 0": _make("rows", lambda a: np.full(100_000, -1)),
}
UNFIT = {
    "integers of 16 bits": _make("roots", lambda a: a.astype(np.int16)),
    "splits of 16 bits": _make("split", lambda a: a.astype(np.float16)),
    "too few": _make("missing", lambda a: a[1:]),
    "rows for other leaves": _make("rows", lambda a: np.zeros(1, np.int32)),
}


@pytest.mark.parametrize("change", [*WRONG, *UNFIT])
def test_packing_refuses(change: str) -> None:
    trees = random_trees(0, 3, np.float32)
    given = packing(trees)
    (WRONG | UNFIT)[change](trees, given)
    if change == "rows below 0":
        given["rows"] = given["rows"][: given["n_leaves"]]
    pack_trees: Any = _native.pack_trees
    with pytest.raises(TypeError if change in UNFIT else ValueError):
        pack_trees(*given.values())


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_packing_takes_integers_of_any_width(kind: type) -> None:
    trees = random_trees(3, 6, np.float32, members=False)
    given = packing(trees)
    plain = _native.pack_trees(*given.values())
    given |= {name: given[name].astype(kind) for name in ("feature", "yes", "no", "yes_is_leaf", "missing")}
    given["set_of"] = np.zeros(0, np.int64)
    for array, same in zip(_native.pack_trees(*given.values()), plain, strict=True):
        np.testing.assert_array_equal(array, same)


def test_nodes_that_nobody_leads_to_are_left_out() -> None:
    trees = random_trees(3, 4, np.float32, members=False)
    given = packing(trees)
    whole = _native.pack_trees(*given.values())
    given["roots"] = given["roots"][1:]
    part = _native.pack_trees(*given.values())
    np.testing.assert_array_equal(part[0], whole[0][whole[2][1, 0] :])


def test_distinct_rows() -> None:
    rows = np.array([[0.0, 1], [-0.0, 1], [0, 1], [np.nan, 1], [np.nan, 1], [2, 2]])
    found = _native.distinct_rows(rows, 4)
    assert found is not None
    assert found[0].tolist() == [0, 1, 0, 2, 2, 3]
    np.testing.assert_array_equal(rows[found[1]][found[0]], rows)
    assert _native.distinct_rows(rows, 3) is None
    with pytest.raises(TypeError):
        _native.distinct_rows(rows.T, 3)


def _files() -> dict[str, bytes]:
    small, deep = random_trees(0, 2, np.float32, 2), random_trees(1, 8, np.float64, 1)
    ones = [np.ones((len(t.tree_of_leaf), 2)) for t in (small, deep)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forest_scan, "SCAN_LEAVES", 1)
        patch.setattr(forest_scan, "TOP_LEAVES", 2)
        patch.setattr(forest_plan, "rest_cost", lambda *_: -1e9)
        tops = pack(program_of(small, np.float32, ones[0]))
    return {
        "scan": pack(program_of(small, np.float32, ones[0])),
        "tops": tops,
        "walk": pack(program_of(deep, np.float64, ones[1])),
        "leaves": pack(program_of(small, np.float32)),
    }


FILES = _files()


@pytest.mark.parametrize("name", ["scan", "tops", "leaves"])
@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0xFF])
def test_every_byte_changed(name: str, value: int) -> None:
    try_every_byte(FILES[name], value)


@given(st.sampled_from(sorted(FILES)), st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8))))
@settings(max_examples=500, deadline=None)
def test_random_changes(name: str, changes: list[tuple[int, bytes]]) -> None:
    try_file(changed(FILES[name], changes))


def standard(seed: int, dtype: type, aggregate: int) -> onnx.ModelProto:
    """A model of ``TreeEnsemble`` with all modes that have an order."""
    rng = np.random.default_rng(seed)
    trees = random_trees(seed, 4, dtype, 6, members=False)
    attributes = trees.attributes()
    n, leaves = len(trees.feature), len(trees.tree_of_leaf)
    modes = rng.integers(0, 4, n).astype(np.uint8)
    weights: NDArray[Any] = rng.normal(size=leaves).astype(dtype)
    attributes["nodes_modes"] = Large(modes, tensor=True)
    attributes["leaf_weights"] = Large(weights, tensor=True)
    attributes["leaf_targetids"] = Large(rng.integers(0, 3, leaves))
    node = helper.make_node(
        "TreeEnsemble", ["X"], ["y"], domain="ai.onnx.ml", n_targets=3, aggregate_function=aggregate, post_transform=0
    )
    for key, value in attributes.items():
        node.attribute.append(value.stub(key))
        value.write(node.attribute[-1])
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    X = helper.make_tensor_value_info("X", kind, ["N", FEATURES])
    y = helper.make_tensor_value_info("y", kind, ["N", 3])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    return helper.make_model(helper.make_graph([node], "g", [X], [y]), opset_imports=opsets, ir_version=10)


@pytest.mark.parametrize("aggregate", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(5))
def test_the_standard_operator(seed: int, dtype: type, aggregate: int) -> None:
    model = standard(seed, dtype, aggregate)
    plan = lower(model)
    assert all(isinstance(s, NativeSegment) for s in plan.segments)
    rows = random_rows(seed, 60, dtype)
    expected = ort.InferenceSession(model.SerializeToString()).run(None, {"X": rows})[0]
    (answer,) = PlanRunner(plan, threads=1).run(None, {"X": rows})
    np.testing.assert_allclose(answer, expected, rtol=1e-5 if dtype == np.float32 else 1e-12)
    assert answer.dtype == expected.dtype


def test_a_node_reached_twice_is_no_tree() -> None:
    model = standard(0, np.float32, 1)
    attributes = {a.name: a for a in model.graph.node[0].attribute}
    at = list(attributes["nodes_trueleafs"].ints).index(0)
    attributes["nodes_truenodeids"].ints[at] = at  # a circle
    assert not any(isinstance(s, NativeSegment) for s in lower(model).segments)
