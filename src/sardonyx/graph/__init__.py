"""Author ONNX graphs as if they were NumPy code.

A `Graph` is one scope (the model's main graph, a function body, a loop body); a `Value` is a tensor in it that knows
its dtype and shape, because every node is inferred the moment it is made (`onnx.shape_inference.infer_node_outputs`,
13 us a node). So a converter is an expression, no separate shape calculator exists, and a wrong operator fails on the
line that wrote it.

Promotion is NumPy's (NEP 50): arrays count with their dtype, Python numbers take the other operand's.
This package knows nothing of scikit-learn; `convert` does.

::

    graph.py     scopes: the main graph, functions, loop bodies     numpy_rules.py   what np.exp(X) becomes
    value.py     `Value`, and `op`, which reaches every operator    building.py      loops, joins, attributes
"""

from . import numpy_rules as numpy_rules  # fills FUNCTIONS and UFUNCS
from .building import attribute_ref, concat, loop, per_row
from .graph import OPERATORS, STEPS, Graph
from .value import FUNCTIONS, UFUNCS, Moment, Value, as_value, binary, current_graph, divide, one, op, where

__all__ = [
    "FUNCTIONS", "OPERATORS", "STEPS", "UFUNCS", "Graph", "Moment", "Value", "as_value", "attribute_ref", "binary",
    "concat", "current_graph", "divide", "loop", "one", "op", "per_row", "where",
]  # fmt: skip
