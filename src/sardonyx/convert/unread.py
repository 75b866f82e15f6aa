"""Columns that nothing reads are no inputs: neither of the functions that are handed a whole frame, nor of the model.

::

    X  age  when  city                            X  age  city
        └────┼──────┴──▶ columns:ColumnTransformer   └────┴──▶ columns:ColumnTransformer
             (reads age and city)

Only functions of the given domain change: those that stand for steps, whose calls are all in the model.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from ..protos import all_nodes


def drop_unread_inputs(model: onnx.ModelProto, domain: str) -> None:
    """Remove, in place, the inputs that nothing reads; if nothing reads any, as for a constant, all stay.

    Parameters
    ----------
    model : ModelProto
    domain : str
        Of the functions whose inputs may go.
    """
    while any(_drop_formals(model, function) for function in model.functions if function.domain == domain):
        pass  # a function that reads less lets its callers read less
    read = _read(model.graph) | {output.name for output in model.graph.output}
    kept = [value for value in model.graph.input if value.name in read]
    if kept and len(kept) < len(model.graph.input):
        del model.graph.input[:]
        model.graph.input.extend(kept)


def _read(scope: onnx.GraphProto | onnx.FunctionProto) -> set[str]:
    outputs = {v for node in all_nodes(scope.node) for a in node.attribute if a.HasField("g") for v in _names(a.g)}
    return outputs | {name for node in all_nodes(scope.node) for name in node.input}


def _names(body: onnx.GraphProto) -> Iterator[str]:
    yield from (output.name for output in body.output)


def _drop_formals(model: onnx.ModelProto, function: onnx.FunctionProto) -> bool:
    read = _read(function) | set(function.output)
    kept = [i for i, name in enumerate(function.input) if name in read]
    if not kept or len(kept) == len(function.input):
        return False
    for nodes in (model.graph.node, *(other.node for other in model.functions)):
        for node in all_nodes(nodes):
            if (node.domain, node.op_type) == (function.domain, function.name):
                node.input[:] = [node.input[i] for i in kept if i < len(node.input)]
    function.input[:] = [function.input[i] for i in kept]
    return True
