"""The exceptions of sardonyx. Every message says what was given, what is accepted, and what to do next."""

from __future__ import annotations


class SardonyxError(Exception):
    """Base of all errors raised on purpose by sardonyx."""


class ConversionError(SardonyxError, TypeError):
    """An estimator, a parameter or a method cannot be converted exactly."""


class InputError(SardonyxError, ValueError):
    """Data given to a model do not fit what it expects (names, number, type, missing values)."""


class ModelError(SardonyxError, ValueError):
    """A model file is corrupt, truncated, or uses what is not supported."""


class ProgramError(ModelError):
    """A compiled program is not of the legal form."""


class VerificationError(SardonyxError, AssertionError):
    """A converted model does not say what the estimator says."""


class MissingMethodError(SardonyxError, AttributeError):
    """A model file does not hold the method asked for."""
