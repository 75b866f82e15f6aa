"""Resize runs natively, as ONNX Runtime answers: nearest and linear, whatever the coordinates are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sardonyx.kernels.resize import COORDINATES, NEAREST

from .single import assert_declined, check, of_rows, reference, rows

X = rows("float32", 2, 5, 7, values=(0.0, 1.0, -2.5, 3.25, 7.0, 100.0))
NONE = np.zeros(0, np.float32)


def scales(*values: float) -> Any:
    return np.array(values, np.float32)


def fractions(coordinates: str) -> list[tuple[float, float]]:
    """Return scales that make no whole number of elements, but where ONNX Runtime then contradicts the standard."""
    return [] if coordinates == "align_corners" else [(0.5, 0.6), (1.7, 0.3), (2.5, 1)]


@pytest.mark.parametrize("nearest", NEAREST)
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_nearest(coordinates: str, nearest: str) -> None:
    more: Any = {"mode": "nearest", "coordinate_transformation_mode": coordinates, "nearest_mode": nearest}
    for along in ((2, 2), (1, 3), *fractions(coordinates)):
        check("Resize", X, NONE, scales(1, 1, *along), **more)


@pytest.mark.parametrize("coordinates", COORDINATES)
def test_linear(coordinates: str) -> None:
    more: Any = {"mode": "linear", "coordinate_transformation_mode": coordinates}
    for along in ((2, 2), (1, 3), *fractions(coordinates)):
        check("Resize", X, NONE, scales(1, 1, *along), **more)


def test_corners_of_a_fraction_of_an_element() -> None:
    more: Any = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    check("Resize", X, NONE, scales(1, 1, 0.5, 0.6), judge=of_rows(reference), **more)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_sizes_of_some_axes(mode: str) -> None:
    check("Resize", X, None, None, np.array([9, 3]), mode=mode, axes=[2, 3])
    check("Resize", X, None, None, np.array([1, 14]), mode=mode, axes=[2, 3], opset=19)


def test_what_is_left_to_the_reference() -> None:
    assert_declined("Resize", X, None, scales(1, 1, 2, 2), mode="cubic")
    assert_declined("Resize", X, None, scales(1, 1, 0.5, 0.5), mode="linear", antialias=1)
    assert_declined("Resize", X, None, scales(2, 1, 1, 1), mode="nearest")
