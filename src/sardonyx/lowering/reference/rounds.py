"""Rounds that Python leads, many at a time.

::

    Loop, Scan of n rounds      ─▶  a program of k rounds, n / k times  ─▶  a program of one, for the rest
      (of more nodes than are        taken apart as any loop of a known
       taken apart as a whole)       length is (control_flow.py)

A round alone costs its computation and ten microseconds of Python. What is carried must keep its shape, every round
must be sure to be followed by the next, and slices are along first axes; all else is left to the rounds of
control_flow.py. A loop that is short, and does not come often, is not worth a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..rules import Array
from .control_flow import MOST_ROUNDS

#: nodes of a program of rounds, and how few rounds are none
MOST_NODES: Final = 256
LEAST_ROUNDS: Final = 4
#: rounds that a loop has been led for when programs are made for it
WORTH: Final = 2000

#: names that a body has none of
PREFIX: Final = "%%rounds:"


class Runs(Protocol):
    """Programs of nodes: outputs for values by name, None where there is none."""

    def run(self, feeds: Mapping[str, Any]) -> list[Any] | None:
        """Return the outputs."""


Made = Callable[[onnx.NodeProto, Sequence[str], Sequence[onnx.TensorProto]], Runs]


def rounds_of(node: onnx.NodeProto, version: int, programs: Made) -> Rounds | None:
    """Return what leads the rounds of a node; None if it has none that can be led together."""
    body = next((a.g for a in node.attribute if a.name == "body"), None)
    if node.domain or node.op_type not in ("Loop", "Scan") or body is None:
        return None
    together = MOST_NODES // max(1, len(body.node))
    if together < LEAST_ROUNDS or any(a.ref_attr_name for a in node.attribute):
        return None
    if node.op_type == "Loop":
        return LoopRounds(node, body, together, programs) if _goes_on(body) else None
    plain = all(a.name in ("body", "num_scan_inputs") or not any(a.ints) for a in node.attribute)
    return ScanRounds(node, body, together, programs) if version >= 9 and plain else None


def _goes_on(body: onnx.GraphProto) -> bool:
    """Whether a round hands on the condition that it was given."""
    given = {name: node.input[0] for node in body.node if node.op_type == "Identity" for name in node.output}
    name = body.output[0].name
    while name in given:
        name = given[name]
    return bool(name == body.input[1].name)


class Rounds:
    """The rounds of one node: `carried` goes from each to the next, the others are stacked."""

    def __init__(self, node: onnx.NodeProto, body: onnx.GraphProto, together: int, programs: Made) -> None:
        self.node, self.body, self.together = node, body, together
        self._programs, self._made = programs, dict[int, Runs]()
        self._led, self._hopeless = 0, False

    def run(self, alone: Callable[..., Any], *inputs: Any, context: Any = None, **more: Any) -> Any:
        """Return the outputs; `alone` leads rounds one by one."""
        count = 0 if self._hopeless or more.get("linked_attributes") else self.count(inputs)
        self._led += count
        if 2 * self.together <= count <= MOST_ROUNDS and self._led >= WORTH:
            results = self._lead(count, inputs, context or {})
            if results is not None:
                return results
            self._hopeless = True
        return alone(*inputs, context=context, **more)

    def _lead(self, count: int, inputs: Sequence[Any], context: Mapping[str, Any]) -> tuple[Any, ...] | None:
        carried, pieces, done = self.carried(inputs), list[list[Array]](), 0
        while done < count:
            size = self.together if count - done >= self.together else 1
            feeds = {f"{PREFIX}{i}": value for i, value in enumerate(carried)}
            results = self._of(size).run({**context, **feeds, **self.others(inputs, done, size)})
            if results is None or not _alike(carried, results):
                return None
            carried, done = results[: len(carried)], done + size
            pieces.append(results[len(carried) :])
        return (*carried, *(np.concatenate(column) for column in zip(*pieces, strict=True)))

    def _of(self, size: int) -> Runs:
        if size not in self._made:
            outputs = [f"{PREFIX}y{i}" for i in range(len(self.node.output))]
            node, constants = self.together_as(size, outputs)
            self._made[size] = self._programs(node, outputs, constants)
        return self._made[size]

    def count(self, inputs: Sequence[Any]) -> int:
        """Return how many rounds there are, 0 where that is not sure."""
        raise NotImplementedError

    def carried(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return what the first round is given."""
        raise NotImplementedError

    def others(self, inputs: Sequence[Any], done: int, size: int) -> dict[str, Any]:
        """Return what else some rounds read."""
        raise NotImplementedError

    def together_as(self, size: int, outputs: list[str]) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
        """Return the node of some rounds, and its constants."""
        raise NotImplementedError


class LoopRounds(Rounds):
    """Those of Loop, numbered from where the ones before them ended."""

    def count(self, inputs: Sequence[Any]) -> int:
        """Return the trip count, if the first round is sure."""
        most, go_on = inputs[0], inputs[1] if len(inputs) > 1 else None
        sure = most is not None and (go_on is None or bool(np.asarray(go_on).item()))
        return max(0, int(np.asarray(most).item())) if sure else 0

    def carried(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return the values behind count and condition."""
        return inputs[2:]

    def others(self, inputs: Sequence[Any], done: int, size: int) -> dict[str, Any]:
        """Return the number of the first of some rounds."""
        return {f"{PREFIX}start": np.array(done, np.int64)}

    def together_as(self, size: int, outputs: list[str]) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
        """Return a Loop whose body adds the first number to its own."""
        body, number = onnx.GraphProto(), f"{PREFIX}number"
        body.CopyFrom(self.body)
        plus = helper.make_node("Add", [number, f"{PREFIX}start"], [body.input[0].name])
        body.input[0].name = number
        del body.node[:]
        body.node.extend([plus, *self.body.node])
        inputs = [f"{PREFIX}most", "", *(f"{PREFIX}{i}" for i in range(len(self.node.input) - 2))]
        most = numpy_helper.from_array(np.array(size, np.int64), f"{PREFIX}most")
        return helper.make_node("Loop", inputs, outputs, body=body), [most]


class ScanRounds(Rounds):
    """Those of Scan."""

    def __init__(self, node: onnx.NodeProto, body: onnx.GraphProto, together: int, programs: Made) -> None:
        super().__init__(node, body, together, programs)
        self._states = len(node.input) - next(a.i for a in node.attribute if a.name == "num_scan_inputs")

    def count(self, inputs: Sequence[Any]) -> int:
        """Return the common length."""
        lengths = {len(x) if isinstance(x, np.ndarray) and x.ndim else 0 for x in inputs[self._states :]}
        return lengths.pop() if len(lengths) == 1 else 0

    def carried(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return the first inputs."""
        return inputs[: self._states]

    def others(self, inputs: Sequence[Any], done: int, size: int) -> dict[str, Any]:
        """Return some slices."""
        return {f"{PREFIX}{i}": x[done : done + size] for i, x in enumerate(inputs) if i >= self._states}

    def together_as(self, size: int, outputs: list[str]) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
        """Return a Scan of as many slices as come."""
        names = [f"{PREFIX}{i}" for i in range(len(self.node.input))]
        scanned = len(names) - self._states
        return helper.make_node("Scan", names, outputs, body=self.body, num_scan_inputs=scanned), []


def _alike(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Whether what is carried keeps its types and shapes: other programs are wanted where it does not."""
    pairs = zip(before, after, strict=False)
    return all(isinstance(a, np.ndarray) and (a.shape, a.dtype) == (b.shape, b.dtype) for a, b in pairs)
