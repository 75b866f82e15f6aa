"""Control flow and optionals for `onnx.reference`, whose own fall short of the standard.

::

    If, Loop, Scan      subgraphs: any axis and direction, stacked outputs, empty optionals, Scan of opset 8
    Optional ...        an optional is its value, or None
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from ...errors import ModelError

Array = NDArray[Any]

#: rounds of a loop in Python
MOST_ROUNDS = 20_000


class AnyOperator(OpRun):
    """An operator whose outputs may be sequences and empty optionals."""

    op_domain = ""

    def _check_and_fix_outputs(self, res: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(np.asarray(value) if np.isscalar(value) else value for value in res)

    def need_context(self) -> bool:
        """Whether the operator reads values beside its inputs."""
        return bool(self.has_subgraph)

    def _version(self) -> int:
        return int(self.run_params["opsets"][""])


def _run(body: Any, context: Mapping[str, Any] | None, inputs: Mapping[str, Any], attributes: Any) -> list[Any]:
    """Return the outputs of a subgraph; its own inputs hide outer values of the same names."""
    return list(body.run(None, {**(context or {}), **inputs}, attributes=attributes or {}))


class If(AnyOperator):
    """One of two subgraphs."""

    then_branch: Any
    else_branch: Any

    def _run(self, cond: Array, context: Any = None, attributes: Any = None, **graphs: Any) -> tuple[Any, ...]:
        chosen = self.then_branch if np.asarray(cond).item() else self.else_branch
        return tuple(_run(chosen, context, {}, attributes))


class Loop(AnyOperator):
    """A subgraph repeated: values carried from one round to the next, others stacked along a new first axis."""

    body: Any

    def _run(
        self, M: Any, cond: Any = None, *carried: Any, context: Any = None, attributes: Any = None, **graphs: Any
    ) -> tuple[Any, ...]:
        names = self.body.input_names
        most = np.inf if M is None else int(np.asarray(M).item())
        go_on = True if cond is None else bool(np.asarray(cond).item())
        state, stacked, count = list(carried), _Stacks(self.body, len(carried) + 1), 0
        while go_on and count < most:
            if count == MOST_ROUNDS:
                raise ModelError(f"Loop: more than {MOST_ROUNDS} rounds; its operators have no kernels together.")
            inputs = dict(zip(names, [np.array(count, np.int64), np.array(go_on), *state], strict=False))
            again, *results = _run(self.body, context, inputs, attributes)
            state, go_on = results[: len(state)], bool(np.asarray(again).item())
            stacked.add(results[len(state) :])
            count += 1
        return (*state, *stacked.arrays())


class Scan(AnyOperator):
    """A subgraph for every slice of its inputs along their scan axes."""

    body: Any
    num_scan_inputs: int
    scan_input_axes: Any
    scan_input_directions: Any

    def _run(self, *args: Any, context: Any = None, attributes: Any = None, **given: Any) -> tuple[Any, ...]:
        if self._version() < 9:
            return self._run_batches(args, context, attributes)
        count = self.num_scan_inputs
        return self._run_once(
            args[: len(args) - count],
            args[len(args) - count :],
            (context, attributes),
            _listed(self.scan_input_axes, count),
            _listed(self.scan_input_directions, count),
        )

    def _run_once(
        self, state: Any, inputs: Any, outer: tuple[Any, Any], axes: list[int], directions: list[int]
    ) -> tuple[Any, ...]:
        moved = [np.moveaxis(x, axis, 0) for x, axis in zip(inputs, axes, strict=True)]
        moved = [x[::-1] if backward else x for x, backward in zip(moved, directions, strict=True)]
        values, stacked = list(state), _Stacks(self.body, len(state))
        for i in range(len(moved[0])):
            given = dict(zip(self.body.input_names, [*values, *(x[i] for x in moved)], strict=True))
            results = _run(self.body, outer[0], given, outer[1])
            values = results[: len(values)]
            stacked.add(results[len(values) :])
        outputs = stacked.arrays()
        axes_out = _listed(getattr(self, "scan_output_axes", None), len(outputs))
        back = _listed(getattr(self, "scan_output_directions", None), len(outputs))
        outputs = [x[::-1] if backward else x for x, backward in zip(outputs, back, strict=True)]
        return (*values, *(np.moveaxis(x, 0, axis) for x, axis in zip(outputs, axes_out, strict=True)))

    def _run_batches(self, args: Any, context: Any, attributes: Any) -> tuple[Any, ...]:
        """Opset 8: every input has a batch axis before its own, and sequences may end early."""
        lengths, values = args[0], args[1:]
        count = self.num_scan_inputs
        state, inputs = values[: len(values) - count], values[len(values) - count :]
        size = inputs[0].shape[1]
        lengths = np.full(len(inputs[0]), size) if lengths is None else lengths
        directions = _listed(getattr(self, "directions", None), count)
        rows = [
            self._run_once(
                [s[b] for s in state], [x[b, :n] for x in inputs], (context, attributes), [0] * count, directions
            )
            for b, n in enumerate(lengths)
        ]
        return tuple(np.stack([_padded(x, size) if k >= len(state) else x for x in column])
                     for k, column in enumerate(zip(*rows, strict=True)))  # fmt: skip


class _Stacks:
    """Collects the outputs of a body that are stacked: all after the first `skipped`."""

    def __init__(self, body: Any, skipped: int) -> None:
        self.types = list(body.output_types_ or [])[skipped:]
        self.columns: list[list[Any]] = [[] for _ in body.output_names[skipped:]]

    def add(self, results: list[Any]) -> None:
        for column, value in zip(self.columns, results, strict=True):
            column.append(value)

    def arrays(self) -> list[Array]:
        return [
            np.stack(column) if column else _empty(self.types[i] if i < len(self.types) else None)
            for i, column in enumerate(self.columns)
        ]


def _empty(kind: onnx.TypeProto | None) -> Array:
    """Return no slices of a declared type; what is not declared is float32 of no dimension."""
    if kind is None or not kind.tensor_type.elem_type:
        return np.zeros(0, np.float32)
    dims = [d.dim_value for d in kind.tensor_type.shape.dim]
    return np.zeros((0, *dims), onnx.helper.tensor_dtype_to_np_dtype(kind.tensor_type.elem_type))


def _listed(given: Any, count: int) -> list[int]:
    return list(given) if given else [0] * count


def _padded(array: Array, size: int) -> Array:
    missing = [(0, size - len(array)), *[(0, 0)] * (array.ndim - 1)]
    return np.pad(array, missing)


class Optional(AnyOperator):
    """An optional with a value, or empty."""

    def _run(self, x: Any = None, type: Any = None) -> tuple[Any, ...]:
        return (x,)


class OptionalGetElement(AnyOperator):
    """The value of an optional."""

    def _run(self, x: Any) -> tuple[Any, ...]:
        if x is None:
            raise ValueError("the optional is empty")
        return (x,)


class OptionalHasElement(AnyOperator):
    """Whether an optional has a value."""

    def _run(self, x: Any = None) -> tuple[Any, ...]:
        return (np.array(x is not None),)


class Identity(AnyOperator):
    """The same value."""

    def _run(self, x: Any) -> tuple[Any, ...]:
        return (x.copy() if isinstance(x, np.ndarray) else x,)
