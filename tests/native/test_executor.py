"""Where the executor puts values: random programs, whose steps share, reuse and overwrite memory, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sardonyx.lowering.program import Program

from .programs import Builder, load

BINARY: dict[str, Any] = {"Add": np.add, "Sub": np.subtract, "Max": np.maximum, "Less": np.less}
UNARY: dict[str, Any] = {"Neg": np.negative, "Abs": np.abs, "Identity": np.copy, "CheckFinite": np.copy}


class Evaluated:
    """A program, and the function of X that NumPy computes for each of its slots."""

    def __init__(self, block_rows: int, X: NDArray[Any]) -> None:
        self.builder = Builder(block_rows)
        self.values: dict[int, NDArray[Any]] = {self.builder.input("X", "float64", X.shape[1:]): X}

    def slots_of(self, dtype: str) -> list[int]:
        return [slot for slot in self.values if self.builder.slots[slot].dtype == dtype]

    def add(self, kernel: str, inputs: list[int], value: NDArray[Any], *params: int) -> None:
        name = f"{kernel} {len(self.builder.slots)}"
        dtype = value.dtype.name
        self.values[self.builder.step(kernel, inputs, (name, dtype, value.shape[1:]), *params)] = value

    def binary(self, kernel: str, one: int, other: int) -> None:
        self.add(kernel, [one, other], BINARY[kernel](self.values[one], self.values[other]))

    def unary(self, kernel: str, one: int) -> None:
        self.add(kernel, [one], UNARY[kernel](self.values[one]), *([0] if kernel == "CheckFinite" else []))

    def cast(self, one: int, dtype: str) -> None:
        self.add("Cast", [one], self.values[one].astype(dtype))

    def constant(self, kernel: str, one: int, width: int) -> None:
        data = np.arange(width, dtype=np.float64) - 1
        slot = self.builder.constant(f"constant {len(self.builder.slots)}", data)
        self.add(kernel, [one, slot], BINARY[kernel](self.values[one], data))


def draw_step(draw: st.DrawFn, program: Evaluated) -> None:
    floats = program.slots_of("float64")
    one, other = draw(st.sampled_from(floats)), draw(st.sampled_from(floats))
    widths = {program.values[one].shape[1], program.values[other].shape[1]}
    kind = draw(st.sampled_from(["binary", "unary", "cast", "constant"]))
    if kind == "binary" and len(widths - {1}) < 2:
        program.binary(draw(st.sampled_from(sorted(BINARY))), one, other)
    elif kind == "cast":
        program.cast(draw(st.sampled_from(sorted(program.values))), draw(st.sampled_from(["float64", "bool"])))
    elif kind == "constant":
        width = program.values[one].shape[1]
        program.constant(
            draw(st.sampled_from(sorted(BINARY))), one, width if width > 1 else draw(st.sampled_from([1, 3, 8]))
        )
    else:
        program.unary(draw(st.sampled_from(sorted(UNARY))), one)


@st.composite
def programs(draw: st.DrawFn) -> tuple[Program, dict[str, NDArray[Any]]]:
    rows, width = draw(st.sampled_from([1, 2, 7, 40])), draw(st.sampled_from([1, 3, 8]))
    X = np.random.default_rng(rows).integers(-3, 4, size=(rows, width)).astype(np.float64)
    program = Evaluated(draw(st.sampled_from([0, 1, 5, 64])), X)
    for _ in range(draw(st.integers(1, 15))):
        draw_step(draw, program)
    outputs = draw(st.lists(st.sampled_from(sorted(program.values)), min_size=1, max_size=5, unique=True))
    names = {program.builder.slots[slot].name: program.values[slot] for slot in program.values}
    return program.builder.program(*outputs), names


@given(programs(), st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_random_programs(case: tuple[Program, dict[str, NDArray[Any]]], random: Any) -> None:
    program, expected = case
    native = load(program)
    X = expected["X"].copy()
    names = [name for name, _, _ in native.outputs]
    chosen = random.sample(names, random.randint(1, len(names)))
    for wanted in (None, chosen, None):
        for name, actual in zip(wanted or names, native.run(wanted, {"X": X}), strict=True):
            np.testing.assert_array_equal(actual, expected[name], err_msg=name)
    np.testing.assert_array_equal(X, expected["X"], err_msg="the caller's array was written to")
