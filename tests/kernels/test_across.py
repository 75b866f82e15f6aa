"""Rows that are not the first dimension for a while, as converters of other projects write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import helper

import sardonyx
from sardonyx.errors import ModelError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

from .single import assert_same, onnxruntime

OPSETS = '<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 5, "com.microsoft" : 1]>'
TABLES = "float[2,4] t={0.5,1,2,-3,10,20,30,40}"

NATIVE = {
    "look-ups in tables": f"""
        g (int64[N,3] X) => (float[N,2,3] Y) <{TABLES}, int64[3] s={{2,-1,3}}>
        {{ f = ai.onnx.ml.ArrayFeatureExtractor(t, X)  r = Reshape(f, s)  Y = Transpose<perm=[1,0,2]>(r) }}""",
    "look-ups that stay joined": f"""
        g (int64[N,3] X) => (float[2,M] Y) <{TABLES}>
        {{ Y = ai.onnx.ml.ArrayFeatureExtractor(t, X) }}""",
    "votes": """
        g (int64[N,2] X) => (float[N,3] Y)
        <int64[3] s={1,-1,1}, int64[1,1,3] c={0,1,2}, int64[1] zero={0}, int64[1] one={1}, int64[1] two={2}>
        { a = Slice(X, zero, one, one)  b = Slice(X, one, two, one)  p = Reshape(a, s)  q = Reshape(b, s)
          m = Concat<axis=0>(p, q)  e = Equal(c, m)  n = Cast<to=1>(e)  Y = ReduceSum<keepdims=0>(n, zero) }""",
    "weights of the rows": """
        g (float[N,2,3] X, float[N,3] W) => (float[N,2,3] Y)
        { t = Transpose<perm=[1,0,2]>(X)  p = Mul(t, W)  Y = Transpose<perm=[1,0,2]>(p) }""",
    "constants of fewer dimensions": """
        g (float[N,2,3] X) => (bool[N,2,3] Y) <float[3] c={0,1,2}, float[1,3] d={3,2,1}, float[2,1,1] e={5,6}>
        { t = Transpose<perm=[1,0,2]>(X)  p = Mul(t, c)  q = Sub(d, p)  r = Add(q, e)  l = Less(r, c)
          Y = Transpose<perm=[1,0,2]>(l) }""",
    "an output behind": """
        g (float[N,2,3] X) => (float[2,N,3] Y) { Y = Transpose<perm=[1,0,2]>(X) }""",
    "distances": """
        g (float[N,3] X) => (float[N,2] Y) <float[2,3] f={1,0,2,-1,5,0.25}>
        { Y = com.microsoft.CDist<metric="euclidean">(X, f) }""",
    "squared distances": """
        g (double[N,3] X) => (double[N,2] Y) <double[2,3] f={1,0,2,-1,5,0.25}>
        { Y = com.microsoft.CDist<metric="sqeuclidean">(X, f) }""",
}


def feeds(model: onnx.ModelProto, n: int) -> dict[str, Any]:
    rng = np.random.default_rng(n)
    made = {}
    for value in model.graph.input:
        tensor = value.type.tensor_type
        shape = (n, *[d.dim_value for d in tensor.shape.dim[1:]])
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        made[value.name] = (rng.integers(0, 3, shape) if dtype.kind == "i" else rng.normal(size=shape)).astype(dtype)
    return made


@pytest.mark.parametrize("body", NATIVE.values(), ids=NATIVE.keys())
def test_native(body: str) -> None:
    model = onnx.parser.parse_model(f"{OPSETS} {body}")
    plan = lower(model)
    assert plan.reference_operators == ()
    runner = PlanRunner(plan, threads=1)
    for n in (1, 2, 3, 5, 17):
        given = feeds(model, n)
        for actual, expected in zip(runner.run(None, given), onnxruntime(model, given), strict=True):
            if "CDist" in body:  # ONNX Runtime takes the difference of squares there, which loses digits
                np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)
                assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
            else:
                assert_same(actual, expected)
    assert runner.run(None, feeds(model, 0))[0].size == 0


def test_a_constant_that_meets_the_rows_is_left_to_the_reference() -> None:
    body = """g (float[N,2,3] X) => (float[2,N,3] Y) <float[2,1] c={1,2}>
        { t = Transpose<perm=[1,0,2]>(X)  Y = Mul(t, c) }"""
    model = onnx.parser.parse_model(f"{OPSETS} {body}")
    assert lower(model).reference_operators
    given = feeds(model, 2)
    (actual,) = sardonyx.load(model).run(None, given)
    assert_same(actual, onnxruntime(model, given)[0])


def test_joined_look_ups_reach_the_reference_as_they_are() -> None:
    body = f"""g (int64[N,3] X) => (float[2,M] Y) <{TABLES}> {{
        f = ai.onnx.ml.ArrayFeatureExtractor(t, X)  Y = LpPool1(f) }}""".replace("LpPool1", "Hardmax<axis=1>")
    model = onnx.parser.parse_model(f"{OPSETS} {body}")
    assert lower(model).reference_operators
    given = feeds(model, 4)
    assert_same(sardonyx.load(model).run(None, given)[0], onnxruntime(model, given)[0])


@pytest.mark.parametrize("op_type", ["MurmurHash3", "CDist"])
def test_operators_of_onnx_runtime_alone_are_refused_by_name(op_type: str) -> None:
    model = onnx.parser.parse_model(f"{OPSETS} g (float[N,3] X) => (float[N,3] Y) {{ Y = com.microsoft.{op_type}(X) }}")
    with pytest.raises(ModelError, match=f"{op_type}.*com.microsoft.*not part of the ONNX standard"):
        sardonyx.load(model)
