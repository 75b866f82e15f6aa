"""Fitted estimator -> ONNX model; the details of each estimator are in `converters/`.

::

    convert(pipeline, X)                    describe X, open the graph, ask for the methods         model.py, methods.py
      └─ call(estimator, method, X)         look the converter up, hand it X, remember the result   calls.py, data.py
           └─ step(name, estimator, ...)    meta-estimators trace each part as a function "name:Class"
    what the file says of itself            its methods, outputs, features, classes                 metadata.py

It never runs a model: `proof` does.
"""

from .calls import allows_nan, call, checked, step, together
from .data import (
    Coded,
    Columns,
    Data,
    Result,
    as_columns,
    as_float,
    as_matrix,
    check_width,
    demand,
    in_order,
    refuse_moments,
    take,
)
from .metadata import read_description, write_description
from .methods import choose_methods
from .model import OLDEST_OPSET, OPSET, Draft, convert, draft

__all__ = [
    "OLDEST_OPSET", "OPSET", "Coded", "Columns", "Data", "Draft", "Result", "allows_nan", "as_columns", "as_float",
    "as_matrix", "call", "check_width", "checked", "choose_methods", "convert", "demand", "draft", "in_order",
    "read_description", "refuse_moments", "step", "take", "together", "write_description",
]  # fmt: skip
