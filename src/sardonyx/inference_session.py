"""The names of ONNX Runtime's Python interface, so that ``import sardonyx as ort`` is enough for inference scripts.

::

    session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    session.run(None, {session.get_inputs()[0].name: X})

What a setting means here is honoured (threads); any other is accepted with a warning. Inputs are what ONNX Runtime
takes, and more: what fits exactly is cast. Errors have ONNX Runtime's names and are ours too. There is one device, the
processor. `Session` (session.py) is the native home of all this.
"""

from __future__ import annotations

import enum
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, ModelError, SardonyxError
from .inputs import is_missing
from .loading import load_onnx, parse_onnx
from .node_args import NodeArg, node_args
from .session import Session

PROVIDERS = ["CPUExecutionProvider"]


# ---- errors ----------------------------------------------------------------------------------------------------------


class Fail(ModelError):
    """Something failed."""


class InvalidArgument(InputError):
    """A name, type or shape does not fit the model."""


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


# ---- options ---------------------------------------------------------------------------------------------------------


class GraphOptimizationLevel(enum.IntEnum):
    """How much the graph may be rewritten; here it always is, without changing results."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Whether operators run one after the other; here they do, and threads take rows."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class _Options:
    """Attributes of ONNX Runtime's; those that mean nothing here are kept, and warned about once they are set."""

    _known: Mapping[str, Any] = {}
    _silent: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.__dict__.update(self._known)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._known:
            raise AttributeError(f"{type(self).__name__} has no setting {name!r}; it has {', '.join(self._known)}.")
        if name not in self._silent and value != self._known[name]:
            warnings.warn(f"{type(self).__name__}.{name} means nothing to sardonyx and is ignored.", stacklevel=2)
        self.__dict__[name] = value

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Accept an entry, which means nothing here."""
        warnings.warn(f"the entry {key!r} means nothing to sardonyx and is ignored.", stacklevel=2)


class SessionOptions(_Options):
    """Settings of a session. ``intra_op_num_threads`` is the most threads of a call, 0 for all processors."""

    _known: Mapping[str, Any] = {
        "intra_op_num_threads": 0,
        "inter_op_num_threads": 0,
        "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL,
        "execution_mode": ExecutionMode.ORT_SEQUENTIAL,
        "log_severity_level": 2,
        "log_verbosity_level": 0,
        "logid": "",
        "enable_profiling": False,
        "profile_file_prefix": "onnxruntime_profile_",
        "optimized_model_filepath": "",
        "enable_mem_pattern": True,
        "enable_mem_reuse": True,
        "enable_cpu_mem_arena": True,
        "use_deterministic_compute": False,
    }
    #: settings that change no result, only how one is made or told
    _silent = frozenset(_known) - {"enable_profiling", "optimized_model_filepath"}


class RunOptions(_Options):
    """Settings of a call, none of which means anything here."""

    _known: Mapping[str, Any] = {
        "log_severity_level": 2,
        "log_verbosity_level": 0,
        "logid": "",
        "terminate": False,
        "only_execute_path_to_fetches": False,
    }
    _silent = frozenset(_known) - {"terminate"}

    def add_run_config_entry(self, key: str, value: str) -> None:
        """Accept an entry, which means nothing here."""
        self.add_session_config_entry(key, value)


def get_available_providers() -> list[str]:
    """Return the execution providers: the processor."""
    return list(PROVIDERS)


def get_all_providers() -> list[str]:
    """Return the execution providers: the processor."""
    return list(PROVIDERS)


def get_device() -> str:
    """Return the device that models run on."""
    return "CPU"


def set_default_logger_severity(severity: int) -> None:
    """Accept a severity; nothing is logged here."""


# ---- values ----------------------------------------------------------------------------------------------------------


class ModelMetadata:
    """What a model says of itself."""

    def __init__(self, model: Any) -> None:
        self.producer_name: str = model.producer_name
        self.graph_name: str = model.graph.name
        self.domain: str = model.domain
        self.description: str = model.doc_string
        self.graph_description: str = model.graph.doc_string
        self.version: int = int(model.model_version)
        self.custom_metadata_map: dict[str, str] = {item.key: item.value for item in model.metadata_props}


class OrtValue:
    """A value on a device: an array on the processor."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @classmethod
    def ortvalue_from_numpy(cls, array: NDArray[Any], device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        """Return an array as a value."""
        if device_type.lower() != "cpu":
            raise InvalidArgument(f"there is no device {device_type!r} here; values live on the 'cpu'.")
        return cls(np.asarray(array))

    def numpy(self) -> Any:
        """Return the array."""
        return self._value

    def shape(self) -> list[int]:
        """Return the array's shape."""
        return list(self._value.shape)

    def device_name(self) -> str:
        """Return the device."""
        return "cpu"

    def has_value(self) -> bool:
        """Whether there is a value."""
        return self._value is not None

    def is_tensor(self) -> bool:
        """Whether the value is an array."""
        return isinstance(self._value, np.ndarray)


class IOBinding:
    """Inputs and outputs bound to names, for `InferenceSession.run_with_iobinding`; all are on the processor."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._inputs: dict[str, Any] = {}
        self._outputs: list[str] = []
        self._results: list[Any] = []

    def bind_cpu_input(self, name: str, arr_on_cpu: Any) -> None:
        """Bind an array to an input."""
        self._inputs[name] = arr_on_cpu

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        """Bind a value to an input."""
        self._inputs[name] = ortvalue.numpy()

    def bind_output(self, name: str, device_type: str = "cpu", device_id: int = 0, **given: Any) -> None:
        """Ask for an output."""
        if device_type.lower() != "cpu" or given.get("buffer_ptr"):
            raise InvalidArgument("outputs are new arrays on the 'cpu'; bind them without a device and a buffer.")
        self._outputs.append(name)

    def clear_binding_inputs(self) -> None:
        """Forget the inputs."""
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        """Forget the outputs."""
        self._outputs.clear()

    def copy_outputs_to_cpu(self) -> list[Any]:
        """Return the outputs as arrays."""
        return list(self._results)

    def get_outputs(self) -> list[OrtValue]:
        """Return the outputs as values."""
        return [OrtValue(result) for result in self._results]


# ---- the session -----------------------------------------------------------------------------------------------------


class InferenceSession:
    """A loaded model with ONNX Runtime's methods.

    Parameters
    ----------
    path_or_bytes : path or bytes
        An ``.onnx`` file, or what it contains.
    sess_options : SessionOptions, optional
    providers : sequence, optional
        Execution providers in order of preference, names or (name, options). The processor is used whatever they are;
        a list without it is warned about.
    provider_options : sequence of dict, optional
        Of the providers; ignored.

    Raises
    ------
    NoSuchFile
        There is no file of this name.
    InvalidProtobuf, InvalidGraph, Fail
        It is not a model that can be loaded. All are `ModelError`.
    """

    def __init__(
        self,
        path_or_bytes: str | os.PathLike[str] | bytes,
        sess_options: Any = None,
        providers: Sequence[Any] | None = None,
        provider_options: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        names = [p if isinstance(p, str) else p[0] for p in providers or PROVIDERS]
        if PROVIDERS[0] not in names:
            warnings.warn(f"the providers {names} are not here; {PROVIDERS[0]} is used.", stacklevel=2)
        threads = int(getattr(sess_options, "intra_op_num_threads", 0) or 0)
        model = _parsed(path_or_bytes)
        self._options = sess_options or SessionOptions()
        self._inputs, self._outputs = node_args(model)
        self._meta = ModelMetadata(model)
        self._text = {arg.name for arg in self._inputs if arg.type == "tensor(string)"}
        self._session = _loaded(model, threads)

    @property
    def session(self) -> Session:
        """The session of sardonyx that does the work."""
        return self._session

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: Any = None
    ) -> list[Any]:
        """Return the outputs named, all if None, for inputs by name.

        Raises
        ------
        InvalidArgument
            A name, type, shape or value does not fit.
        RuntimeException
            The model refuses the values.
        """
        if self._text and isinstance(input_feed, Mapping):
            input_feed = {k: _text(v) if k in self._text else v for k, v in input_feed.items()}
        try:
            return self._session.run(output_names, input_feed)
        except InputError as error:
            raise InvalidArgument(str(error)) from error
        except SardonyxError:
            raise
        except Exception as error:
            raise RuntimeException(f"{type(error).__name__}: {error}") from error

    def run_with_ort_values(
        self, output_names: Sequence[str] | None, input_dict_ort_values: Mapping[str, OrtValue], run_options: Any = None
    ) -> list[OrtValue]:
        """Return outputs as values for inputs as values."""
        results = self.run(output_names, {name: value.numpy() for name, value in input_dict_ort_values.items()})
        return [OrtValue(result) for result in results]

    def io_binding(self) -> IOBinding:
        """Return a binding of inputs and outputs."""
        return IOBinding(self)

    def run_with_iobinding(self, iobinding: IOBinding, run_options: Any = None) -> None:
        """Compute the bound outputs, all if none is bound, and keep them in the binding."""
        iobinding._results = self.run(iobinding._outputs or None, iobinding._inputs)

    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs: ``name``, ``type``, ``shape``."""
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs: ``name``, ``type``, ``shape``."""
        return list(self._outputs)

    def get_overridable_initializers(self) -> list[NodeArg]:
        """Return the inputs that have a value of their own: none may be given here."""
        return []

    def get_modelmeta(self) -> ModelMetadata:
        """Return what the model says of itself."""
        return self._meta

    def get_providers(self) -> list[str]:
        """Return the execution providers: the processor."""
        return list(PROVIDERS)

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """Return the options of the execution providers, which have none."""
        return {name: {} for name in PROVIDERS}

    def set_providers(self, providers: Any = None, provider_options: Any = None) -> None:
        """Accept providers; the processor stays."""

    def get_session_options(self) -> Any:
        """Return the settings."""
        return self._options

    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels, and what runs in Python instead."""
        return self._session.explain()


def _parsed(given: Any) -> Any:
    try:
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            return parse_onnx(path.read_bytes(), str(path.parent))
        if isinstance(given, bytes | bytearray | memoryview):
            return parse_onnx(bytes(given))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NoSuchFile(f"Load model from {given} failed. File doesn't exist: {error}") from error
    except ModelError as error:
        raise InvalidProtobuf(str(error)) from error
    raise TypeError(f"Unable to load from type {type(given).__name__!r}; give a path or bytes.")


def _loaded(model: Any, threads: int) -> Session:
    try:
        return load_onnx(model, threads)
    except ModelError as error:
        unknown = "No registered" in str(error) or "is unknown" in str(error)
        kind: type[ModelError] = NotImplemented if unknown else InvalidGraph
        raise kind(str(error)) from error


def _text(value: Any) -> Any:
    """Return text in which what is missing is written out, as ONNX Runtime does."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        texts = np.empty(value.size, object)
        texts[:] = [v if isinstance(v, str) else str(v) if is_missing(v) else v for v in value.ravel().tolist()]
        return texts.reshape(value.shape)
    return value
