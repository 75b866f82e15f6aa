"""A session of several segments: native programs, and Python for what has no kernel.

::

    feeds ──▶ all outputs of one program? ─ yes ─▶ it answers, with nothing in between
               └─ forms seen before? ────── yes ─▶ the program kept for them                      (lowering/seen.py)
                   └─ coerced ──▶ a program for these shapes (lowering/shaped.py), or the segments (lowering/runner.py)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import onnx

from .. import _native
from ..description import Description
from ..errors import InputError, ModelError, SardonyxError
from ..inputs.tensors import coerce_feeds
from ..lowering.plan import Plan
from ..lowering.reference.native import native_evaluator
from ..lowering.runner import PlanRunner
from ..lowering.seen import Seen
from ..lowering.shaped import shaped
from .explanation import heading, program_lines
from .given import check_shape, element_types, sequence, whole
from .node_args import NodeArg, node_args
from .session import Session


class PlanSession(Session):
    """A session of several segments: native programs, and whole batches in Python for what has no kernel."""

    def __init__(self, plan: Plan, description: Description | None, model: onnx.ModelProto, threads: int) -> None:
        self.plan = plan
        self._inputs, self._outputs = node_args(model)
        self._runner = PlanRunner(plan, threads, native_evaluator)
        self._all_outputs = self._runner.all_outputs()
        self._shaped = shaped(model, threads) if plan.reference_operators else None
        self._threads = threads
        self._ports = [(i.name, i.dtype, i.row_shape if i.rows else ()) for i in plan.inputs]
        self._whole = {i.name: i.dtype for i in plan.inputs if not i.rows}
        self._shapes = {i.name: i.shape for i in plan.inputs}
        self._sequences = element_types(model)
        self._seen, self._all = Seen([i.name for i in plan.inputs]), [*plan.outputs]
        self._describe(description, self._ports)
        self._proto = model.SerializeToString()

    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: None = None,
        *,
        sparse: bool = False,
    ) -> list[Any]:
        """Return the outputs named (all if None or empty) for tensors given by input name, dense."""
        if run_options is not None:
            raise TypeError("run_options are ONNX Runtime's and mean nothing here; leave them out")
        if output_names is None and self._all_outputs is not None and type(input_feed) is dict:
            return self._all_outputs(input_feed)
        if type(input_feed) is dict and (answer := self._seen_before(output_names, input_feed)) is not None:
            return answer(input_feed)
        names = self.plan.outputs if output_names is None else _output_names(output_names, self.plan.outputs)
        if type(input_feed) is not dict and not isinstance(input_feed, Mapping):
            raise InputError(f"run takes a dict of the inputs {[p[0] for p in self._ports]}, not {input_feed!r}.")
        if self._runner.alone:
            return self._runner.run_alone(names, input_feed)
        feeds = self._coerced(input_feed)
        try:
            runner = (self._shaped and self._shaped.runner(feeds)) or self._runner
            results = runner.run(names, feeds)
        except SardonyxError:
            raise
        except Exception as error:
            operators = ", ".join(self.plan.reference_operators)
            raise InputError(
                f"the model refuses this input: {type(error).__name__}: {error} (in {operators}, which run in Python)."
            ) from error
        if self._is_as_declared(input_feed) and not (self._shaped and self._shaped.asks_for_values):
            self._seen.keep(input_feed, runner)
        return results

    def _is_as_declared(self, feeds: Mapping[str, Any]) -> bool:
        """Whether inputs are arrays of just the model's types, which nothing was done to."""
        types = {i.name: i.dtype for i in self.plan.inputs}
        return all(isinstance(v, np.ndarray) and v.dtype.name == types[name] for name, v in feeds.items())

    def _seen_before(self, output_names: Any, feeds: dict[str, Any]) -> Callable[[dict[str, Any]], list[Any]] | None:
        """Return what answers feeds of forms that came before, if all outputs are asked for."""
        all_asked = output_names is None or (type(output_names) is list and output_names == self._all)
        return self._seen.answer(feeds) if all_asked and len(feeds) == len(self._ports) else None

    def _coerced(self, input_feed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs as the model's types."""
        given = {name: whole(input_feed[name], dtype) for name, dtype in self._whole.items() if name in input_feed}
        for name in self._sequences.keys() & given.keys():
            given[name] = sequence(name, given[name], self._sequences[name])
        for name, value in given.items():
            check_shape(name, value, self._whole[name], self._shapes.get(name))
        rows = {name: array for name, array in input_feed.items() if name not in given}
        if unknown := [name for name in rows if name not in [port[0] for port in self._ports]]:
            raise InputError(f"the model has no input {unknown}; it takes {[port[0] for port in self._ports]}.")
        return {**coerce_feeds(rows, [port for port in self._ports if port[0] not in self._whole]), **given}

    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs."""
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs."""
        return list(self._outputs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Refuse: only a model that is wholly native has a compiled form."""
        raise ModelError(
            f"{', '.join(self.plan.reference_operators) or 'this model'} cannot be compiled: there is no kernel. "
            "Save the .onnx file instead."
        )

    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels, and what runs in Python instead."""
        lines = heading(self)
        shown = self._shaped and self._shaped.shown()
        if shown:
            lines.append("compiled for each shape of the inputs; for one of them:")
        runner = shown or self._runner
        for segment, part in runner._runners:
            program = getattr(part, "program", part)
            if isinstance(program, _native.Program):
                lines += program_lines(program)
            else:
                lines.append("reference (Python, whole batches)")
                lines += [f"  {reason}" for reason in getattr(segment, "reasons", ())]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        from .loading import load

        return partial(load, threads=self._threads), (self._proto,)


def _output_names(names: Sequence[str] | None, outputs: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the outputs asked for, as the native core reads them."""
    if isinstance(names, str):
        raise InputError(f"output names must be None or a list of str, not the str {names!r}; give [{names!r}]")
    return tuple(names) if names else tuple(outputs)
