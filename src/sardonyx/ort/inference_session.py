"""The names of ONNX Runtime's Python interface, so that ``import sardonyx as ort`` is enough for inference scripts.

::

    session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    session.run(None, {session.get_inputs()[0].name: X})

What a setting means here is honoured (threads); any other is accepted with a warning. Inputs are what ONNX Runtime
takes, and more: what fits exactly is cast. Errors have ONNX Runtime's names and are ours too. There is one device, the
processor. `Session` (session.py) is the native home of all this.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..description import KEY
from ..errors import InputError, ModelError, SardonyxError
from ..session.loading import load_onnx, parse_onnx
from ..session.node_args import NodeArg, node_args
from ..session.session import Session
from .environment import PROVIDERS
from .errors import InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, RuntimeException
from .options import RunOptions, SessionOptions
from .refusals import missing, refusal
from .values import IOBinding, OrtValue
from .variants import Apart, Overriding

# ---- values ----------------------------------------------------------------------------------------------------------


#: of a model that says none, in ONNX Runtime's words
NO_VERSION = (1 << 63) - 1


class ModelMetadata:
    """What a model says of itself."""

    def __init__(self, model: Any) -> None:
        self.producer_name: str = model.producer_name
        self.graph_name: str = model.graph.name
        self.domain: str = model.domain
        self.description: str = model.doc_string
        self.graph_description: str = model.graph.doc_string
        self.version: int = int(model.model_version) if model.HasField("model_version") else NO_VERSION
        self.custom_metadata_map: dict[str, str] = {item.key: item.value for item in model.metadata_props}


# ---- the session -----------------------------------------------------------------------------------------------------


class InferenceSession:
    """A loaded model with ONNX Runtime's methods.

    Parameters
    ----------
    path_or_bytes : path or bytes
        An ``.onnx`` file, or what it contains.
    sess_options : SessionOptions, optional
    providers : sequence, optional
        Execution providers in order of preference, names or (name, options). The processor is used whatever they are;
        a list without it is warned about.
    provider_options : sequence of dict, optional
        Of the providers; ignored.

    Raises
    ------
    NoSuchFile
        There is no file of this name.
    InvalidProtobuf, InvalidGraph, Fail
        It is not a model that can be loaded. All are `ModelError`.
    """

    def __init__(
        self,
        path_or_bytes: str | os.PathLike[str] | bytes,
        sess_options: Any = None,
        providers: Sequence[Any] | None = None,
        provider_options: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        asked = [providers] if isinstance(providers, str) else list(providers or PROVIDERS)
        names = [str(p[0]) if isinstance(p, list | tuple) and p else str(p) for p in asked]
        if PROVIDERS[0] not in names:
            warnings.warn(f"the providers {names} are not here; {PROVIDERS[0]} is used.", stacklevel=2)
        threads = int(getattr(sess_options, "intra_op_num_threads", 0) or 0)
        model = _parsed(path_or_bytes)
        self._options = sess_options or SessionOptions()
        self._inputs, self._outputs = node_args(model)
        self._meta = ModelMetadata(model)
        self._text = {arg.name for arg in self._inputs if arg.type == "tensor(string)"}
        self._session = _loaded(model, threads)
        self._apart = None if KEY in self._meta.custom_metadata_map else Apart.of(model, threads)
        self._overriding = Overriding(model, threads)

    @property
    def session(self) -> Session:
        """The session of sardonyx that does the work."""
        return self._session

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: Any = None
    ) -> list[Any]:
        """Return the outputs named, all if None, for inputs by name.

        Raises
        ------
        InvalidArgument
            A name, type, shape or value does not fit.
        RuntimeException
            The model refuses the values.
        """
        if run_options is not None and not isinstance(run_options, RunOptions):
            raise TypeError(f"run_options is a {type(run_options).__name__}; give RunOptions or None.")
        if self._text and isinstance(input_feed, Mapping):
            input_feed = {k: _text(v) if k in self._text else v for k, v in input_feed.items()}
        try:
            return self._session.run(output_names, input_feed)
        except InputError as error:
            return self._again(output_names, input_feed, error)
        except SardonyxError:
            raise
        except Exception as error:
            raise RuntimeException(f"{type(error).__name__}: {error}") from error

    def _again(self, output_names: Any, input_feed: Any, error: InputError) -> list[Any]:
        """Return outputs of inputs as only ONNX Runtime takes them, or asked for twice; else raise its error."""
        if isinstance(input_feed, Mapping) and any(isinstance(v, OrtValue) for v in input_feed.values()):
            plain = {k: v.numpy() if isinstance(v, OrtValue) else v for k, v in input_feed.items()}
            return self.run(output_names, plain)
        names = output_names if isinstance(output_names, list | tuple) else ()
        if len(set(names)) < len(names):
            once = list(dict.fromkeys(names))
            found = dict(zip(once, self.run(once, input_feed), strict=True))
            return [found[name] for name in names]
        if self._overriding.concerned(input_feed):
            return self._overriding.run(output_names, input_feed)
        if self._apart is not None and self._apart.concerns(input_feed):
            return self._apart.run(output_names, input_feed)
        raise InvalidArgument(refusal(self._inputs, self._outputs, names, input_feed, error)) from error

    def run_with_ort_values(
        self, output_names: Sequence[str] | None, input_dict_ort_values: Mapping[str, OrtValue], run_options: Any = None
    ) -> list[OrtValue]:
        """Return outputs as values for inputs as values."""
        results = self.run(output_names, {name: value.numpy() for name, value in input_dict_ort_values.items()})
        return [OrtValue(result) for result in results]

    def run_async(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        callback: Callable[[list[Any], Any, str], None],
        user_data: Any,
        run_options: Any = None,
    ) -> None:
        """Compute in a thread of its own; ``callback(results, user_data, error)`` is called there, error "" if none.

        Raises
        ------
        InvalidArgument
            If an input is missing. All else is told to the callback.
        TypeError
            If the callback cannot be called.
        """
        if not callable(callback):
            raise TypeError(f"the callback {callback!r} cannot be called.")
        if text := missing(self._inputs, input_feed):
            raise InvalidArgument(text)

        def work() -> None:
            results, error = [], ""
            try:
                results = self.run(output_names, input_feed, run_options)
            except Exception as raised:  # the caller's to hear of
                error = str(raised)
            callback(results, user_data, error)

        threading.Thread(target=work, daemon=True).start()

    def get_tuning_results(self) -> list[Any]:
        """Return what was tuned: nothing."""
        return []

    def set_tuning_results(self, results: Any, *, error_on_invalid: bool = False) -> None:
        """Accept what was tuned elsewhere."""

    def io_binding(self) -> IOBinding:
        """Return a binding of inputs and outputs."""
        return IOBinding(self)

    def run_with_iobinding(self, iobinding: IOBinding, run_options: Any = None) -> None:
        """Compute the bound outputs, all if none is bound, and keep them in the binding."""
        iobinding.compute()

    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs: ``name``, ``type``, ``shape``."""
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs: ``name``, ``type``, ``shape``."""
        return list(self._outputs)

    def get_overridable_initializers(self) -> list[NodeArg]:
        """Return the inputs that have a value in the file, and may be given another one."""
        return list(self._overriding.args)

    def get_modelmeta(self) -> ModelMetadata:
        """Return what the model says of itself."""
        return self._meta

    def get_providers(self) -> list[str]:
        """Return the execution providers: the processor."""
        return list(PROVIDERS)

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """Return the options of the execution providers, which have none."""
        return {name: {} for name in PROVIDERS}

    def set_providers(self, providers: Any = None, provider_options: Any = None) -> None:
        """Accept providers; the processor stays."""

    def get_session_options(self) -> Any:
        """Return the settings."""
        return self._options

    def disable_fallback(self) -> None:
        """Accept that there is no other provider to fall back to."""

    def enable_fallback(self) -> None:
        """Accept it; there is no other provider to fall back to."""

    def get_profiling_start_time_ns(self) -> int:
        """Return when profiling began: never."""
        return 0

    def end_profiling(self) -> str:
        """Return the file that profiling wrote: none."""
        return ""

    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels, and what runs in Python instead."""
        return self._session.explain()


def _parsed(given: Any) -> Any:
    try:
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            return parse_onnx(path.read_bytes(), str(path.parent))
        if isinstance(given, bytes | bytearray | memoryview):
            return parse_onnx(bytes(given))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NoSuchFile(f"Load model from {given} failed. File doesn't exist: {error}") from error
    except ModelError as error:
        place = f"Load model from {given} failed: " if isinstance(given, str | os.PathLike) else ""
        raise InvalidProtobuf(f"{place}{error}") from error
    raise TypeError(f"Unable to load from type {type(given).__name__!r}; give a path or bytes.")


def _loaded(model: Any, threads: int) -> Session:
    try:
        return load_onnx(model, threads)
    except ModelError as error:
        raise InvalidGraph(str(error)) from error


def _text(value: Any) -> Any:
    """Return text in which what is missing, and numbers, are written out, as ONNX Runtime does."""
    if isinstance(value, list) and any(not isinstance(item, str | bytes | list | tuple) for item in value):
        value = np.array(value, object)
    if isinstance(value, np.ndarray) and value.dtype == object:
        texts = np.empty(value.size, object)
        texts[:] = [v if isinstance(v, str | bytes) else str(v) for v in value.ravel().tolist()]
        return texts.reshape(value.shape)
    return value
