"""ONNX Runtime's names of errors; each is one of ours too, so that either may be caught."""

from __future__ import annotations

from ..errors import InputError, ModelError


class Fail(ModelError):
    """Something failed."""


class InvalidArgument(InputError):
    """A name, type or shape does not fit the model."""


class UnknownName(InvalidArgument, RuntimeError):
    """A name that is bound is none of the model's."""


class NoSuchFile(ModelError, FileNotFoundError):
    """There is no such file."""


class NoModel(ModelError):
    """There is no model."""


class InvalidProtobuf(ModelError):
    """The file is not an ONNX file."""


class InvalidGraph(ModelError):
    """The graph is not a legal one."""


class NotImplemented(ModelError):
    """An operator or type is not implemented."""


class RuntimeException(ModelError):
    """The model cannot be computed."""


class EPFail(ModelError):
    """An execution provider failed."""


class NotFound(ModelError):
    """Something that a model names is not there."""


class EngineError(ModelError):
    """An engine of another device failed."""


class DeviceReset(ModelError):
    """Another device was lost."""


class ModelLoaded(ModelError):
    """A model was loaded before."""


class ModelLoadCanceled(ModelError):
    """Loading was cancelled."""


class ModelRequiresCompilation(ModelError):
    """A model must be compiled first."""
