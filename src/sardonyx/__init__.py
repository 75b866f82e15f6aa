"""Sardonyx: fitted scikit-learn models as exact ONNX files, proven, and run faster than anywhere else."""

from __future__ import annotations

from .errors import ConversionError, InputError, ModelError, ProgramError, SardonyxError, VerificationError
from .registry import converter

__version__ = "0.1.0"

__all__ = [
    "ConversionError",
    "InputError",
    "ModelError",
    "ProgramError",
    "SardonyxError",
    "VerificationError",
    "converter",
]
