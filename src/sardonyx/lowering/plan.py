"""The Plan: how a whole model runs, as an ordered list of segments.

::

    feeds ──▶ NativeSegment ──▶ ReferenceSegment ──▶ NativeSegment ──▶ results
              a Program          nodes without a      a Program
              block by block     kernel, whole batch  block by block

A plan with one native segment is the normal case: its program's inputs and outputs are the model's own. Segments
exchange whole arrays by name. runner.py runs any plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import onnx

from ..errors import InputError
from .borders import Border
from .program import Program
from .rules import Array, Shape


@dataclass(frozen=True, slots=True)
class PlanInput:
    """An input of the model: its type, and its shape with None for dimensions that are not fixed."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    rows: bool

    @property
    def row_shape(self) -> Shape:
        """The shape without the row dimension, of an input that is one slice a row."""
        assert self.rows
        assert self.shape is not None
        return tuple(n for n in self.shape[1:] if n is not None)


@dataclass(frozen=True, slots=True)
class NativeSegment:
    """A part of the model that runs natively. Where it is `whole`, its tensors have no rows: they are one row."""

    program: Program
    whole: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the values it takes."""
        return tuple(self.program.slots[i].name for i in self.program.inputs)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the values it gives."""
        return tuple(self.program.slots[i].name for i in self.program.outputs)


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSegment:
    """A part of the model that `onnx.reference` runs on whole batches; `reasons` says why, operator by operator."""

    model: onnx.ModelProto
    reasons: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the values it takes."""
        return tuple(value.name for value in self.model.graph.input)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the values it gives."""
        return tuple(value.name for value in self.model.graph.output)

    @property
    def operators(self) -> tuple[str, ...]:
        """The operators of the segment, in order."""
        return tuple(node.op_type for node in self.model.graph.node)


Segment: TypeAlias = NativeSegment | ReferenceSegment


@dataclass(frozen=True, slots=True)
class Arrival:
    """How rows are made of an input that is a map, or a list of them: its values in the order of `keys`.

    ::

        {"b": 2.0, "c": 9.0}    keys a, b    ─▶    0.0  2.0        what the map has beside them is not asked for
    """

    source: str
    keys: tuple[int | str, ...]
    dtype: str

    def make(self, given: Any) -> Array:
        """Return the rows.

        Raises
        ------
        InputError
            If it is no map, or a value is not of the type.
        """
        maps = given if isinstance(given, list | tuple) else [given]
        nothing = "" if self.dtype == "str" else 0
        kind = type(self.keys[0])
        try:
            if any(not isinstance(key, kind) for m in maps for key in m):
                raise TypeError(f"keys are {'texts' if kind is str else 'integers'}")
            cells = [[m.get(key, nothing) for key in self.keys] for m in maps]
            if self.dtype == "str":
                rows = np.empty((len(cells), len(self.keys)), object)
                rows[:] = [[str(cell) for cell in row] for row in cells]
                return rows
            return np.array(cells, self.dtype).reshape(len(cells), len(self.keys))
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"input {self.source!r} is a map of {self.dtype}; {given!r} is none: {error}.") from error


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a model runs.

    `constants` are outputs that depend on no input; `renamed` maps outputs to segment values; `borders` says how those
    outputs that no program gives as they are come from what it does give, and `arrivals` how rows come from maps.
    """

    segments: tuple[Segment, ...]
    inputs: tuple[PlanInput, ...]
    outputs: tuple[str, ...]
    constants: dict[str, Array] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    borders: dict[str, Border] = field(default_factory=dict)
    arrivals: dict[str, Arrival] = field(default_factory=dict)

    @property
    def native(self) -> Program | None:
        """The one program that is the whole model, or None."""
        if len(self.segments) != 1 or self.constants or self.renamed or self.borders or self.arrivals:
            return None
        (segment,) = self.segments
        if not isinstance(segment, NativeSegment) or segment.whole or len(segment.inputs) < len(self.inputs):
            return None  # or an input that nothing reads would be unknown
        return segment.program

    @property
    def reference_operators(self) -> tuple[str, ...]:
        """Operators that run in Python, in order of appearance."""
        segments = [s for s in self.segments if isinstance(s, ReferenceSegment)]
        return tuple(dict.fromkeys(op for segment in segments for op in segment.operators))
