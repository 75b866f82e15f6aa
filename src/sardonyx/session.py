"""A loaded model that answers like the estimator it was converted from.

::

    load(path | bytes | ModelProto)
      ├─ .sdx                       ─▶ NativeSession   run() is the native core's own method
      └─ .onnx ─▶ lower ─▶ Plan ─┬─ one program ─▶ NativeSession
                                 └─ several segments ─▶ PlanSession: native programs, and Python for what has no kernel

    session.predict(X)    X ─▶ tensors ─▶ run ─▶ arrays in the estimator's own dtypes
    session.run(names, feeds)      as in ONNX Runtime; feeds that do not fit exactly go through `inputs.coerce_feeds`

Loading a ``.sdx`` file needs no onnx. This module does not convert (convert.py), and asks no estimator
(verification.py).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _native
from .agreement import Report, check_proof
from .description import KEY, Description, Method
from .errors import InputError, MissingMethodError, ModelError, SardonyxError
from .frames import FrameReader, frame_like, named_columns
from .inputs import (
    InputSpec,
    Signature,
    check_matrix,
    coerce_feeds,
    is_sparse,
    opened,
    restore_missing,
    tensors,
)
from .node_args import NodeArg, node_args, tensor_type
from .program import MAGIC, pack
from .ragged import decode, is_coded

if TYPE_CHECKING:
    import onnx

    from .plan import Plan

Array: TypeAlias = NDArray[Any]
Port: TypeAlias = tuple[str, str, tuple[int, ...]]

#: the most threads that may be asked for
MOST_THREADS: Final = 4096

_native.set_coerce(lambda program, feeds: coerce_feeds(feeds, program.inputs))


class _Offered:
    """A method that a session has only if its file has it, like scikit-learn's ``available_if``."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self.answer = answer
        self.name = answer.__name__
        self.__doc__ = answer.__doc__

    def __get__(self, session: Session | None, owner: type[Session]) -> Any:
        if session is None:
            return self
        if self.name not in session.methods:
            raise MissingMethodError(_missing_method(session, self.name))
        return partial(self.answer, session)


def _missing_method(session: Session, name: str) -> str:
    if session.description is None:
        return f"this file does not say which output is {name}'s, as sardonyx did not write it; use run(None, feeds)."
    return (
        f"this file has no {name}; it has {', '.join(session.methods)}. "
        f"Convert the estimator again with methods=[..., {name!r}]."
    )


class Session(ABC):
    """A loaded model. Made by `sardonyx.load` or `sardonyx.compile`; threads may share it.

    It has the inference methods of the estimator that its file holds (``predict``, ``transform`` ...), and
    ``classes_``, ``feature_names_in_``, ``n_features_in_`` where the estimator has them.

    Attributes
    ----------
    description : Description or None
        What the file says of itself; None if sardonyx did not write it.
    signature : Signature
        The inputs.
    """

    description: Description | None
    signature: Signature
    _reader: FrameReader

    def _describe(self, description: Description | None, ports: Sequence[Port]) -> None:
        self.description = description
        if description is not None:
            _check_description(description, ports, [o.name for o in self.get_outputs()])
        self.signature = description.signature if description is not None else _signature_of(ports)
        features = description.features if description is not None else None
        self._reader = FrameReader(self.signature, features, [name for name, _, _ in ports])

    # ---- as ONNX Runtime has it ------------------------------------------------------------------------------------

    @abstractmethod
    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: None = None,
        *,
        sparse: bool = False,
    ) -> list[Any]:
        """Return the outputs named (all if None or empty) for tensors given by input name.

        Any matrix of numbers may be given as a SciPy sparse matrix. ``sparse=True`` gives outputs that the program
        computes sparse as ``scipy.sparse.csr_matrix``; else all are dense, as in ONNX.

        ``run_options`` is there for those who come from ONNX Runtime; it must be None.

        Raises
        ------
        InputError
            A name, shape, dtype or value does not fit, or an estimator of the model refuses it.
        """

    @abstractmethod
    def get_inputs(self) -> list[NodeArg]:
        """Return the inputs."""

    @abstractmethod
    def get_outputs(self) -> list[NodeArg]:
        """Return the outputs."""

    @abstractmethod
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the compiled program as an ``.sdx`` file, which loads at once and needs no onnx.

        Raises
        ------
        ModelError
            If parts of the model have no native kernel.
        """

    @abstractmethod
    def explain(self) -> str:
        """Return a text for people: what runs, in which kernels, and what runs in Python instead."""

    def feeds(self, X: Any) -> dict[str, Array]:
        """Return X as the tensors of this model, for any ONNX runtime.

        Parameters
        ----------
        X : array-like, DataFrame, dict of columns, list of dicts or sparse matrix of shape (n_samples, n_features)
            Frames are read by column name, arrays by position.

        Returns
        -------
        dict of str to ndarray
            Text as object arrays of str, missing text as `inputs.MISSING_NAN` and `inputs.MISSING_NONE`.

        Raises
        ------
        InputError
            Columns are missing, or a value does not fit its input exactly.
        """
        return tensors(X, self.signature, self.description.features if self.description else None)

    def sparse_feeds(self, X: Any) -> dict[str, Any]:
        """Return what `feeds` returns, for this runtime: a sparse matrix stays one."""
        if is_sparse(X) and not self.signature.by_column and len(self.signature.inputs) == 1:
            return {self.signature.inputs[0].name: X}
        return self.feeds(X)

    # ---- as the estimator has it -----------------------------------------------------------------------------------

    @property
    def methods(self) -> tuple[str, ...]:
        """The estimator's methods that the file holds."""
        return tuple(self.description.methods) if self.description else ()

    @_Offered
    def predict(self, X: Any, *, return_std: bool = False, return_cov: bool = False) -> Any:
        """Return the estimator's prediction, of shape (n_samples,) or (n_samples, n_outputs).

        With ``return_std`` or ``return_cov``, return it and its standard deviations, or the covariances of the samples,
        where the file has them: converted with methods=["predict", "predict_std", "predict_cov"].
        """
        if return_std and return_cov:
            raise InputError("at most one of return_std and return_cov can be asked for.")
        return self.answer("predict_cov" if return_cov else "predict_std" if return_std else "predict", X)

    @_Offered
    def predict_proba(self, X: Any) -> Any:
        """Return probabilities of shape (n_samples, n_classes); a list of them for several outputs."""
        return self.answer("predict_proba", X)

    @_Offered
    def predict_log_proba(self, X: Any) -> Any:
        """Return logarithms of probabilities, shaped like those of ``predict_proba``."""
        return self.answer("predict_log_proba", X)

    @_Offered
    def decision_function(self, X: Any) -> Any:
        """Return scores of shape (n_samples,) or (n_samples, n_classes)."""
        return self.answer("decision_function", X)

    @_Offered
    def score_samples(self, X: Any) -> Any:
        """Return a score for every sample, of shape (n_samples,)."""
        return self.answer("score_samples", X)

    @_Offered
    def transform(self, X: Any) -> Any:
        """Return the transformed data: a ``scipy.sparse.csr_matrix`` where the estimator returns sparse ones."""
        return self.answer("transform", X)

    @_Offered
    def inverse_transform(self, X: Any) -> Any:
        """Return transformed data in the original space."""
        return self.answer("inverse_transform", X)

    @_Offered
    def apply(self, X: Any) -> Any:
        """Return the leaf that every sample ends up in, tree by tree."""
        return self.answer("apply", X)

    @_Offered
    def kneighbors(self, X: Any, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Return distances and indices of the neighbours, both of shape (n_samples, n_neighbors).

        ``n_neighbors`` is the estimator's own: another number is refused.
        """
        distances, indices = self.answer("kneighbors", X)
        if n_neighbors is not None and n_neighbors != indices.shape[1]:
            raise InputError(
                f"n_neighbors={n_neighbors}, but the file holds {indices.shape[1]}; "
                f"convert the estimator after set_params(n_neighbors={n_neighbors})."
            )
        return (distances, indices) if return_distance else indices

    def answer(self, method: str, X: Any) -> Any:
        """Return what ``estimator.<method>(X)`` returns: its arrays, in its dtypes.

        Raises
        ------
        MissingMethodError
            If the file does not have the method.
        InputError
            If X does not fit.
        """
        entry = self.description.methods.get(method) if self.description else None
        if entry is None:
            raise MissingMethodError(_missing_method(self, method))
        if is_coded(entry):
            return decode(entry, self.run(entry.outputs, self._fast_feeds(X), sparse=True)[0])
        if entry.form == "sparse":
            return _as_csr(self.run(entry.outputs, self._fast_feeds(X), sparse=True)[0], entry.dtypes[0])
        return _in_form(method, entry, self._outputs_of(entry.outputs, X))

    def to_frame(self, X: Any, methods: str | Sequence[str] | None = None) -> Any:
        """Return what methods answer for X as a frame of the kind of X: a column for every column of their results.

        Parameters
        ----------
        X : DataFrame, Table, RecordBatch, dict of columns or array-like of shape (n_samples, n_features)
            As the methods take it.
        methods : str or sequence of str, optional
            Which; by default all that the file has.

        Returns
        -------
        DataFrame, Table, RecordBatch or dict of ndarray
            A frame of the library of X, with the index of X if it has one; a dict of arrays if X is no frame of pandas,
            polars or pyarrow. The columns of ``transform`` have the estimator's own names (its
            ``get_feature_names_out``); others are called ``predict``, ``predict_proba_<class>``, ``apply_<number>``.

        Raises
        ------
        MissingMethodError
            If the file does not have a method.
        InputError
            If X does not fit.
        """
        entries = self._entries(methods)
        outputs = tuple(dict.fromkeys(output for entry in entries.values() for output in entry.outputs))
        X = opened(X)
        arrays = dict(zip(outputs, self._outputs_of(outputs, X), strict=True))
        columns: dict[str, Array] = {}
        for name, entry in entries.items():
            parts = _in_dtypes(name, entry, [arrays[output] for output in entry.outputs])
            columns |= named_columns(entry, self.description and self.description.classes, parts)
        return frame_like(X, columns)

    def _entries(self, methods: str | Sequence[str] | None) -> dict[str, Method]:
        known = self.description.methods if self.description else {}
        chosen = tuple(known) if methods is None else (methods,) if isinstance(methods, str) else tuple(methods)
        for name in chosen or ("predict",):
            if name not in known:
                raise MissingMethodError(_missing_method(self, name))
            if is_coded(known[name]):
                raise InputError(f"{name} gives rows that no column holds; call session.{name}(X).")
        return {name: known[name] for name in chosen}

    def _fast_feeds(self, X: Any) -> dict[str, Any]:
        """Return feeds for run, which itself coerces an array that does not fit as it is."""
        signature = self.signature
        if type(X) is np.ndarray and not signature.by_column and len(signature.inputs) == 1:
            spec = signature.inputs[0]
            if X.ndim != 2 and spec.width is not None:
                check_matrix(X)
            return {spec.name: X}
        return self.sparse_feeds(opened(X))

    def _outputs_of(self, names: tuple[str, ...], X: Any) -> list[Array]:
        one_matrix = type(X) is np.ndarray and not self.signature.by_column and len(self.signature.inputs) == 1
        if not one_matrix and not is_sparse(X):
            X = opened(X)
            found = self._reader.columns(X)
            result = None if found is None else self._run_columns(names, *found)
            if result is not None:
                return result
        return self.run(names, self._fast_feeds(X))

    def _run_columns(
        self, output_names: Sequence[str] | None, columns: Mapping[str, Any], nulls: bytes | None, /
    ) -> list[Array] | None:
        """Return the outputs for columns as the native core reads them; None if they need the slow way."""
        return None

    @property
    def classes_(self) -> Any:
        """Class labels, as the estimator has them."""
        return self._known("classes_", self.description and self.description.classes)

    @property
    def feature_names_in_(self) -> Array:
        """Names of the features, as the estimator has them."""
        names = self._known("feature_names_in_", self.description and self.description.features)
        return np.array(names, dtype=object)

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return sum(spec.width or 1 for spec in self.signature.inputs)

    def _known(self, name: str, value: Any) -> Any:
        if value is None:
            raise AttributeError(f"this model has no {name}")
        return value

    # ---- proof -----------------------------------------------------------------------------------------------------

    def check(self) -> Report:
        """Run the rows that the file carries and compare with the estimator's answers that it carries.

        Returns
        -------
        Report

        Raises
        ------
        VerificationError
            If an answer differs.
        ModelError
            If the file carries no such rows.
        """
        if self.description is None:
            raise ModelError("the file carries no rows to check it with, as sardonyx did not write it.")
        report = check_proof(self.description, self.run)
        report.raise_if_wrong()
        return report

    def __repr__(self) -> str:
        name = self.description.estimator if self.description else "model"
        return f"<{type(self).__name__} of {name}: {', '.join(self.methods) or 'run'}>"


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
        from .plan import PlanRunner

        self.plan = plan
        self._inputs, self._outputs = node_args(model)
        self._runner = PlanRunner(plan, threads)
        self._threads = threads
        self._ports = [(i.name, i.dtype, i.row_shape if i.rows else ()) for i in plan.inputs]
        self._whole = {i.name: i.dtype for i in plan.inputs if not i.rows}
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
        names = _output_names(output_names, self.plan.outputs)
        if not isinstance(input_feed, Mapping):
            raise InputError(f"run takes a dict of the inputs {[p[0] for p in self._ports]}, not {input_feed!r}.")
        if self._runner.alone:
            return self._runner.run_alone(names, input_feed)
        whole = {name: _whole(input_feed[name], dtype) for name, dtype in self._whole.items() if name in input_feed}
        rows = {name: array for name, array in input_feed.items() if name not in whole}
        coerced = coerce_feeds(rows, [port for port in self._ports if port[0] not in self._whole])
        try:
            return self._runner.run(names, {**coerced, **whole})
        except SardonyxError:
            raise
        except Exception as error:
            operators = ", ".join(self.plan.reference_operators)
            raise InputError(
                f"the model refuses this input: {type(error).__name__}: {error} (in {operators}, which run in Python)."
            ) from error

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
        for segment, runner in self._runner._runners:
            if isinstance(runner, _native.Program):
                lines += _program_lines(runner)
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
        return _load_program(content, threads) if content.startswith(MAGIC) else load_onnx(parse_onnx(content), threads)
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
        session = NativeSession.open(str(path), threads)
        return _native_session(session, str(path.resolve()), threads)
    return load_onnx(parse_onnx(path.read_bytes(), str(path.parent)), threads)


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


def load_onnx(model: onnx.ModelProto, threads: int = 0) -> Session:
    """Return the session of a model that was read."""
    from .lower import lower

    try:
        return session_of(lower(model, sparse=sparse_inputs(model)), model, threads)
    except SardonyxError:
        raise
    except Exception as error:  # MemoryError too: a small file can ask for terabytes
        raise ModelError(
            f"the model cannot be loaded: {type(error).__name__}: {error}. Check it with onnx.checker.check_model."
        ) from error


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


def _check_description(description: Description, ports: Sequence[Port], outputs: Sequence[str]) -> None:
    """Refuse a description that does not fit its own model."""
    said = [(s.name, s.dtype, s.row_shape) for s in description.signature.inputs]
    if sorted(said) != sorted(ports):
        raise ModelError(f"the file describes the inputs {said}, its model takes {list(ports)}. Convert it again.")
    unknown = [o for m in description.methods.values() for o in m.outputs if o not in outputs]
    if unknown:
        raise ModelError(f"the file describes outputs {unknown}, its model has {list(outputs)}. Convert it again.")


def _signature_of(ports: Sequence[Port]) -> Signature:
    """Return the inputs of a model that does not describe itself: several columns are taken to be a frame's."""
    specs = tuple(InputSpec(name, dtype, shape[0] if shape else None) for name, dtype, shape in ports)
    return Signature(specs, len(specs) > 1 and all(shape == (1,) for _, _, shape in ports))


def _output_names(names: Sequence[str] | None, outputs: Sequence[str]) -> Sequence[str]:
    """Return the names of the outputs asked for, as the native core reads them."""
    if isinstance(names, str):
        raise InputError(f"output names must be None or a list of str, not the str {names!r}; give [{names!r}]")
    return tuple(names) if names else tuple(outputs)


def _in_form(name: str, method: Method, arrays: list[Array]) -> Any:
    arrays = _in_dtypes(name, method, arrays)
    if method.form == "array":
        return arrays[0]
    if method.form == "columns":
        return np.concatenate([a.astype(object) for a in arrays], axis=1)
    return arrays if method.form == "list" else tuple(arrays)


def _in_dtypes(name: str, method: Method, arrays: list[Array]) -> list[Array]:
    if not method.dtypes:
        return arrays
    return [_in_dtype(a, d, name == "predict") for a, d in zip(arrays, method.dtypes, strict=True)]


def _as_csr(result: Any, dtype: str) -> Any:
    """Return an output as a CSR matrix, whichever way the program gives it."""
    from scipy.sparse import csr_matrix

    matrix = csr_matrix(result) if isinstance(result, np.ndarray) else result
    return matrix if matrix.dtype.str == dtype else matrix.astype(dtype)


def _in_dtype(array: Array, dtype: str, labels: bool) -> Array:
    """Return an output in the estimator's dtype. Text other than labels may be longer than the sample's, or missing."""
    if array.dtype == object and not labels:
        array = restore_missing(array)
    if array.dtype.str == dtype:
        return array
    if dtype[1] != "U":
        return array.astype(dtype, copy=False)
    text = array.astype(np.str_)
    return array.astype(dtype) if labels or text.itemsize <= np.dtype(dtype).itemsize else text


def _write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that appears under its name only when all of it is there."""
    beside = Path(f"{os.fspath(path)}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _whole(value: Any, dtype: str) -> Any:
    """Return an input that is not rows; sequences, maps and optionals as they are."""
    return np.asarray(value) if dtype and not isinstance(value, dict) and value is not None else value


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
