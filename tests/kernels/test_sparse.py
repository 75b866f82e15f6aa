"""Kernels of sparse rows, one step each, against SciPy and NumPy, on every instruction set; and steps they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from sardonyx.errors import InputError, ProgramError
from sardonyx.lowering.program import Param, Program, Slot, Step

from ..native.programs import ISAS, load

F = "float64"


def sparse(rows: int, width: int, dtype: str = F, density: float = 0.3, seed: int = 0) -> Any:
    """A matrix with empty rows, negative numbers and a zero that is stored."""
    X = sp.random_array((rows, width), density=density, format="csr", rng=np.random.default_rng(seed))
    X.data = X.data * 2 - 1
    if X.nnz:
        X.data[0] = 0
    return sp.csr_matrix(X.astype(dtype))


def program(
    kernel: str, inputs: list[Any], output: Slot, params: tuple[Param, ...] = (), constants: tuple[int, ...] = ()
) -> Program:
    """One step; inputs are matrices, sparse or dense, of which some are constants."""
    slots = []
    for i, value in enumerate(inputs):
        if isinstance(value, Slot):
            slots.append(value)
        elif i in constants:
            slots.append(Slot(f"c{i}", value.dtype.name, value.shape, value))
        else:
            slots.append(Slot(f"x{i}", value.dtype.name, value.shape[1:], sparse=sp.issparse(value)))
    given = tuple(i for i, slot in enumerate(slots) if slot.data is None)
    step = Step(kernel, tuple(range(len(slots))), (len(slots),), params)
    return Program((*slots, output), (step,), given, (len(slots),), 8)


def run(
    kernel: str,
    inputs: list[Any],
    output: Slot,
    params: tuple[Param, ...] = (),
    constants: tuple[int, ...] = (),
    isa: str = "generic",
) -> Any:
    native = load(program(kernel, inputs, output, params, constants), isa=isa)
    feeds = {f"x{i}": value for i, value in enumerate(inputs) if i not in constants}
    return native.run(None, feeds, sparse=True)[0]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [F, "float32"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 6, 7, 8, 20])
def test_products_have_the_bits_of_scipy(n: int, dtype: str, isa: str) -> None:
    X = sparse(21, 300, dtype, density=0.1)
    rng = np.random.default_rng(n)
    W, b = rng.normal(size=(300, n)).astype(dtype), rng.normal(size=n).astype(dtype)
    y = Slot("y", dtype, (n,))
    np.testing.assert_array_equal(run("SparseLinear", [X, W], y, constants=(1,), isa=isa), X @ W, strict=True)
    biased = run("SparseLinear", [X, W, b], y, constants=(1, 2), isa=isa)
    np.testing.assert_array_equal(biased, X @ W + b, strict=True)


def test_products_with_weights_on_huge_pages() -> None:
    X = sparse(40, 200_000, density=1e-3)  # several blocks: each fetches what the next one needs
    for n in (1, 3, 7, 9, 11):
        W = np.random.default_rng(n).normal(size=(200_000, n))
        result = run("SparseLinear", [X, W], Slot("y", F, (n,)), constants=(1,))
        np.testing.assert_array_equal(result, X @ W)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_products_take_columns_in_any_order_and_twice(n: int, wide: bool, isa: str) -> None:
    X, rng = sparse(40, 30, density=0.4), np.random.default_rng(n)
    rng.shuffle(X.indices)
    X.has_sorted_indices = X.has_canonical_format = False
    W = rng.normal(size=(30, n))
    expected = X @ W
    if wide:
        X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    np.testing.assert_array_equal(
        run("SparseLinear", [X, W], Slot("y", F, (n,)), constants=(1,), isa=isa), expected, strict=True
    )


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("column", [-1, 30, 2**31 - 1, -(2**31)])
def test_products_refuse_a_column_out_of_range_wherever_it_is(column: int, isa: str) -> None:
    X = sparse(40, 30, density=0.4)
    native = load(program("SparseLinear", [X, np.ones((30, 1))], Slot("y", F, (1,)), constants=(1,)), isa=isa)
    for at in np.random.default_rng(0).permutation(X.nnz)[:60]:
        broken = X.copy()
        broken.indices[at] = column
        with pytest.raises(InputError, match="a column is out of range"):
            native.run(None, {"x0": broken}, sparse=True)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("n", [1, 2, 20])
def test_products_refuse_what_is_not_finite(n: int, isa: str) -> None:
    X, W = sparse(40, 30, density=0.4), np.zeros((30, n))
    native = load(program("SparseLinear", [X, W], Slot("y", F, (n,)), (1,), (1,)), isa=isa)
    for at in np.random.default_rng(0).permutation(X.nnz)[:40]:
        for value, said in ((np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")):
            broken = X.copy()
            broken.data[at] = value
            with pytest.raises(InputError, match=f"Input contains {said}"):
                native.run(None, {"x0": broken}, sparse=True)
    X.data[:] = 1e300
    large = load(program("SparseLinear", [X, W + 1e300], Slot("y", F, (n,)), (1,), (1,)), isa=isa)
    assert np.isinf(large.run(None, {"x0": X})[0]).any()


def test_products_let_nan_and_infinity_through_where_there_are_entries() -> None:
    X = sp.csr_matrix(np.array([[0, np.nan, 1], [np.inf, 0, 0], [0, 0, 0.0]]))
    result = run("SparseLinear", [X, np.array([[0.0], [1], [1]])], Slot("y", F, (1,)), constants=(1,))
    np.testing.assert_array_equal(result, [[np.nan], [np.nan], [0]])


def entries(W: Any) -> list[Any]:
    W = sp.csr_matrix(W)
    return [W.indptr.astype(np.int64), W.indices.astype(np.int32), W.data]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [F, "float32"])
def test_products_with_sparse_weights_have_the_bits_of_scipy(dtype: str, isa: str) -> None:
    X, W = sparse(21, 300, dtype, density=0.1), sparse(300, 40, dtype, density=0.05)
    result = run("SparseProduct", [X, *entries(W)], Slot("y", dtype, (40,)), constants=(1, 2, 3), isa=isa)
    np.testing.assert_array_equal(result, (X @ W).toarray(), strict=True)
    np.testing.assert_array_equal(result, X @ W.toarray(), strict=True)


def test_what_is_no_number_meets_the_zeros_of_sparse_weights() -> None:
    X = sp.csr_matrix(np.array([[0, np.nan, 1], [np.inf, 0, 2], [0, 3, 0.0]]))
    W = np.array([[0.0, 2], [1, 0], [0, 4]])
    result = run("SparseProduct", [X, *entries(W)], Slot("y", F, (2,)), constants=(1, 2, 3))
    np.testing.assert_array_equal(result, [[np.nan, np.nan], [np.nan, np.inf], [3, 0]])


@pytest.mark.parametrize("sparse_result", [False, True])
@pytest.mark.parametrize("columns", [[1, 1], [4, 0, 4, 2, 4], [3] * 7, [0, 0, 1, 2, 2]])
def test_columns_chosen_again(columns: list[int], sparse_result: bool) -> None:
    X = sparse(9, 5, density=0.5)
    y = Slot("y", F, (len(columns),), sparse=sparse_result)
    result = run("SparseGather", [X, ints(*columns)], y, constants=(1,))
    if sparse_result:
        result.check_format()
        result = result.toarray()
    np.testing.assert_array_equal(result, X.toarray()[:, columns])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [F, "float32"])
@pytest.mark.parametrize("divides", [0, 1])
def test_rows_scaled(divides: int, dtype: str, isa: str) -> None:
    X = sparse(9, 6, dtype)
    s = np.array([2, -0.5, 0, np.inf, np.nan, 1, 3, 1e-30, 0]).astype(dtype).reshape(-1, 1)
    with np.errstate(all="ignore"):
        expected = X.toarray() / s if divides else X.toarray() * s
    result = run("SparseScale", [X, s], Slot("y", dtype, (6,), sparse=True), (divides,), isa=isa)
    np.testing.assert_array_equal(result.toarray(), expected)
    result.check_format()


FOLDS: list[Any] = [
    lambda d: d.sum(1),
    lambda d: abs(d).sum(1),
    lambda d: (d * d).sum(1),
    lambda d: np.sqrt((d * d).sum(1)),
    lambda d: d.max(1),
    lambda d: d.min(1),
]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("fold", range(len(FOLDS)))
def test_reductions(fold: int, isa: str) -> None:
    for X in (sparse(30, 5), sparse(30, 5, density=1), -abs(sparse(30, 3, density=1, seed=1)), abs(sparse(9, 4))):
        result = run("SparseReduce", [X], Slot("y", F, (1,)), (fold,), isa=isa)
        np.testing.assert_allclose(result[:, 0], FOLDS[fold](X.toarray()), rtol=1e-14)
    holed = sp.csr_matrix(np.array([[0, np.nan, 1]]))
    assert np.isnan(run("SparseReduce", [holed], Slot("y", F, (1,)), (fold,), isa=isa)).all()


@pytest.mark.parametrize("dtype", [F, "int64", "bool", "uint8"])
@pytest.mark.parametrize("columns", [[], [0], [1, 4, 6], [6, 0, 3], list(range(7))])
@pytest.mark.parametrize("to_sparse", [True, False])
def test_columns_chosen(to_sparse: bool, columns: list[int], dtype: str) -> None:
    X = sparse(20, 7, F, 0.5)
    X.data = np.rint(X.data * 5 + 9)
    X = X.astype(dtype)
    at = np.array(columns, np.int64)
    result = run("SparseGather", [X, at], Slot("y", dtype, (len(at),), sparse=to_sparse), constants=(1,))
    if to_sparse:
        result.check_format()
        assert (np.diff(result.indices)[np.diff(np.repeat(np.arange(20), np.diff(result.indptr))) == 0] > 0).all()
    dense = result.toarray() if to_sparse else result
    np.testing.assert_array_equal(dense, X.toarray()[:, at], strict=True)


def test_rows_joined() -> None:
    left, right = sparse(20, 5), sparse(20, 40, seed=3)
    middle = np.where(np.random.default_rng(0).random((20, 3)) < 0.5, 0, np.nan)
    result = run("SparseConcat", [left, middle, right], Slot("y", F, (48,), sparse=True))
    np.testing.assert_array_equal(result.toarray(), np.hstack([left.toarray(), middle, right.toarray()]))
    assert result.nnz == left.nnz + right.nnz + np.isnan(middle).sum()
    result.check_format()


@pytest.mark.parametrize("dtype", [F, "float32", "int32", "bool"])
def test_one_hot_blocks(dtype: str) -> None:
    positions = np.array([[0, 3], [-1, 4], [2, -1], [-1, -1], [3, 2]])
    starts = np.array([0, 3, 5])
    given = [positions, starts]
    dense = run("OneHotBlocks", given, Slot("y", dtype, (5,)), constants=(1,))
    result = run("OneHotBlocks", given, Slot("y", dtype, (5,), sparse=True), constants=(1,))
    np.testing.assert_array_equal(result.toarray(), dense, strict=True)
    assert result.nnz == 4


# ---- what is refused -------------------------------------------------------------------------------------------------

X5 = Slot("X", F, (5,), sparse=True)
D5, D1 = Slot("D", F, (5,)), Slot("S", F, (1,))
SPARSE5, DENSE1 = Slot("y", F, (5,), sparse=True), Slot("y", F, (1,))


def ints(*values: int) -> NDArray[Any]:
    return np.array(values, np.int64)


HOSTILE: dict[str, tuple[str, list[Any], Slot, tuple[Param, ...]]] = {
    "weights of another height": ("SparseLinear", [X5, np.ones((4, 1))], DENSE1, ()),
    "weights of another width": ("SparseLinear", [X5, np.ones((5, 2))], DENSE1, ()),
    "weights of another type": ("SparseLinear", [X5, np.ones((5, 1), np.float32)], DENSE1, ()),
    "weights that are rows": ("SparseLinear", [X5, D5], DENSE1, ()),
    "a bias of another width": ("SparseLinear", [X5, np.ones((5, 1)), np.ones(2)], DENSE1, ()),
    "a dense x": ("SparseLinear", [D5, np.ones((5, 1))], DENSE1, ()),
    "a sparse y": ("SparseLinear", [X5, np.ones((5, 1))], Slot("y", F, (1,), sparse=True), ()),
    "no weights": ("SparseLinear", [X5], DENSE1, ()),
    "a param that is no flag": ("SparseLinear", [X5, np.ones((5, 1))], DENSE1, (2,)),
    "a param too many": ("SparseLinear", [X5, np.ones((5, 1))], DENSE1, (1, 0)),
    "refusals in no result": ("SparseLinear", [X5, np.ones((5, 0))], Slot("y", F, (0,)), (1,)),
    "constants too few": ("AtEntries", [X5, np.ones(4)], SPARSE5, ()),
    "constants of another type": ("AtEntries", [X5, ints(*range(5))], SPARSE5, ()),
    "a scale of the width": ("SparseScale", [X5, D5], SPARSE5, (0,)),
    "a constant scale": ("SparseScale", [X5, np.ones(1)], SPARSE5, (0,)),
    "an unknown operation": ("SparseScale", [X5, D1], SPARSE5, (2,)),
    "a scale to another width": ("SparseScale", [X5, D1], Slot("y", F, (4,), sparse=True), (0,)),
    "an unknown fold": ("SparseReduce", [X5], DENSE1, (6,)),
    "a negative fold": ("SparseReduce", [X5], DENSE1, (-1,)),
    "a fold that is a float": ("SparseReduce", [X5], DENSE1, (1.0,)),
    "a fold to two numbers": ("SparseReduce", [X5], Slot("y", F, (2,)), (0,)),
    **{
        f"weights with {name}": ("SparseProduct", [X5, *weights], Slot("y", F, (3,)), ())
        for name, weights in {
            "starts too few": (ints(0, 1, 1, 1, 1), np.array([0], np.int32), np.ones(1)),
            "starts that decrease": (ints(0, 1, 0, 1, 1, 1), np.array([0], np.int32), np.ones(1)),
            "starts beyond": (ints(0, 9, 1, 1, 1, 1), np.array([0], np.int32), np.ones(1)),
            "starts that end early": (ints(0, 1, 1, 1, 1, 1), np.array([0, 1], np.int32), np.ones(2)),
            "a first start": (ints(1, 1, 1, 1, 1, 1), np.array([0], np.int32), np.ones(1)),
            "a column beyond": (ints(0, 1, 1, 1, 1, 1), np.array([3], np.int32), np.ones(1)),
            "a negative column": (ints(0, 1, 1, 1, 1, 1), np.array([-1], np.int32), np.ones(1)),
            "a column twice": (ints(0, 2, 2, 2, 2, 2), np.array([1, 1], np.int32), np.ones(2)),
            "wide columns": (ints(0, 1, 1, 1, 1, 1), ints(0), np.ones(1)),
            "another type": (ints(0, 1, 1, 1, 1, 1), np.array([0], np.int32), np.ones(1, np.float32)),
        }.items()
    },
    "a column beyond": ("SparseGather", [X5, ints(1, 5)], Slot("y", F, (2,), sparse=True), ()),
    "a negative column": ("SparseGather", [X5, ints(-1, 2)], Slot("y", F, (2,)), ()),
    "columns of another type": ("SparseGather", [X5, np.array([1], np.int32)], DENSE1, ()),
    "an output too wide": ("SparseGather", [X5, ints(0)], Slot("y", F, (2,)), ()),
    "pieces too narrow": ("SparseConcat", [X5, D5], Slot("y", F, (11,), sparse=True), ()),
    "pieces too wide": ("SparseConcat", [X5, D5], Slot("y", F, (9,), sparse=True), ()),
    "pieces of other types": ("SparseConcat", [X5, Slot("i", "int64", (5,))], Slot("y", F, (10,), sparse=True), ()),
    "a constant piece": ("SparseConcat", [X5, np.ones(5)], Slot("y", F, (10,), sparse=True), ()),
    "a dense result": ("SparseConcat", [X5, D5], Slot("y", F, (10,)), ()),
    "one-hot positions that are sparse": (
        "OneHotBlocks",
        [Slot("p", "int64", (1,), sparse=True), ints(0, 5)],
        SPARSE5,
        (),
    ),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_steps_are_refused(case: tuple[str, list[Any], Slot, tuple[Param, ...]]) -> None:
    kernel, inputs, output, params = case
    constants = tuple(i for i, value in enumerate(inputs) if not isinstance(value, Slot))
    with pytest.raises(ProgramError, match=kernel):
        load(program(kernel, inputs, output, params, constants))
