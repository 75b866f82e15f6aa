"""An operator of the `sardonyx` domain as a model: its native kernel, of every instruction set, against its body."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import onnx
import pytest

from sardonyx import _native
from sardonyx.errors import ProgramError, SardonyxError
from sardonyx.graph import Graph, Value
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program
from sardonyx.lowering.sdx import pack

from ..native.programs import ISAS, load
from .single import Array, onnxruntime
from .test_hostile import feeds_of, mutated

#: what a model is made of
Body: TypeAlias = Callable[..., Value]
#: relative and absolute errors of kernels against bodies, by dtype: both round, in their own order
NEAR = {"float64": (1e-9, 1e-11), "float32": (1e-4, 1e-5)}


def model_of(body: Body, **inputs: Array) -> onnx.ModelProto:
    """Return a model of `body`, whose inputs are like these arrays."""
    graph = Graph({"": 21, "ai.onnx.ml": 5, "sardonyx": 1})
    with graph.scope():
        values = [graph.input(name, array.dtype, ("N", *array.shape[1:])) for name, array in inputs.items()]
        result = body(*values)
    return graph.model({"Y": result})


def program_of(model: onnx.ModelProto) -> Program:
    """Return the native program that the model is."""
    program = lower(model).native
    assert program is not None
    return program


def assert_kernels_are_the_body(body: Body, **inputs: Array) -> Array:
    """Assert that every instruction set answers what ONNX Runtime makes of the body; return the answer."""
    model = model_of(body, **inputs)
    program, (expected,) = program_of(model), onnxruntime(model, inputs)
    for isa in ISAS:
        (actual,) = load(program, isa=isa).run(None, inputs)
        assert actual.dtype == expected.dtype
        rtol, atol = NEAR[actual.dtype.name]
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=isa)
    return np.asarray(expected)


def assert_rows_are_alone(body: Body, **inputs: Array) -> None:
    """Assert that a row has the same bits alone and in a batch, and on any number of threads."""
    program = program_of(model_of(body, **inputs))
    (together,) = load(program).run(None, inputs)
    (spread,) = load(program, threads=2).run(None, inputs)
    np.testing.assert_array_equal(spread, together)
    for i in range(len(together)):
        (alone,) = load(program).run(None, {name: array[i : i + 1] for name, array in inputs.items()})
        np.testing.assert_array_equal(alone[0], together[i])


def assert_refused(program: Program, kernel: str, changes: Sequence[dict[str, Any]]) -> None:
    """Assert that the loader refuses the program with a step of `kernel` changed in each of these ways."""
    at = next(i for i, step in enumerate(program.steps) if step.kernel == kernel)
    for change in changes:
        steps = (*program.steps[:at], replace(program.steps[at], **change), *program.steps[at + 1 :])
        with pytest.raises(ProgramError):
            _native.Program.from_bytes(pack(replace(program, steps=steps)))


def assert_mutants_are_refused_or_run(program: Program, count: int = 300) -> None:
    """Change programs at random, but for how often they iterate; none may crash."""
    rng, refused = random.Random(0), 0
    for _ in range(count):
        other = mutated(program, rng)
        if any(isinstance(p, int) and p > 1000 for step in other.steps for p in step.params[:1]):
            continue
        try:
            native = _native.Program.from_bytes(pack(other), threads=1)
            for n in (1, 11):
                native.run(None, feeds_of(other, n))
        except SardonyxError:
            refused += 1
    assert refused > count // 8
