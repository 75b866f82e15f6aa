"""The Program: what the native executor runs, as plain data.

A Program is a flat list of steps over numbered slots. It knows neither ONNX nor scikit-learn; `lower.py` makes one from
a model, `native/runtime` runs it, and sdx.py writes and reads its file form.

::

    slots      0 X row f64 (50,)   1 coef const f64 (50, 1)   2 y row f64 (1,)
    steps      Linear  inputs (0, 1)  outputs (2,)
    inputs     (0,)     outputs  (2,)

The legal form, checked here by `Program.check` and again, on bytes, by the native loader:

- every slot is written exactly once: it is an input, a constant, or the output of one step;
- a step reads only slots written before it; an output may be an input or a constant (repeated for every row) too;
- shapes are known numbers; a row slot's shape leaves out the row dimension;
- a row slot of one dimension that holds no text may be sparse: a block of it is compressed sparse rows, as large as
  its entries. Kernels that do not know sparse rows are never given them (the native loader checks that).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ProgramError

#: dtype name -> code in the file and in native/include/sardonyx/tensor.h
DTYPE_CODES: Final = {
    "float32": 1,
    "float64": 2,
    "int8": 3,
    "int16": 4,
    "int32": 5,
    "int64": 6,
    "uint8": 7,
    "uint16": 8,
    "uint32": 9,
    "uint64": 10,
    "bool": 11,
    "str": 12,
    "float16": 13,
    "bfloat16": 14,
}

#: The limits of the native loader (native/runtime/program.cpp).
MAX_RANK: Final = 8
MAX_BLOCK_ROWS: Final = 1 << 20
MAX_ROW_WIDTH: Final = 1 << 31
MAX_SPARSE_WIDTH: Final = (1 << 31) - 1
MAX_CONSTANT_WIDTH: Final = 1 << 32

#: bytes of an element, 8 where it is not said
ITEM_SIZES: Final = {
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "str": 16,
}

Param: TypeAlias = int | float
Constant: TypeAlias = NDArray[np.generic] | NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of the program. `data` is given for constants only (strings as an object array of str).

    `sparse` rows are of one dimension, and hold no text.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: Constant | None = None
    sparse: bool = False

    @property
    def width(self) -> int:
        """The number of elements: of one row, or of the constant."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a native kernel. `label` says, for people, which part of the model it came from."""

    kernel: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    params: tuple[Param, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Slots, steps, and which slots are the inputs and outputs (their names are the slots' names).

    `block_rows` rows pass through all steps together; 0 means all rows of a call, which some kernels must see.
    """

    slots: tuple[Slot, ...]
    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    block_rows: int = 256
    metadata: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse a program that is not of the legal form.

        Kernels check their own steps when the program is loaded.

        Raises
        ------
        ProgramError
            Naming the slot or step and what is wrong with it.
        """
        if not 0 <= self.block_rows <= MAX_BLOCK_ROWS:
            raise ProgramError(f"block_rows is {self.block_rows}; it must be from 0 (all) to {MAX_BLOCK_ROWS}")
        for slot in self.slots:
            _check_slot(slot)
        _check_ids(self)
        _check_order(self)
        if not self.inputs:
            raise ProgramError("the program has no input, so nothing says how many rows there are; give it one")
        _check_distinct("inputs", [self.slots[i].name for i in self.inputs])
        _check_distinct("outputs", [self.slots[i].name for i in self.outputs])


def numpy_dtype(name: str) -> np.dtype[Any]:
    """Return NumPy's dtype of numbers; bfloat16 is that of the package ml_dtypes, which onnx needs too."""
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ImportError as error:
            raise ProgramError("the program holds bfloat16, which needs the package ml_dtypes; install it") from error
        dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return dtype
    return np.dtype(name)


def _check_slot(slot: Slot) -> None:
    if slot.dtype not in DTYPE_CODES:
        raise ProgramError(f"slot {slot.name!r} has dtype {slot.dtype!r}; known are {', '.join(DTYPE_CODES)}")
    if len(slot.shape) > MAX_RANK or any(dim < 0 or dim > MAX_ROW_WIDTH for dim in slot.shape):
        raise ProgramError(f"slot {slot.name!r} has shape {slot.shape}; at most {MAX_RANK} dimensions, none negative")
    if slot.sparse and (
        slot.data is not None or slot.dtype == "str" or len(slot.shape) != 1 or slot.shape[0] > MAX_SPARSE_WIDTH
    ):
        raise ProgramError(f"slot {slot.name!r} is sparse; that is for rows of numbers, of one dimension")
    limit = MAX_ROW_WIDTH if slot.data is None else MAX_CONSTANT_WIDTH
    if math.prod(dim for dim in slot.shape if dim) > limit:
        raise ProgramError(f"slot {slot.name!r} has shape {slot.shape}; at most {limit} elements fit")
    if slot.data is not None:
        _check_constant(slot, slot.data)


def _check_constant(slot: Slot, data: Constant) -> None:
    if data.shape != slot.shape:
        raise ProgramError(f"constant {slot.name!r} has shape {data.shape}, its slot says {slot.shape}")
    if slot.dtype == "str":
        strangers = {type(item).__name__ for item in data.ravel().tolist() if not isinstance(item, str)}
        if strangers:
            raise ProgramError(f"constant {slot.name!r} holds {', '.join(sorted(strangers))}; it must hold str only")
    elif data.dtype.newbyteorder("=") != numpy_dtype(slot.dtype):
        raise ProgramError(f"constant {slot.name!r} has dtype {data.dtype}, its slot says {slot.dtype}")


def _check_ids(program: Program) -> None:
    lists = [program.inputs, program.outputs, *chain.from_iterable((s.inputs, s.outputs) for s in program.steps)]
    for slot in chain.from_iterable(lists):
        if not 0 <= slot < len(program.slots):
            raise ProgramError(f"slot {slot} is named, but there are only {len(program.slots)} slots")


def _check_order(program: Program) -> None:
    written = {i for i, slot in enumerate(program.slots) if slot.data is not None}
    written |= _write(program, "the inputs", program.inputs, written)
    for step in program.steps:
        _check_params(step)
        unwritten = [program.slots[i].name for i in step.inputs if i not in written]
        if unwritten:
            raise ProgramError(f"step {step.kernel} ({step.label!r}) reads {unwritten[0]!r} before it is written")
        written |= _write(program, f"step {step.kernel} ({step.label!r})", step.outputs, written)
    missing = [slot.name for i, slot in enumerate(program.slots) if i not in written]
    if missing:
        raise ProgramError(f"slot {missing[0]!r} is never written; remove it or add the step that computes it")


def _check_params(step: Step) -> None:
    for param in step.params:
        legal = isinstance(param, float) or (hasattr(param, "__index__") and -(1 << 63) <= param < 1 << 63)
        if not legal:
            raise ProgramError(f"step {step.kernel} has the parameter {param!r}; it must be a float or a 64-bit int")


def _write(program: Program, writer: str, slots: Sequence[int], written: set[int]) -> set[int]:
    again = [slot for slot, count in Counter(slots).items() if slot in written or count > 1]
    if again:
        raise ProgramError(f"{writer} writes slot {program.slots[again[0]].name!r}, which is already written")
    return set(slots)


def _check_distinct(what: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ProgramError(f"{count} {what} are named {name!r}; names must differ")
