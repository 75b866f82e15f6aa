"""Operators of ai.onnx.ml that other converters emit, as steps of general kernels.

Most give float32, whatever they take.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..lowering.rules import Array, Builder, Const, NodeView, Row, Values, as_constant, decline, lowers
from .elementwise import COMPUTED, FLOATS, cast_row, elementwise
from .reduce import reduce_axes
from .shape import concat_rows

ML = "ai.onnx.ml"
#: of a map that is read by the places of its keys
MOST_KEYS = 1 << 20


def _floats(node: NodeView, name: str) -> Array:
    given: Any = node.attributes.get(name)
    return np.array(given if given is not None else decline(f"{name} is not given"), dtype=np.float32)


@lowers("Scaler", domain=ML)
def scaler(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    x = x if x.dtype in FLOATS else cast_row(b, x, "float32")
    offset, scale = (Const(_floats(node, name).astype(x.dtype)) for name in ("offset", "scale"))
    if len(x.shape) != 1 or any(c.array.size not in (1, x.width) for c in (offset, scale)):
        decline("offset or scale do not fit the columns")
    scaled = elementwise(b, "Mul", [elementwise(b, "Sub", [x, offset], FLOATS), scale], FLOATS)
    return (cast_row(b, scaled, "float32"),)


@lowers("Normalizer", domain=ML)
def normalizer(b: Builder, node: NodeView) -> Values:
    x = cast_row(b, node.row(0), "float32")
    kernel = {"L1": "ReduceL1", "L2": "ReduceL2", "MAX": "ReduceMax"}.get(node.text("norm", "MAX"))
    if len(x.shape) != 1 or kernel is None or not x.width:
        decline("rows are not vectors, or there is no such norm")
    norm = reduce_axes(b, kernel, x, [0], keep=True)
    is_zero = elementwise(b, "Equal", [norm, Const(np.zeros((), dtype=np.float32))], FLOATS, "bool")
    (divisor,) = b.step("Where", [is_zero, Const(np.ones((), dtype=np.float32)), norm], [("float32", (1,))])
    return (elementwise(b, "Div", [x, divisor], FLOATS),)


@lowers("Binarizer", domain=ML)
def binarizer(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    threshold = Const(np.asarray(np.float32(node.real("threshold", 0.0))))
    wide = x if x.dtype in FLOATS else cast_row(b, x, "float64")
    limit = Const(threshold.array.astype(wide.dtype))
    return (cast_row(b, elementwise(b, "Greater", [wide, limit], FLOATS, "bool"), x.dtype),)


@lowers("Imputer", domain=ML)
def imputer(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    form = ("imputed_value_floats", "replaced_value_float") if x.dtype in FLOATS else (
        "imputed_value_int64s", "replaced_value_int64")  # fmt: skip
    given = node.attributes.get(form[0]) or decline("no imputed values are given")
    values, replaced = np.array(given).astype(x.dtype), np.array(node.attributes.get(form[1], 0)).astype(x.dtype)
    if len(x.shape) != 1 or values.size not in (1, x.width):
        decline("the imputed values do not fit the columns")
    if x.dtype in FLOATS and np.isnan(replaced):
        (missing,) = b.step("IsNaN", [x], [("bool", x.shape)])
    else:
        missing = elementwise(b, "Equal", [x, Const(replaced.reshape(()))], COMPUTED, "bool")
    return b.step("Where", [missing, Const(values), x], [(x.dtype, x.shape)])


@lowers("OneHotEncoder", domain=ML)
def one_hot_encoder(b: Builder, node: NodeView) -> Values:
    """Give zeros for a category that is not known, or refuse it where ``zeros`` is 0."""
    x = node.row(0)
    names, numbers = node.attributes.get("cats_strings"), node.attributes.get("cats_int64s")
    categories = as_constant(np.array(names, object)) if names else np.array(numbers or decline("no categories"))
    x = x if names or x.dtype == "str" else cast_row(b, x, "int64")
    if Const(categories).dtype != x.dtype:
        decline("categories of another type than the input")
    codes, depth = np.arange(len(categories) + 1), len(categories)
    form, refuses = ("int64", x.shape), int(node.integer("zeros", 1) == 0)
    (at,) = b.step("CategoryLookup", [x, categories, codes], [form], [refuses])
    values = np.array([0, 1], np.float32)
    return b.step("OneHot", [at, values], [("float32", (*x.shape, depth))], (x.width, depth, 1))


@lowers("CategoryMapper", domain=ML)
def category_mapper(b: Builder, node: NodeView) -> Values:
    x = node.row(0)
    texts = as_constant(np.array(node.attributes.get("cats_strings", []), object))
    numbers = np.array(node.attributes.get("cats_int64s", []), np.int64)
    if len(texts) != len(numbers) or x.dtype not in ("str", "int64"):
        decline("not as many texts as numbers")
    if x.dtype == "str":
        fallback = np.array([node.integer("default_int64", -1)])
        return b.step("LabelEncoder", [x, texts, numbers, fallback], [("int64", x.shape)])
    unused = as_constant(np.array([node.text("default_string", "_Unused")], object))
    return b.step("LabelEncoder", [x, numbers, texts, unused], [("str", x.shape)])


@lowers("FeatureVectorizer", domain=ML)
def feature_vectorizer(b: Builder, node: NodeView) -> Values:
    rows: list[Row] = [cast_row(b, node.row(i), "float32") for i in range(len(node.inputs))]
    if any(len(row.shape) != 1 for row in rows) or node.integers("inputdimensions") != tuple(r.width for r in rows):
        decline("the inputs are not vectors of the dimensions given")
    return (concat_rows(b, rows, 0),)


def keys_of(node: NodeView) -> tuple[int | str, ...]:
    """Return the keys whose values a node takes from a map, if it says them; none for any other node."""
    if node.proto.domain != ML:
        return ()
    if node.op_type == "DictVectorizer":
        texts = node.attributes.get("string_vocabulary")
        return tuple(text.decode("utf-8") for text in texts) if texts else node.integers("int64_vocabulary") or ()
    sparse = node.op_type == "CastMap" and node.text("map_form", "DENSE") == "SPARSE"
    count = node.integer("max_map", 1)
    return tuple(range(count)) if sparse and 0 < count <= MOST_KEYS else ()


@lowers("CastMap", domain=ML)
def cast_map(b: Builder, node: NodeView) -> Values:
    """Cast the values, which lower.py has made rows of."""
    x, to = node.row(0), {"TO_FLOAT": "float32", "TO_INT64": "int64"}.get(node.text("cast_to", "TO_FLOAT"), "")
    if x.dtype == "str" or not to:
        decline("from text, or to it")
    return (cast_row(b, x, to),)
