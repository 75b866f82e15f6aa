"""The standard's own conformance tests, unchanged, through our backend; then again with rows, so that kernels run."""

from __future__ import annotations

import functools
import re
import unittest
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from sardonyx import backend
from sardonyx.errors import InputError
from sardonyx.session.plan_session import PlanSession

from .freed import freed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the suite overflows on purpose while it makes its data
    import onnx.backend.test
    from onnx.backend.test.loader import load_model_tests
    from onnx.backend.test.runner import Runner

    SUITE = onnx.backend.test.BackendTest(backend.SardonyxBackend, __name__)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")

#: what is left out, and why: the only list
EXCLUDED = {
    "^test_bernoulli": "the expected output is one draw of random numbers, of NumPy's generator",
    "^test_gradient_of_add": "ai.onnx.preview.training.Gradient: training is not what this is for",
    "^test_loop16_seq_none": "the suite asks for the length of a scalar in a sequence; run here instead, below",
}

SUITE._test_items.pop("RealModel")  # large networks, downloaded: there is no network in tests
for name in [name for items in SUITE._test_items.values() for name in items if name.endswith("_cuda")]:
    for items in SUITE._test_items.values():  # another device than this runtime has
        items.pop(name, None)
for pattern in EXCLUDED:
    SUITE.exclude(pattern)
globals().update(SUITE.test_cases)


@functools.cache
def cases() -> list[Any]:
    """The suite's tests of single operators."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [case for case in load_model_tests(kind="node") if case.model is not None]


def is_excluded(name: str) -> bool:
    return any(re.search(pattern, name) for pattern in EXCLUDED)


def test_at_most_one_in_two_hundred_is_excluded() -> None:
    names = [name for items in SUITE._test_items.values() for name in items]
    assert len(names) > 1800
    assert sum(map(is_excluded, names)) < len(names) / 200
    assert not any(is_excluded(name) for name in names if "ai_onnx_ml" in name)


def arrays(values: Any) -> list[Any]:
    return [numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x for x in values]


def runs_with_rows(shard: int) -> Iterator[tuple[str, bool, Any, Any, Any]]:
    for case in cases()[shard::8]:
        if is_excluded(case.name):
            continue
        for inputs, outputs in case.data_sets:
            for model, values in freed(case.model, arrays(inputs)):
                rep = backend.prepare(model)
                native = not isinstance(rep.session, PlanSession) or not rep.session.plan.reference_operators
                yield case.name, native, case, rep.run(values), arrays(outputs)


@pytest.mark.parametrize("shard", range(8))
def test_operators_answer_the_same_row_by_row(shard: int) -> None:
    native = set()
    for name, is_native, case, actual, expected in runs_with_rows(shard):
        Runner.assert_similar_outputs(expected, actual, case.rtol, case.atol, name)
        native |= {name} if is_native else set()
    assert len(native) > 80  # or the kernels are not what is tested


def test_an_empty_optional_of_a_sequence_is_carried_through_a_loop() -> None:
    (case,) = (case for case in cases() if case.name == "test_loop16_seq_none")
    for inputs, (expected,) in case.data_sets:
        (actual,) = backend.prepare(case.model).run(inputs)
        assert [a.tolist() for a in actual] == [e.tolist() for e in expected]


def test_run_node() -> None:
    node = helper.make_node("Add", ["x", "y"], ["z"])
    x = np.arange(3.0)
    (z,) = backend.run_node(node, [x, x])
    np.testing.assert_array_equal(z, 2 * x)
    scaler = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[1.0], scale=[2.0])
    (y,) = backend.run_node(scaler, [x[None].astype(np.float32)])
    np.testing.assert_array_equal(y, np.array([[-2, 0, 2]], np.float32))


def test_inputs_may_be_named_and_not_too_many() -> None:
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Neg", ["x"], ["y"])],
            "negative",
            [helper.make_tensor_value_info("x", onnx.TensorProto.DOUBLE, ["N"])],
            [helper.make_tensor_value_info("y", onnx.TensorProto.DOUBLE, ["N"])],
        )
    )
    rep = backend.prepare(model)
    assert rep.run({"x": np.ones(1)})[0] == rep.run(np.ones(1))[0] == -1
    with pytest.raises(InputError, match="2 inputs are given; the model takes 1"):
        rep.run([np.ones(1), np.ones(1)])
    assert not backend.supports_device("CUDA:0")


def test_the_suite_is_the_standards() -> None:
    assert issubclass(backend.SardonyxBackend, onnx.backend.base.Backend)
    assert all(issubclass(case, unittest.TestCase) for case in SUITE.test_cases.values())
