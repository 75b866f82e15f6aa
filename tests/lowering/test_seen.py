"""Feeds like some seen before: the same answers, and the same refusals, as when they came first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sardonyx
from sardonyx.lowering.seen import MOST_SEEN

from ..parsing import parsed

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def session() -> Any:
    text = """g (float[N,3] x, float[M,3] w) => (float[M,3] y, float[3] s, float t) <int64[1] a = {0}> {
        s = ReduceSum<keepdims=0>(x, a) y = Mul(w, s) t = ReduceMax<keepdims=0>(y) }"""
    return sardonyx.load(parsed(text))


def expected(x: Any, w: Any) -> list[Any]:
    s = x.sum(axis=0)
    return [w * s, s, (w * s).max()]


def assert_answers(model: Any, x: Any, w: Any, names: Any = None) -> None:
    for actual, e in zip(model.run(names, {"x": x, "w": w}), expected(x, w), strict=True):
        assert isinstance(actual, np.ndarray)
        assert actual.shape == np.shape(e)
        np.testing.assert_allclose(actual, e, rtol=1e-5)


def test_a_second_call_goes_to_the_program_and_answers_alike() -> None:
    model = session()
    for x in (X, X[:2], X * 2, -X, X[:2]):
        assert_answers(model, x, X)
        assert_answers(model, x, X, ["y", "s", "t"])
    assert len(model._seen._answers) == 2


def test_other_forms_of_the_same_shape() -> None:
    model = session()
    assert_answers(model, X, X)
    for x in (np.asfortranarray(X), X[::-1], X.astype(">f4"), X.tolist()):
        assert_answers(model, np.asarray(x), X)
    assert_answers(model, np.round(X).astype(np.float64), X)
    assert len(model._seen._answers) == 1


def test_what_does_not_fit_is_refused_as_before() -> None:
    model = session()
    assert_answers(model, X, X)
    with pytest.raises(sardonyx.InputError, match="no input"):
        model.run(None, {"x": X, "w": X, "q": X})
    with pytest.raises(sardonyx.InputError, match="missing"):
        model.run(None, {"x": X})
    with pytest.raises(sardonyx.InputError):
        model.run(None, {"x": X + 0.1, "w": X[0]})
    assert [len(y) for y in model.run(["s"], {"x": X, "w": X})] == [3]


def test_values_that_decide_are_asked_every_time() -> None:
    model: Any = sardonyx.load(parsed("g (float[N,M] x, int64[2] shape) => (float[a,b] y) { y = Reshape(x, shape) }"))
    for shape in ([3, 5], [5, 3], [15, 1], [3, 5]):
        assert model.run(None, {"x": X, "shape": np.array(shape)})[0].shape == tuple(shape)


def test_so_many_are_kept() -> None:
    model = session()
    for n in range(MOST_SEEN + 3):
        assert_answers(model, np.ones((n, 3), np.float32), X)
    assert len(model._seen._answers) == MOST_SEEN
