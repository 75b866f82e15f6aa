"""ONNX Runtime's values and bindings: arrays on the processor, which is the only device.

::

    value = ort.OrtValue.ortvalue_from_numpy(X)            binding = session.io_binding()
    value.numpy() is X                                     binding.bind_cpu_input("X", X)
                                                           binding.bind_output("Y")
                                                           session.run_with_iobinding(binding)
                                                           (Y,) = binding.copy_outputs_to_cpu()

Memory is NumPy's. Where a binding names memory of the caller's, inputs are read there and results copied there.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..lowering.rules import dtype_name
from ..session.node_args import NodeArg, tensor_type
from .errors import InvalidArgument, UnknownName

if TYPE_CHECKING:
    from .inference_session import InferenceSession


def _check_device(device_type: str) -> None:
    if device_type.lower() != "cpu":
        raise InvalidArgument(f"there is no device {device_type!r} here; values live on the 'cpu'.")


def _dtype(element_type: Any) -> np.dtype[Any]:
    """Return an element type given as NumPy's or as ONNX's number."""
    if isinstance(element_type, int):
        import onnx

        element_type = onnx.helper.tensor_dtype_to_np_dtype(element_type)
    dtype: np.dtype[Any] = np.dtype(element_type)
    return dtype


class OrtValue:
    """A value on a device: an array on the processor."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @classmethod
    def ortvalue_from_numpy(cls, array: NDArray[Any], device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        """Return an array as a value."""
        _check_device(device_type)
        return cls(np.asarray(array))

    @classmethod
    def ortvalue_from_numpy_with_onnx_type(cls, data: NDArray[Any], onnx_element_type: int) -> OrtValue:
        """Return the bits of an array as a value of one of ONNX's types, of elements as large."""
        dtype = _dtype(onnx_element_type)
        if data.dtype.itemsize != dtype.itemsize:
            raise InvalidArgument(f"elements of {data.dtype} are not as large as those of {dtype}.")
        return cls(np.ascontiguousarray(data).view(dtype))

    @classmethod
    def ortvalue_from_shape_and_type(
        cls, shape: Sequence[int], element_type: Any, device_type: str = "cpu", device_id: int = 0
    ) -> OrtValue:
        """Return a value of a shape and type, its elements undefined; the type is NumPy's or ONNX's number."""
        _check_device(device_type)
        return cls(np.empty(tuple(shape), _dtype(element_type)))

    @classmethod
    def from_dlpack(cls, data: Any, is_bool_tensor: bool = False) -> OrtValue:
        """Return an array of another library as a value, without a copy."""
        array = np.from_dlpack(data)
        return cls(array.view(bool) if is_bool_tensor else array)

    def numpy(self) -> Any:
        """Return the array."""
        return self._value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if dtype is None and not copy:
            return np.asarray(self._value)
        return np.array(self._value, dtype) if copy is not False else np.asarray(self._value, dtype)

    def __dlpack__(self, **options: Any) -> Any:
        return self._value.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._value.__dlpack_device__()

    def update_inplace(self, array: NDArray[Any]) -> None:
        """Replace the elements by those of an array of the same shape and type."""
        if np.shape(array) != self._value.shape or np.asarray(array).dtype != self._value.dtype:
            raise InvalidArgument(
                f"the value is {self._value.dtype} of shape {list(self._value.shape)}; give the same."
            )
        self._value[...] = array

    def shape(self) -> list[int]:
        """Return the array's shape."""
        return list(self._value.shape)

    def data_type(self) -> str:
        """Return the type in ONNX Runtime's words."""
        return tensor_type(dtype_name(self._value)) if self.is_tensor() else "seq"

    def element_type(self) -> int:
        """Return ONNX's number of the element type."""
        from ..lowering.reference.graphs import element_type

        return element_type(dtype_name(self._value))

    def data_ptr(self) -> int:
        """Return the address of the elements."""
        return int(self._value.ctypes.data)

    def tensor_size_in_bytes(self) -> int:
        """Return the size of the elements."""
        return int(self._value.nbytes)

    def device_name(self) -> str:
        """Return the device."""
        return "cpu"

    def has_value(self) -> bool:
        """Whether there is a value."""
        return self._value is not None

    def is_tensor(self) -> bool:
        """Whether the value is an array."""
        return isinstance(self._value, np.ndarray)

    def is_sparse_tensor(self) -> bool:
        """Whether the value is a sparse tensor: there are none."""
        return False

    def is_tensor_sequence(self) -> bool:
        """Whether the value is a list of arrays."""
        return isinstance(self._value, list)


class IOBinding:
    """Inputs and outputs bound to names, for `InferenceSession.run_with_iobinding`; all are on the processor."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._inputs: dict[str, Any] = {}
        self._outputs: dict[str, NDArray[Any] | None] = {}
        self._results: list[Any] = []

    def _check(self, name: str, known: Sequence[NodeArg]) -> None:
        if name not in [arg.name for arg in known]:
            raise UnknownName(
                f"Failed to find NodeArg with name: {name} in the def list; there are {[arg.name for arg in known]}."
            )

    def bind_cpu_input(self, name: str, arr_on_cpu: Any) -> None:
        """Bind an array to an input."""
        self._check(name, self._session.get_inputs())
        self._inputs[name] = arr_on_cpu

    def bind_input(
        self, name: str, device_type: str, device_id: int, element_type: Any, shape: Sequence[int], buffer_ptr: int
    ) -> None:
        """Bind memory to an input, which must live until the call: it is read where it is."""
        _check_device(device_type)
        self._check(name, self._session.get_inputs())
        self._inputs[name] = _at(buffer_ptr, _dtype(element_type), shape)

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        """Bind a value to an input."""
        self._check(name, self._session.get_inputs())
        self._inputs[name] = ortvalue.numpy()

    def bind_output(
        self,
        name: str,
        device_type: str = "cpu",
        device_id: int = 0,
        element_type: Any = None,
        shape: Sequence[int] | None = None,
        buffer_ptr: int | None = None,
    ) -> None:
        """Ask for an output; with an address, a type and a shape, it is copied there."""
        _check_device(device_type)
        self._check(name, self._session.get_outputs())
        if buffer_ptr and (element_type is None or shape is None):
            raise InvalidArgument("memory for an output needs its element_type and shape.")
        self._outputs[name] = _at(buffer_ptr, _dtype(element_type), shape) if buffer_ptr and shape is not None else None

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        """Ask for an output, to be copied into a value."""
        self._check(name, self._session.get_outputs())
        self._outputs[name] = ortvalue.numpy()

    def clear_binding_inputs(self) -> None:
        """Forget the inputs."""
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        """Forget the outputs."""
        self._outputs.clear()

    def synchronize_inputs(self) -> None:
        """Wait for copies of inputs: there are none."""

    def synchronize_outputs(self) -> None:
        """Wait for copies of outputs: there are none."""

    def copy_outputs_to_cpu(self) -> list[Any]:
        """Return the outputs as arrays."""
        return list(self._results)

    def get_outputs(self) -> list[OrtValue]:
        """Return the outputs as values."""
        return [OrtValue(result) for result in self._results]

    def compute(self) -> None:
        """Compute the outputs asked for, all if none is."""
        results = self._session.run(list(self._outputs) or None, self._inputs)
        places = list(self._outputs.values()) or [None] * len(results)
        self._results = [_placed(result, place) for result, place in zip(results, places, strict=True)]


def _at(address: int, dtype: np.dtype[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Return the array at an address."""
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or address <= 0 or min(shape, default=0) < 0:
        raise InvalidArgument(f"there is no {dtype} of shape {list(shape)} at {address}; text has no address.")
    memory = np.ctypeslib.as_array((ctypes.c_ubyte * size).from_address(address))
    found: NDArray[Any] = memory.view(dtype).reshape(tuple(shape))
    return found


def _placed(result: Any, place: NDArray[Any] | None) -> Any:
    if place is None:
        return result
    if not isinstance(result, np.ndarray) or result.shape != place.shape or result.dtype != place.dtype:
        found = f"{result.dtype} of shape {list(result.shape)}" if isinstance(result, np.ndarray) else "a sequence"
        raise InvalidArgument(f"an output is {found}; it is bound to {place.dtype} of shape {list(place.shape)}.")
    place[...] = result
    return place
