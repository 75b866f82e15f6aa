"""Loading a model: from a file's content to the session that runs it.

::

    load(path | bytes | ModelProto)
      ├─ .sdx                       ─▶ NativeSession   run() is the native core's own method
      └─ .onnx ─▶ lower ─▶ Plan ─┬─ one program ─▶ NativeSession
                                 └─ several segments ─▶ PlanSession: native programs, and Python for what has no kernel

Loading a ``.sdx`` file needs no onnx. What a session answers is told in session.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .. import _native
from ..description import KEY, Description
from ..errors import InputError, ModelError, SardonyxError
from ..inputs.tensors import coerce_feeds
from ..lowering.program import MAGIC, pack
from .given import check_shape, element_types, sequence, whole
from .node_args import NodeArg, node_args, tensor_type
from .session import Session

if TYPE_CHECKING:
    import onnx

    from ..large import Large
    from ..lowering.plan import Plan

#: bytes of a file that takes much memory to read
LARGE_FILE: Final = 1 << 24
#: the most threads that may be asked for
MOST_THREADS: Final = 4096

_native.set_coerce(lambda program, feeds: coerce_feeds(feeds, program.inputs))


class NativeSession(_native.Program, Session):
    """A session that is one native program; ``run`` is the native core's method."""

    _source: bytes | str
    _threads: int  # as asked for: another machine has other processors

    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs."""
        return [_node_arg(*port) for port in self.inputs]

    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs."""
        return [_node_arg(*port) for port in self.outputs]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the compiled program as an ``.sdx`` file."""
        content = self._source if isinstance(self._source, bytes) else Path(self._source).read_bytes()
        _write_whole(path, content)

    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels."""
        return "\n".join([*_head(self), *_program_lines(self)])

    def __reduce__(self) -> tuple[Any, ...]:
        content = self._source if isinstance(self._source, bytes) else Path(self._source).read_bytes()
        return partial(load, threads=self._threads), (content,)


class PlanSession(Session):
    """A session of several segments: native programs, and whole batches in Python for what has no kernel."""

    def __init__(self, plan: Plan, description: Description | None, model: onnx.ModelProto, threads: int) -> None:
        from ..lowering.plan import PlanRunner
        from ..lowering.reference_native import native_evaluator
        from ..lowering.seen import Seen
        from ..lowering.shaped import shaped

        self.plan = plan
        self._inputs, self._outputs = node_args(model)
        self._runner = PlanRunner(plan, threads, native_evaluator)
        self._all_outputs = self._runner.all_outputs()
        self._shaped = shaped(model, threads) if plan.reference_operators else None
        self._threads = threads
        self._ports = [(i.name, i.dtype, i.row_shape if i.rows else ()) for i in plan.inputs]
        self._whole = {i.name: i.dtype for i in plan.inputs if not i.rows}
        self._shapes = {i.name: i.shape for i in plan.inputs}
        self._sequences = element_types(model)
        self._seen, self._all = Seen([i.name for i in plan.inputs]), [*plan.outputs]
        self._describe(description, self._ports)
        self._proto = model.SerializeToString()

    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: None = None,
        *,
        sparse: bool = False,
    ) -> list[Any]:
        """Return the outputs named (all if None or empty) for tensors given by input name, dense."""
        if run_options is not None:
            raise TypeError("run_options are ONNX Runtime's and mean nothing here; leave them out")
        if output_names is None and self._all_outputs is not None and type(input_feed) is dict:
            return self._all_outputs(input_feed)
        if type(input_feed) is dict and (answer := self._seen_before(output_names, input_feed)) is not None:
            return answer(input_feed)
        names = self.plan.outputs if output_names is None else _output_names(output_names, self.plan.outputs)
        if type(input_feed) is not dict and not isinstance(input_feed, Mapping):
            raise InputError(f"run takes a dict of the inputs {[p[0] for p in self._ports]}, not {input_feed!r}.")
        if self._runner.alone:
            return self._runner.run_alone(names, input_feed)
        feeds = self._coerced(input_feed)
        try:
            runner = (self._shaped and self._shaped.runner(feeds)) or self._runner
            results = runner.run(names, feeds)
        except SardonyxError:
            raise
        except Exception as error:
            operators = ", ".join(self.plan.reference_operators)
            raise InputError(
                f"the model refuses this input: {type(error).__name__}: {error} (in {operators}, which run in Python)."
            ) from error
        if self._is_as_declared(input_feed) and not (self._shaped and self._shaped.asks_for_values):
            self._seen.keep(input_feed, runner)
        return results

    def _is_as_declared(self, feeds: Mapping[str, Any]) -> bool:
        """Whether inputs are arrays of just the model's types, which nothing was done to."""
        types = {i.name: i.dtype for i in self.plan.inputs}
        return all(isinstance(v, np.ndarray) and v.dtype.name == types[name] for name, v in feeds.items())

    def _seen_before(self, output_names: Any, feeds: dict[str, Any]) -> Callable[[dict[str, Any]], list[Any]] | None:
        """Return what answers feeds of forms that came before, if all outputs are asked for."""
        all_asked = output_names is None or (type(output_names) is list and output_names == self._all)
        return self._seen.answer(feeds) if all_asked and len(feeds) == len(self._ports) else None

    def _coerced(self, input_feed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs as the model's types."""
        given = {name: whole(input_feed[name], dtype) for name, dtype in self._whole.items() if name in input_feed}
        for name in self._sequences.keys() & given.keys():
            given[name] = sequence(name, given[name], self._sequences[name])
        for name, value in given.items():
            check_shape(name, value, self._whole[name], self._shapes.get(name))
        rows = {name: array for name, array in input_feed.items() if name not in given}
        if unknown := [name for name in rows if name not in [port[0] for port in self._ports]]:
            raise InputError(f"the model has no input {unknown}; it takes {[port[0] for port in self._ports]}.")
        return {**coerce_feeds(rows, [port for port in self._ports if port[0] not in self._whole]), **given}

    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs."""
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs."""
        return list(self._outputs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Refuse: only a model that is wholly native has a compiled form."""
        raise ModelError(
            f"{', '.join(self.plan.reference_operators) or 'this model'} cannot be compiled: there is no kernel. "
            "Save the .onnx file instead."
        )

    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels, and what runs in Python instead."""
        lines = _head(self)
        shown = self._shaped and self._shaped.shown()
        if shown:
            lines.append("compiled for each shape of the inputs; for one of them:")
        runner = shown or self._runner
        for segment, part in runner._runners:
            program = getattr(part, "program", part)
            if isinstance(program, _native.Program):
                lines += _program_lines(program)
            else:
                lines.append("reference (Python, whole batches)")
                lines += [f"  {reason}" for reason in getattr(segment, "reasons", ())]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(load, threads=self._threads), (self._proto,)


# ---- loading ---------------------------------------------------------------------------------------------------------


def load(
    model: str | os.PathLike[str] | bytes | bytearray | memoryview | onnx.ModelProto, *, threads: int = 0
) -> Session:
    """Load a model.

    Parameters
    ----------
    model : path, bytes or ModelProto
        An ``.onnx`` or ``.sdx`` file, or what it contains. Any ONNX model can be loaded, whoever wrote it.
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
        return _load_path(Path(model), threads)
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
        return _native_session(NativeSession.open(str(path), threads), str(path.resolve()), threads)
    session = _load_content(path.read_bytes(), str(path.parent), threads)
    if path.stat().st_size >= LARGE_FILE:
        _native.give_back_memory()  # the allocator would keep what the model was while it was read
    return session


def _load_content(content: bytes, directory: str, threads: int) -> Session:
    from ..large import take_out

    content, large = take_out(content)
    return load_onnx(parse_onnx(content, directory), threads, large)


def _load_program(content: bytes, threads: int) -> Session:
    return _native_session(NativeSession.from_bytes(content, threads), content, threads)


def _native_session(session: NativeSession, source: bytes | str, threads: int) -> NativeSession:
    text = session.metadata.get(KEY)
    session._source, session._threads = source, threads
    session._describe(None if text is None else Description.parse(text), session.inputs)
    return session


def parse_onnx(content: bytes, directory: str = "") -> onnx.ModelProto:
    """Return the model that a file contains; external data are looked for in `directory`."""
    import onnx

    try:
        model = onnx.load_model_from_string(content)
        if directory:
            onnx.load_external_data_for_model(model, directory)
    except OSError as error:
        raise ModelError(f"the model's external data cannot be read: {error}.") from error
    except Exception as error:
        raise ModelError(
            f"this is not a readable ONNX file ({len(content)} bytes): {error}. Was it truncated? Convert it again."
        ) from error
    return _with_graph(model, f"this is not a readable ONNX file ({len(content)} bytes): it")


def _with_graph(model: onnx.ModelProto, what: str) -> onnx.ModelProto:
    if not model.graph.output or not model.opset_import:
        raise ModelError(f"{what} has no graph. Convert it again.")
    return model


def load_onnx(model: onnx.ModelProto, threads: int = 0, large: Mapping[str, Large] | None = None) -> Session:
    """Return the session of a model that was read, whose stubs stand for these large attributes."""
    from ..large import fill_model
    from ..lowering.lower import lower

    _check_opset(model)
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
    text = metadata.get(KEY)
    description = None if text is None else Description.parse(text)
    return PlanSession(plan, description, model, threads)


# ---- details ---------------------------------------------------------------------------------------------------------


def _output_names(names: Sequence[str] | None, outputs: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the outputs asked for, as the native core reads them."""
    if isinstance(names, str):
        raise InputError(f"output names must be None or a list of str, not the str {names!r}; give [{names!r}]")
    return tuple(names) if names else tuple(outputs)


def _write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that appears under its name only when all of it is there; into pipes and devices, at once."""
    if Path(path).exists() and not Path(path).is_file():
        Path(path).write_bytes(content)
        return
    beside = Path(f"{os.fspath(path)}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _node_arg(name: str, dtype: str, shape: tuple[int, ...]) -> NodeArg:
    return NodeArg(name, tensor_type(dtype), ["N", *shape])


def _head(session: Session) -> list[str]:
    said = session.description
    title = (
        f"{said.estimator}, scikit-learn {said.sklearn}, sardonyx {said.version}"
        if said
        else "a model of unknown origin"
    )
    lines = [title]
    for heading, nodes in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        lines.append(heading)
        lines += [f"  {n.name}  {n.type}  {n.shape}" for n in nodes]
    return lines


def _program_lines(program: _native.Program) -> list[str]:
    size, count = program.nbytes / 1024, len(program.steps)
    blocks = f"blocks of {program.block_rows} rows, up to {program.threads} threads"
    blocks = blocks if program.block_rows else "all rows at once"
    lines = [f"native    {count} steps, {program.isa}, {blocks}, {size:.1f} KiB"]
    width = max((len(kernel) for kernel, _, _ in program.steps), default=0)
    lines += [f"  {i:3d}  {kernel:{width}}  {isa:7}  {label}" for i, (kernel, isa, label) in enumerate(program.steps)]
    return lines
