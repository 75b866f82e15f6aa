"""Programs whose slots, constants and parameters were changed: kernels refuse such steps, or run them within bounds.

A read beyond an array need not crash: worth running with the sanitizers, with more mutants, ::

    MUTANTS=100000 scripts/sanitize tests/native/test_hostile_kernels.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from sklearn.impute import KNNImputer
from sklearn.neighbors import KernelDensity, NearestNeighbors
from sklearn.preprocessing import QuantileTransformer, SplineTransformer

from sardonyx import _native
from sardonyx.convert import convert
from sardonyx.errors import InputError, ProgramError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import DTYPE_CODES, Program, Slot, Step, pack

from ..kernels.single import model_of, rows

MUTANTS = int(os.environ.get("MUTANTS", "60"))
DIMS = (0, 1, 2, 3, 4, 5, 8)
INTEGERS = (0, 1, 2, 3, 5, 7, 100, 127, -1, -2, -128, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63))
REALS = (0.0, -0.0, 1.0, -1.0, 3.5, 1e30, float("nan"), float("inf"), -float("inf"))
WORDS = ("", "a", "b", "ä", "longer than a word")

F, S = "float64", "str"
MODELS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "Add": ([rows(F, 4, 1), rows(F, 1, 3)], {}),
    "Mul": ([rows(F, 3), np.ones((1, 3))], {}),
    "Equal": ([rows(S, 3), np.array(["a"], object)], {}),
    "Where": ([rows("bool", 3), rows(F, 3), np.zeros(1)], {}),
    "Clip": ([rows("float32", 3), np.zeros((), np.float32)], {}),
    "Sigmoid": ([rows(F, 3)], {}),
    "ReduceSum": ([rows(F, 2, 3), np.array([1])], {"keepdims": 0}),
    "ArgMax": ([rows(F, 2, 3)], {"axis": 1}),
    "TopK": ([rows(F, 5), np.array([2])], {"outputs": 2}),
    "Softmax": ([rows("float32", 5)], {"axis": 1}),
    "CumSum": ([rows(F, 5), np.array(1)], {}),
    "Concat": ([rows(F, 2), rows(F, 3)], {"axis": 1}),
    "Slice": ([rows(F, 6), np.array([1]), np.array([5]), np.array([1]), np.array([2])], {}),
    "Gather": ([rows(F, 4), np.array([3, 0])], {"axis": 1}),
    "GatherElements": ([rows(F, 4), rows("int64", 2, values=(0, 1, 3))], {"axis": 1}),
    "Transpose": ([rows(F, 2, 3)], {"perm": [0, 2, 1]}),
    "Split": ([rows(F, 6), np.array([2, 4])], {"axis": 1, "outputs": 2}),
    "Tile": ([rows(F, 2), np.array([1, 3])], {}),
    "OneHot": ([rows("int64", values=(0, 1, 2)), np.array(3), np.array([0.0, 1.0])], {}),
    "Pad": ([rows(F, 2), np.array([0, 1, 0, 2])], {}),
    "MatMul": ([rows(F, 4), np.ones((4, 3))], {}),
    "Gemm": ([rows("float32", 4), np.ones((4, 9), np.float32), np.ones(9, np.float32)], {}),
    "MatMul of panels": ([rows(F, 5, 9), rows(F, 9, 8)], {"op": "MatMul"}),
    "MatMul of vectors": ([rows("float32", 3, 4), np.ones((4, 9), np.float32)], {"op": "MatMul"}),
    "Conv": (
        [rows("float32", 4, 5, 9), np.ones((6, 2, 3, 2), np.float32), np.ones(6, np.float32)],
        {"group": 2, "pads": [1, 0, 1, 1], "strides": [1, 2]},
    ),
    "Conv of doubles": ([rows(F, 2, 12), np.ones((1, 2, 3))], {"op": "Conv", "dilations": [2]}),
    "MaxPool": ([rows("float32", 2, 5, 9)], {"kernel_shape": [2, 3], "pads": [1, 0, 1, 1]}),
    "AveragePool": ([rows(F, 2, 9)], {"kernel_shape": [2], "strides": [2]}),
    "Cast": ([rows(F, 3)], {"to": 7}),
    "Cast to halves": ([rows(F, 3)], {"op": "Cast", "to": 10}),
    "Cast to text": ([rows(F, 3)], {"op": "Cast", "to": 8}),
    "Cast from text": ([rows(S, 3, values=("1", "2.5", ""))], {"op": "Cast", "to": 11}),
    "StringConcat": ([rows(S, 3), rows(S, 1)], {}),
    "StringNormalizer": ([rows(S)], {"case_change_action": "UPPER"}),
    "LabelEncoder": (
        [rows(S, 2)],
        {"domain": "ai.onnx.ml", "keys_strings": ["a", "b"], "values_int64s": [1, 2], "default_int64": -1},
    ),
}


#: kernels of the `sardonyx` domain, each behind an estimator that is fitted on a few rows
ESTIMATORS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "Interp": (QuantileTransformer(n_quantiles=4), ("transform",)),
    "BSplineBasis": (SplineTransformer(n_knots=3, degree=2), ("transform",)),
    "NanNeighbors": (KNNImputer(n_neighbors=2), ("transform",)),
    "KernelDensity": (KernelDensity(leaf_size=2), ("score_samples",)),
    "SolveTriangular": (GaussianProcessRegressor(Matern(nu=0.7), optimizer=None), ("predict", "predict_std")),
    "BesselK": (GaussianProcessRegressor(Matern(nu=0.7), optimizer=None), ("predict",)),
    "KNeighbors": (NearestNeighbors(n_neighbors=2, leaf_size=2), ("kneighbors",)),
}


def program_of(op: str) -> Program:
    if op in ESTIMATORS:
        estimator, methods = ESTIMATORS[op]
        X = np.random.default_rng(0).normal(size=(9, 2))
        plan = lower(convert(estimator.fit(X, X[:, 0]), X, methods=methods))
        assert plan.native is not None
        assert op in {step.kernel for step in plan.native.steps}
        return plan.native
    inputs, attributes = MODELS[op]
    plan = lower(model_of(attributes.get("op", op), inputs, **{k: v for k, v in attributes.items() if k != "op"}))
    assert plan.native is not None, f"{op} has no native kernel"
    return plan.native


def draw(random: Random, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    choices: tuple[Any, ...] = REALS if dtype[0] == "f" else WORDS if dtype == "str" else INTEGERS
    if dtype not in ("str", "float32", "float64") and random.random() < 0.5:
        choices = (0, 1, 2)  # plausible indices
    size = int(np.prod(shape))
    drawn = np.empty(size, object)
    drawn[:] = [random.choice(choices) for _ in range(size)]
    if dtype == "bool":
        drawn = drawn.astype(bool)
    elif dtype[0] in "iu":
        drawn = np.array([int(v) % 2**64 for v in drawn], np.uint64)
    with np.errstate(over="ignore"):  # of halves
        return drawn.reshape(shape).astype(object if dtype == "str" else dtype)


def other_shape(random: Random, shape: tuple[int, ...]) -> tuple[int, ...]:
    dims = list(shape)
    change = random.randrange(4)
    if change == 0 and dims:
        dims.pop(random.randrange(len(dims)))
    elif change == 1 and len(dims) < 8:
        dims.insert(random.randrange(len(dims) + 1), random.choice(DIMS))
    elif change == 2:
        random.shuffle(dims)
    elif dims:
        dims[random.randrange(len(dims))] = random.choice(DIMS)
    return tuple(dims)


def change_slot(random: Random, slot: Slot) -> Slot:
    dtype, shape = slot.dtype, slot.shape
    change = random.randrange(3)
    if change == 0:
        dtype = random.choice(sorted(DTYPE_CODES))
    elif change == 1 or slot.data is None:
        shape = other_shape(random, shape)
    return Slot(slot.name, dtype, shape, None if slot.data is None else draw(random, dtype, shape))


def change_step(random: Random, step: Step, n_slots: int) -> Step:
    params, inputs = list(step.params), list(step.inputs)
    change = random.randrange(4)
    if change < 2 and params:
        at = random.randrange(len(params))
        params[at] = random.choice(REALS) if isinstance(params[at], float) else random.choice(INTEGERS)
    elif change == 2:
        params = params[:-1] if random.random() < 0.5 else [*params, random.choice(INTEGERS)]
    elif inputs:
        inputs[random.randrange(len(inputs))] = random.randrange(n_slots)
    return replace(step, params=tuple(params), inputs=tuple(inputs))


def swap_role(random: Random, program: Program) -> Program:
    """Make an input of a constant."""
    constants = [i for i, slot in enumerate(program.slots) if slot.data is not None]
    if not constants:
        return program
    at = random.choice(constants)
    slots = list(program.slots)
    slots[at] = replace(slots[at], data=None)
    return replace(program, slots=tuple(slots), inputs=(*program.inputs, at))


def mutants(program: Program, random: Random, count: int) -> Iterator[Program]:
    for _ in range(count):
        slots, steps = list(program.slots), list(program.steps)
        for _ in range(random.choice((1, 1, 2))):
            at, step = random.randrange(len(slots)), random.randrange(len(steps) + 1)
            if step < len(steps) and random.random() < 0.5:
                steps[step] = change_step(random, steps[step], len(slots))
            else:
                slots[at] = change_slot(random, slots[at])
        changed = replace(program, slots=tuple(slots), steps=tuple(steps), block_rows=random.choice((1, 7, 256)))
        yield swap_role(random, changed) if random.random() < 0.05 else changed


def load_or_refuse(program: Program) -> _native.Program | None:
    try:
        return _native.Program.from_bytes(pack(program), threads=1)
    except ProgramError:
        return None


@pytest.mark.parametrize("op", [*MODELS, *ESTIMATORS])
def test_mutants_are_refused_or_run(op: str) -> None:
    random = Random(op)
    program = program_of(op)
    assert load_or_refuse(program) is not None
    for mutant in mutants(program, random, MUTANTS):
        native = load_or_refuse(mutant)
        for n in (1, 37) if native is not None else ():
            assert native is not None
            feeds = {name: draw(random, dtype, (n, *shape)) for name, dtype, shape in native.inputs}
            try:
                outputs = native.run(None, feeds)
            except InputError:
                continue
            assert [(o.shape[0], o.shape[1:]) for o in outputs] == [(n, shape) for _, _, shape in native.outputs]
