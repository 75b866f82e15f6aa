"""What other converters write to keep the rows: shapes of which all is known but their number."""

from __future__ import annotations

import numpy as np
import onnx.parser
import pytest

from sardonyx.lowering.runner import PlanRunner

from .single import assert_same, native_plan, reference

IDIOMS = {
    "classes behind ArrayFeatureExtractor": """
        g (double[N,3] X) => (string[N] Y) <string[3] classes={"a","ä",""}, int64[1] flat={-1}>
        { i = ArgMax<axis=1, keepdims=0>(X)
          l = ai.onnx.ml.ArrayFeatureExtractor(classes, i)  Y = Reshape(l, flat) }""",
    "the same as a column, transposed": """
        g (double[N,3] X) => (string[N,1] Y) <string[1,3] classes={"a","ä",""}>
        { i = ArgMax<axis=1, keepdims=1>(X)  l = ai.onnx.ml.ArrayFeatureExtractor(classes, i)  Y = Transpose(l) }""",
    "a shape with the rows in it": """
        g (double[N,6] X) => (double[N,2,3] Y) <int64[2] t={2,3}, int64 zero={0}, int64[1] axes={0}>
        { s = Shape(X)  n = Gather(s, zero)  m = Unsqueeze(n, axes)  t2 = Concat<axis=0>(m, t)  Y = Reshape(X, t2) }""",
    "the rows sliced from a shape": """
        g (double[N,6] X) => (double[N,3] Y) <int64[1] a={0}, int64[1] b={1}, int64[1] k={3}, double[1,3] c={1,2,3}>
        { s = Shape(X)  n = Slice(s, a, b)  t = Concat<axis=0>(n, k)  Y = Expand(c, t) }""",
    "Shape with start and end": """
        g (double[N,6] X) => (double[N] Y)
        { n = Shape<start=0, end=1>(X)  Y = ConstantOfShape<value=double[1]{2.5}>(n) }""",
    "through a leading dimension": """
        g (double[N,1] X) => (double[N] Y) <int64[1] zero={0}>
        { a = Unsqueeze(X, zero)  b = Transpose<perm=[0,2,1]>(a)  c = Squeeze(b, zero)  Y = Squeeze(c, zero) }""",
}


@pytest.mark.parametrize("body", IDIOMS.values(), ids=IDIOMS.keys())
def test_idioms_that_keep_the_rows(body: str) -> None:
    model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 5]> {body}')
    runner = PlanRunner(native_plan(model), threads=1)
    width = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    for n in (1, 2, 5):
        feeds = {"X": np.random.default_rng(n).normal(size=(n, width))}
        assert_same(runner.run(None, feeds)[0], reference(model, feeds)[0])
