"""Where scripts for ONNX Runtime look for its errors and classes: names only, all of them defined in `ort`."""
