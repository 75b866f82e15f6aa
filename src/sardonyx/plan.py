"""The Plan: how a whole model runs, as an ordered list of segments.

::

    feeds ──▶ NativeSegment ──▶ ReferenceSegment ──▶ NativeSegment ──▶ results
              a Program          nodes without a      a Program
              block by block     kernel, whole batch  block by block

A plan with one native segment is the normal case: its program's inputs and outputs are the model's own. Segments
exchange whole arrays by name. `PlanRunner` runs any plan; it does not coerce or check what it is fed beyond what the
native program does (inputs.py and loading.py do).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import onnx

from .errors import InputError
from .program import Program, pack
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
    """A part of the model that runs natively."""

    program: Program

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
class Border:
    """How an output is made of rows when the programs have run: no kernel gives maps, sequences, or rows elsewhere.

    ::

        maps      one dict a row, from `keys` to its elements          list     all sources, one after the other
        lead      `lead` dimensions of 1 before the rows               behind   the rows become the second dimension
        stacked   and are joined with the first                        flat     1 x everything
        joined    and are joined with what follows
    """

    form: str
    sources: tuple[str, ...]
    keys: tuple[int | str, ...] = ()
    lead: int = 0

    def cross(self, arrays: Sequence[Array]) -> Any:
        """Return the output."""
        if self.form == "list":
            return [_plain(array) for array in arrays]
        (array,) = arrays
        if self.form == "maps":
            return importlib.import_module("sardonyx._native").row_maps(array, self.keys)
        if self.form == "lead":
            return array.reshape((1,) * self.lead + array.shape)
        if self.form == "flat":
            return array.reshape(1, -1)
        moved = np.ascontiguousarray(np.swapaxes(array, 0, 1))
        if self.form == "joined":
            return moved.reshape(len(moved), moved.shape[1] * moved.shape[2])
        return moved.reshape(-1, *moved.shape[2:]) if self.form == "stacked" else moved


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a model runs.

    `constants` are outputs that depend on no input; `renamed` maps outputs to segment values; `borders` says how those
    outputs that no program gives as they are come from what it does give.
    """

    segments: tuple[Segment, ...]
    inputs: tuple[PlanInput, ...]
    outputs: tuple[str, ...]
    constants: dict[str, Array] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    borders: dict[str, Border] = field(default_factory=dict)

    @property
    def native(self) -> Program | None:
        """The one program that is the whole model, or None."""
        if len(self.segments) != 1 or self.constants or self.renamed or self.borders:
            return None
        (segment,) = self.segments
        return segment.program if isinstance(segment, NativeSegment) else None

    @property
    def reference_operators(self) -> tuple[str, ...]:
        """Operators that run in Python, in order of appearance."""
        segments = [s for s in self.segments if isinstance(s, ReferenceSegment)]
        return tuple(dict.fromkeys(op for segment in segments for op in segment.operators))


class _Runner(Protocol):
    def run(self, outputs: Sequence[str] | None, feeds: Any) -> list[Any]: ...


def _native_runner(segment: NativeSegment, threads: int) -> _Runner:
    native = importlib.import_module("sardonyx._native")  # here, so that plans can be made without it
    runner: _Runner = native.Program.from_bytes(pack(segment.program), threads=threads)
    return runner


def _reference_runner(segment: ReferenceSegment) -> _Runner:
    from .reference_operators import evaluator

    return cast(_Runner, evaluator(segment.model))


def _contiguous(value: Any, *, dense: bool) -> Any:
    """Return an array as a segment takes it; the reference implementation may give views, and knows no sparse rows."""
    if dense and hasattr(value, "toarray"):
        return value.toarray()
    return np.ascontiguousarray(value).reshape(value.shape) if isinstance(value, np.ndarray) else value


def _plain(value: Any) -> Any:
    """Return an output as sessions hand it out: NumPy's scalars as arrays, text as objects, sparse rows dense."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic | int | float | bool | str):
        value = np.asarray(value)
    if hasattr(value, "toarray"):
        return value.toarray()
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return value.astype(object)
    return value


class PlanRunner:
    """Runs a plan.

    Parameters
    ----------
    plan : Plan
    threads : int, default 0
        Threads of the native segments; 0 means as many as there are processors.
    """

    def __init__(self, plan: Plan, threads: int = 0) -> None:
        self.plan = plan
        self._runners: list[tuple[Segment, _Runner]] = [
            (s, _native_runner(s, threads) if isinstance(s, NativeSegment) else _reference_runner(s))
            for s in plan.segments
        ]
        self.alone = self._alone()

    def _alone(self) -> bool:
        """Whether one native segment reads what the plan reads: it then checks and converts its input itself."""
        segments = self.plan.segments
        rows = [i.name for i in self.plan.inputs if i.rows]
        alone = len(segments) == 1 and isinstance(segments[0], NativeSegment)
        return alone and len(rows) == len(self.plan.inputs) and set(rows) == set(segments[0].inputs)

    def run_alone(self, output_names: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        """Return outputs as `run` does, where `alone`; the feeds may be of any kind that a native program takes."""
        self._check_outputs(output_names)
        (segment, runner), *_ = self._runners
        values = dict(zip(segment.outputs, runner.run(None, dict(feeds)), strict=True))
        values.update({name: array.copy() for name, array in self.plan.constants.items()})
        return [self._output(name, values) for name in output_names]

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs named (all if None) for whole arrays fed by input name.

        Raises
        ------
        InputError
            If an input is missing, or an output is asked for that the model does not have.
        """
        names = self.plan.outputs if output_names is None else tuple(output_names)
        self._check_names(names, feeds)
        values: dict[str, Any] = dict(feeds)
        for segment, runner in self._runners:
            with np.errstate(all="ignore"):
                dense = isinstance(segment, ReferenceSegment)
                feeds = {name: _contiguous(values[name], dense=dense) for name in segment.inputs}
                results = runner.run(None, feeds)
            values.update(zip(segment.outputs, results, strict=True))
        values.update({name: array.copy() for name, array in self.plan.constants.items()})
        return [self._output(name, values) for name in names]

    def _output(self, name: str, values: Mapping[str, Any]) -> Any:
        border = self.plan.borders.get(name)
        if border is None:
            return _plain(values[self.plan.renamed.get(name, name)])
        return border.cross([values[self.plan.renamed.get(source, source)] for source in border.sources])

    def _check_names(self, names: Sequence[str], feeds: Mapping[str, Any]) -> None:
        missing = [i.name for i in self.plan.inputs if i.name not in feeds]
        if missing:
            raise InputError(f"missing inputs {missing}; the model takes {[i.name for i in self.plan.inputs]}")
        self._check_outputs(names)

    def _check_outputs(self, names: Sequence[str]) -> None:
        unknown = [name for name in names if name not in self.plan.outputs]
        if unknown:
            raise InputError(f"unknown outputs {unknown}; the model has {list(self.plan.outputs)}")
