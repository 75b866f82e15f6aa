"""ArgPartition: of equal numbers the native kernel takes those that NumPy leaves in front."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ..native.programs import Builder, load

HERE = 0


def native(keys: NDArray[Any], k: int, lanes: int = HERE) -> list[NDArray[Any]]:
    b = Builder()
    x = b.input("X", keys.dtype.name, keys.shape[1:])
    values, indices = b.slot("values", keys.dtype.name, (k,)), b.slot("indices", "int64", (k,))
    b.many("ArgPartition", [x], [values, indices], k, lanes)
    return load(b.program(values, indices)).run(None, {"X": keys})


def numpys(keys: NDArray[Any], k: int) -> NDArray[Any]:
    """Return the k smallest as `KNeighborsMixin._kneighbors_reduce_func` does."""
    first = np.argpartition(keys, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(keys, first, axis=1), axis=1)
    return np.take_along_axis(first, order, axis=1)


def ties(n: int, distinct: int, nan: float, dtype: Any) -> NDArray[Any]:
    rng = np.random.default_rng(n * distinct)
    keys = rng.integers(0, distinct, (20, n)).astype(dtype)
    keys[rng.random(keys.shape) < nan] = np.nan
    return keys


def compare(lanes: int) -> None:
    for n in (1, 2, 3, 5, 16, 17, 64, 100, 255, 256, 257, 300, 777, 1000, 5000):
        for k in sorted({1, 2, 3, 4, 16, 257, n // 2, n} & set(range(1, n + 1))):
            if lanes == 1 and k > 16:
                continue  # NumPy's order of so many is that of a quicksort
            for distinct, nan in ((3, 0.0), (40, 0.0), (40, 0.02)):
                for dtype in (np.float32, np.float64):
                    keys = ties(n, distinct, nan, dtype)
                    values, indices = native(keys, k, lanes)
                    np.testing.assert_array_equal(indices, numpys(keys, k), err_msg=f"{n=} {k=} {distinct=} {dtype=}")
                    np.testing.assert_array_equal(values, np.take_along_axis(keys, indices, axis=1))


@pytest.mark.skipif("SARDONYX_ISA" in os.environ, reason="the environment chooses the instruction set")
def test_as_numpy_on_this_machine() -> None:
    compare(HERE)


def test_as_numpy_on_a_machine_without_vectors() -> None:
    code = "from tests.kernels.test_argpartition import compare; compare(1)"
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_on_a_machine_of_wider_vectors_the_same_numbers_are_chosen() -> None:
    keys = ties(3000, 100, 0.0, np.float64)
    for lanes in (1, 4, 8):
        values, indices = native(keys, 300, lanes)
        np.testing.assert_array_equal(values, np.sort(keys, axis=1)[:, :300])
        assert all(len(set(row)) == 300 for row in indices.tolist())
