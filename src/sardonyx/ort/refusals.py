"""What ONNX Runtime says of inputs that do not fit, before what sardonyx says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..lowering.rules import dtype_name
from ..session.node_args import NodeArg, tensor_type


def refusal(inputs: Sequence[NodeArg], outputs: Sequence[NodeArg], names: Any, feeds: Any, error: Exception) -> str:
    """Return the text of an error: ONNX Runtime's first words, so that who looks for them finds them, and our own."""
    said = next(filter(None, _complaints(inputs, outputs, names, feeds)), "")
    return f"{said} {error}" if said else str(error)


def missing(inputs: Sequence[NodeArg], feeds: Mapping[str, Any]) -> str:
    """Return what ONNX Runtime says of inputs that are not given, "" if all are."""
    names = [i.name for i in inputs if i.name not in feeds]
    return f"Required inputs ({names}) are missing from input feed ({list(feeds)})." if names else ""


def _complaints(inputs: Sequence[NodeArg], outputs: Sequence[NodeArg], names: Any, feeds: Any) -> list[str]:
    if not isinstance(feeds, Mapping):
        return []
    known, made = {i.name: i for i in inputs}, {o.name for o in outputs}
    if text := missing(inputs, feeds):
        return [text]
    wrong = [f"Invalid input name: {name}." for name in feeds if name not in known]
    wrong += [f"Invalid output name:{name}." for name in names or () if name not in made]
    return [*wrong, *(_unfit(known[name], value) for name, value in feeds.items() if name in known)]


def _unfit(arg: NodeArg, value: Any) -> str:
    if not isinstance(value, np.ndarray) or not arg.type.startswith("tensor"):
        return ""
    given = tensor_type(dtype_name(value))
    if given != arg.type:
        return f"Unexpected input data type. Actual: ({given}) , expected: ({arg.type})."
    if arg.shape and len(arg.shape) != value.ndim:
        return f"Invalid rank for input: {arg.name} Got: {value.ndim} Expected: {len(arg.shape)}."
    sizes = zip(range(value.ndim), value.shape, arg.shape, strict=False)
    wrong = [f" index: {i} Got: {n} Expected: {m}" for i, n, m in sizes if isinstance(m, int) and m != n]
    return f"Got invalid dimensions for input: {arg.name} for the following indices{''.join(wrong)}." if wrong else ""
