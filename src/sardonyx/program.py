"""The Program: what the native executor runs, as plain data.

A Program is a flat list of steps over numbered slots. It knows neither ONNX nor scikit-learn; `lower.py` makes one from a
model, `native/runtime` runs it, and `pack`/`unpack` write and read its file form (``.sdx``).

::

    slots      0 X row f64 (50,)   1 coef const f64 (50, 1)   2 y row f64 (1,)
    steps      Linear  inputs (0, 1)  outputs (2,)
    inputs     (0,)     outputs  (2,)

The legal form, checked here by `Program.check` and again, on bytes, by the native loader:

- every slot is written exactly once: it is an input, a constant, or the output of one step;
- a step reads only slots written before it; outputs name row slots;
- shapes are known numbers; a row slot's shape leaves out the row dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import ProgramError

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
}

Param: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of the program. `data` is given for constants only (strings as an object array of str)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: NDArray[np.generic] | NDArray[np.object_] | None = None

    @property
    def role(self) -> Literal["row", "constant"]:
        return "row" if self.data is None else "constant"


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
    """Slots, steps, and which slots are the inputs and outputs (their names are the slots' names)."""

    slots: tuple[Slot, ...]
    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    block_rows: int = 256
    metadata: dict[str, str] = field(default_factory=dict)
