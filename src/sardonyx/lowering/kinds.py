"""The values of a model that is being lowered (rules.py says how rules treat them).

The kinds, seen from the row dimension N::

    Const   known now                                an array
    Row     N x shape                                a slot of the program
            1 x ... x 1 x N x shape   (lead = 2)     the same slot: what a Transpose or a class look-up leaves behind
            shape       (lead = ROWLESS)             no rows: a tensor of a known shape is one row of its program
    Row     sparse: the slot holds only what is not zero; for every rule the same value as dense rows
    Dims    a shape in which N occurs                numbers, with None for N
    Across  rows behind another dimension, or one with it: see there
    Listed  a sequence                               values
    Tokens  texts, and how they are taken apart
    Batch   anything else                            known to the reference implementation only
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NoReturn, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]

#: `Row.lead` of tensors that have no row dimension; then all in the model are so.
ROWLESS = -1


class Declined(Exception):
    """Raised by `decline`: the rule at work does not apply to this node. It never leaves lower.py."""


def decline(reason: str) -> NoReturn:
    """Leave the rule at work: it does not apply, for this reason."""
    raise Declined(reason)


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A value known when the model is lowered. Text is an object array of str."""

    array: Array

    @property
    def dtype(self) -> str:
        """The name of the type, as programs write it."""
        return dtype_name(self.array)

    @property
    def shape(self) -> Shape:
        """All dimensions."""
        return self.array.shape


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A matrix of numbers of which only what is not zero is kept: row by row, columns strictly ascending in each.

    Attributes
    ----------
    shape : tuple of int
    rows, columns : int64 arrays of shape (n_entries,)
    values : array of shape (n_entries,)
    """

    shape: Shape
    rows: Array
    columns: Array
    values: Array

    @classmethod
    def of(cls, matrix: Array) -> Entries:
        """Return the entries of a dense matrix."""
        rows, columns = np.nonzero(matrix)
        return cls(matrix.shape, rows, columns, matrix[rows, columns])

    def dense(self) -> Array:
        """Return the whole matrix."""
        matrix = np.zeros(self.shape, self.values.dtype)
        matrix[self.rows, self.columns] = self.values
        return matrix

    def astype(self, dtype: Any) -> Entries:
        """Return the matrix in another dtype."""
        return replace(self, values=self.values.astype(dtype))

    def transposed(self) -> Entries:
        """Return the matrix turned over."""
        order = np.argsort(self.columns, kind="stable")
        return Entries(self.shape[::-1], self.columns[order], self.rows[order], self.values[order])

    def starts(self) -> Array:
        """Return where the entries of each row begin, and where those of the last end."""
        return np.searchsorted(self.rows, np.arange(self.shape[0] + 1)).astype(np.int64)


class SparseConst(Const):
    """A constant matrix given by its entries; `array` is made anew whenever it is asked for."""

    __slots__ = ("entries",)
    entries: Entries

    def __init__(self, entries: Entries) -> None:
        object.__setattr__(self, "entries", entries)

    @property
    def array(self) -> Array:
        """The whole matrix."""
        return self.entries.dense()

    @property
    def dtype(self) -> str:
        """The name of the type."""
        return dtype_name(self.entries.values)

    @property
    def shape(self) -> Shape:
        """All dimensions."""
        return self.entries.shape


@dataclass(frozen=True, slots=True)
class Row:
    """One slice of `shape` for every row. `lead` counts the dimensions of size 1 before the rows, or is ROWLESS."""

    slot: int
    dtype: str
    shape: Shape
    lead: int = 0
    sparse: bool = False

    @property
    def width(self) -> int:
        """Elements of one row."""
        return math.prod(self.shape)

    @property
    def rank(self) -> int:
        """All dimensions: those before the rows, the rows, those of one row."""
        return self.lead + 1 + len(self.shape)

    @property
    def dims(self) -> tuple[int | None, ...]:
        """All dimensions, None for the rows."""
        return self.shape if self.lead == ROWLESS else (*[1] * self.lead, None, *self.shape)


@dataclass(frozen=True, slots=True)
class Dims:
    """A shape, or one number of it (`scalar`), in which the number of rows occurs as None."""

    items: tuple[int | None, ...]
    scalar: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A value that is not one slice a row, or whose shape is not known: only reference steps make and read it."""

    slot: int
    type: onnx.TypeProto


@dataclass(frozen=True, slots=True, eq=False)
class Made(Batch):
    """What is made of rows when the program has run, if it is an output (plan.Border): no slot holds it.

    ::

        maps          one a row, from `keys` to its elements: ZipMap
        parts         of texts, and how many: StringSplit
        part_counts
        kept          texts that are no stop words: StringNormalizer

    Only a node that reads it needs the slot.
    """

    form: str
    rows: tuple[Row, ...]
    keys: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A sequence of which every item is a value; like `Made`, made at the border where it is an output."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Texts on their way to tokens, as other converters write it: only who counts tokens knows what to do with them.

    ::

        row ─▶ StringNormalizer ─▶ Tokenizer ─▶ Flatten        `nodes`, for whoever else asks

    `pattern` finds the tokens, once there is a Tokenizer; `flat` is whether they are a matrix. `made` is what the texts
    are as rows, before there is one.
    """

    row: Row
    nodes: tuple[onnx.NodeProto, ...] = ()
    lowercase: bool = False
    pattern: str = ""
    flat: bool = False
    made: Row | None = None


@dataclass(frozen=True, slots=True)
class Across:
    """Rows whose dimension is not the first of the tensor, or is one with another.

    ::

        form      tensor             row.shape           left behind by
        behind    k x N x rest       (k, *rest)          Transpose, Concat of 1 x N x rest, Scan, recurrent networks
        stacked   (k * N) x rest     (k, *rest)          Concat of rows below each other
        flat      1 x (N * k)        (k,)                ArrayFeatureExtractor
        joined    k x (N * m)        (k, m)              ArrayFeatureExtractor of k rows

    Each row's elements are together in memory all the same, so nothing is moved until something asks for it. Behind
    `depth` dimensions, that is: the first ones of `row.shape`.
    """

    row: Row
    form: str = "behind"
    depth: int = 1

    @property
    def dims(self) -> tuple[int | None, ...]:
        """All dimensions of a tensor whose rows are `behind`, None for the rows."""
        return (*self.row.shape[: self.depth], None, *self.row.shape[self.depth :])


Value: TypeAlias = Const | Row | Dims | Batch | Across | Listed | Tokens
Values: TypeAlias = tuple[Value, ...]
Operand: TypeAlias = Row | Const


def dtype_name(array: Array) -> str:
    """Return the name of an array's type as programs write it ("str" for text)."""
    return _name_of(array.dtype)


@cache
def _name_of(dtype: np.dtype[Any]) -> str:
    return "str" if dtype.kind in "OUT" else dtype.name


def as_constant(array: Any) -> Array:
    """Return a C-contiguous array in native byte order; text as an object array of str."""
    array = np.asarray(array)
    if array.dtype == object and array.size and not isinstance(array.flat[0], str | bytes):
        decline("values that are neither numbers nor text have no constants")
    if dtype_name(array) == "str":
        texts = [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in array.reshape(-1).tolist()]
        result = np.empty(len(texts), dtype=object)
        result[:] = texts
        return result.reshape(array.shape)
    native = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    return native.copy() if native is array and not array.flags.owndata else native
