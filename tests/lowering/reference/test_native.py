"""Nodes and bodies in Python, run natively for the shapes that come."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

import sardonyx
from sardonyx.lowering.reference.native import MOST_MADE, NativeEvaluator, Programs, native_evaluator

from ...kernels.single import assert_same
from ...parsing import parsed

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def assert_as_onnxruntime(model: onnx.ModelProto, **feeds: Any) -> sardonyx.Session:
    session = sardonyx.load(model)
    expected = ort.InferenceSession(model.SerializeToString()).run(None, feeds)
    for actual, e in zip(session.run(None, feeds), expected, strict=True):
        assert_same(actual, e)
    return session


def evaluators(session: Any) -> list[NativeEvaluator]:
    return [part for _, part in session._runner._runners if isinstance(part, NativeEvaluator)]


LOOP = """g (float[N,4] X, int64 n, bool c) => (float[N,4] Y, float[k,N,4] S) <float half = {0.5}, float most = {9.0}> {
    Y, S = Loop(n, c, X) <body = b (int64 i, bool go, float[N,4] a) => (bool g, float[N,4] z, float[N,4] s) {
        h = Mul(a, half) z = Add(h, X) f = Cast<to=1>(i) s = Add(z, f)
        m = ReduceMax<keepdims=0>(s) g = Less(m, most) }> }"""


@pytest.mark.parametrize("n", [0, 1, 3, 50])
def test_a_loop_that_its_rows_end_runs_a_program_a_round(n: int) -> None:
    session = assert_as_onnxruntime(parsed(LOOP), X=X, n=np.array(n), c=np.array(True))
    (evaluator,) = evaluators(session)
    body: Any = evaluator.rt_nodes_[0].body
    assert len(body._whole._kept) == (n > 0)
    assert all(runner is not None for runner in body._whole._kept.values())


def test_a_branch_that_rows_choose() -> None:
    text = """g (float[N,4] X) => (float[a,b] Y) <float zero = {0.0}, int64[1] last = {3}> {
        s = ReduceSum<keepdims=0>(X) c = Greater(s, zero)
        Y = If(c) <then_branch = t () => (float[a,b] y) { e = Exp(X) y = Gather<axis=1>(e, last) },
                   else_branch = e () => (float[a,b] y) { y = Neg(X) }> }"""
    for x in (X, -X, abs(X), -abs(X), X[:1]):
        assert_as_onnxruntime(parsed(text), X=x)


def test_a_scan_of_many_rows() -> None:
    text = """g (float[N,4] X, float[4] s) => (float[4] f, float[N,4] Y) {
        f, Y = Scan(s, X) <num_scan_inputs=1, body = b (float[4] a, float[4] x) => (float[4] z, float[4] y) {
            m = Mul(a, x) z = Sub(x, m) y = Tanh(z) }> }"""
    assert_as_onnxruntime(parsed(text), X=np.tile(X, (600, 1)), s=X[0])


def test_nodes_around_one_without_a_kernel() -> None:
    text = """g (float[N,4] X, int64[m] shape) => (int64[a] R, float[b] T) <int64[1] flat = {-1}> {
        i = NonZero(X) t = Transpose(i) r = ReduceL1<keepdims=0>(t, flat) R = Mul(r, r)
        g = GatherND(X, t) T = Reshape(g, shape) }"""
    session = assert_as_onnxruntime(parsed(text), X=np.maximum(X, 0), shape=np.array([-1]))
    programs = [node.run.args[0] for node in evaluators(session)[-1].rt_nodes_ if hasattr(node.run, "args")]
    assert any(runner is not None for p in programs for runner in p._kept.values())


def test_programs_are_for_types_and_shapes() -> None:
    node = onnx.helper.make_node("Add", ["x", "y"], ["z"])
    programs = Programs([node], ["z"], [], {"": 18})
    for x in (X, X.astype(np.float64), X[:2], X[:0]):
        (z,) = programs.run({"x": x, "y": x}) or [None]
        assert_same(z, x + x)
    assert programs.run({"x": X, "y": None}) is None
    assert programs.run({"x": X, "y": "text"}) is None
    assert programs.run({"x": X, "y": np.ones(3, np.float32)}) is None  # the reference says what is wrong
    for n in range(MOST_MADE + 2):
        programs.run({"x": np.zeros(n), "y": np.zeros(n)})
    assert programs.run({"x": np.zeros((7, 7)), "y": np.zeros(7)}) is None  # it has made enough


def test_a_function_in_a_body() -> None:
    text = """g (float[N,4] X, int64 n) => (float[N,4] Y) {
        c = Constant<value = bool {1}>()
        Y = Loop(n, c, X) <body = b (int64 i, bool go, float[N,4] a) => (bool g, float[N,4] z) {
            g = Identity(go) z = own.Half<by: float = 0.25>(a) }> }
        <domain: "own", opset_import: ["": 18]>
        Half <by>(a) => (z) { b = Constant<value_float: float = @by>() m = Mul(a, b) z = Abs(m) }"""
    model = parsed(text)
    model.opset_import.append(onnx.helper.make_opsetid("own", 1))
    assert_as_onnxruntime(model, X=X, n=np.array(3))


def test_what_has_no_kernel_is_left_alone() -> None:
    model = parsed("g (float[N,4] X) => (int64[2,m] Y) { Y = NonZero(X) }")
    (Y,) = native_evaluator(model).run(None, {"X": X})
    assert_same(Y, np.array(np.nonzero(X)))
