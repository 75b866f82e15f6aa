"""Sessions of a model whose inputs are other than its file says, as ONNX Runtime lets them be.

::

    feeds ──▶ the session ──▶ refused? ─┬─ of different lengths ──▶ Apart        each has a first dimension of its own
                                        └─ name an initializer ──▶ Overriding   it is an input without a value
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputError
from ..session.loading import load_onnx
from ..session.node_args import NodeArg, overridable_args
from ..session.session import Session
from .errors import InvalidArgument


class Apart:
    """A model whose inputs begin with an open dimension, each with one of its own.

    Where a file gives the first dimensions of several inputs one name, or none, a program takes them for as many rows.
    ONNX Runtime warns of other lengths, and goes on: a row against many, queries against references. What our own files
    say of their rows holds.
    """

    def __init__(self, model: Any, names: Sequence[str], threads: int) -> None:
        self._model, self._names, self._threads = model, names, threads
        self._session: Session | None = None

    @classmethod
    def of(cls, model: Any, threads: int) -> Apart | None:
        """Return the model if it has several such inputs."""
        dims = {v.name: v.type.tensor_type.shape.dim for v in model.graph.input}
        names = [name for name, sizes in dims.items() if sizes and not sizes[0].HasField("dim_value")]
        return cls(model, names, threads) if len(names) > 1 else None

    def concerns(self, feeds: Any) -> bool:
        """Whether inputs are of different lengths."""
        given = [feeds[name] for name in self._names if name in feeds] if isinstance(feeds, Mapping) else []
        return len({len(value) for value in given if getattr(value, "ndim", 0)}) > 1

    def run(self, output_names: Any, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs, with a warning where the file says that lengths are the same."""
        symbols = [v.type.tensor_type.shape.dim[0].dim_param for v in self._model.graph.input if v.name in self._names]
        if len(set(filter(None, symbols))) < len([*filter(None, symbols)]):
            warnings.warn("inputs are of different lengths where the file says that they are equal.", stacklevel=4)
        if self._session is None:
            self._session = load_onnx(self._renamed(), self._threads)
        return _asked(self._session, output_names, feeds)

    def _renamed(self) -> Any:
        model = type(self._model)()
        model.CopyFrom(self._model)
        model.graph.ClearField("value_info")  # what it says of shapes no longer holds
        for value in model.graph.input:
            if value.name in self._names:
                value.type.tensor_type.shape.dim[0].dim_param = f"length of {value.name}"
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")
        return model


class Overriding:
    """A model of whose inputs some have a value in the file, which a caller may give another one.

    Attributes
    ----------
    args : list of NodeArg
        Those inputs; none before version 4 of the format, where such values are constants.
    """

    def __init__(self, model: Any, threads: int) -> None:
        self.args: list[NodeArg] = overridable_args(model) if model.ir_version >= 4 else []
        self._model, self._threads = model if self.args else None, threads
        self._sessions: dict[frozenset[str], Session] = {}

    def concerned(self, feeds: Any) -> frozenset[str]:
        """Return the inputs among those given that have a value of their own."""
        return frozenset(arg.name for arg in self.args if isinstance(feeds, Mapping) and arg.name in feeds)

    def run(self, output_names: Any, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs for values instead of those in the file."""
        names = self.concerned(feeds)
        if names not in self._sessions:
            self._sessions[names] = load_onnx(self._without(names), self._threads)
        return _asked(self._sessions[names], output_names, feeds)

    def _without(self, names: frozenset[str]) -> Any:
        assert self._model is not None, "no input is concerned"
        model = type(self._model)()
        model.CopyFrom(self._model)
        kept = [tensor for tensor in model.graph.initializer if tensor.name not in names]
        del model.graph.initializer[:]
        model.graph.initializer.extend(kept)
        return model


def _asked(session: Session, output_names: Any, feeds: Mapping[str, Any]) -> list[Any]:
    try:
        return session.run(output_names, feeds)
    except InputError as error:
        raise InvalidArgument(str(error)) from error
