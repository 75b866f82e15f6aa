"""ONNX Runtime's words for places of memory, of which there is one: the processor's."""

from __future__ import annotations

import enum
from typing import Any, NoReturn

from . import errors
from .errors import InvalidArgument


class OrtAllocatorType(enum.IntEnum):
    """How memory is had; here NumPy does it."""

    INVALID = -1
    ORT_DEVICE_ALLOCATOR = 0
    ORT_ARENA_ALLOCATOR = 1


class OrtMemType(enum.IntEnum):
    """What memory is for."""

    CPU_INPUT = -2
    CPU_OUTPUT = -1
    CPU = -1
    DEFAULT = 0


class OrtDevice:
    """A device: the processor.

    Parameters
    ----------
    device_type, memory_type, device_id : int
        0, what ONNX Runtime has for the processor.
    """

    def __init__(self, device_type: int = 0, memory_type: int = 0, device_id: int = 0) -> None:
        if device_type:
            raise InvalidArgument(f"there is no device of type {device_type} here; values live on the processor, 0.")
        self._memory_type, self._device_id = memory_type, device_id

    @staticmethod
    def make(ort_device_name: str, device_id: int) -> OrtDevice:
        """Return the device of a name."""
        if ort_device_name.lower() != "cpu":
            raise InvalidArgument(f"there is no device {ort_device_name!r} here; values live on the 'cpu'.")
        return OrtDevice(device_id=device_id)

    def device_type(self) -> int:
        """Return the type: the processor's."""
        return 0

    def device_id(self) -> int:
        """Return the number that was given."""
        return self._device_id

    def device_mem_type(self) -> int:
        """Return the type of memory that was given."""
        return self._memory_type


class OrtMemoryInfo:
    """A description of memory, which means nothing here."""

    def __init__(self, name: str, allocator_type: Any, device_id: int, mem_type: Any) -> None:
        self.name, self.allocator_type, self.device_id, self.mem_type = name, allocator_type, device_id, mem_type


class OrtArenaCfg:
    """Settings of an arena of memory, which mean nothing here."""

    def __init__(self, *settings: Any) -> None:
        self.settings = settings


def create_and_register_allocator(mem_info: Any, arena_cfg: Any) -> None:
    """Accept settings of memory that sessions share; each has its own here."""


class SparseTensor:
    """Sparse tensors of ONNX Runtime's, which no operator here takes.

    Raises
    ------
    NotImplemented
        Whatever is asked of it.
    """

    def __init__(self, *values: Any) -> None:
        _refuse()

    @staticmethod
    def sparse_coo_from_numpy(*values: Any) -> NoReturn:
        """Refuse entries by their places."""
        _refuse()

    @staticmethod
    def sparse_csr_from_numpy(*values: Any) -> NoReturn:
        """Refuse entries row by row."""
        _refuse()


def _refuse() -> NoReturn:
    raise errors.NotImplemented(
        "sparse tensors are no values here; give SciPy's matrices to a session of sardonyx.load, which takes them."
    )
