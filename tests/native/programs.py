"""Small programs for the tests of the native core, and a way to load them."""

from __future__ import annotations

from typing import Any

import ml_dtypes  # noqa: F401 - makes NumPy know bfloat16
import numpy as np
from numpy.typing import NDArray

from sardonyx import _native
from sardonyx.lowering.program import Param, Program, Slot, Step
from sardonyx.lowering.sdx import pack

#: Instruction sets this machine runs; "generic" is always the first.
ISAS = {
    "generic": ("generic",),
    "avx2": ("generic", "avx2"),
    "avx512": ("generic", "avx2", "avx512"),
    "neon": ("generic", "neon"),
}[_native.isa()]


def load(program: Program, threads: int = 1, isa: str | None = None) -> _native.Program:
    return _native.Program.from_bytes(pack(program), threads, isa)


class Builder:
    """Writes programs in the order of their steps."""

    def __init__(self, block_rows: int = 256) -> None:
        self.slots: list[Slot] = []
        self.steps: list[Step] = []
        self.inputs: list[int] = []
        self.block_rows = block_rows

    def slot(self, name: str, dtype: str, shape: tuple[int, ...], data: NDArray[Any] | None = None) -> int:
        self.slots.append(Slot(name, dtype, shape, data))
        return len(self.slots) - 1

    def input(self, name: str, dtype: str, shape: tuple[int, ...]) -> int:
        self.inputs.append(self.slot(name, dtype, shape))
        return self.inputs[-1]

    def constant(self, name: str, data: NDArray[Any]) -> int:
        return self.slot(name, "str" if data.dtype == object else data.dtype.name, data.shape, data)

    def step(
        self, kernel: str, inputs: list[int], out: tuple[str, str, tuple[int, ...]], *params: Param, label: str = ""
    ) -> int:
        result = self.slot(*out)
        self.steps.append(Step(kernel, tuple(inputs), (result,), params, label))
        return result

    def many(self, kernel: str, inputs: list[int], outputs: list[int], *params: Param, label: str = "") -> None:
        self.steps.append(Step(kernel, tuple(inputs), tuple(outputs), params, label))

    def program(self, *outputs: int) -> Program:
        metadata = {"made by": "the tests"}
        return Program(tuple(self.slots), tuple(self.steps), tuple(self.inputs), outputs, self.block_rows, metadata)


def linear(k: int, n: int, dtype: str = "float64", block_rows: int = 256, seed: int = 0) -> Program:
    """y = check_finite(X) @ coef + intercept."""
    rng = np.random.default_rng(seed)
    b = Builder(block_rows)
    x = b.input("X", dtype, (k,))
    checked = b.step("CheckFinite", [x], ("checked", dtype, (k,)), 0, label="lr:Ridge")
    coef = b.constant("coef", rng.normal(size=(k, n)).astype(dtype))
    intercept = b.constant("intercept", rng.normal(size=n).astype(dtype))
    return b.program(b.step("Linear", [checked, coef, intercept], ("y", dtype, (n,))))


def expected_linear(program: Program, X: NDArray[Any]) -> NDArray[Any]:
    data = {slot.name: slot.data for slot in program.slots}
    result: NDArray[Any] = X @ np.asarray(data["coef"]) + np.asarray(data["intercept"])
    return result
