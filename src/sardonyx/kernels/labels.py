"""LabelEncoder of ai.onnx.ml (native/kernels/preprocessing/labels.cpp): every key is replaced by its value."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from ..lowering.reference.graphs import to_array
from ..lowering.rules import Array, Builder, NodeView, Row, Values, as_constant, decline, lowers

#: ending of an attribute -> (type of its values, the default when none is given)
FORMS: dict[str, tuple[Any, Any]] = {
    "strings": (object, "_Unused"),
    "int64s": (np.int64, -1),
    "floats": (np.float32, -0.0),
}


@lowers("LabelEncoder", domain="ai.onnx.ml")
def label_encoder(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    if node.version < 2:
        return _by_class(b, node, x)
    (keys, _), (values, ending) = _list(node, "keys"), _list(node, "values")
    fallback = _default(node, values, ending)
    if keys.shape == values.shape and node.version < 4 and keys.dtype.kind == "f":  # NaN was equal to nothing then
        keys, values = keys[~np.isnan(keys)], values[~np.isnan(keys)]
    if keys.shape != values.shape or _name(keys) != x.dtype:
        decline("keys and values do not fit")
    return b.step("LabelEncoder", [x, keys, values, fallback], [(_name(values), x.shape)])


def _by_class(b: Builder, node: NodeView, x: Row) -> Values:
    """Version 1: text becomes its place among the classes, and a place its class."""
    texts = as_constant(np.array(node.attributes.get("classes_strings", []), dtype=object))
    places = np.arange(len(texts))
    if x.dtype == "str":
        fallback = np.array([node.integer("default_int64", -1)])
        return b.step("LabelEncoder", [x, texts, places, fallback], [("int64", x.shape)])
    unused = as_constant(np.array([node.text("default_string", "_Unused")], dtype=object))
    if x.dtype != "int64":
        decline("labels are text or int64")
    return b.step("LabelEncoder", [x, places, texts, unused], [("str", x.shape)])


def _name(array: Array) -> str:
    return "str" if array.dtype == object else array.dtype.name


def _list(node: NodeView, side: str) -> tuple[Array, str]:
    """Return the keys or the values, and the ending of the attribute that holds them."""
    tensor = node.attributes.get(f"{side}_tensor")
    if isinstance(tensor, onnx.TensorProto):
        return to_array(tensor).reshape(-1), "tensor"
    for ending, (dtype, _) in FORMS.items():
        given = node.attributes.get(f"{side}_{ending}")
        if given is not None:
            return as_constant(np.array(given, dtype=dtype)), ending
    return decline(f"no {side} are given")


def _default(node: NodeView, values: Array, ending: str) -> Array:
    """Return the value of an unknown key, one element of the values' type."""
    if ending == "tensor":
        tensor = node.attributes.get("default_tensor")
        if tensor is None:
            return _usual(values)
        return to_array(tensor).reshape(-1)[:1].astype(values.dtype)
    dtype, default = FORMS[ending]
    given = node.attributes.get(f"default_{ending[:-1]}", default)
    return as_constant(np.array([given], dtype=dtype))


def _usual(values: Array) -> Array:
    """Return the default of a type: what the lists of that kind have."""
    kind = "strings" if values.dtype == object else "floats" if values.dtype.kind == "f" else "int64s"
    return as_constant(np.array([FORMS[kind][1]]).astype(values.dtype))  # -1 of unsigned integers is the largest
