"""The standard's own interface of a runtime, `onnx.backend.base`, which its conformance tests speak.

::

    rep = sardonyx.backend.prepare(model)        a loaded model
    rep.run([x, y])                              its outputs, a tuple

Nothing is computed here: loading.py loads, the session runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from onnx import helper
from onnx.backend.base import Backend, BackendRep

from .errors import InputError
from .session.loading import load
from .session.session import Session


class SardonyxRep(BackendRep):
    """A loaded model: its inputs are given in the order of the graph.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the outputs for inputs given in order, or by name.

        Raises
        ------
        InputError
            There are more inputs than the model has, or one does not fit.
        """
        names = [value.name for value in self.session.get_inputs()]
        if not isinstance(inputs, Mapping):
            values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
            if len(values) > len(names):
                raise InputError(f"{len(values)} inputs are given; the model takes {len(names)}: {names}.")
            inputs = dict(zip(names, values, strict=False))
        return tuple(self.session.run(None, inputs))


class SardonyxBackend(Backend):
    """Sardonyx as an `onnx.backend.base.Backend`."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> SardonyxRep:
        """Return the model, loaded. Other keyword arguments are those of other backends, and are ignored."""
        return SardonyxRep(load(model))

    @classmethod
    def run_node(
        cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None, **kwargs: Any
    ) -> tuple[Any, ...]:
        """Return what one operator gives. ``opset_version`` says the version of its domain, the newest by default."""
        versions = {node.domain: kwargs["opset_version"]} if "opset_version" in kwargs else {}
        version = versions.get(node.domain, onnx.defs.onnx_opset_version() if not node.domain else 1)
        if node.domain == "ai.onnx.ml" and not versions:
            version = max(
                schema.since_version for schema in onnx.defs.get_all_schemas() if schema.domain == node.domain
            )
        graph = helper.make_graph(
            [node],
            "node",
            [onnx.ValueInfoProto(name=name) for name in node.input if name],
            [onnx.ValueInfoProto(name=name) for name in node.output if name],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid(node.domain, version)])
        return cls.prepare(model, device).run(inputs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether the device is the processor: there is no other here."""
        return device.split(":")[0] == "CPU"


is_compatible = SardonyxBackend.is_compatible
prepare = SardonyxBackend.prepare
run_model = SardonyxBackend.run_model
run_node = SardonyxBackend.run_node
supports_device = SardonyxBackend.supports_device
