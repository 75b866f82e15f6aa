"""ONNX Runtime's options of sessions and runs: honoured where they mean something here, else taken with a warning."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from . import errors as ort_errors
from .errors import InvalidArgument
from .values import OrtValue


class _Named(enum.IntEnum):
    """A number that is written as ONNX Runtime writes it: ``ExecutionMode.ORT_PARALLEL``."""

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class GraphOptimizationLevel(_Named):
    """How much the graph may be rewritten; here it always is, without changing results."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(_Named):
    """Whether operators run one after the other; here they do, and threads take rows."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(_Named):
    """In which order operators run; here it is theirs in the file."""

    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


class _Options:
    """Attributes of ONNX Runtime's; those that mean nothing here are kept, and warned about once they are set."""

    _known: Mapping[str, Any] = {}
    _silent: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.__dict__.update(self._known)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._known:
            raise AttributeError(f"{type(self).__name__} has no setting {name!r}; it has {', '.join(self._known)}.")
        value = _of_type(name, self._known[name], value)
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


def _of_type(name: str, usual: Any, value: Any) -> Any:
    """Return a setting in the type that it has by default: text as text, numbers and their names as numbers."""
    try:
        if isinstance(value, str) == isinstance(usual, str):
            return type(usual)(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} takes {type(usual).__name__}, not {value!r}.")


class SessionOptions(_Options):
    """Settings of a session. ``intra_op_num_threads`` is the most threads of a call, 0 for all processors."""

    _known: Mapping[str, Any] = {
        "intra_op_num_threads": 0,
        "inter_op_num_threads": 0,
        "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL,
        "execution_mode": ExecutionMode.ORT_SEQUENTIAL,
        "execution_order": ExecutionOrder.DEFAULT,
        "log_severity_level": -1,
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

    def has_providers(self) -> bool:
        """Whether providers were added: there is one, always the same."""
        return False

    def add_provider(self, name: str, options: Mapping[str, str] | None = None) -> None:
        """Accept a provider; the processor stays."""
        if name != "CPUExecutionProvider":
            warnings.warn(f"the provider {name!r} is not here; CPUExecutionProvider is used.", stacklevel=2)

    def set_load_cancellation_flag(self, value: bool) -> None:
        """Accept a wish to stop loading, which is soon over."""

    def add_external_initializers(self, names: Sequence[str], values: Sequence[OrtValue]) -> None:
        """Refuse to change a model's constants from outside.

        Raises
        ------
        NotImplemented
            Always.
        """
        raise ort_errors.NotImplemented(f"the initializers {list(names)} are part of the file here; write them there.")

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
