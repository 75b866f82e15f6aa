"""Absurd sizes are refused before anything is made of them, with the node and the size in the message."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import sardonyx
from sardonyx.errors import ModelError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.plan import NativeSegment
from sardonyx.lowering.sizes import check_size

from ..parsing import parsed


@pytest.mark.parametrize(("text", "said"), [
    ("(float[N,1] x) => (float[N,M] y) <int64[4] p = {0,1000000000,0,2}> { y = Pad(x, p) }", "Pad"),
    ("(float[N,1] x) => (float[N,M] y) <int64[2] p = {1,4000000000}> { y = Expand(x, p) }", "Expand"),
    ("(float[3,1] x) => (float[A,B,C] y) <int64[3] p = {7,3,4000000000}> { y = Expand(x, p) }", "Expand"),
    ("(float[N,1] x) => (float[N,M] y) <int64[2] p = {1,4000000000}> { y = Tile(x, p) }", "Tile"),
    ("(float[N,1] x) => (float[N,M] y) <int64[2] p = {1,4000000000}> { c = ConstantOfShape(p) y = MatMul(x, c) }",
     "ConstantOfShape"),
    ("(float[N,1] x) => (float[N,M] y) <int64 a = {0}, int64 b = {4000000000}, int64 c = {1}>"
     " { r = Range(a, b, c) f = Cast<to=1>(r) y = Add(x, f) }", "Range"),
    ("(float[N,1] x) => (float[N,M] y) <int64 d = {4000000000}, float[2] v = {0, 1}>"
     " { i = Cast<to=7>(x) y = OneHot(i, d, v) }", "OneHot"),
    ("(float[N,1] x) => (float[N,A,M] y) <int64[3] p = {1,1,60000}, int64[3] q = {1,60000,1}, int64[1] a = {2}>"
     " { u = Unsqueeze(x, a) z = Expand(u, p) y = Expand(z, q) }", "Expand"),
    ("(float[N,1] x) => (float[N,M] y) <float[4] s = {1,1,60000,60000}, int64[2] a = {2,3}>"
     ' { u = Unsqueeze(x, a) y = Resize<mode="linear">(u, , s) }', "Resize"),
])  # fmt: skip
def test_what_a_file_asks_for(text: str, said: str) -> None:
    model = parsed(f"g {text}")
    shape = [dim.dim_value or 2 for dim in model.graph.input[0].type.tensor_type.shape.dim]
    tracemalloc.start()
    with pytest.raises(ModelError, match=rf"{said} makes a tensor of shape \[.*\].* GiB; at most 2 GiB are made"):
        sardonyx.load(model).run(None, {"x": np.zeros(shape, np.float32)})
    assert tracemalloc.get_traced_memory()[1] < 1 << 28
    tracemalloc.stop()


def test_rows_that_are_large_go_a_few_at_a_time() -> None:
    plan = lower(parsed("g (float[N,1] x) => (float[N,M] y) <int64[4] p = {0,20000000,0,2}> { y = Pad(x, p) }"))
    (segment,) = plan.segments
    assert isinstance(segment, NativeSegment)
    assert 0 < segment.program.block_rows < 5


def test_honest_sizes_run_in_python_too() -> None:
    text = "g (float[N,1] x, int64[2] p) => (float[A,B] y) { t = Tile(x, p) y = NonZero(t) }"
    x, times = np.ones((2, 1), np.float32), np.array([3, 2])
    model = parsed(text.replace("float[A,B]", "int64[A,B]"))
    assert sardonyx.load(model).run(None, {"x": x, "p": times})[0].shape == (2, 12)


def test_many_rows_are_no_absurd_size() -> None:
    check_size("Pad", [1 << 20, 3000], 1, given=1 << 29)
    with pytest.raises(ModelError, match="at most"):
        check_size("Pad", [1 << 20, 3000], 1, given=1 << 20)
