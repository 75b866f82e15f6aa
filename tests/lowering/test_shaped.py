"""Programs for the shapes that inputs turn out to have."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import sardonyx
from sardonyx.errors import InputError
from sardonyx.lowering.shaped import MOST_KEPT, Shaped, shaped

from ..kernels.single import assert_same
from ..parsing import parsed


def programs(session: Any) -> int:
    """How many programs a session has made."""
    return len(session._shaped._kept)


def test_what_works_across_rows_is_native_for_every_number_of_them() -> None:
    model = parsed("g (float[N,3] x) => (float[N,3] y) { y = Softmax<axis=0>(x) }")
    session = sardonyx.load(model)
    judge: Any = ReferenceEvaluator(model)
    assert "compiled for each shape" in session.explain()
    assert "reference" not in session.explain()
    for count, n in enumerate((1, 2, 7), 1):
        x = np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32)
        for _ in range(2):
            assert_same(session.run(None, {"x": x})[0], judge.run(None, {"x": x})[0])
        assert programs(session) == count


def test_values_that_decide_about_shapes_are_part_of_the_program() -> None:
    model = parsed("g (float[N,M] x, int64[k] shape) => (float[a,b] y) { s = Exp(x) y = Reshape(s, shape) }")
    session, x = sardonyx.load(model), np.ones((2, 3), np.float32)
    assert "Reshape: no kernel" in session.explain()
    for shape in ([3, 2], [6, 1], [3, 2]):
        assert session.run(None, {"x": x, "shape": np.array(shape)})[0].shape == tuple(shape)
    assert programs(session) == 2
    assert "reference" not in session.explain()


def test_what_has_no_kernel_stays_with_the_reference() -> None:
    session = sardonyx.load(parsed("g (float[N,3,3] x) => (float[N] y) { y = Det(x) }"))
    x = np.random.default_rng(0).normal(size=(2, 3, 3)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], np.linalg.det(x), rtol=1e-5)
    assert programs(session) == 0
    assert "Det: no kernel" in session.explain()


def test_the_newest_programs_are_kept() -> None:
    found = shaped(parsed("g (float[N] x) => (float[N] y) { y = Softmax<axis=0>(x) }"), 1)
    assert isinstance(found, Shaped)
    for n in range(1, MOST_KEPT + 5):
        assert found.runner({"x": np.ones(n, np.float32)})
    assert len(found._kept) == MOST_KEPT
    assert found.runner({"x": np.ones(3, np.float64)}) is None  # another type than the model's
    assert found.runner({}) is None


@pytest.mark.parametrize("text", [
    "g (seq(float[3]) s) => (float[3] y) { i = Constant<value_int=0>() y = SequenceAt(s, i) }",
    "g () => (float[3] y) { y = Constant<value_floats=[1.0, 2.0, 3.0]>() }",
])  # fmt: skip
def test_other_inputs_than_tensors(text: str) -> None:
    assert shaped(parsed(text), 1) is None


def test_inputs_of_a_fixed_shape_are_cast_where_that_changes_nothing() -> None:
    session = sardonyx.load(parsed("g (float[2,3] x) => (float[6] y) <int64[1] s = {6}> { y = Reshape(x, s) }"))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for given in (x, x.astype(np.float64), x.astype(np.int64), x.tolist(), np.asfortranarray(x), x[::-1][::-1]):
        assert_same(session.run(None, {"x": given})[0], x.ravel())
    with pytest.raises(InputError, match="float64 of shape"):
        session.run(None, {"x": x.astype(np.float64) + 0.1})
    with pytest.raises(InputError, match=r"float32 of shape \[1, 3\]; the model takes float32 of shape \[2, 3\]"):
        session.run(None, {"x": x[:1]})
    with pytest.raises(InputError, match=r"no input \['z'\]; it takes \['x'\]"):
        session.run(None, {"z": x})
    with pytest.raises(InputError, match="missing inputs"):
        session.run(None, {})


def normalizer() -> onnx.ModelProto:
    """An operator of ai.onnx.ml on columns whose number the file leaves open."""
    model = parsed('g (float[N,M] x) => (float[N,M] y) { y = ai.onnx.ml.Normalizer<norm="L1">(x) }')
    model.opset_import.add(domain="ai.onnx.ml", version=3)
    return model


def test_one_program_serves_all_rows_of_a_width() -> None:
    session = sardonyx.load(normalizer())
    assert "reference" not in session.explain()
    assert "blocks of" in session.explain()
    for width in (3, 5):
        for n in (1, 2, 7, 0):
            x = np.random.default_rng(n).uniform(1, 2, (n, width)).astype(np.float32)
            y = session.run(None, {"x": x})[0]
            np.testing.assert_allclose(y, x / x.sum(1, keepdims=True), rtol=1e-6)
    kept: Any = session
    assert len(kept._shaped._by_width) == 2


def test_inputs_of_different_lengths_are_no_rows() -> None:
    model = parsed("g (float[A,B] x, float[C,D] y) => (float[A,D] z) { z = MatMul(x, y) }")
    session = sardonyx.load(model)
    for shape in ((2, 3), (3, 3), (4, 3)):
        x, y = np.ones(shape, np.float32), np.full((3, 2), 2, np.float32)
        assert session.run(None, {"x": x, "y": y})[0].tolist() == [[6, 6]] * shape[0]
    assert "reference" not in session.explain()


def test_numbers_that_decide_are_told_from_those_to_compute_with() -> None:
    """A trip count beside a state: the program is for the count."""
    model = parsed("""g (int64 n, bool c, float[1] y) => (float[1] z) {
        z = Loop(n, c, y) <body = b (int64 i, bool going, float[1] v) => (bool again, float[1] w) {
            again = Identity(going) w = Add(v, v) }> }""")
    session = sardonyx.load(model)
    for n in (0, 3, 3):
        y = session.run(None, {"n": np.array(n), "c": np.array(True), "y": np.array([1.5], np.float32)})[0]
        assert y.tolist() == [1.5 * 2**n]
    assert programs(session) == 2
    assert "reference" not in session.explain()


def test_pieces_of_no_rows_keep_their_widths() -> None:
    model = parsed("""
        g (float[N,2] x) => (float[N,3] y)
        { s = Shape(x)  zero = Constant<value = int64 {0}>()  one = Constant<value = int64 {1}>()
          n = Gather(s, zero)  ids = Range(zero, n, one)  axis = Constant<value = int64[1] {1}>()
          column = Unsqueeze(ids, axis)  numbers = Cast<to = 1>(column)  y = Concat<axis = 1>(numbers, x) }
    """)
    session = sardonyx.InferenceSession(model.SerializeToString())
    for n in (2, 0, 1):
        (y,) = session.run(None, {"x": np.ones((n, 2), np.float32)})
        assert y.shape == (n, 3)
        assert y[:, 0].tolist() == list(range(n))
