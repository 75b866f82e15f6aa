"""LabelEncoder: every type of key and value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from .single import check, numpy, onnxruntime, reference, rows

KEYS: dict[str, tuple[str, list[Any]]] = {
    "strings": ("str", ["a", "ä", "", "a longer text than eight bytes"]),
    "int64s": ("int64", [0, -5, 7, 100]),
    "floats": ("float32", [0.0, -3.7, float("inf"), 2.5]),
}
VALUES: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "strings": (["x", "", "ü", "y"], {"default_string": "none"}),
    "int64s": ([1, -2, 3, 0], {"default_int64": -9}),
    "floats": ([1.5, float("nan"), 0.0, -1.0], {"default_float": 9.5}),
}


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("keys", KEYS)
def test_lists(keys: str, values: str) -> None:
    if (keys, values) in (("int64s", "int64s"), ("floats", "floats"), ("strings", "strings")):
        judge = reference if keys != "floats" else onnxruntime
    else:
        judge = onnxruntime
    dtype, key_list = KEYS[keys]
    value_list, default = VALUES[values]
    attributes = {f"keys_{keys}": key_list, f"values_{values}": value_list, **default}
    check("LabelEncoder", rows(dtype, 3), judge=judge, domain="ai.onnx.ml", **attributes)


def test_tensors() -> None:
    keys, values = np.array([0.5, 1.0, -1.0]), np.array([3, 2, 1])
    attributes: dict[str, Any] = {
        "keys_tensor": numpy_helper.from_array(keys),
        "values_tensor": numpy_helper.from_array(values),
        "default_tensor": numpy_helper.from_array(np.array([-7])),
    }

    def encoded(x: Any) -> Any:
        return np.select([x == k for k in keys], list(values), -7)

    check("LabelEncoder", rows("float64", 2), judge=numpy(encoded), domain="ai.onnx.ml", **attributes)


def test_nan_is_a_key_and_zero_has_no_sign() -> None:
    attributes: dict[str, Any] = {"keys_floats": [float("nan"), -0.0], "values_int64s": [1, 2], "default_int64": 0}
    expected = numpy(lambda x: np.where(np.isnan(x), 1, np.where(x == 0, 2, 0)))
    check("LabelEncoder", rows("float32", 3), judge=expected, domain="ai.onnx.ml", **attributes)


def test_many_keys() -> None:
    words = [f"wörd {i}" for i in range(5000)]
    attributes: dict[str, Any] = {"keys_strings": words, "values_int64s": list(range(5000)), "default_int64": -1}
    expected = numpy(
        lambda x: np.array([words.index(t) if t in words else -1 for t in x[:, 0]], dtype=int).reshape(-1, 1)
    )
    check(
        "LabelEncoder", rows("str", 1, values=(*words[::97], "no")), judge=expected, domain="ai.onnx.ml", **attributes
    )
