"""ONNX Runtime's place for what scripts import beside its sessions."""
