"""native/python/spare.h: arrays of earlier calls are used again, and never while anybody can see them."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sardonyx import _native

from .programs import Builder, load

Array = NDArray[np.float64]


@pytest.fixture
def program() -> _native.Program:
    """Return a program of two outputs: -x and |x|."""
    b = Builder()
    x = b.input("x", "float64", (2,))
    y, z = (b.step(kernel, [x], (name, "float64", (2,))) for kernel, name in (("Neg", "y"), ("Abs", "z")))
    return load(b.program(y, z))


def rows(number: float, count: int = 1) -> dict[str, Array]:
    return {"x": np.full((count, 2), number)}


def test_arrays_are_used_again(program: _native.Program) -> None:
    address = {program.run(None, rows(i))[0].ctypes.data for i in range(50)}
    assert len(address) == 1


def test_of_two_results_in_turn_none_is_new(program: _native.Program) -> None:
    seen = set()
    for i in range(50):
        result = program.run(None, rows(i))
        seen.add(result[1].ctypes.data)
        assert (result[1] == i).all()
    assert len(seen) <= 3


HOLDERS: dict[str, Callable[[list[Array]], Any]] = {
    "the list": lambda result: result,
    "an array": lambda result: result[0],
    "the last array": lambda result: result[-1],
    "a view": lambda result: result[0][:, ::-1],
    "a flat view": lambda result: result[0].reshape(-1),
    "a buffer": lambda result: memoryview(result[0]),  # type: ignore[arg-type]
    "an iterator": lambda result: result[0].flat,
    "ctypes": lambda result: result[0].ctypes,
    "another library": lambda result: np.from_dlpack(result[0]),
    "a closure": lambda result: lambda: result[0],
    "a copy of the list": list,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_is_held_does_not_change(program: _native.Program, holder: str) -> None:
    held, copies = [], []
    for i in range(1, 20):
        result = program.run(None, rows(i))
        copies.append([array.copy() for array in result])
        held.append(HOLDERS[holder](result))
        del result
    for one, copied in zip(held, copies, strict=True):
        if isinstance(one, list):
            np.testing.assert_array_equal(one, copied)
        elif callable(one):
            np.testing.assert_array_equal(one(), copied[0])
        elif holder == "ctypes":
            numbers = one.data_as(ctypes.POINTER(ctypes.c_double))
            assert numbers[0] == copied[0][0, 0]
        else:
            expected = copied[-1] if holder == "the last array" else copied[0]
            np.testing.assert_array_equal(np.asarray(one).reshape(-1), expected.reshape(-1))


SPOILERS: dict[str, Callable[[list[Any]], Any]] = {
    "shape": lambda result: setattr(result[0], "shape", (2, 1)),
    "read only": lambda result: result[0].setflags(write=False),
    "size": lambda result: result[0].resize((7, 3), refcheck=False),
    "another object": lambda result: result.__setitem__(0, "text"),
    "another array": lambda result: result.__setitem__(0, np.zeros((1, 2), np.float32)),
    "longer": lambda result: result.append(1),
    "shorter": lambda result: result.clear(),
    "the same twice": lambda result: result.__setitem__(1, result[0]),
    "broadcast": lambda result: result.__setitem__(0, np.broadcast_to(np.zeros(2), (1, 2))),
    "another order": lambda result: result.__setitem__(0, np.zeros((2, 2)).T[:1]),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_what_was_spoiled_is_made_anew(program: _native.Program, spoiler: str) -> None:
    for i in range(1, 6):
        result = program.run(None, rows(i))
        assert [array.shape for array in result] == [(1, 2), (1, 2)]
        assert (result[0] == -i).all()
        assert (result[1] == i).all()
        assert result[0].dtype == np.float64
        assert result[0].flags.writeable
        assert result[0] is not result[1]
        SPOILERS[spoiler](result)
        del result


def test_weak_references_die(program: _native.Program) -> None:
    result = program.run(None, rows(1))
    reference = weakref.ref(result[0])
    del result
    for i in range(4):
        program.run(None, rows(i))
    gc.collect()
    array = reference()
    assert array is None or np.all(array == -1)


def test_calls_of_different_lengths(program: _native.Program) -> None:
    for count in (1, 3, 1, 0, 2, 5000, 1, 2):
        y, z = program.run(None, rows(count, count))
        assert y.shape == z.shape == (count, 2)
        assert (y == -count).all()
        assert (z == count).all()


def test_chosen_outputs(program: _native.Program) -> None:
    for i in range(1, 9):
        (z,) = program.run(["z"], rows(-i))
        y, again = program.run(["y", "z"], rows(i))
        assert (z == i).all()
        assert (y == -i).all()
        assert (again == i).all()


def test_nothing_is_kept_of_large_results(program: _native.Program) -> None:
    (y, z) = program.run(None, rows(1, 5000))
    assert sys.getrefcount(y) == sys.getrefcount(z) == 2


def test_threads(program: _native.Program) -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        kept = [(i, program.run(None, rows(number * 1000 + i))) for i in range(200)]
        wrong.extend(i for i, (y, _) in kept if (y != -(number * 1000 + i)).any())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
