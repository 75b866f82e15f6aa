"""The inputs of a model that is being lowered: which are rows, which are tensors without, which only Python knows.

::

    float32 (N, 4)      Row     the first dimension has no number, and the name that it has in other inputs
    float32 (3, 4)      Batch   or, if all shapes are known, a Row without rows (ROWLESS)
    map, sequence       Batch   a map whose keys a node says comes as rows: `Arrival`
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import onnx

from .plan import Arrival, PlanInput
from .program import DTYPE_CODES
from .reference.graphs import dtype_of
from .reference.steps import NotWholeError
from .rules import MAX_RANK, ROWLESS, Array, Batch, Builder, Const, Row, Shape, as_constant

#: elements that an input of a model without rows may have
MOST_WHOLE = 1 << 24


@dataclass(frozen=True, slots=True)
class Whole:
    """What is known of the inputs of a model without rows beside what it says itself."""

    shapes: Mapping[str, Shape]
    values: Mapping[str, Array]


class Sources:
    """Where the values of a model come from.

    Attributes
    ----------
    inputs : list of PlanInput
        In the order of the model.
    values : dict of str to Row or Batch
        What each is, and what rows are made of maps.
    arrivals : dict of str to Arrival
        How these are made.
    first_row : Row or None
        Some rows, whose number is that of all.
    """

    def __init__(self, builder: Builder, sparse: Collection[str], whole: Whole | None) -> None:
        self._builder = builder
        self._sparse = sparse
        self._whole = whole
        self._symbol = ""
        self.inputs: list[PlanInput] = []
        self.values: dict[str, Row | Batch] = {}
        self.arrivals: dict[str, Arrival] = {}
        self.first_row: Row | None = None

    def known(self) -> dict[str, Const]:
        """Return the inputs whose values are given beforehand."""
        return {name: Const(as_constant(array)) for name, array in self._whole.values.items()} if self._whole else {}

    def add(self, info: onnx.ValueInfoProto) -> Row | Batch:
        """Add an input of the model, and return what it is.

        Raises
        ------
        NotWholeError
            If there are to be no rows, and its shape is not known.
        """
        tensor = info.type.tensor_type
        dims = list(tensor.shape.dim) if tensor.HasField("shape") else None
        shape = None if dims is None else tuple(int(d.dim_value) if d.HasField("dim_value") else None for d in dims)
        dtype = dtype_of(tensor.elem_type) if info.type.HasField("tensor_type") else ""
        if self._whole is not None:
            shape = self._whole.shapes.get(info.name, shape)
            value: Row | Batch = self._without_rows(info.name, dtype, shape)
            rows = False
        elif rows := self._are_rows(dims, shape) and dtype in DTYPE_CODES:
            value = self._rows(info.name, dtype, shape or ())
        else:
            value = Batch(self._builder.new_slot("batch", (), 0, info.name), info.type)
        self.values[info.name] = value
        self.inputs.append(PlanInput(info.name, dtype, shape, rows))
        return value

    def arrive(self, name: str, row: Row, arrival: Arrival) -> None:
        """Add rows that are made of an input."""
        self.values[name], self.arrivals[name] = row, arrival
        self.first_row = self.first_row or row

    def _rows(self, name: str, dtype: str, shape: tuple[int | None, ...]) -> Row:
        row_shape = tuple(n for n in shape[1:] if n is not None)
        sparse = name in self._sparse and len(row_shape) == 1 and dtype != "str"
        row = Row(self._builder.new_slot(dtype, row_shape, 0, name, sparse=sparse), dtype, row_shape, sparse=sparse)
        self.first_row = self.first_row or row
        return row

    def _without_rows(self, name: str, dtype: str, shape: tuple[int | None, ...] | None) -> Row:
        known = tuple(n for n in shape or () if n is not None)
        if known != shape or dtype not in DTYPE_CODES or len(known) > MAX_RANK or math.prod(known) > MOST_WHOLE:
            raise NotWholeError
        return Row(self._builder.new_slot(dtype, known, 0, name), dtype, known, ROWLESS)

    def _are_rows(
        self, dims: Sequence[onnx.TensorShapeProto.Dimension] | None, shape: Sequence[int | None] | None
    ) -> bool:
        """Whether the first dimension is the rows: no number, and of the same name as other inputs have, if any."""
        if not dims or not shape or shape[0] is not None or None in shape[1:] or len(shape) > MAX_RANK + 1:
            return False
        symbol = dims[0].dim_param
        self._symbol = self._symbol or symbol
        return symbol in ("", self._symbol)
