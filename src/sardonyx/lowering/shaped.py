"""Programs for the shapes that a model's inputs turn out to have, where the model itself leaves them open.

::

    feeds ──▶ shapes, seen before? ──▶ its program ──▶ results
                  └─ no ─▶ the model with these shapes ─▶ lower, lower_whole ─▶ a program, kept

With the widths of rows known, one program may serve any number of them. What works across rows (a sum over the batch,
a Scan along it, a Reshape that moves it) needs all shapes: tensors are then one row. Numbers and short lists among
the inputs (axes, sizes, k, bounds) may have to be known too: then a program is for their values.

What has no kernel whatever its shapes is left to the plan with reference segments (plan.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx

from .lower import lower, lower_whole
from .plan import Plan
from .reference.graphs import dtype_of, given_names
from .rules import Array, dtype_name
from .runner import PlanRunner

#: programs that are kept: the newest
MOST_KEPT: Final = 64
#: programs that are made for values, at most
MOST_BY_VALUE: Final = 256
#: elements of an input whose values may decide about shapes
MOST_VALUES: Final = 16
#: what open dimensions are taken to be, to see whether a model has kernels at all
ROWS, OTHERS = 3, 4

#: the dimension of rows
EACH_ROW: Final = "N"
#: columns of a matrix whose width the model leaves open
MOST_SIZE: Final = 1 << 12
#: widths of rows that a program to look at is tried for
MOST_WIDTHS: Final = 32


class Shaped:
    """The programs of one model by the shapes of its inputs.

    Parameters
    ----------
    model : onnx.ModelProto
        All of its inputs are tensors.
    threads : int
        Of every program.

    Attributes
    ----------
    example : Plan or None
        For some shapes, if there are kernels for all operators then.
    """

    def __init__(self, model: onnx.ModelProto, threads: int) -> None:
        given = given_names(model.graph)
        self._model = model
        self._threads = threads
        self._inputs = [value for value in model.graph.input if value.name not in given]
        self._by_value = self._small_inputs()
        self._kept: dict[Any, PlanRunner] = {}
        self._by_width: dict[Any, PlanRunner | None] = {}
        self._hopeless = False
        self._made_so_far = 0
        self.example = self._example()

    def _small_inputs(self) -> list[str]:
        """Return short lists of numbers, but not all of the inputs: a program computes, it is no memory.

        What is computed with is the first that is no single number: that is a count, or a condition.
        """
        text = onnx.TensorProto.STRING
        kinds = {v.name: v.type.tensor_type for v in self._inputs}
        small = [name for name, kind in kinds.items() if len(kind.shape.dim) < 2 and kind.elem_type != text]
        if len(small) < len(kinds):
            return small
        data = next((name for name in small if len(kinds[name].shape.dim)), None)
        conditions = [name for name in small if kinds[name].elem_type == onnx.TensorProto.BOOL]
        return [name for name in small if name != data] if data is not None else conditions or small[1:]

    def _example(self) -> Plan | None:
        """Return the plan for some shapes; what depends on values of inputs is only found out when they come."""
        symbols: dict[str, int] = {}
        shapes = {value.name: _some_shape(value, symbols) for value in self._inputs}
        plan = lower_whole(self._model, shapes=shapes)
        if plan is not None:
            self._by_value = []
        return plan

    def runner(self, feeds: Mapping[str, Any]) -> PlanRunner | None:
        """Return what runs the model on feeds of these shapes; None where some operator has no kernel then."""
        if self._hopeless:
            return None
        arrays = {value.name: feeds[value.name] for value in self._inputs if value.name in feeds}
        if len(arrays) < len(self._inputs) or not all(isinstance(array, np.ndarray) for array in arrays.values()):
            return None
        values = {name: arrays[name] for name in self._by_value if arrays[name].size <= MOST_VALUES}
        key = self._key(arrays, values)
        found = self._kept.get(key)
        if found is not None:
            return found
        found = self._made_by_rows(arrays) or self._made(arrays, values)
        self._made_so_far += 1
        if found is None or (values and self._made_so_far > MOST_BY_VALUE):  # or values that never come again
            self._hopeless = self.example is None
            return found
        self._kept[key] = found
        if len(self._kept) > MOST_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        return found

    @property
    def asks_for_values(self) -> bool:
        """Whether a program may be for more of its inputs than their types and shapes."""
        return bool(self._by_value)

    def shown(self) -> PlanRunner | None:
        """Return a program to look at: the newest, or the example's, or one for widths that the model names."""
        for kept in reversed(list(self._kept.values())):
            return kept
        if self.example is not None:
            return PlanRunner(self.example, self._threads)
        for width in [] if self._hopeless else _widths_named(self._model):
            plan = self._by_rows({value.name: _some_shape(value, {}, width) for value in self._inputs})
            if plan is not None:
                return PlanRunner(plan, self._threads)
        return None

    def _key(self, arrays: Mapping[str, Array], values: Mapping[str, Array]) -> Any:
        shapes = tuple((array.shape, array.dtype.str) for array in arrays.values())  # a type may be refused
        return shapes, tuple((array.dtype.str, array.tobytes()) for array in values.values())

    def _made_by_rows(self, arrays: Mapping[str, Array]) -> PlanRunner | None:
        """Return a program for rows of these widths, if all inputs are as many rows."""
        if not all(array.ndim for array in arrays.values()) or len({len(array) for array in arrays.values()}) != 1:
            return None
        key = tuple((array.shape[1:], array.dtype.str) for array in arrays.values())
        if key not in self._by_width:
            plan = self._by_rows({name: array.shape for name, array in arrays.items()})
            fits = plan is not None and self._types_fit(arrays)
            self._by_width[key] = PlanRunner(plan, self._threads) if plan is not None and fits else None
            if len(self._by_width) > MOST_KEPT:
                self._by_width.pop(next(iter(self._by_width)), None)
        return self._by_width.get(key)

    def _by_rows(self, shapes: Mapping[str, tuple[int, ...]]) -> Plan | None:
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        for value in model.graph.input:
            if value.name in shapes:
                shape = value.type.tensor_type.shape
                shape.ClearField("dim")
                shape.dim.add(dim_param=EACH_ROW)
                for size in shapes[value.name][1:]:
                    shape.dim.add(dim_value=size)
        plan = lower(model)
        return None if plan.reference_operators else plan

    def _types_fit(self, arrays: Mapping[str, Array]) -> bool:
        return all(dtype_name(arrays[v.name]) == dtype_of(v.type.tensor_type.elem_type) for v in self._inputs)

    def _made(self, arrays: Mapping[str, Array], values: Mapping[str, Array]) -> PlanRunner | None:
        if not self._types_fit(arrays):
            return None
        shapes = {name: array.shape for name, array in arrays.items()}
        plan = lower_whole(self._model, shapes=shapes, values=values)
        return None if plan is None else PlanRunner(plan, self._threads)


def shaped(model: onnx.ModelProto, threads: int) -> Shaped | None:
    """Return the programs of a model by shape, if its inputs are tensors."""
    given = given_names(model.graph)
    inputs = [value for value in model.graph.input if value.name not in given]
    if not inputs or not all(value.type.HasField("tensor_type") for value in inputs):
        return None
    return Shaped(model, threads)


def _widths_named(model: onnx.ModelProto) -> list[int]:
    """Return how many columns inputs may have: dimensions of constants, lengths of lists, and small numbers."""
    sizes = {int(n) for tensor in model.graph.initializer for n in tensor.dims}
    sizes |= {len(a.floats) or len(a.ints) or len(a.strings) for node in model.graph.node for a in node.attribute}
    return [*sorted(size for size in sizes if 1 < size < MOST_SIZE), *range(1, 9)][:MOST_WIDTHS]


def _some_shape(value: onnx.ValueInfoProto, symbols: dict[str, int], others: int = OTHERS) -> tuple[int, ...]:
    sizes = []
    for i, dim in enumerate(value.type.tensor_type.shape.dim):
        usual = others if i else ROWS
        known = int(dim.dim_value) if dim.HasField("dim_value") else None
        sizes.append(
            known if known is not None else symbols.setdefault(dim.dim_param, usual) if dim.dim_param else usual
        )
    return tuple(sizes)
