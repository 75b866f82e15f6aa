"""The Program: what the native executor runs, as plain data.

A Program is a flat list of steps over numbered slots. It knows neither ONNX nor scikit-learn; `lower.py` makes one from
a model, `native/runtime` runs it, and `pack`/`unpack` write and read its file form (``.sdx``).

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

The file (little-endian; the tables follow each other without gaps)::

    header     64 bytes   magic  version block_rows  n_slots n_steps n_ids n_params
                          n_inputs n_outputs n_metadata 0  text_size data_size
    slots      96 each    name  dtype role rank sparse 0 0 0 0  data_at data_size  dims[8]
    steps      32 each    kernel label  n_inputs n_outputs n_params 0
    metadata   16 each    key value
    params      8 each    int64 or float64, of step 0, step 1, ...
    ids         4 each    slot numbers: of the inputs, the outputs, then of each step its inputs and its outputs
    kinds       1 each    of the params: 0 int, 1 float
    text                  UTF-8; a name is (offset u32, size u32) into it; no two names share bytes
    (zeros up to a multiple of 64)
    data                  constants, each at a multiple of 64 (data_at counts from here)
                          numbers: as in memory, C order
                          str:     int64 offsets[width + 1], then the UTF-8 bytes they point into
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import index
from typing import Any, Final, Literal, TypeAlias, TypeVar

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
T = TypeVar("T")


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
    def role(self) -> Literal["row", "constant"]:
        """Whether the slot holds something for every row, or the same for all."""
        return "row" if self.data is None else "constant"

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


# ---- the file ------------------------------------------------------------------------------------------------------

MAGIC: Final = b"\x93SDX\r\n\x1a\n"
VERSION: Final = 3
_ALIGNMENT: Final = 64
_DTYPE_NAMES: Final = {code: name for name, code in DTYPE_CODES.items()}

_REF: Final = [("at", "<u4"), ("size", "<u4")]
_COUNTS: Final = ("slots", "steps", "ids", "params", "inputs", "outputs", "metadata")
_HEADER: Final = np.dtype(
    [("magic", "V8"), ("version", "<u4"), ("block_rows", "<u4")]
    + [(name, "<u4") for name in _COUNTS]
    + [("zero", "<u4"), ("text_size", "<u8"), ("data_size", "<u8")]
)
_SLOT: Final = np.dtype(
    [
        *[("name", _REF), ("dtype", "u1"), ("role", "u1"), ("rank", "u1"), ("sparse", "u1"), ("zero", "V4")],
        *[("data_at", "<u8"), ("data_size", "<u8"), ("dims", "<i8", (MAX_RANK,))],
    ]
)
_STEP: Final = np.dtype(
    [("kernel", _REF), ("label", _REF), ("inputs", "<u4"), ("outputs", "<u4"), ("params", "<u4"), ("zero", "<u4")]
)
_METADATA: Final = np.dtype([("key", _REF), ("value", _REF)])


class _Writer:
    """Collects the text and data sections while the tables are filled."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.data: list[bytes | memoryview] = []
        self.data_size = 0

    def ref(self, text: str) -> tuple[int, int]:
        encoded = _encode(text)
        at = len(self.text)
        self.text += encoded
        return at, len(encoded)

    def place(self, constant: bytes | memoryview) -> tuple[int, int]:
        at = self.data_size
        padding = -len(constant) % _ALIGNMENT
        self.data += [constant, bytes(padding)]
        self.data_size += len(constant) + padding
        return at, len(constant)


def pack(program: Program) -> bytes:
    """Write a program in its file form.

    Parameters
    ----------
    program : Program

    Returns
    -------
    bytes
        The contents of an ``.sdx`` file.

    Raises
    ------
    ProgramError
        The program is not of the legal form, or a string in it cannot be encoded in UTF-8 (a lone surrogate).
    """
    program.check()
    out = _Writer()
    slots = np.array([_slot_record(out, slot) for slot in program.slots], dtype=_SLOT)
    steps = np.array([_step_record(out, step) for step in program.steps], dtype=_STEP)
    metadata = np.array([(out.ref(key), out.ref(value)) for key, value in program.metadata.items()], dtype=_METADATA)
    params = [param for step in program.steps for param in step.params]
    lists = [program.inputs, program.outputs, *chain.from_iterable((s.inputs, s.outputs) for s in program.steps)]
    ids = np.fromiter(chain.from_iterable(lists), dtype="<u4")
    header = np.zeros((), dtype=_HEADER)
    header["magic"], header["version"], header["block_rows"] = np.void(MAGIC), VERSION, program.block_rows
    counts = (len(slots), len(steps), len(ids), len(params), len(program.inputs), len(program.outputs), len(metadata))
    for name, count in zip(_COUNTS, counts, strict=True):
        header[name] = count
    header["text_size"], header["data_size"] = len(out.text), out.data_size
    kinds = bytes(isinstance(param, float) for param in params)
    tables = [header.tobytes(), slots.tobytes(), steps.tobytes(), metadata.tobytes(), *map(_param_bytes, params)]
    head = b"".join([*tables, ids.tobytes(), kinds, out.text])
    return b"".join([head, bytes(-len(head) % _ALIGNMENT), *out.data])


def _slot_record(out: _Writer, slot: Slot) -> tuple[object, ...]:
    at, size = (0, 0) if slot.data is None else out.place(_constant_bytes(slot.dtype, slot.data))
    dims = [*slot.shape, *[0] * (MAX_RANK - len(slot.shape))]
    form = (DTYPE_CODES[slot.dtype], slot.data is not None, len(slot.shape), slot.sparse)
    head = (out.ref(slot.name), *form, bytes(4))
    return (*head, at, size, dims)


def _step_record(out: _Writer, step: Step) -> tuple[object, ...]:
    return (out.ref(step.kernel), out.ref(step.label), len(step.inputs), len(step.outputs), len(step.params), 0)


def _param_bytes(param: Param) -> bytes:
    if isinstance(param, float):
        return struct.pack("<d", param)
    return index(param).to_bytes(8, "little", signed=True)


def _constant_bytes(dtype: str, data: Constant) -> bytes | memoryview:
    """Return a constant as the file has it; numbers, which may be millions, in place if they are so already."""
    if dtype != "str":
        written = np.ascontiguousarray(data, numpy_dtype(dtype).newbyteorder("<"))
        return written.reshape(-1).view(np.uint8).data
    encoded = [_encode(item) for item in data.ravel().tolist()]
    offsets = np.cumsum([0, *map(len, encoded)], dtype="<i8")
    return offsets.tobytes() + b"".join(encoded)


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ProgramError(f"the string {text!r} cannot be written in UTF-8 ({error.reason}); replace it") from None


def unpack(file: bytes) -> Program:
    """Read a program back from its file form.

    Parameters
    ----------
    file : bytes
        What `pack` returned, or the contents of an ``.sdx`` file. Numeric constants of the result are views of it.

    Returns
    -------
    Program

    Raises
    ------
    ProgramError
        The bytes are not a legal program. (The native loader checks on its own and also asks the kernels.)
    """
    header = _read_header(file)
    at = _HEADER.itemsize
    tables: dict[str, memoryview] = {}
    sizes = {"slots": _SLOT.itemsize, "steps": _STEP.itemsize, "metadata": _METADATA.itemsize, "params": 8, "ids": 4}
    for name, size in sizes.items():
        tables[name] = memoryview(file)[at : at + int(header[name]) * size]
        at += int(header[name]) * size
    kinds = file[at : at + int(header["params"])]
    at += len(kinds)
    text = file[at : at + int(header["text_size"])]
    at += len(text)
    data = memoryview(file)[at + -at % _ALIGNMENT :]
    if len(data) != int(header["data_size"]) or len(text) != int(header["text_size"]):
        raise ProgramError(f"the file has {len(file)} bytes, which is not what its header says; it is truncated")
    return _program(header, tables, kinds, text, data)


def _read_header(file: bytes) -> np.void:
    if len(file) < _HEADER.itemsize or file[: len(MAGIC)] != MAGIC:
        raise ProgramError("this is not an .sdx file: it does not begin like one; give the output of pack()")
    header: np.void = np.frombuffer(file, _HEADER, 1)[0]
    if header["version"] != VERSION:
        raise ProgramError(f"format version {header['version']}, this library reads {VERSION}; compile the model again")
    return header


def _program(header: np.void, tables: dict[str, memoryview], kinds: bytes, text: bytes, data: memoryview) -> Program:
    ids = iter(np.frombuffer(tables["ids"], "<u4").tolist())
    integers = np.frombuffer(tables["params"], "<i8").tolist()
    reals = np.frombuffer(tables["params"], "<f8").tolist()
    if any(kind > 1 for kind in kinds):
        raise ProgramError("a step parameter is of unknown kind; the file is corrupt")
    params = iter([real if kind else integer for kind, integer, real in zip(kinds, integers, reals, strict=True)])
    inputs, outputs = _take(ids, header["inputs"]), _take(ids, header["outputs"])
    steps = tuple(
        Step(
            kernel=_text(text, record["kernel"]),
            inputs=_take(ids, record["inputs"]),
            outputs=_take(ids, record["outputs"]),
            params=_take(params, record["params"]),
            label=_text(text, record["label"]),
        )
        for record in np.frombuffer(tables["steps"], _STEP)
    )
    metadata = np.frombuffer(tables["metadata"], _METADATA)
    program = Program(
        slots=tuple(_slot(record, text, data) for record in np.frombuffer(tables["slots"], _SLOT)),
        steps=steps,
        inputs=inputs,
        outputs=outputs,
        block_rows=int(header["block_rows"]),
        metadata={_text(text, record["key"]): _text(text, record["value"]) for record in metadata},
    )
    program.check()
    return program


def _take(items: Iterable[T], count: int) -> tuple[T, ...]:
    taken = tuple(islice(items, int(count)))
    if len(taken) != int(count):
        raise ProgramError("a list of slot numbers or parameters is too short; the file is corrupt")
    return taken


def _text(text: bytes, ref: np.void) -> str:
    at, size = int(ref["at"]), int(ref["size"])
    try:
        if at + size <= len(text):
            return text[at : at + size].decode()
    except UnicodeDecodeError:
        pass
    raise ProgramError("a name lies outside the text section or is not UTF-8; the file is corrupt")


def _slot(record: np.void, text: bytes, data: memoryview) -> Slot:
    name, dtype = _text(text, record["name"]), _DTYPE_NAMES.get(int(record["dtype"]))
    legal = record["role"] <= 1 and record["sparse"] <= 1 and record["rank"] <= MAX_RANK
    if dtype is None or not legal or (record["dims"] < 0).any():
        raise ProgramError(f"slot {name!r} has an unknown dtype, role, form or shape; the file is corrupt")
    shape = tuple(record["dims"][: record["rank"]].tolist())
    at, size = int(record["data_at"]), int(record["data_size"])
    if at + size > len(data):
        raise ProgramError(f"constant {name!r} lies outside the data section; the file is corrupt")
    if not record["role"]:
        return Slot(name, dtype, shape, sparse=bool(record["sparse"]))
    return Slot(name, dtype, shape, _constant(name, dtype, shape, data[at : at + size]))


def _constant(name: str, dtype: str, shape: tuple[int, ...], data: memoryview) -> Constant:
    try:
        if dtype == "str":
            return _strings(shape, data)
        return np.frombuffer(data, numpy_dtype(dtype).newbyteorder("<")).reshape(shape)
    except ValueError:
        raise ProgramError(
            f"constant {name!r} does not have the size of its shape {shape}; the file is corrupt"
        ) from None


def _strings(shape: tuple[int, ...], data: memoryview) -> NDArray[np.object_]:
    width = math.prod(shape)
    head = 8 * (width + 1)
    offsets = np.frombuffer(data[:head], "<i8", width + 1)
    if offsets[0] != 0 or (np.diff(offsets) < 0).any() or offsets[-1] != len(data) - head:
        raise ValueError("string offsets do not fit")
    strings = np.empty(width, dtype=object)
    for i in range(width):
        strings[i] = str(data[head + offsets[i] : head + offsets[i + 1]], "utf-8")
    return strings.reshape(shape)
