"""Steps that no rule makes: a program with wrong shapes, types, params or indices is refused or runs, without a crash.

Built with a sanitizer (SARDONYX_SANITIZE, see scripts/build), this test also finds reads and writes outside of buffers.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from sardonyx import _native
from sardonyx.errors import SardonyxError
from sardonyx.lowering.program import DTYPE_CODES, Program, Slot
from sardonyx.lowering.sdx import pack

from .single import model_of, native_plan, rows

ML = "ai.onnx.ml"
MODELS: dict[str, Any] = {
    "Add": model_of("Add", [rows("float64", 2, 3), np.ones(3)]),
    "Less": model_of("Less", [rows("int64", 2, 3), rows("int64", 2, 1)]),
    "And": model_of("And", [rows("bool", 2), rows("bool", 2)]),
    "EqualText": model_of("Equal", [rows("str", 2), rows("str", 1)]),
    "Exp": model_of("Exp", [rows("float64", 3)]),
    "IsInf": model_of("IsInf", [rows("float32", 3)]),
    "Where": model_of("Where", [rows("bool", 3), rows("str", 3), np.array("", dtype=object)]),
    "Expand": model_of("Expand", [rows("float64", 2, 1), np.array([1, 2, 3])]),
    "ReduceMax": model_of("ReduceMax", [rows("float64", 2, 3), np.array([1])]),
    "ReduceLogSumExp": model_of("ReduceLogSumExp", [rows("float64", 2, 3), np.array([2])]),
    "ArgMax": model_of("ArgMax", [rows("float64", 2, 3)], axis=2),
    "Softmax": model_of("Softmax", [rows("float64", 2, 3)], axis=1),
    "CumSum": model_of("CumSum", [rows("float64", 2, 3), np.array(1)]),
    "TopK": model_of("TopK", [rows("float64", 40), np.array([35])], outputs=2),
    "TopK of few": model_of("TopK", [rows("float64", 4, 2), np.array([2])], outputs=2, axis=1),
    "Concat": model_of("Concat", [rows("str", 1), rows("str", 2)], axis=1),
    "Slice": model_of("Slice", [rows("float64", 6), np.array([5]), np.array([0]), np.array([1]), np.array([-2])]),
    "Gather": model_of("Gather", [rows("float64", 4, 2), np.array([3, 0, 1])], axis=1),
    "Gather table": model_of("Gather", [np.ones((5, 2)), rows("int64", 2, values=(0, 1))]),
    "GatherElements": model_of("GatherElements", [rows("float64", 4), rows("int64", 2, values=(0, 1))], axis=1),
    "Transpose": model_of("Transpose", [rows("float64", 2, 3, 4)], perm=[0, 3, 1, 2]),
    "Pad": model_of("Pad", [rows("float64", 3), np.array([0, 1, 0, 2]), np.array(7.5)]),
    "OneHot": model_of("OneHot", [rows("int64", 3, values=(0, 1)), np.array(4), np.array([0.0, 1.0])]),
    "MatMul": model_of("MatMul", [rows("float64", 2, 3), rows("float64", 3, 4)]),
    "Recurrent GRU": model_of(
        "GRU", [rows("float64", 3, 2), np.ones((2, 6, 2)), np.ones((2, 6, 2))], layout=1, direction="bidirectional"
    ),
    "Recurrent LSTM": model_of(
        "LSTM",
        [
            rows("float32", 3, 1),
            *(np.ones(shape, np.float32) for shape in ((1, 8, 1), (1, 8, 2), (1, 16))),
            None,
            rows("float32", 1, 2),
            rows("float32", 1, 2),
            np.ones((1, 6), np.float32),
        ],
        outputs=3,
        layout=1,
    ),
    "LabelEncoder": model_of(
        "LabelEncoder", [rows("str", 2)], domain=ML, keys_strings=["a", "b"], values_int64s=[1, 2], default_int64=0
    ),
    "LabelEncoder of numbers": model_of(
        "LabelEncoder",
        [rows("float64", 2)],
        domain=ML,
        keys_tensor=numpy_helper.from_array(np.array([0.5, 1.0])),
        values_tensor=numpy_helper.from_array(np.array([1, 2])),
        default_tensor=numpy_helper.from_array(np.array([0])),
    ),
}

NUMBERS = (-(2**63), -(2**40), -7, -1, 0, 1, 2, 3, 4, 5, 6, 24, 1 << 20, 1 << 32, 1 << 40, (1 << 63) - 1)


def mutated(program: Program, rng: random.Random) -> Program:
    """Return the program with one thing changed."""
    (at, step), kind = rng.choice(list(enumerate(program.steps))), rng.randrange(5)
    if kind == 0 and step.params:
        params = list(step.params)
        params[rng.randrange(len(params))] = rng.choice([*NUMBERS, 0.5])
        step = replace(step, params=tuple(params))
    elif kind == 1:
        step = replace(step, params=step.params[:-1] if rng.random() < 0.5 else (*step.params, rng.choice(NUMBERS)))
    elif kind == 2:
        step = replace(step, inputs=tuple(rng.sample(step.inputs, rng.randint(0, len(step.inputs)))))
    else:
        slots = list(program.slots)
        place = rng.randrange(len(slots))
        slots[place] = mutated_slot(slots[place], rng)
        return replace(program, slots=tuple(slots))
    return replace(program, steps=(*program.steps[:at], step, *program.steps[at + 1 :]))


def mutated_slot(slot: Slot, rng: random.Random) -> Slot:
    """Return the slot with another shape, type, or (for a constant) other contents."""
    if slot.data is not None and slot.dtype == "int64":
        data = np.array([rng.choice(NUMBERS) for _ in range(slot.width)], dtype=np.int64).reshape(slot.shape)
        return replace(slot, data=data)
    if slot.data is None and rng.random() < 0.3:
        return replace(slot, dtype=rng.choice(list(DTYPE_CODES)))
    shape = tuple(rng.choice((0, 1, 2, 3, n, n + 1)) for n in slot.shape) + rng.choice(((), (), (1,), (2,)))
    if slot.data is None:
        return replace(slot, shape=shape)
    return replace(slot, shape=shape, data=np.resize(slot.data, shape))


def feeds_of(program: Program, n: int) -> dict[str, Any]:
    """Return n rows of values that may be anything."""
    rng = np.random.default_rng(n)
    feeds: dict[str, Any] = {}
    for slot in (program.slots[i] for i in program.inputs):
        values = rng.integers(-3, 5, (n, *slot.shape))
        feeds[slot.name] = values.astype(str).astype(object) if slot.dtype == "str" else values.astype(slot.dtype)
    return feeds


@pytest.mark.parametrize("name", MODELS)
def test_illegal_steps_are_refused_or_run(name: str) -> None:
    program = native_plan(MODELS[name], block_rows=8).native
    assert program is not None
    rng = random.Random(name)
    ran = refused = 0
    for _ in range(400):
        other = mutated(program, rng)
        if rng.random() < 0.3:
            other = mutated(other, rng)
        try:
            native = _native.Program.from_bytes(pack(other), threads=1)
            for n in (1, 11):
                native.run(None, feeds_of(other, n))
            ran += 1
        except SardonyxError:
            refused += 1
    assert refused > 100
    assert ran + refused == 400
