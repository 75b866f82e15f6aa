"""The legal form of programs, and their file form, in Python. What the native loader makes of it: tests/native."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sardonyx.errors import ProgramError
from sardonyx.lowering.program import DTYPE_CODES, Constant, Program, Slot, Step, numpy_dtype
from sardonyx.lowering.sdx import pack, unpack


def linear(k: int = 3, n: int = 2, block_rows: int = 256) -> Program:
    """y = X @ w + b, after a check for NaN."""
    rng = np.random.default_rng(0)
    slots = (
        Slot("X", "float64", (k,)),
        Slot("checked", "float64", (k,)),
        Slot("coef", "float64", (k, n), rng.normal(size=(k, n))),
        Slot("intercept", "float64", (n,), rng.normal(size=n)),
        Slot("y", "float64", (n,)),
    )
    steps = (Step("CheckFinite", (0,), (1,), (0,), "lr:Ridge"), Step("Linear", (1, 2, 3), (4,)))
    return Program(slots, steps, (0,), (4,), block_rows, {"classes": "ä", "": ""})


def constant(dtype: str, shape: tuple[int, ...]) -> Constant:
    if dtype == "str":
        words = np.array(["", "a", "ß\0", "日本", "x" * 100, "🦀"], dtype=object)
        return words[np.arange(int(np.prod(shape))) % len(words)].reshape(shape)
    values = np.random.default_rng(1).integers(0, 2**63, size=shape).astype(np.uint64)
    return np.array((values % 2) if dtype == "bool" else values % 2048 if "16" in dtype else values).astype(
        numpy_dtype(dtype)
    )


def with_constants() -> Program:
    """All dtypes, several shapes, and every kind of parameter."""
    shapes = ((), (0,), (5,), (2, 3), (0, 4), (1, 1, 1, 1, 1, 1, 1, 2))
    constants = [
        Slot(f"{dtype}{shape}", dtype, shape, constant(dtype, shape)) for dtype in DTYPE_CODES for shape in shapes
    ]
    slots = (Slot("X", "float32", ()), *constants, Slot("y", "float32", (1,)))
    params = (0, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 1e-320, float("inf"))
    return Program(slots, (Step("Identity", (0,), (len(slots) - 1,), params),), (0,), (len(slots) - 1, 0), 1)


def assert_same(actual: Program, expected: Program) -> None:
    for name in ("steps", "inputs", "outputs", "block_rows", "metadata"):
        assert repr(getattr(actual, name)) == repr(getattr(expected, name))  # repr tells -0.0 from 0.0
    assert [replace(slot, data=None) for slot in actual.slots] == [replace(slot, data=None) for slot in expected.slots]
    for one, other in zip(actual.slots, expected.slots, strict=True):
        if one.data is None or other.data is None:
            assert one.data is other.data
        else:
            np.testing.assert_array_equal(one.data, other.data)
            assert one.data.dtype == other.data.dtype


@pytest.mark.parametrize("program", [linear(), linear(1, 1, 1), with_constants()], ids=["linear", "one", "constants"])
def test_unpack_gives_what_was_packed(program: Program) -> None:
    file = pack(program)
    assert_same(unpack(file), program)
    assert pack(unpack(file)) == file


def test_numeric_constants_are_views_of_the_file() -> None:
    file = pack(linear())
    data = unpack(file).slots[2].data
    assert data is not None
    assert not data.flags.owndata
    assert np.shares_memory(data, np.frombuffer(file, np.uint8))


def test_constants_are_aligned_in_the_file() -> None:
    file = np.frombuffer(pack(with_constants()), np.uint8)
    for slot in unpack(file.tobytes()).slots:
        if slot.data is not None and slot.dtype != "str" and slot.data.size:
            needle = slot.data.tobytes()
            assert any(file[at : at + len(needle)].tobytes() == needle for at in range(0, len(file), 64))


def test_constants_of_any_memory_layout_are_packed_in_c_order() -> None:
    program = linear()
    coef = program.slots[2].data
    assert coef is not None
    for layout in (np.asfortranarray(coef), coef.astype(">f8"), np.repeat(coef, 2, axis=0)[::2]):
        slots = (*program.slots[:2], replace(program.slots[2], data=layout), *program.slots[3:])
        assert pack(replace(program, slots=slots)) == pack(program)


ILLEGAL: dict[str, tuple[Callable[[Program], Program], str]] = {
    "dtype": (lambda p: _slot(p, 0, dtype="complex64"), "dtype 'complex64'"),
    "rank": (lambda p: _slot(p, 0, shape=(1,) * 9), "at most 8"),
    "negative": (lambda p: _slot(p, 0, shape=(-1,)), "negative"),
    "wide": (lambda p: _slot(p, 0, shape=(2**31, 2**31)), "elements"),
    "wide and empty": (lambda p: _slot(p, 0, shape=(0, 2**31, 2**31)), "elements"),
    "shape of a constant": (lambda p: _slot(p, 2, shape=(2, 3)), "its slot says"),
    "dtype of a constant": (lambda p: _slot(p, 2, dtype="float32"), "its slot says"),
    "not only str": (
        lambda p: _slot(p, 3, dtype="str", data=np.array(["a", 1], dtype=object)),
        "str only",
    ),
    "surrogate": (lambda p: replace(p, metadata={"a": "\ud800"}), "UTF-8"),
    "slot number": (lambda p: _step(p, 1, inputs=(1, 2, 5)), "only 5 slots"),
    "negative slot": (lambda p: replace(p, outputs=(-1,)), "only 5 slots"),
    "order": (lambda p: replace(p, steps=p.steps[::-1]), "before it is written"),
    "written twice": (lambda p: _step(p, 0, outputs=(0,)), "already written"),
    "constant written": (lambda p: _step(p, 0, outputs=(2,)), "already written"),
    "constant as input": (lambda p: replace(p, inputs=(0, 2)), "already written"),
    "never written": (lambda p: replace(p, slots=(*p.slots, Slot("z", "bool", ()))), "never written"),
    "no input": (lambda p: replace(p, inputs=(), steps=(), slots=p.slots[2:4], outputs=(0,)), "no input"),
    "output named twice": (lambda p: replace(p, outputs=(4, 4)), "named 'y'"),
    "block_rows": (lambda p: replace(p, block_rows=-1), "block_rows"),
    "parameter": (lambda p: _step(p, 0, params=(2**63,)), "64-bit"),
    "parameter type": (lambda p: _step(p, 0, params=(np.float32(1),)), "64-bit"),
}


def _slot(program: Program, at: int, **changes: object) -> Program:
    slots = list(program.slots)
    slots[at] = dataclasses.replace(slots[at], **changes)  # type: ignore[arg-type]
    return replace(program, slots=tuple(slots))


def _step(program: Program, at: int, **changes: object) -> Program:
    steps = list(program.steps)
    steps[at] = dataclasses.replace(steps[at], **changes)  # type: ignore[arg-type]
    return replace(program, steps=tuple(steps))


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal_programs_are_refused(name: str) -> None:
    change, message = ILLEGAL[name]
    with pytest.raises(ProgramError, match=message):
        pack(change(linear()))


FILE = pack(linear())


@pytest.mark.parametrize("size", range(0, len(FILE), 7))
def test_truncated_files_are_refused(size: int) -> None:
    with pytest.raises(ProgramError):
        unpack(FILE[:size])


@given(st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=500, deadline=None)
def test_changed_files_are_refused_or_read(changes: list[tuple[int, int]]) -> None:
    file = bytearray(FILE)
    for at, value in changes:
        file[at] = value
    try:
        program = unpack(bytes(file))
    except ProgramError:
        return
    program.check()
