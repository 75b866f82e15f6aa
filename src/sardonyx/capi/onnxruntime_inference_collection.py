"""Sessions and values, where some scripts import them from."""

from ..ort.inference_session import InferenceSession
from ..ort.values import IOBinding, OrtValue

__all__ = ["IOBinding", "InferenceSession", "OrtValue"]
