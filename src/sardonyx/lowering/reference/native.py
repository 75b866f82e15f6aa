"""Nodes that are about to run in Python, run natively where there are kernels for the arrays that come.

::

    Loop, If, Scan ──▶ a body  ─┐                        ┌─ a program, kept ─▶ results
                                ├─ shapes seen before? ──┤
    NonZero ──▶ Add ──▶ a node ─┘                        └─ none ─▶ onnx.reference

What a plan leaves to Python (plan.py) is cut where an operator has no kernel, or no shape that is known before it runs.
At run time every shape is known: a body that has kernels is one program a round, and a node beside one without is one.
Numbers that decide about shapes (Reshape's, axes, k) are made part of a program if it cannot be had otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import onnx
from onnx import helper

from ...errors import ModelError
from ..lower import lower_whole
from ..program import DTYPE_CODES
from ..rules import Array, dtype_name
from ..runner import PlanRunner
from ..seen import Seen
from .graphs import RANDOM, element_type, free_names, given_names, make_model, subgraphs
from .operators import OPERATORS
from .rounds import rounds_of
from .sized import SizedEvaluator

#: programs of a node that are kept, and made at most
MOST_KEPT: Final = 32
MOST_MADE: Final = 128
#: programs that are made for values, at most
MOST_BY_VALUE: Final = 32
#: elements of an input whose values may decide about shapes
MOST_VALUES: Final = 16

_NUMBERS: Final = frozenset(DTYPE_CODES) - {"str"}
#: what has nothing to compute, or nothing but Python's values
_IDLE: Final = frozenset(["Constant", "Identity", "Dropout", "If", "Loop", "Scan", "SequenceMap"])


def native_evaluator(model: onnx.ModelProto) -> SizedEvaluator:
    """Return the reference implementation of a model, which runs natively what it can."""
    return NativeEvaluator(model, new_ops=OPERATORS)


class NativeEvaluator(SizedEvaluator):
    """The reference implementation of a graph, all of it or node by node a program where there is one."""

    _whole: Programs | None

    def _init(self) -> None:
        super()._init()
        self._whole = self._programs_of_all()
        for node in self.rt_nodes_:
            programs = programs_of(node.onnx_node, self.opsets)
            if programs is not None:
                node.run = partial(_run_native, programs, node.run)
            elif (rounds := rounds_of(node.onnx_node, self.opsets.get("", 0), self._programs_of_rounds)) is not None:
                node.run = partial(rounds.run, node.run)

    def _functions(self) -> list[onnx.FunctionProto]:
        return [function.proto_ for function in self.functions_.values()]

    def _programs_of_rounds(
        self, node: onnx.NodeProto, outputs: Sequence[str], constants: Sequence[onnx.TensorProto]
    ) -> Programs:
        return Programs([node], outputs, constants, self.opsets, self._functions(), by_value=False)

    def _programs_of_all(self) -> Programs | None:
        graph: onnx.GraphProto | None = self.onnx_graph_
        if graph is None or graph.sparse_initializer or len(graph.node) < 2 or self.has_linked_attribute:
            return None
        return Programs(graph.node, self.output_names, graph.initializer, self.opsets, self._functions())

    def run(self, output_names: Any, feed_inputs: Any, attributes: Any = None, *more: Any, **named: Any) -> Any:
        """Return the outputs, as `ReferenceEvaluator.run` does."""
        if output_names is None and self._whole is not None and not attributes:
            results = self._whole.run(feed_inputs)
            if results is not None:
                return results
        return super().run(output_names, feed_inputs, attributes, *more, **named)


def _run_native(programs: Programs, run: Callable[..., Any], *inputs: Any, **more: Any) -> Any:
    results = None if more else programs.run(dict(zip(programs.node.input, inputs, strict=False)))
    return run(*inputs, **more) if results is None else tuple(results)


class Programs:
    """The programs of some nodes, by the shapes of what they read.

    Parameters
    ----------
    nodes : iterable of onnx.NodeProto
    outputs : sequence of str
        Values that are asked for.
    constants : iterable of onnx.TensorProto
    opsets : mapping of str to int
    functions : iterable of onnx.FunctionProto
        Those that the nodes may call.
    by_value : bool, default True
        Whether programs may be for the values of short lists.
    """

    def __init__(
        self,
        nodes: Iterable[onnx.NodeProto],
        outputs: Sequence[str],
        constants: Iterable[onnx.TensorProto],
        opsets: Mapping[str, int],
        functions: Iterable[onnx.FunctionProto] = (),
        *,
        by_value: bool = True,
    ) -> None:
        self._model = make_model(nodes, [], outputs, constants, tuple(opsets.items()))
        self._model.functions.extend(functions)
        self.node = self._model.graph.node[0]
        self.inputs = _read(self._model.graph)
        self._kept: dict[Any, PlanRunner | None] = {}
        self._made, self._made_by_value = 0, 0 if by_value else MOST_BY_VALUE
        self._seen = Seen(self.inputs)

    def run(self, feeds: Mapping[str, Any]) -> list[Any] | None:
        """Return the outputs for values by name; None where there is no program for them."""
        if (answer := self._seen.answer(feeds)) is not None:
            return answer(feeds)
        arrays = {name: feeds[name] for name in self.inputs if feeds.get(name) is not None}
        if len(arrays) < len(self.inputs) or not all(map(_is_tensor, arrays.values())):
            return None
        runner = self._runner(arrays, {})
        if runner is not None:
            self._seen.keep(arrays, runner)
        else:
            runner = self._by_value(arrays)
        if runner is None:
            return None
        read = [i.name for i in runner.plan.inputs]
        return runner.run(None, {name: np.ascontiguousarray(arrays[name]).reshape(arrays[name].shape) for name in read})

    def _by_value(self, arrays: Mapping[str, Array]) -> PlanRunner | None:
        """Return a program for the values of short lists; never of all that is read: it would compute nothing."""
        small = {n: a for n, a in arrays.items() if a.ndim < 2 and a.size <= MOST_VALUES and a.dtype.kind in "biu"}
        known = {name: small[name] for name in [*small][len(small) == len(arrays) :]}
        if not known or self._made_by_value >= MOST_BY_VALUE:
            return None
        return self._runner(arrays, known)

    def _runner(self, arrays: Mapping[str, Array], known: Mapping[str, Array]) -> PlanRunner | None:
        shapes = tuple((array.shape, array.dtype.str) for array in arrays.values())
        key = shapes, tuple(array.tobytes() for array in known.values())
        if key not in self._kept and self._made < MOST_MADE:
            self._made += 1
            self._made_by_value += bool(known)
            self._kept[key] = self._lowered(arrays, known)
            if len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
        return self._kept.get(key)

    def _lowered(self, arrays: Mapping[str, Array], known: Mapping[str, Array]) -> PlanRunner | None:
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        model.graph.input.extend(
            helper.make_tensor_value_info(name, element_type(dtype_name(array)), array.shape)
            for name, array in arrays.items()
            if name not in known
        )
        try:
            plan = lower_whole(model, values=known)
        except ModelError:  # the reference implementation says what is wrong
            return None
        return None if plan is None else PlanRunner(plan, 1)


def programs_of(node: onnx.NodeProto, opsets: Mapping[str, int]) -> Programs | None:
    """Return the programs of one node; None if it is not worth one."""
    refers = any(attribute.ref_attr_name for attribute in node.attribute)
    if node.domain not in ("", "ai.onnx") or node.op_type in _IDLE | RANDOM or refers or any(subgraphs(node)):
        return None
    return Programs([node], [name for name in node.output if name], [], opsets)


def _read(graph: onnx.GraphProto) -> list[str]:
    """Return the values that a graph reads and does not make, in their order."""
    made, read = given_names(graph), dict[str, None]()
    for node in graph.node:
        read.update(dict.fromkeys(name for name in [*node.input, *sorted(free_names(node))] if name not in made))
        made |= set(node.output)
    read.update(dict.fromkeys(value.name for value in graph.output if value.name not in made))
    read.pop("", None)
    return [*read]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.isnative and dtype_name(value) in _NUMBERS
