"""KNeighbors: the native search gives scikit-learn's neighbours, in its order, also when they tie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from sardonyx import _native
from sardonyx.convert import convert
from sardonyx.errors import ProgramError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program
from sardonyx.lowering.runner import PlanRunner
from sardonyx.lowering.sdx import pack

from ..native.programs import ISAS, load

METRICS = ("euclidean", "manhattan", "chebyshev", "minkowski", "canberra", "braycurtis")


def program_of(search: NearestNeighbors, X: Any) -> Program:
    program = lower(convert(search, X, methods=["kneighbors"])).native
    assert program is not None
    return program


same_blas = pytest.mark.skipif(_native.isa() != "avx2", reason="BLAS adds up in another order on other processors")


def native(search: NearestNeighbors, X: Any) -> list[NDArray[Any]]:
    plan = lower(convert(search, X, methods=["kneighbors"]))
    assert not plan.reference_operators
    return PlanRunner(plan, threads=1).run(None, {"X": X})


def grid(n: int, features: int, values: int, dtype: Any = np.float64, seed: int = 0) -> NDArray[Any]:
    """Rows of few whole numbers: most distances occur many times."""
    return np.random.default_rng(seed).integers(0, values, (n, features)).astype(dtype)


def assert_same_neighbours(search: NearestNeighbors, X: Any, rtol: float = 1e-14) -> None:
    (distances, indices), (expected, order) = native(search, X), search.kneighbors(X)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, rtol=rtol)


@pytest.mark.parametrize("k", [1, 5, 16, 40])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_ties_fall_as_in_the_trees(algorithm: str, metric: str, k: int) -> None:
    if algorithm == "kd_tree" and metric in ("canberra", "braycurtis"):
        pytest.skip("KDTree does not have this metric")
    search = NearestNeighbors(n_neighbors=k, algorithm=algorithm, metric=metric, p=3, leaf_size=7)
    for n, features, values in ((50, 2, 3), (300, 3, 5), (200, 12, 2)):
        assert_same_neighbours(search.fit(grid(n, features, values)), grid(60, features, values + 1, seed=1))


@pytest.mark.parametrize("leaf_size", [2, 30])
@pytest.mark.parametrize("metric", ["jaccard", "dice", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath"])
def test_ties_of_booleans_fall_as_in_the_tree(metric: str, leaf_size: int) -> None:
    """Rows without any feature too: of those some metrics say NaN, which goes through scikit-learn's heap."""
    fit, X = grid(150, 6, 2), grid(60, 6, 2, seed=1)
    fit[:7], X[:3] = 0, 0
    search = NearestNeighbors(n_neighbors=9, algorithm="ball_tree", metric=metric, leaf_size=leaf_size).fit(fit)
    assert_same_neighbours(search, X, rtol=0)


def test_equal_places_on_a_sphere_come_as_in_the_tree() -> None:
    fit = np.round(np.random.default_rng(0).uniform(-1.5, 1.5, (200, 2)), 1)
    search = NearestNeighbors(n_neighbors=9, algorithm="ball_tree", metric="haversine", leaf_size=5).fit(fit)
    # the last bit of the distances is that of NumPy's arcsine, which depends on the processor
    assert_same_neighbours(search, fit[:60] + np.array([[0.0], [1e-3], [1.0]]).repeat(20, axis=0), rtol=4e-16)


@pytest.mark.parametrize("n", [1, 60])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
def test_ties_fall_as_in_brute_force(metric: str, dtype: Any, n: int) -> None:
    """Of fewer rows than were trained on: with more rows, other ones of equal distance change places there."""
    search = NearestNeighbors(n_neighbors=20, algorithm="brute", metric=metric).fit(grid(250, 3, 5, dtype))
    assert_same_neighbours(search, grid(n, 3, 6, dtype, seed=1))


#: what scikit-learn has no search for: whole numbers, shares of equal features, angles (but of float32, whose products
#: are rounded otherwise there)
PARTITIONED = [
    *((metric, np.int64) for metric in (*METRICS, "hamming")),
    *(("hamming", dtype) for dtype in (np.float32, np.float64)),
    *(pytest.param("cosine", dtype, marks=same_blas) for dtype in (np.int64, np.float64)),
]


@pytest.mark.parametrize("least", [1, -2])
@pytest.mark.parametrize(("metric", "dtype"), PARTITIONED)
def test_ties_fall_as_in_partitions_of_all_distances(metric: str, dtype: Any, least: int) -> None:
    for n_fit, k in ((200, 1), (200, 7), (900, 25)):
        search = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric).fit(grid(n_fit, 3, 5, dtype) + least)
        assert_same_neighbours(search, grid(60, 3, 6, dtype, seed=1) + least)


@same_blas
@pytest.mark.parametrize(
    ("metric", "features"),
    [*(("euclidean", n) for n in (1, 3, 16, 20, 100, 300, 700)), *(("cosine", n) for n in (1, 3, 16, 20, 100))],
)
def test_what_rounding_leaves_of_equal_rows_is_the_same(metric: str, features: int) -> None:
    """Of whole blocks of rows: BLAS multiplies what is left of them in another order, and a row alone."""
    rng = np.random.default_rng(0)
    fit = np.concatenate([rng.normal(size=(40, features)), np.ones((8, features))])
    X = np.concatenate([fit[:20], rng.normal(size=(12, features))])
    assert_same_neighbours(NearestNeighbors(n_neighbors=9, algorithm="brute", metric=metric).fit(fit), X, rtol=0)


@pytest.mark.parametrize("metric", METRICS)
def test_float32_is_rounded_as_there(metric: str) -> None:
    rng = np.random.default_rng(0)
    X, test = (rng.normal(size=(n, 7)).astype(np.float32) for n in (100, 33))
    assert_same_neighbours(NearestNeighbors(algorithm="brute", metric=metric, p=3).fit(X), test)


def test_one_leaf_one_row_all_neighbours() -> None:
    X = np.random.default_rng(0).normal(size=(5, 2))
    for algorithm in ("kd_tree", "ball_tree", "brute"):
        search = NearestNeighbors(n_neighbors=5, algorithm=algorithm).fit(X)
        assert_same_neighbours(search, X[:1] + 1.0, rtol=1e-12)
        assert native(search, X[:0])[1].shape == (0, 5)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(
    ("scale", "offset"), [(1.0, 0.0), (1e-30, 0.0), (1e-200, 0.0), (1e17, 0.0), (1e60, 0.0), (1.0, 1e8), (1e-3, 1e3)]
)
def test_the_sieve_holds_back_no_neighbour(isa: str, scale: float, offset: float) -> None:
    """Brute force sieves in float32 first. A search for all rows has nothing to hold back: its first ones are right."""
    rng = np.random.default_rng(0)
    fit = np.concatenate([rng.normal(size=(250, 6)), rng.integers(0, 3, (77, 6))]) * scale + offset
    X = np.concatenate([rng.normal(size=(15, 6)) * scale + offset, fit[:6]])
    searches = [NearestNeighbors(n_neighbors=k, algorithm="brute").fit(fit) for k in (7, len(fit))]
    for n in (1, 3, 8, len(X)):
        nearest, everything = (load(program_of(s, X), isa=isa).run(None, {"X": X[:n]}) for s in searches)
        np.testing.assert_array_equal(nearest[0], everything[0][:, :7])
        places = np.argsort(everything[1], axis=1)
        found = np.take_along_axis(everything[0], np.take_along_axis(places, nearest[1], axis=1), axis=1)
        np.testing.assert_array_equal(nearest[0], found)


def _refused(program: Program, index: int, change: Any) -> None:
    """Change one constant of the search, which the loader must refuse."""
    step = next(s for s in program.steps if s.kernel == "KNeighbors")
    slots = list(program.slots)
    slot = slots[step.inputs[index]]
    assert slot.data is not None
    slots[step.inputs[index]] = replace(slot, data=change(np.array(slot.data)))
    with pytest.raises(ProgramError):
        _native.Program.from_bytes(pack(replace(program, slots=tuple(slots))))


def test_illegal_trees_are_refused() -> None:
    program = program_of(NearestNeighbors(leaf_size=2).fit(grid(40, 2, 9)), grid(2, 2, 9))
    order, ranges = 3, 4
    _refused(program, order, lambda a: a + 1)  # a row that is not there
    _refused(program, order, lambda a: a - 1)
    _refused(program, ranges, lambda a: np.where([False, False, True], 0, a))  # leaves without children
    _refused(program, ranges, lambda a: a + np.array([0, 1, 0]))  # rows after the last
    _refused(program, ranges, lambda a: a - np.array([1, 0, 0]))
    _refused(program, ranges, lambda a: a * np.array([1, 0, 1]) + np.array([1, 0, 0]))  # ends before it starts


def test_illegal_params_are_refused() -> None:
    program = program_of(NearestNeighbors().fit(grid(40, 2, 9)), grid(2, 2, 9))
    at = next(i for i, s in enumerate(program.steps) if s.kernel == "KNeighbors")
    legal = program.steps[at].params
    for index, value in ((0, 99), (0, -1), (1, 0), (1, 41), (2, 3), (2, 0), (3, 2), (4, 0.0), (4, float("nan"))):
        params = (*legal[:index], value, *legal[index + 1 :])
        steps = (*program.steps[:at], replace(program.steps[at], params=params), *program.steps[at + 1 :])
        with pytest.raises(ProgramError):
            _native.Program.from_bytes(pack(replace(program, steps=steps)))
