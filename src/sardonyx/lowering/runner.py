"""Running a Plan: its segments in order, whole arrays by name in between.

::

    one native segment that reads what the plan reads    run_alone: feeds go straight to the program, and outputs come
                                                         from it by a recipe; at_once: with nothing in between
    any other plan                                       run: segment by segment

It does not coerce or check what it is fed beyond what the native program does (inputs/ and loading.py do).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, cast

import numpy as np
import onnx

from ..errors import InputError
from .borders import Border, native_core, plain
from .plan import NativeSegment, Plan, ReferenceSegment, Segment
from .program import Program
from .rules import dtype_name
from .sdx import pack

#: choices of outputs whose recipes a runner keeps
MOST_RECIPES = 64


class _Runner(Protocol):
    def run(self, outputs: Sequence[str] | None, feeds: Any) -> list[Any]: ...


def _native_runner(segment: NativeSegment, threads: int) -> _Runner:
    runner: _Runner = native_core().Program.from_bytes(pack(segment.program), threads=threads)
    return WholeRunner(runner, segment.program) if segment.whole else runner


class WholeRunner:
    """Runs a program on tensors that are its only row.

    Parameters
    ----------
    program : sardonyx._native.Program
    form : Program
        The same, as data.
    """

    def __init__(self, program: Any, form: Program) -> None:
        self.program = program
        self._inputs = [form.slots[i] for i in form.inputs]

    def run(self, outputs: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Return outputs for arrays of just the program's types and shapes.

        Raises
        ------
        InputError
            If an array has another type or shape.
        """
        for slot in self._inputs:
            array = feeds[slot.name]
            if array.shape != slot.shape or dtype_name(array) != slot.dtype:
                raise InputError(
                    f"input {slot.name!r} is {dtype_name(array)} of shape {list(array.shape)}; "
                    f"the model takes {slot.dtype} of shape {list(slot.shape)}."
                )
        rows = {name: array[None] for name, array in feeds.items()}
        return [array[0] for array in self.program.run(outputs, rows)]


def _evaluator(model: onnx.ModelProto) -> Any:
    from .reference.operators import evaluator

    return evaluator(model)


def _contiguous(value: Any, *, dense: bool) -> Any:
    """Return an array as a segment takes it; the reference implementation may give views, and knows no sparse rows."""
    if dense and hasattr(value, "toarray"):
        return value.toarray()
    return np.ascontiguousarray(value).reshape(value.shape) if isinstance(value, np.ndarray) else value


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How outputs come from the only program: those of its own to ask for, and the borders of what comes at a place.

    `all` is whether these are all that it has, in its order. `direct` is None where outputs are no one-to-one matter:
    constants, lists, one value as two outputs.
    """

    wanted: list[str]
    all: bool
    direct: tuple[tuple[int, Border], ...] | None


class PlanRunner:
    """Runs a plan.

    Parameters
    ----------
    plan : Plan
    threads : int, default 0
        Threads of the native segments; 0 means as many as there are processors.
    evaluator : callable, optional
        What runs the model of a reference segment; the reference implementation by default.
    """

    def __init__(self, plan: Plan, threads: int = 0, evaluator: Callable[[onnx.ModelProto], Any] = _evaluator) -> None:
        self.plan = plan
        self._runners: list[tuple[Segment, _Runner]] = [
            (s, _native_runner(s, threads) if isinstance(s, NativeSegment) else evaluator(s.model))
            for s in plan.segments
        ]
        self.alone = self._alone()
        self._mapped = self._map_natively() if self.alone else frozenset()
        self._recipes: dict[tuple[str, ...], _Recipe] = {}

    def _alone(self) -> bool:
        """Whether one native segment reads what the plan reads: it then checks and converts its input itself."""
        segments = self.plan.segments
        rows = [i.name for i in self.plan.inputs if i.rows]
        alone = len(segments) == 1 and isinstance(segments[0], NativeSegment)
        return alone and len(rows) == len(self.plan.inputs) and set(rows) == set(segments[0].inputs)

    def _map_natively(self) -> frozenset[str]:
        """Have the program itself give the maps that are all that is made of an output; return their names."""
        (segment, runner), plan = self._runners[0], self.plan
        mapped = set()
        for name, border in plan.borders.items():
            sources = [plan.renamed.get(source, source) for source in border.sources]
            if border.form == "maps" and self._readers(sources[0]) == 1 and sources[0] in segment.outputs:
                cast(Any, runner)._set_maps(sources[0], border.keys)
                mapped.add(name)
        return frozenset(mapped)

    def _readers(self, value: str) -> int:
        """Return of how many outputs a value of the program is a part."""
        plan = self.plan
        parts = [plan.borders[name].sources if name in plan.borders else (name,) for name in plan.outputs]
        return sum(plan.renamed.get(part, part) == value for part in chain.from_iterable(parts))

    def run_alone(self, output_names: tuple[str, ...], feeds: Mapping[str, Any]) -> list[Any]:
        """Return outputs as `run` does, where `alone`; the feeds may be of any kind that a native program takes."""
        recipe = self._recipes.get(output_names) or self._recipe(output_names)
        asked = None if recipe.all else recipe.wanted
        arrays = self._runners[0][1].run(asked, feeds if type(feeds) is dict else dict(feeds))
        if recipe.direct is not None:
            for place, border in recipe.direct:
                arrays[place] = border.cross((arrays[place],))
            return arrays
        values = dict(zip(recipe.wanted, arrays, strict=True))
        values.update({name: array.copy() for name, array in self.plan.constants.items()})
        return [self._output(name, values) for name in output_names]

    def all_outputs(self) -> Callable[[dict[str, Any]], list[Any]] | None:
        """Return what makes all outputs with nothing in between, where `alone` and one array is one output.

        One row takes less than a microsecond to compute, so every call of Python counts.
        """
        recipe = self._recipe(self.plan.outputs) if self.alone else None
        if recipe is None or recipe.direct is None or not recipe.all:
            return None
        run = self._runners[0][1].run
        makers = [(place, border.maker()) for place, border in recipe.direct]

        def answer(feeds: dict[str, Any]) -> list[Any]:
            arrays = run(None, feeds)
            for place, make in makers:
                arrays[place] = make(arrays[place])
            return arrays

        return answer

    def at_once(self) -> Callable[[dict[str, Any]], list[Any]] | None:
        """Return what makes all outputs of just the arrays that one program takes, with nothing in between."""
        if self.alone:
            return self.all_outputs()
        if len(self._runners) != 1:
            return None
        plan, (segment, runner) = self.plan, self._runners[0]
        if not isinstance(runner, WholeRunner) or not isinstance(segment, NativeSegment):
            return None
        if (
            plan.constants
            or plan.borders
            or plan.arrivals
            or any(slot.dtype == "str" for slot in segment.program.slots)
        ):
            return None
        run, inputs = runner.program.run, segment.inputs
        places = [segment.outputs.index(plan.renamed.get(name, name)) for name in plan.outputs]

        def answer(feeds: dict[str, Any]) -> list[Any]:
            arrays = run(None, {name: feeds[name][None] for name in inputs})
            return [np.asarray(arrays[place][0]) for place in places]

        return answer

    def _recipe(self, output_names: tuple[str, ...]) -> _Recipe:
        """Return what to ask the program for: only what these outputs are made of."""
        self._check_outputs(output_names)
        plan = self.plan
        borders = [plan.borders.get(name, Border("", (name,))) for name in output_names]
        sources = [plan.renamed.get(s, s) for border in borders for s in border.sources if s not in plan.constants]
        wanted = list(dict.fromkeys(sources)) or [*self._runners[0][0].outputs[:1]]
        simple = len(wanted) == len(borders) == len(sources) and all(border.form != "list" for border in borders)
        made = [border.form and name not in self._mapped for name, border in zip(output_names, borders, strict=True)]
        direct = tuple((i, borders[i]) for i, is_made in enumerate(made) if is_made) if simple else None
        recipe = _Recipe(wanted, wanted == [*self._runners[0][0].outputs], direct)
        if len(self._recipes) < MOST_RECIPES:
            self._recipes[output_names] = recipe
        return recipe

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
        values.update({name: arrival.make(feeds[arrival.source]) for name, arrival in self.plan.arrivals.items()})
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
        if border is not None and name in self._mapped:
            (source,) = border.sources
            return values[self.plan.renamed.get(source, source)]
        if border is None:
            return plain(values[self.plan.renamed.get(name, name)])
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
