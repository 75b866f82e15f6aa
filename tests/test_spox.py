"""Graphs written with spox: ONNX Runtime's answers on hard inputs, no operator in Python."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sardonyx

from .test_skl2onnx import assert_same, onnxruntimes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from spox import Tensor, Var, argument, build, inline

    op: Any = import_module("spox.opset.ai.onnx.v19")  # names that a type checker takes for private
    ml: Any = import_module("spox.opset.ai.onnx.ml.v4")

rng = np.random.default_rng(0)
f4 = np.float32
W, B = rng.normal(size=(5, 3)).astype(f4), rng.normal(size=3).astype(f4)
FIT = rng.normal(size=(20, 5)).astype(f4)

Outputs = dict[str, Var]


def scores(x: Var) -> Outputs:
    filled = ml.imputer(x, imputed_value_floats=[0.5] * 5, replaced_value_float=float("nan"))
    scaled = ml.scaler(filled, offset=[0.1] * 5, scale=[2.0] * 5)
    proba = op.softmax(op.add(op.matmul(scaled, op.const(W)), op.const(B)), axis=1)
    return {"label": op.arg_max(proba, axis=1, keepdims=False), "proba": proba}


def classifier(x: Var) -> Outputs:
    label, proba = ml.linear_classifier(
        x,
        classlabels_strings=["a", "ß", ""],
        coefficients=W.T.ravel().tolist(),
        intercepts=B.tolist(),
        post_transform="SOFTMAX",
    )
    return {"label": label, "proba": ml.normalizer(proba, norm="L1")}


def branches_by_size(x: Var) -> Outputs:
    many = op.greater(op.gather(op.shape(x), op.const(np.int64(0))), op.const(np.int64(2)))
    (y,) = op.if_(many, then_branch=lambda: [op.concat([x, x], axis=1)], else_branch=lambda: [op.neg(x)])
    return {"y": y}


def branches_by_values(x: Var) -> Outputs:
    total = op.reduce_sum(x, op.const([0, 1]), keepdims=False)
    positive = op.greater(total, op.const(f4(0)))
    (y,) = op.if_(positive, then_branch=lambda: [op.mul(x, op.const(f4(2)))], else_branch=lambda: [op.neg(x)])
    return {"y": y}


def rounds(x: Var) -> Outputs:
    def body(i: Var, _: Var, v: Var) -> list[Var]:
        return [op.const(True), op.add(op.mul(v, op.const(f4(0.5))), op.cast(i, to=f4))]

    (y,) = op.loop(op.const(np.int64(4)), v_initial=[x], body=body)
    return {"y": y}


def model_within(x: Var) -> Outputs:
    given = argument(Tensor(f4, ("N", 5)))
    inner = build({"A": given}, {"B": op.relu(op.matmul(given, op.const(W)))})
    return {"y": op.sigmoid(inline(inner)(A=x)["B"])}


def against_the_batch(x: Var) -> Outputs:
    return {"y": op.sub(x, op.reduce_mean(x, op.const([0]), keepdims=True))}


def numbered_rows(x: Var) -> Outputs:
    n = op.gather(op.shape(x), op.const(np.int64(0)))
    ids = op.unsqueeze(op.range(op.const(np.int64(0)), n, op.const(np.int64(1))), op.const([1]))
    return {"y": op.concat([op.cast(ids, to=f4), x], axis=1)}


def sums_so_far(x: Var) -> Outputs:
    return {"y": op.cumsum(x, op.const(np.int64(0)))}


def parts(x: Var) -> Outputs:
    return {"y": op.concat_from_sequence(op.split_to_sequence(x, op.const([2, 3]), axis=1), axis=1)}


def clipped(x: Var) -> Outputs:
    return {"y": op.where(op.isnan(x), op.const(f4(0)), op.clip(x, op.const(f4(-1)), op.const(f4(1))))}


GRAPHS: list[Callable[[Var], Outputs]] = [
    scores, classifier, branches_by_size, branches_by_values, rounds, model_within, against_the_batch, numbered_rows,
    sums_so_far, parts, clipped,
]  # fmt: skip


def inputs() -> list[NDArray[Any]]:
    plain = [rng.normal(size=(n, 5)).astype(f4) for n in (1, 2, 7, 300)]
    hard = plain[2].copy()
    hard[0, 0], hard[1, 4], hard[2, 0], hard[3], hard[4] = np.nan, np.inf, -np.inf, 0, -0.0
    return [*plain, hard, plain[0][:0]]


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.filterwarnings("ignore")
def test_a_graph(graph: Callable[[Var], Outputs]) -> None:
    x = argument(Tensor(f4, ("N", 5)))
    content = build({"X": x}, graph(x)).SerializeToString()
    session = sardonyx.InferenceSession(content)
    for X in inputs():
        for actual, expected in zip(session.run(None, {"X": X}), onnxruntimes(content, X), strict=True):
            assert_same(actual, expected)
    assert "reference" not in session.explain()


@pytest.mark.filterwarnings("ignore")
def test_nearest_neighbours() -> None:
    x = argument(Tensor(f4, ("N", 5)))
    apart = op.sub(op.unsqueeze(x, op.const([1])), op.const(FIT[None]))
    squares = op.reduce_sum_square(apart, op.const([2]), keepdims=False)
    nearest, places = op.top_k(squares, op.const([3]), axis=1, largest=False)
    mean = op.reduce_mean(op.gather(op.const(np.arange(20, dtype=f4)), places), op.const([1]))
    content = build({"X": x}, {"distance": op.sqrt(nearest), "mean": mean}).SerializeToString()
    session = sardonyx.InferenceSession(content)
    for X in inputs()[:4]:
        for actual, expected in zip(session.run(None, {"X": X}), onnxruntimes(content, X), strict=True):
            assert_same(actual, expected)
    assert "reference" not in session.explain()
