"""Loading a model: from a file's content to the session that runs it.

::

    load(path | bytes | ModelProto)
      ├─ .sdx                       ─▶ NativeSession   run() is the native core's own method
      └─ .onnx ─▶ lower ─▶ Plan ─┬─ one program ─▶ NativeSession
                                 └─ several segments ─▶ PlanSession: native programs, and Python for what has no kernel

Loading a ``.sdx`` file needs no onnx. What a session answers is told in session.py, how one runs in native_session.py
and plan_session.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .. import _native
from ..description import KEY, Description
from ..errors import InputError, ModelError, SardonyxError
from ..lowering.sdx import MAGIC, pack
from .native_session import NativeSession
from .session import Session

if TYPE_CHECKING:
    import onnx

    from ..lowering.plan import Plan
    from ..protos.large import Large
    from .plan_session import PlanSession

#: bytes of a file that takes much memory to read
LARGE_FILE: Final = 1 << 24
#: how pickles begin, in every version since 2006; no ONNX file does
PICKLE: Final = b"\x80"
#: the most threads that may be asked for
MOST_THREADS: Final = 4096


def load(
    model: str | os.PathLike[str] | bytes | bytearray | memoryview | onnx.ModelProto, *, threads: int = 0
) -> Session:
    """Load a model.

    Parameters
    ----------
    model : path, bytes or ModelProto
        An ``.onnx`` or ``.sdx`` file, or what it contains. Any ONNX model can be loaded, whoever wrote it.
        A ``.sdx`` file of more than 16 MiB stays mapped, so that processes share it: replace it by another, as
        ``Session.save`` and ``mv`` do, but do not write into it.
    threads : int, default 0
        The most threads that a call uses; 0 means all processors.

    Returns
    -------
    Session

    Raises
    ------
    ModelError
        If the file is corrupt, truncated, or uses an operator that nothing here runs.
    InputError
        If `threads` is not a number of threads.
    FileNotFoundError, OSError
        If the file cannot be read.
    """
    check_threads(threads)
    if isinstance(model, str | os.PathLike):
        try:
            return _load_path(Path(model), threads)
        except ModelError as error:
            raise type(error)(f"{os.fspath(model)}: {error}") from error
    if isinstance(model, bytes | bytearray | memoryview):
        content = bytes(model)
        return _load_program(content, threads) if content.startswith(MAGIC) else _load_content(content, "", threads)
    if hasattr(model, "SerializeToString") and hasattr(model, "graph"):
        return load_onnx(_with_graph(model, "this ModelProto"), threads)
    hint = " To convert an estimator, see sardonyx.compile." if hasattr(model, "get_params") else ""
    raise ModelError(f"load takes a path, bytes or an onnx.ModelProto, not {type(model).__name__}.{hint}")


def check_threads(threads: Any) -> None:
    """Refuse what is not a number of threads."""
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or not 0 <= threads <= MOST_THREADS:
        raise InputError(f"threads={threads!r}; give a number from 0 (all processors) to {MOST_THREADS}.")


def _load_path(path: Path, threads: int) -> Session:
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
    if head == MAGIC:
        return _native_session(NativeSession.open(str(path), threads), threads)
    session = _load_content(path.read_bytes(), str(path.parent), threads)
    if path.stat().st_size >= LARGE_FILE:
        _native.give_back_memory()  # the allocator would keep what the model was while it was read
    return session


def _load_content(content: bytes, directory: str, threads: int) -> Session:
    from ..protos.large import take_out

    content, large = take_out(content)
    return load_onnx(parse_onnx(content, directory), threads, large)


def _load_program(content: bytes, threads: int) -> Session:
    return _native_session(NativeSession.from_bytes(content, threads), threads)


def _native_session(session: NativeSession, threads: int) -> NativeSession:
    text = session.metadata.get(KEY)
    session._threads = threads
    session._describe(None if text is None else Description.parse(text), session.inputs)
    return session


def parse_onnx(content: bytes, directory: str = "") -> onnx.ModelProto:
    """Return the model that a file contains; external data are looked for in `directory`."""
    import onnx

    _check_kind(content)
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:
        raise ModelError(
            f"this is not a readable ONNX file ({len(content)} bytes): {error}. Was it truncated? Convert it again."
        ) from error
    model = _with_graph(model, f"this is not a readable ONNX file ({len(content)} bytes): it")
    if directory:
        _load_external(model, directory)
    return model


def _load_external(model: onnx.ModelProto, directory: str) -> None:
    """Read the numbers that lie in files beside the model's."""
    import onnx

    try:
        onnx.load_external_data_for_model(model, directory)
    except Exception as error:
        text = str(error).rstrip(".")
        raise ModelError(f"the model's external data cannot be read: {text}; keep their files beside it.") from error


def _check_whole(model: onnx.ModelProto) -> None:
    """Refuse a model whose numbers lie in files that nobody has named."""
    from onnx.external_data_helper import uses_external_data

    outside = [tensor for tensor in model.graph.initializer if uses_external_data(tensor)]
    if outside:
        places = {entry.value for tensor in outside for entry in tensor.external_data if entry.key == "location"}
        raise ModelError(f"the model's numbers lie in other files ({', '.join(sorted(places))}); load it by its path.")


def _check_kind(content: bytes) -> None:
    """Refuse files that are something else, by their first bytes."""
    if content.startswith(MAGIC):
        raise ModelError("this is a compiled program (.sdx), not an ONNX file; sardonyx.load runs it.")
    if content.startswith(PICKLE):
        raise ModelError("this is a pickle, not an ONNX file; convert the estimator in it: sardonyx.to_onnx.")


def _with_graph(model: onnx.ModelProto, what: str) -> onnx.ModelProto:
    if not model.graph.output or not model.opset_import:
        raise ModelError(f"{what} has no graph. Convert it again.")
    return model


def load_onnx(model: onnx.ModelProto, threads: int = 0, large: Mapping[str, Large] | None = None) -> Session:
    """Return the session of a model that was read, whose stubs stand for these large attributes."""
    from ..lowering.lower import lower
    from ..protos.large import fill_model

    _check_opset(model)
    _check_whole(model)
    try:
        plan = lower(model, sparse=sparse_inputs(model), large=large)
        return session_of(plan, model if plan.native else fill_model(model, large or {}), threads)
    except SardonyxError:
        raise
    except Exception as error:  # MemoryError too: a small file can ask for terabytes
        raise ModelError(
            f"the model cannot be loaded: {type(error).__name__}: {error}. Check it with onnx.checker.check_model."
        ) from error


def _check_opset(model: onnx.ModelProto) -> None:
    """Refuse operators of a future: what they mean is not known."""
    from onnx.defs import onnx_opset_version

    newest = onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version > newest:
            raise ModelError(
                f"the model is of opset {opset.version}; the onnx that is installed knows those up to {newest}. "
                "Update onnx, or export the model for an older opset."
            )


def sparse_inputs(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the inputs that the model says were sparse in the sample: programs take them so."""
    texts = [prop.value for prop in model.metadata_props if prop.key == KEY]
    specs = Description.parse(texts[0]).signature.inputs if texts else ()
    return tuple(spec.name for spec in specs if spec.sparse)


def session_of(plan: Plan, model: onnx.ModelProto, threads: int = 0) -> Session:
    """Return the session of a lowered model, with the metadata that the model has now."""
    metadata = {prop.key: prop.value for prop in model.metadata_props}
    if plan.native is None:
        return _plan_session(plan, model, metadata, threads)
    return _load_program(pack(replace(plan.native, metadata=metadata)), threads)


def _plan_session(plan: Plan, model: onnx.ModelProto, metadata: dict[str, str], threads: int) -> PlanSession:
    from .plan_session import PlanSession

    text = metadata.get(KEY)
    description = None if text is None else Description.parse(text)
    return PlanSession(plan, description, model, threads)
