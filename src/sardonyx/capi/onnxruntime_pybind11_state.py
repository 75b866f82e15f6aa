"""The exceptions and more, where ONNX Runtime's users import them from."""

from ..ort.environment import get_all_providers, get_available_providers, get_device, get_version_string
from ..ort.errors import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoModel,
    NoSuchFile,
    NotImplemented,
    RuntimeException,
)
from ..ort.inference_session import ModelMetadata
from ..ort.options import ExecutionMode, GraphOptimizationLevel, RunOptions, SessionOptions
from ..session.node_args import NodeArg

__all__ = [
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
    "RunOptions",
    "RuntimeException",
    "SessionOptions",
    "get_all_providers",
    "get_available_providers",
    "get_device",
    "get_version_string",
]
