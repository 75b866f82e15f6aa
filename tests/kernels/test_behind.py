"""Rows behind other dimensions: chains of operators that never move them, as ONNX Runtime answers."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from sardonyx.lowering.lower import lower
from sardonyx.lowering.plan import NativeSegment
from sardonyx.lowering.runner import PlanRunner

from ..parsing import parsed

#: what is done with x, k x 3 x N x 4 (its rows are behind two dimensions), and k x N x 4
DEEP = [
    "y = Transpose<perm=[2,0,1,3]>(x)",
    "y = Transpose<perm=[1,2,0,3]>(x)",
    "y = Transpose<perm=[3,1,0,2]>(x)",
    "i = Constant<value_int=-1>() y = Gather<axis=1>(x, i)",
    "i = Constant<value_ints=[1,0,1]>() y = Gather<axis=0>(x, i)",
    "i = Constant<value_ints=[0,1,0,1]>() s = Constant<value_ints=[2,2]>() j = Reshape(i, s)"
    " y = Gather<axis=0>(x, j)",
    "a = Constant<value_ints=[1,0]>() b = Constant<value_ints=[3,9]>() d = Constant<value_ints=[1,3]>()"
    " y = Slice(x, a, b, d)",
    "a = Constant<value_ints=[0]>() b = Constant<value_ints=[9223372036854775807]>() d = Constant<value_ints=[2]>()"
    " y = Slice(x, a, b, d)",
    "a = Constant<value_ints=[4,-1]>() y = Unsqueeze(x, a)",
    "a = Constant<value_ints=[0]>() y = Unsqueeze(x, a)",
    "s = Constant<value_ints=[0,0,-1,2,2]>() y = Reshape(x, s)",
    "s = Constant<value_ints=[6,-1,4]>() y = Reshape(x, s)",
    "t = Transpose<perm=[0,2,1,3]>(x) s = Constant<value_ints=[0,0,-1]>() y = Reshape(t, s)",
    "y = Relu(x)",
    "c = Constant<value_floats=[1.0,2.0,3.0,4.0]>() y = Sub(c, x)",
    "c = Constant<value_floats=[1.0,2.0,3.0]>() s = Constant<value_ints=[3,1,1]>() d = Reshape(c, s) y = Mul(x, d)",
    "z = Relu(x) y = Add(x, z)",
    "y = Softmax<axis=-1>(x)",
    "c = Constant<value_floats=[1.0,2.0,3.0,4.0,0.5,6.0,7.0,8.0]>() s = Constant<value_ints=[4,2]>()"
    " d = Reshape(c, s) y = MatMul(x, d)",
    "a = Constant<value_ints=[1]>() y = ReduceMax<keepdims=0>(x, a)",
    "a = Constant<value_ints=[0,1]>() y = ReduceMean<keepdims=0>(x, a)",
    "a = Constant<value_ints=[-1]>() y = ReduceSum<keepdims=1>(x, a)",
    "p = Constant<value_ints=[1,2]>() u, v = Split<axis=1>(x, p) y = Concat<axis=1>(v, u, v)",
    "i = Constant<value_ints=[1]>() u = Gather<axis=0>(x, i) v = Neg(u) y = Concat<axis=0>(u, v)",
    "i = Constant<value_ints=[1]>() u = Gather<axis=0>(x, i) v = Gather<axis=1>(u, i)"
    " a = Constant<value_ints=[0,1]>() y = Squeeze(v, a)",
    "n = Shape(x) z = ConstantOfShape(n) y = Add(x, z)",
    "n = Shape(x) c = Constant<value_float=2.5>() z = Expand(c, n) y = Mul(x, z)",
    "a = Constant<value_ints=[1]>() i = Constant<value_int=0>() u = Gather<axis=0>(x, i) v = Gather<axis=0>(u, i)"
    " w = Gather<axis=0>(u, a) y = Sub(w, v)",
    "c = Constant<value_floats=[1.0,2.0,3.0,4.0]>() s = Constant<value_ints=[1,1,1,4]>() d = Reshape(c, s)"
    " n = Shape(x) z = Expand(d, n)"
    " y = Add(x, z)",
]  # fmt: skip


@pytest.mark.parametrize("body", DEEP)
def test_rows_behind_two_dimensions(body: str) -> None:
    model = parsed(f"g (float[N,2,3,4] x0) => (float[a] y) {{ x = Transpose<perm=[1,2,0,3]>(x0) {body} }}")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    plan = lower(model)
    (segment,) = plan.segments
    assert isinstance(segment, NativeSegment)
    assert not segment.whole
    judge, runner = ort.InferenceSession(model.SerializeToString()), PlanRunner(plan, threads=1)
    for n in (0, 1, 5, 300) if "-1]" not in body else (1, 5, 300):  # ONNX Runtime cannot solve -1 of nothing
        x = np.random.default_rng(n).normal(size=(n, 2, 3, 4)).astype(np.float32)
        (actual,), (expected,) = runner.run(None, {"x0": x}), judge.run(None, {"x0": x})
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
        assert actual.shape == expected.shape


@pytest.mark.parametrize("body", [
    "a = Constant<value_ints=[2]>() y = ReduceSum<keepdims=0>(x, a)",
    "y = Softmax<axis=2>(x)",
    "i = Constant<value_int=0>() y = Gather<axis=2>(x, i)",
    "s = Constant<value_ints=[2,-1]>() y = Reshape(x, s)",
])  # fmt: skip
def test_what_works_across_the_rows_is_not_taken_for_them(body: str) -> None:
    model = parsed(f"g (float[N,2,3,4] x0) => (float[a] y) {{ x = Transpose<perm=[1,2,0,3]>(x0) {body} }}")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    plan = lower(model)
    assert plan.reference_operators
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype(np.float32)
    (expected,) = ort.InferenceSession(model.SerializeToString()).run(None, {"x0": x})
    np.testing.assert_allclose(PlanRunner(plan, threads=1).run(None, {"x0": x})[0], expected, rtol=1e-5, atol=1e-6)
