"""A session that is one native program: ``run`` is the native core's own method, and needs no onnx."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from .. import _native
from ..inputs.tensors import coerce_feeds
from .explanation import heading, program_lines
from .node_args import NodeArg, tensor_type
from .session import Session
from .writing import whole

_native.set_coerce(lambda program, feeds: coerce_feeds(feeds, program.inputs))


class NativeSession(_native.Program, Session):
    """A session that is one native program; ``run`` is the native core's method."""

    _threads: int  # as asked for: another machine has other processors

    @property
    def _program(self) -> _native.Program:
        return self

    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs."""
        return [_node_arg(*port) for port in self.inputs]

    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs."""
        return [_node_arg(*port) for port in self.outputs]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the compiled program as an ``.sdx`` file."""
        with whole(path) as file:
            file.write_bytes(self.content())

    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels."""
        return "\n".join([*heading(self), *program_lines(self)])

    def __reduce__(self) -> tuple[Any, ...]:
        from .loading import load

        return partial(load, threads=self._threads), (self.content(),)


def _node_arg(name: str, dtype: str, shape: tuple[int, ...]) -> NodeArg:
    return NodeArg(name, tensor_type(dtype), ["N", *shape])
