"""Sparse rows in the executor: in and out, dense or sparse on either side, whatever order the caller keeps them in."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sardonyx import _native
from sardonyx.errors import InputError, ProgramError
from sardonyx.lowering.program import Program, Slot, Step
from sardonyx.lowering.sdx import pack, unpack

from .programs import load

DTYPES = ("float64", "float32", "int64", "int8", "uint16", "bool")


def chain(width: int, dtype: str = "float64", block_rows: int = 4) -> Program:
    """X sparse ─▶ Densify ─▶ dense ─▶ Sparsify ─▶ again; all of them outputs, X too."""
    slots = (
        Slot("X", dtype, (width,), sparse=True),
        Slot("dense", dtype, (width,)),
        Slot("again", dtype, (width,), sparse=True),
    )
    steps = (Step("Densify", (0,), (1,)), Step("Sparsify", (1,), (2,)))
    return Program(slots, steps, (0,), (0, 1, 2), block_rows)


def matrix(rows: int, width: int, dtype: str = "float64", density: float = 0.3, seed: int = 0) -> Any:
    values = sp.random_array((rows, width), density=density, format="csr", rng=np.random.default_rng(seed))
    values.data = np.rint(values.data * 100) - 30
    return sp.csr_matrix(values.astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 50])
def test_csr_in_and_out(rows: int, dtype: str) -> None:
    X = matrix(rows, 7, dtype)
    program = load(chain(7, dtype))
    for result in program.run(None, {"X": X}):
        np.testing.assert_array_equal(result, X.toarray(), strict=True)
    first, dense, again = program.run(None, {"X": X}, sparse=True)
    np.testing.assert_array_equal(dense, X.toarray(), strict=True)
    for result in (first, again):
        assert type(result) is sp.csr_matrix
        assert result.shape == X.shape
        assert (result.indices.dtype, result.dtype) == (np.int32, X.dtype)
        assert result.has_canonical_format
        np.testing.assert_array_equal(result.toarray(), X.toarray())
    assert program.sparse_inputs == ("X",)
    assert program.sparse_outputs == ("X", "again")


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_come_back_in_order_from_threads(threads: int) -> None:
    X = matrix(20_000, 50, density=0.1)
    program = load(chain(50, block_rows=64), threads=threads)
    for _ in range(3):
        again, first = program.run(["again", "X"], {"X": X}, sparse=True)
        assert (again != X).nnz == 0
        for part in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(getattr(first, part), getattr(X, part))


@pytest.mark.parametrize("threads", [1, 3])
def test_results_grow_beyond_what_their_first_rows_let_expect(threads: int) -> None:
    sizes = np.zeros(6_000, int)
    sizes[3_000:4_000], sizes[5_999] = 40, 1
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    indices = np.concatenate([np.arange(n) for n in sizes]).astype(np.int32)
    X = sp.csr_matrix((np.arange(1.0, len(indices) + 1), indices, indptr), shape=(6_000, 40))
    program = load(chain(40, block_rows=16), threads=threads)
    result = program.run(["again"], {"X": X}, sparse=True)[0]
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(result, part), getattr(X, part), strict=True)
    result.data *= 2  # it is the caller's own
    result.sort_indices()
    assert (result != 2 * X).nnz == 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux's /proc")
def test_sparse_results_leave_nothing_behind() -> None:
    def megabytes() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    X = matrix(2_000, 50, density=0.5)  # a result of 0.6 MB
    program = load(chain(50, block_rows=64), threads=2)
    kept = [program.run(["again"], {"X": X}, sparse=True)[0] for _ in range(200)][:8]
    before = megabytes()
    for call in range(1_000):
        kept[call % len(kept)] = program.run(["again"], {"X": X}, sparse=True)[0]
    assert megabytes() - before < 8  # a hundredth of what was returned
    assert all((result != X).nnz == 0 for result in kept)


def test_a_dense_array_is_compressed_and_nan_and_zeros_kept() -> None:
    X = np.array([[0.0, np.nan, -0.0], [np.inf, 0, 5e-324]])
    first, dense, _ = load(chain(3)).run(None, {"X": X}, sparse=True)
    np.testing.assert_array_equal(dense, X)
    assert first.indices.tolist() == [1, 0, 2]
    stored = sp.csr_matrix((np.array([0.0, 1.0]), [1, 2], [0, 2]), shape=(1, 3))
    first, dense, again = load(chain(3)).run(None, {"X": stored}, sparse=True)
    assert (first.nnz, again.nnz) == (2, 1)  # a zero that is stored stays until it was dense


def disordered(draw: st.DrawFn) -> Any:
    rows, width = draw(st.integers(0, 9)), draw(st.integers(1, 40))
    lengths = draw(st.lists(st.integers(0, 60), min_size=rows, max_size=rows))
    size, rng = sum(lengths), np.random.default_rng(draw(st.integers(0, 2**20)))
    index = draw(st.sampled_from([np.int32, np.int64]))
    indptr = np.append(0, np.cumsum(lengths)).astype(index)
    data = rng.integers(-9, 10, size).astype(draw(st.sampled_from(DTYPES)))
    X = sp.csr_matrix((rows, width), dtype=data.dtype)
    X.data, X.indices, X.indptr = data, rng.integers(0, width, size).astype(index), indptr
    return X


@given(st.composite(disordered)(), st.sampled_from([1, 2, 64]))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_duplicates_are_added_up_and_columns_sorted(X: Any, block_rows: int) -> None:
    before = X.copy()
    expected = X.copy()
    expected.sum_duplicates()
    program = load(chain(X.shape[1], X.dtype.name, block_rows))
    first, dense, _ = program.run(None, {"X": X}, sparse=True)
    np.testing.assert_array_equal(dense, expected.toarray())
    np.testing.assert_array_equal(first.indices, expected.indices)
    np.testing.assert_array_equal(first.indptr, expected.indptr)
    np.testing.assert_array_equal(first.data, expected.data)
    np.testing.assert_array_equal(X.indices, before.indices)
    np.testing.assert_array_equal(X.data, before.data)


def dense_program(width: int) -> Program:
    slots = (Slot("X", "float64", (width,)), Slot("y", "float64", (width,)))
    return Program(slots, (Step("Neg", (0,), (1,)),), (0,), (0, 1), 8)


@pytest.mark.parametrize("rows", [0, 1, 7, 100])
def test_csr_given_to_a_dense_program(rows: int) -> None:
    X = matrix(rows, 11)
    same, negated = load(dense_program(11)).run(None, {"X": X})
    np.testing.assert_array_equal(same, X.toarray())
    np.testing.assert_array_equal(negated, -X.toarray())


# ---- what is refused -------------------------------------------------------------------------------------------------


def broken(**parts: Any) -> Any:
    X = matrix(6, 5, density=0.6)
    for name, value in parts.items():
        array: NDArray[Any] = getattr(X, name).copy()
        value(array)
        setattr(X, name, array)
    return X


def put(at: int, value: int) -> Any:
    return lambda array: array.__setitem__(at, value)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"indices": put(3, 5)}, "out of range"),
        ({"indices": put(0, -1)}, "out of range"),
        ({"indices": put(-1, 2**31 - 1)}, "out of range"),
        ({"indptr": put(-1, 10**6)}, "outside"),
        ({"indptr": put(0, -3)}, "outside"),
        ({"indptr": put(2, 10**6)}, "decreases"),
        ({"indptr": put(3, 0)}, "decreases"),
        ({"indptr": put(3, -(2**31))}, "decreases"),
    ],
)
@pytest.mark.parametrize("program", [chain(5, block_rows=64), dense_program(5)])
def test_a_hostile_matrix_is_refused(program: Program, parts: dict[str, Any], message: str, index: Any) -> None:
    X = broken(**parts)
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    with pytest.raises(InputError, match=f"not a legal one: .*{message}"):
        load(program).run(None, {"X": X})


@given(st.lists(st.lists(st.integers(-2, 6), max_size=4), min_size=1, max_size=5), st.booleans())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_columns_out_of_range_are_refused_wherever_they_stand(rows: list[list[int]], sort: bool) -> None:
    rows = [sorted(row) if sort else row for row in rows]
    columns = np.array([column for row in rows for column in row], np.int32)
    X = sp.csr_matrix((len(rows), 5))
    X.indptr = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    X.indices, X.data = columns, np.ones(len(columns))
    program = load(chain(5, block_rows=2))
    if len(columns) and not (0 <= columns.min() and columns.max() < 5):
        with pytest.raises(InputError, match="out of range"):
            program.run(None, {"X": X})
        return
    for result in program.run(None, {"X": X}):
        np.testing.assert_array_equal(result, X.toarray())


def test_arrays_of_the_wrong_length_are_refused() -> None:
    X = matrix(6, 5)
    X.indptr = X.indptr[:-1]
    with pytest.raises(InputError, match="one number for each row"):
        load(chain(5)).run(None, {"X": X})
    X = matrix(6, 5)
    X.data = X.data[:-1]
    with pytest.raises(InputError, match="outside"):
        load(chain(5)).run(None, {"X": X})


def test_a_kernel_that_does_not_know_sparse_rows_is_not_given_them() -> None:
    slots = (Slot("X", "float64", (3,), sparse=True), Slot("y", "float64", (3,)))
    with pytest.raises(ProgramError, match="does not know sparse"):
        load(Program(slots, (Step("CumSum", (0,), (1,), (1, 3, 1, 0, 0)),), (0,), (1,)))
    slots = (Slot("X", "float64", (3,)), Slot("y", "float64", (3,), sparse=True))
    with pytest.raises(ProgramError, match="does not know sparse"):
        load(Program(slots, (Step("CumSum", (0,), (1,), (1, 3, 1, 0, 0)),), (0,), (1,)))


def test_steps_on_entries_are_checked() -> None:
    X, other = Slot("X", "float64", (3,), sparse=True), Slot("other", "float64", (3,), sparse=True)
    dense, y = Slot("dense", "float64", (3,)), Slot("y", "float64", (3,), sparse=True)
    constant = Slot("c", "float64", (3,), np.ones(3))
    for slots, inputs, message in (
        ((X, other, y), (0, 1), "not the same entries"),
        ((X, dense, y), (0, 1), "meet dense ones"),
        ((X, constant, y), (0, 1), "does not broadcast"),
        ((X, dense, replace(y, sparse=False)), (0, 0), "an output .* is dense"),
        ((X, dense, replace(y, shape=(4,))), (0, 0), "differs in width"),
    ):
        given = tuple(i for i, slot in enumerate(slots[:2]) if slot.data is None)
        with pytest.raises(ProgramError, match=message):
            load(Program(slots, (Step("Mul", inputs, (2,)),), given, (2,)))


def test_a_step_on_entries_and_what_shares_them() -> None:
    """X and c laid beside it have the same entries: so have their product, its copy, and the sum of both."""
    slots = (
        *(Slot(name, "float64", (5,), sparse=True) for name in ("X", "beside", "product", "copy", "sum")),
        Slot("c", "float64", (5,), np.arange(5.0) - 2),
    )
    steps = (
        Step("AtEntries", (0, 5), (1,)),
        Step("Mul", (0, 1), (2,)),
        Step("Identity", (2,), (3,)),
        Step("Add", (3, 0), (4,)),
    )
    X = matrix(40, 5, density=0.4)
    X.data[3] = 0  # stored
    program = load(Program(slots, steps, (0,), (2, 4, 3), 16))
    c = np.arange(5.0) - 2
    product, total, copy = program.run(None, {"X": X}, sparse=True)
    np.testing.assert_array_equal(product.toarray(), X.toarray() * c)
    np.testing.assert_array_equal(copy.toarray(), X.toarray() * c)
    np.testing.assert_array_equal(total.toarray(), X.toarray() * c + X.toarray())
    np.testing.assert_array_equal(total.indices, X.indices)


@pytest.mark.parametrize("kernel", ["Densify", "Sparsify", "Identity"])
@pytest.mark.parametrize("forms", [(False, False), (True, True), (True, False), (False, True)])
def test_forms_are_checked(kernel: str, forms: tuple[bool, bool]) -> None:
    slots = tuple(Slot(n, "float64", (3,), sparse=f) for n, f in zip("xy", forms, strict=True))
    program = Program(slots, (Step(kernel, (0,), (1,)),), (0,), (1,))
    legal = {"Densify": forms == (True, False), "Sparsify": forms == (False, True), "Identity": forms[0] == forms[1]}
    if legal[kernel]:
        np.testing.assert_array_equal(load(program).run(None, {"x": np.eye(3)})[0], np.eye(3))
    else:
        with pytest.raises(ProgramError):
            load(program)


@pytest.mark.parametrize(
    "slot",
    [
        Slot("X", "str", (3,), sparse=True),
        Slot("X", "float64", (3, 1), sparse=True),
        Slot("X", "float64", (), sparse=True),
        Slot("X", "float64", (1 << 31,), sparse=True),
    ],
)
def test_sparse_slots_are_rows_of_numbers(slot: Slot) -> None:
    program = Program((slot,), (), (0,), (0,))
    with pytest.raises(ProgramError, match="sparse"):
        program.check()


def test_round_trip_and_hostile_forms() -> None:
    program = chain(5)
    file = pack(program)
    assert unpack(file) == program
    at = 64 + 11  # header, then name (8), dtype, role, rank
    assert file[at] == 1
    for value, message in ((2, "form"), (255, "form")):
        with pytest.raises(ProgramError, match=message):
            _native.Program.from_bytes(file[:at] + bytes([value]) + file[at + 1 :])
        with pytest.raises(ProgramError, match=message):
            unpack(file[:at] + bytes([value]) + file[at + 1 :])
    for field, value, message in ((8, 12, "of text"), (9, 1, "no rows"), (10, 0, "dimension|rank")):
        at = 64 + field
        with pytest.raises(ProgramError, match=message):
            _native.Program.from_bytes(file[:at] + bytes([value]) + file[at + 1 :])
