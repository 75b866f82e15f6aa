"""ONNX Runtime's functions that tell of the runtime itself, and settings of all sessions."""

from __future__ import annotations

from typing import Any

PROVIDERS = ["CPUExecutionProvider"]


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


def set_default_logger_callback(callback: Any) -> None:
    """Accept a callback; nothing is logged here."""


def set_global_thread_pool_sizes(intra_op_num_threads: int, inter_op_num_threads: int) -> None:
    """Accept sizes; every session has its own threads."""


def get_ep_devices() -> list[Any]:
    """Return the devices of execution providers: none beside the processor."""
    return []


def has_collective_ops() -> bool:
    """Whether operators work across machines: none does."""
    return False


def preload_dlls(cuda: bool = True, cudnn: bool = True, msvc: bool = True, directory: str | None = None) -> None:
    """Accept a wish for libraries of other devices."""


def print_debug_info() -> None:
    """Print the version, and what the native core was built as."""
    from .. import _native

    print(f"{get_build_info()}, {_native.isa()}")
