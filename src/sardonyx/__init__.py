"""Sardonyx: fitted scikit-learn models as exact ONNX files, proven, and run natively.

The functions are imported when they are first used: a ``.sdx`` file is loaded without onnx.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import (
    ConversionError,
    InputError,
    MissingMethodError,
    ModelError,
    ProgramError,
    SardonyxError,
    VerificationError,
)

if TYPE_CHECKING:
    from .api import compile, to_onnx
    from .ort.environment import get_available_providers
    from .ort.inference_session import InferenceSession
    from .ort.options import RunOptions, SessionOptions
    from .proof.agreement import Report
    from .proof.verification import verify
    from .registry import converter
    from .session.loading import load
    from .session.session import Session

__version__ = "0.1.0"

__all__ = [
    "ConversionError",
    "InferenceSession",
    "InputError",
    "MissingMethodError",
    "ModelError",
    "ProgramError",
    "Report",
    "RunOptions",
    "SardonyxError",
    "Session",
    "SessionOptions",
    "VerificationError",
    "compile",
    "converter",
    "get_available_providers",
    "load",
    "to_onnx",
    "verify",
]

#: module -> what is found in it; what is not in `__all__` is for scripts that say ``import sardonyx as ort``
_FOUND_IN = {
    "api": "compile to_onnx",
    "registry": "converter",
    "session.loading": "load",
    "session.session": "Session",
    "proof.agreement": "Report",
    "proof.verification": "verify",
    "ort.inference_session": "InferenceSession ModelMetadata",
    "ort.options": "SessionOptions RunOptions GraphOptimizationLevel ExecutionMode ExecutionOrder",
    "ort.environment": "get_available_providers get_all_providers get_device get_version_string get_build_info "
    "set_default_logger_severity set_default_logger_verbosity set_default_logger_callback set_seed "
    "disable_telemetry_events enable_telemetry_events set_global_thread_pool_sizes get_ep_devices "
    "has_collective_ops preload_dlls print_debug_info",
    "ort.values": "OrtValue IOBinding",
    "ort.devices": "OrtAllocatorType OrtArenaCfg OrtDevice OrtMemType OrtMemoryInfo SparseTensor "
    "create_and_register_allocator",
    "session.node_args": "NodeArg",
}
_HOMES = {name: home for home, names in _FOUND_IN.items() for name in names.split()}

#: names of ONNX Runtime's that mean nothing on the processor
_OTHER_DEVICES = (
    "AdapterFormat LoraAdapter ModelCompiler ModelPackage ModelPackageContext ModelPackageOptions "
    "OrtEpDevice OrtHardwareDevice OrtSyncStream OrtExecutionProviderDevicePolicy OrtCompileApiFlags "
    "copy_tensors register_execution_provider_library unregister_execution_provider_library"
)


def __getattr__(name: str) -> Any:
    if name == "capi":  # where scripts for ONNX Runtime look for its exceptions
        importlib.import_module(".capi.onnxruntime_pybind11_state", __name__)
        return importlib.import_module(".capi", __name__)
    if name in _OTHER_DEVICES.split():
        raise AttributeError(
            f"{name} is ONNX Runtime's, for devices, adapters or compiling ahead of time; sardonyx runs on the "
            "processor, and compiles a model as it loads it (Session.save keeps it)."
        )
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
