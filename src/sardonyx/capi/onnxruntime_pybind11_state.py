"""The exceptions and more, where ONNX Runtime's users import them from."""

from ..ort.devices import OrtAllocatorType, OrtArenaCfg, OrtDevice, OrtMemoryInfo, OrtMemType, SparseTensor
from ..ort.environment import get_all_providers, get_available_providers, get_device, get_version_string
from ..ort.errors import (
    DeviceReset,
    EngineError,
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    ModelLoadCanceled,
    ModelLoaded,
    ModelRequiresCompilation,
    NoModel,
    NoSuchFile,
    NotFound,
    NotImplemented,
    RuntimeException,
)
from ..ort.inference_session import ModelMetadata
from ..ort.options import ExecutionMode, GraphOptimizationLevel, RunOptions, SessionOptions
from ..session.node_args import NodeArg

__all__ = [
    "DeviceReset",
    "EngineError",
    "ModelLoadCanceled",
    "ModelLoaded",
    "ModelRequiresCompilation",
    "NotFound",
    "EPFail",
    "ExecutionMode",
    "Fail",
    "GraphOptimizationLevel",
    "InvalidArgument",
    "InvalidGraph",
    "InvalidProtobuf",
    "ModelMetadata",
    "NoModel",
    "NoSuchFile",
    "NodeArg",
    "NotImplemented",
    "OrtAllocatorType",
    "OrtArenaCfg",
    "OrtDevice",
    "OrtMemType",
    "OrtMemoryInfo",
    "RunOptions",
    "RuntimeException",
    "SessionOptions",
    "SparseTensor",
    "get_all_providers",
    "get_available_providers",
    "get_device",
    "get_version_string",
]
