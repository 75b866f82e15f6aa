"""ONNX Runtime's names over our sessions: see inference_session.py."""
