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

from ..errors import InputError, ModelError, SardonyxError
from ..inputs.values import is_missing
from ..session.loading import load_onnx, parse_onnx
from ..session.node_args import NodeArg, node_args
from ..session.session import Session
from . import errors as ort_errors
from .errors import InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, RuntimeException
from .values import IOBinding, OrtValue

PROVIDERS = ["CPUExecutionProvider"]

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
        """Keep an entry, which means nothing here."""
        warnings.warn(f"the entry {key!r} means nothing to sardonyx and is ignored.", stacklevel=2)
        self.__dict__.setdefault("_entries", {})[key] = value

    def get_session_config_entry(self, key: str) -> str:
        """Return an entry that was added."""
        entries: dict[str, str] = self.__dict__.get("_entries", {})
        if key not in entries:
            raise InvalidArgument(f"there is no entry {key!r}; there are {sorted(entries)}.")
        return entries[key]


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

    def add_free_dimension_override_by_name(self, name: str, value: int) -> None:
        """Accept a size of a symbolic dimension, which the arrays say themselves."""

    def add_free_dimension_override_by_denotation(self, denotation: str, value: int) -> None:
        """Accept a size of a dimension, which the arrays say themselves."""

    def use_per_session_threads(self) -> None:
        """Accept that a session has its own threads: it has."""

    def register_custom_ops_library(self, path: str) -> None:
        """Refuse operators of a library.

        Raises
        ------
        NotImplemented
            Always.
        """
        raise ort_errors.NotImplemented(
            f"operators of the library {path!r} are made for ONNX Runtime; write them as functions of the model."
        )

    def add_initializer(self, name: str, ortvalue: OrtValue) -> None:
        """Refuse to change a model's constants from outside.

        Raises
        ------
        NotImplemented
            Always.
        """
        raise ort_errors.NotImplemented(f"the initializer {name!r} is part of the file here; write it there with onnx.")


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
        """Keep an entry, which means nothing here."""
        self.add_session_config_entry(key, value)

    def get_run_config_entry(self, key: str) -> str:
        """Return an entry that was added."""
        return self.get_session_config_entry(key)


def get_available_providers() -> list[str]:
    """Return the execution providers: the processor."""
    return list(PROVIDERS)


def get_all_providers() -> list[str]:
    """Return the execution providers: the processor."""
    return list(PROVIDERS)


def get_device() -> str:
    """Return the device that models run on."""
    return "CPU"


def get_version_string() -> str:
    """Return the version of this package."""
    from .. import __version__

    return __version__


def get_build_info() -> str:
    """Return what the native core was built as."""
    return f"sardonyx {get_version_string()}"


def set_default_logger_severity(severity: int) -> None:
    """Accept a severity; nothing is logged here."""


def set_default_logger_verbosity(verbosity: int) -> None:
    """Accept a verbosity; nothing is logged here."""


def set_seed(seed: int) -> None:
    """Accept a seed; no operator with a kernel draws numbers."""


def disable_telemetry_events() -> None:
    """Accept that nothing is told to anyone."""


def enable_telemetry_events() -> None:
    """Accept it, and tell no one anything."""


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
        iobinding.compute()

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

    def disable_fallback(self) -> None:
        """Accept that there is no other provider to fall back to."""

    def enable_fallback(self) -> None:
        """Accept it; there is no other provider to fall back to."""

    def get_profiling_start_time_ns(self) -> int:
        """Return when profiling began: never."""
        return 0

    def end_profiling(self) -> str:
        """Return the file that profiling wrote: none."""
        return ""

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
        kind: type[ModelError] = ort_errors.NotImplemented if unknown else InvalidGraph
        raise kind(str(error)) from error


def _text(value: Any) -> Any:
    """Return text in which what is missing is written out, as ONNX Runtime does."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        texts = np.empty(value.size, object)
        texts[:] = [v if isinstance(v, str) else str(v) if is_missing(v) else v for v in value.ravel().tolist()]
        return texts.reshape(value.shape)
    return value
