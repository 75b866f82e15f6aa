"""The file form of a Program, ``.sdx``: `pack` writes it, `unpack` and the native loader read it, each checking it.

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
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import index
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ProgramError
from .program import DTYPE_CODES, MAX_RANK, Constant, Param, Program, Slot, Step, numpy_dtype

T = TypeVar("T")

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
    ids, params = iter(np.frombuffer(tables["ids"], "<u4").tolist()), _params(tables["params"], kinds)
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
    slots = tuple(_slot(record, text, data) for record in np.frombuffer(tables["slots"], _SLOT))
    metadata = np.frombuffer(tables["metadata"], _METADATA)
    said = {_text(text, record["key"]): _text(text, record["value"]) for record in metadata}
    program = Program(slots, steps, inputs, outputs, int(header["block_rows"]), said)
    program.check()
    return program


def _params(content: memoryview, kinds: bytes) -> Iterator[Param]:
    if any(kind > 1 for kind in kinds):
        raise ProgramError("a step parameter is of unknown kind; the file is corrupt")
    integers, reals = (np.frombuffer(content, dtype).tolist() for dtype in ("<i8", "<f8"))
    return iter([real if kind else integer for kind, integer, real in zip(kinds, integers, reals, strict=True)])


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
