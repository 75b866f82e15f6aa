"""The same names as in onnxruntime_pybind11_state, where older scripts import them from."""

from .onnxruntime_pybind11_state import *  # noqa: F403
