"""The ``sardonyx`` domain: operators that the ONNX standard lacks, each a function with a body of standard operators.

Any runtime that knows functions gets the right answer from the body; ours recognises the name and runs a native kernel.
An operator is declared where its body is written::

    @operator("Softplus", outputs=("Y",))
    def softplus(X, *, beta): ...        # keyword arguments become the calling node's attributes

Bodies are decided while converting (dtype, attributes), so two different ones of a name appear as ``Name`` and
``Name:2``: what comes after the colon means nothing. Float64 parameters are inputs, never attributes (those are
float32 in ONNX).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..graph import OPERATORS, Value, as_value, current_graph

#: name -> (body, output names): what the documentation lists
OPERATOR_BODIES: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}


def operator(name: str, outputs: tuple[str, ...] = ("Y",)) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an operator of the ``sardonyx`` domain; calling the result adds a call to the current graph.

    Parameters
    ----------
    name : str
        Its name in the domain.
    outputs : tuple of str
        Names of what the body returns.
    """

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        OPERATOR_BODIES[name] = (body, outputs)

        @functools.wraps(body)
        def call(*inputs: Any, **attributes: Any) -> Any:
            def trace(*formal: Value) -> tuple[Value, ...]:
                result = body(*formal, **attributes)
                return result if isinstance(result, tuple) else (result,)

            values = [as_value(x) for x in inputs]
            results = current_graph().function(OPERATORS, name, trace, values, outputs, attributes)
            return results[0] if len(results) == 1 else results

        return call

    return declare
