"""CheckFinite and Linear become one step that gives the same bits, and refuses the same rows in the same words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from sardonyx.errors import InputError
from sardonyx.lowering.program import Program, Step
from sardonyx.passes import optimize
from sardonyx.passes.drop_unused import drop_unused
from sardonyx.passes.fuse_check_finite import FEW, fuse_check_finite

from ..native.programs import ISAS, Builder, linear, load


def fused_of(program: Program) -> Program:
    return drop_unused(fuse_check_finite(program))


def kernels_of(program: Program) -> list[str]:
    return [step.kernel for step in program.steps]


def answer(program: Program, isa: str, X: Any) -> Any:
    try:
        return load(program, isa=isa).run(None, {"X": X})[0]
    except InputError as error:
        return str(error)


def assert_same(program: Program, X: NDArray[Any], isa: str) -> None:
    fused = fused_of(program)
    assert kernels_of(fused) == ["Linear"]
    expected, actual = answer(program, isa, X), answer(fused, isa, X)
    if isinstance(expected, str):
        assert actual == expected
    else:
        assert isinstance(actual, np.ndarray)
        assert actual.tobytes() == expected.tobytes()


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("k", "n"), [(2, 1), (3, 2), (5, 1), (9, 3), (17, 9), (33, 5), (50, 1), (50, 17)])
def test_refuses_what_is_not_finite_wherever_it_is(k: int, n: int, dtype: str, isa: str) -> None:
    rng, program = np.random.default_rng(k), linear(k, n, dtype, block_rows=16)
    for rows in (0, 1, 3, 7, 40):
        clean = rng.normal(size=(rows, k)).astype(dtype)
        assert_same(program, clean, isa)
        for at in rng.permutation(clean.size)[:20]:
            X = clean.copy()
            X.flat[at] = rng.choice([np.nan, np.inf, -np.inf])
            assert_same(program, X, isa)
            assert isinstance(answer(fused_of(program), isa, X), str)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [2, 3, 9, 50])
def test_weights_that_are_no_ordinary_numbers(k: int, dtype: str, isa: str) -> None:
    largest = np.finfo(dtype).max
    for weight in (0.0, -0.0, 5e-324, largest, np.inf, np.nan):
        for n in (1, k - 1):
            b = Builder(8)
            checked = b.step("CheckFinite", [b.input("X", dtype, (k,))], ("checked", dtype, (k,)), 0, label="lr:Ridge")
            coef = b.constant("coef", np.full((k, n), weight, dtype))
            program = b.program(b.step("Linear", [checked, coef], ("y", dtype, (n,))))
            X = np.full((11, k), largest, dtype)
            X[3] = -0.0
            X[5, ::2] *= -1
            assert_same(program, X, isa)
            for value in (np.nan, np.inf, -np.inf):
                X[9, -1] = value
                assert_same(program, X, isa)
                X[9, 0] = np.inf
                assert_same(program, X, isa)
                X[9] = largest


def test_nan_is_named_before_infinity() -> None:
    X = np.ones((3, 4))
    X[0, 1], X[2, 3] = np.inf, np.nan
    with pytest.raises(InputError, match="lr:Ridge: Input contains NaN"):
        load(fused_of(linear(4, 2))).run(None, {"X": X})


@pytest.mark.parametrize("broken", ["A", "B"])
def test_refuses_in_the_same_order(broken: str) -> None:
    """Of two checks, the first speaks: whichever product comes first."""
    b = Builder()
    checks = [
        b.step("CheckFinite", [b.input(name, "float64", (3,))], (f"checked {name}", "float64", (3,)), 0, label=name)
        for name in "AB"
    ]
    coef = b.constant("coef", np.ones((3, 1)))
    outputs = [b.step("Linear", [check, coef], (f"y{check}", "float64", (1,))) for check in checks[::-1]]
    program = fused_of(b.program(*outputs))
    assert [(step.kernel, step.label) for step in program.steps] == [("Linear", "A"), ("Linear", "B")]
    feeds = {"A": np.full((2, 3), np.nan), "B": np.full((2, 3), np.nan)}
    if broken == "B":
        feeds["A"][:] = 1
    with pytest.raises(InputError, match=f"^{broken}: Input contains NaN"):
        load(program).run(None, feeds)


def unfused(k: int, n: int, params: tuple[int, ...] = (), allow_nan: int = 0) -> Program:
    program = linear(k, n)
    check, product = program.steps
    return replace(program, steps=(replace(check, params=(allow_nan,)), replace(product, params=params)))


def sparse(k: int, n: int) -> Program:
    """The same program of sparse rows."""
    program = linear(k, n)
    slots = tuple(replace(slot, sparse=slot.name in {"X", "checked"}) for slot in program.slots)
    check, product = program.steps
    return replace(program, slots=slots, steps=(check, replace(product, kernel="SparseLinear")))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("n", [1, 4, FEW])
def test_sparse_rows(n: int, isa: str) -> None:
    program = sparse(60, n)
    fused = fused_of(program)
    assert [(step.kernel, step.params, step.label) for step in fused.steps] == [("SparseLinear", (1,), "lr:Ridge")]
    X: Any = sp.random_array((300, 60), density=0.2, format="csr", rng=np.random.default_rng(n))
    assert answer(fused, isa, X).tobytes() == answer(program, isa, X).tobytes()
    for at, value in ((0, np.nan), (7, np.inf), (X.nnz - 1, np.nan), (X.nnz // 2, -np.inf)):
        X.data[at] = value
        assert "Input contains" in answer(program, isa, X)
        assert answer(fused, isa, X) == answer(program, isa, X)


@pytest.mark.parametrize(
    "program",
    [
        unfused(3, 3),
        unfused(3, 5),
        unfused(3, 2, allow_nan=1),
        unfused(3, 2, params=(1,)),
        replace(linear(3, 2), outputs=(4, 1)),
        sparse(100, FEW + 1),
    ],
    ids=["as many", "more", "NaN is welcome", "Relu", "two readers", "sparse rows to many"],
)
def test_leaves_the_rest(program: Program) -> None:
    assert fuse_check_finite(program) == program


def test_relu_is_fused_first() -> None:
    program = linear(5, 2)
    (slots, steps), y = (program.slots, program.steps), program.outputs[0]
    relu = Step("Relu", (y,), (len(slots),))
    program = replace(program, slots=(*slots, replace(slots[y], name="z")), steps=(*steps, relu), outputs=(len(slots),))
    assert [(step.kernel, step.params) for step in optimize(program).steps] == [("CheckFinite", (0,)), ("Linear", (1,))]
