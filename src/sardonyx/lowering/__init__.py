"""From an ONNX model to what the native core runs: lower.py tells the story."""
