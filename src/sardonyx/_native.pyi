"""The native core: loads and runs programs. Built from native/ (see native/python/module.cpp)."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Self

from numpy.typing import NDArray

_Port = tuple[str, str, tuple[int, ...]]

class Program:
    @classmethod
    def from_bytes(cls, buffer: bytes | bytearray | memoryview, threads: int = 0, isa: str | None = None) -> Self: ...
    @classmethod
    def open(cls, path: str | PathLike[str], threads: int = 0, isa: str | None = None) -> Self: ...
    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: None = None
    ) -> list[NDArray[Any]]: ...
    @property
    def inputs(self) -> tuple[_Port, ...]: ...
    @property
    def outputs(self) -> tuple[_Port, ...]: ...
    @property
    def steps(self) -> tuple[tuple[str, str, str], ...]: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def block_rows(self) -> int: ...
    @property
    def isa(self) -> str: ...

_Hook = Callable[[Any, Any], dict[str, NDArray[Any]]]

def set_coerce(hook: _Hook | None, /) -> _Hook | None: ...
def isa() -> str: ...
def kernels() -> dict[str, tuple[str, ...]]: ...
def pack_trees(
    feature: NDArray[Any],
    split: NDArray[Any],
    children: NDArray[Any],
    is_leaf: NDArray[Any],
    missing: NDArray[Any],
    set_of: NDArray[Any],
    roots: NDArray[Any],
    n_leaves: int,
    n_features: int,
    /,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], int]: ...
