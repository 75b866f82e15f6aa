"""Bytes that were changed: the native loader refuses them, or what it loads runs. It never crashes.

Worth running with the sanitizers: scripts/sanitize tests/native/test_hostile.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sardonyx.lowering.program import Program, Slot, Step
from sardonyx.lowering.sdx import pack

from .files import changed, try_every_byte, try_file
from .programs import Builder, linear


def mixed() -> Program:
    """Numbers, text, several inputs and outputs, a step of each kernel of the core."""
    b = Builder(16)
    x, words = b.input("X", "float32", (2,)), b.input("words", "str", ())
    labels = b.constant("labels", np.array(["no", "ja", ""], object))
    coef = b.constant("coef", np.ones((2, 3), np.float32))
    checked = b.step("CheckFinite", [x], ("checked", "float32", (2,)), 1, label="scale")
    product = b.step("Linear", [checked, coef], ("product", "float32", (3,)))
    cast = b.step("Cast", [product], ("cast", "int32", (3,)))
    same = b.step("Identity", [words], ("same", "str", (1,)))
    return b.program(cast, same, labels, x)


FILES = {"linear": pack(linear(3, 2)), "mixed": pack(mixed())}


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_taken(name: str) -> None:
    assert try_file(FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_is_refused(name: str) -> None:
    file = FILES[name]
    assert not any(try_file(file[:size]) for size in range(len(file)))
    assert not try_file(file + b"\0")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0x80, 0xFF])
def test_every_byte_changed(name: str, value: int) -> None:
    try_every_byte(FILES[name], value)


@given(st.sampled_from(sorted(FILES)), st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8))))
@example("linear", [(8, b"\2\0\0\0")])
@settings(max_examples=2000, deadline=None)
def test_random_changes(name: str, changes: list[tuple[int, bytes]]) -> None:
    try_file(changed(FILES[name], changes))


CHANGES = {
    "unknown kernel": replace(linear(3, 2), steps=(Step("Nonsense", (0, 2, 3), (1, 4)),)),
    "missing input": replace(linear(3, 2), steps=(Step("CheckFinite", (0,), (1,), (0,)), Step("Linear", (1,), (4,)))),
    "missing parameter": replace(
        linear(3, 2), steps=(Step("CheckFinite", (0,), (1,)), Step("Linear", (1, 2, 3), (4,)))
    ),
    "parameter of the other kind": replace(
        linear(3, 2), steps=(Step("CheckFinite", (0,), (1,), (0.0,)), Step("Linear", (1, 2, 3), (4,)))
    ),
    "kernel with a NUL": replace(
        linear(3, 2), steps=(Step("CheckFinite\0", (0,), (1,), (0,)), Step("Linear", (1, 2, 3), (4,)))
    ),
    "wrong width": Program(
        (Slot("X", "int8", (3,)), Slot("y", "int8", (4,))), (Step("Identity", (0,), (1,)),), (0,), (1,)
    ),
    "wrong type": Program((Slot("X", "str", (3,)), Slot("y", "int8", (3,))), (Step("Cast", (0,), (1,)),), (0,), (1,)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_steps_that_kernels_refuse(name: str) -> None:
    assert not try_file(pack(CHANGES[name]))
