"""Transposed convolutions run natively, as ONNX Runtime answers."""

from __future__ import annotations

from typing import Any

import pytest

from ..kernels.test_windows import check, model, weights

TRANSPOSED: dict[str, tuple[tuple[int, ...], list[Any], dict[str, Any]]] = {
    "plain": ((3, 4, 5), [weights(3, 2, 3, 2), weights(2)], {"strides": [2, 2]}),
    "pads": ((2, 4, 5), [weights(2, 2, 3, 3)], {"strides": [2, 3], "pads": [1, 0, 1, 2], "output_padding": [1, 2]}),
    "groups": ((4, 3, 3), [weights(4, 2, 2, 2), weights(4)], {"group": 2, "dilations": [2, 1]}),
    "one axis": ((2, 6), [weights(2, 3, 4)], {"strides": [2], "pads": [1, 1]}),
}


@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolutions(name: str) -> None:
    shape, arrays, attributes = TRANSPOSED[name]
    check(model([("ConvTranspose", arrays, attributes)], ["N", *shape]), (3, *shape), (1, *shape))
