"""Models written down in ONNX's text form."""

from __future__ import annotations

import onnx


def parsed(text: str) -> onnx.ModelProto:
    """Return the model of a graph, and of functions behind it, in opset 18 and opset 3 of ai.onnx.ml."""
    model: onnx.ModelProto = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["": 18, "ai.onnx.ml": 3]> {text}')
    return model
