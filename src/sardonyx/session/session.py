"""A session: a loaded model that answers like the estimator it was converted from.

::

    session.predict(X)    X ─▶ tensors ─▶ run ─▶ arrays in the estimator's own dtypes (answers.py)
    session.run(names, feeds)      as in ONNX Runtime; feeds that do not fit exactly go through `inputs.coerce_feeds`

What runs a model is in loading.py, whose classes give `run`. This module does not convert (`convert`), and asks no
estimator (verification.py).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _native
from ..description import Description, Method
from ..errors import InputError, ModelError
from ..inputs.containers import check_matrix, is_sparse, opened
from ..inputs.demands import check_demands
from ..inputs.signature import InputSpec, Signature
from ..inputs.tensors import tensors
from ..layouts import Layout, laid_out
from ..proof.agreement import Report, check_proof
from .answers import as_csr, in_dtypes, in_form, plain_dtypes
from .frames import FrameReader, frame_like, named_columns
from .missing import missing_method, with_methods
from .node_args import NodeArg
from .ragged import decode, is_coded

Array: TypeAlias = NDArray[Any]
Port: TypeAlias = tuple[str, str, tuple[int, ...]]


class Session(ABC):
    """A loaded model. Made by `sardonyx.load` or `sardonyx.compile`; threads may share it.

    It has the inference methods of the estimator that its file holds (``predict``, ``transform`` ...), and
    ``classes_``, ``feature_names_in_``, ``n_features_in_`` where the estimator has them. Each takes X, array-like,
    DataFrame, table of Arrow, dict of columns, list of dicts or sparse matrix of shape (n_samples, n_features), and
    raises `InputError` where it does not fit the model, or the estimator would refuse it.

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
    _matrix: InputSpec | None  # the only input, if an array can be all that it is given
    _plain: dict[str, np.dtype[Any]]
    _quick: dict[str, tuple[tuple[str, ...], str, np.dtype[Any]]]  # of an array: outputs, input and dtype of the answer

    def _describe(self, description: Description | None, ports: Sequence[Port]) -> None:
        self.description = description
        if description is not None:
            _check_description(description, ports, [o.name for o in self.get_outputs()])
        self.signature = description.signature if description is not None else _signature_of(ports)
        features = description.features if description is not None else None
        self._reader = FrameReader(self.signature, features, [name for name, _, _ in ports])
        one_matrix = len(self.signature.inputs) == 1 and not self.signature.by_column
        self._matrix = self.signature.inputs[0] if one_matrix else None
        methods = description.methods if description is not None else {}
        self._plain = plain_dtypes(methods)
        self._quick = {}
        if self._matrix is not None and not self.signature.demands:
            x = self._matrix.name
            self._quick = {name: (methods[name].outputs, x, dtype) for name, dtype in self._plain.items()}
        self.__class__ = with_methods(type(self), self.methods)

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
        """Return outputs for tensors given by input name.

        Parameters
        ----------
        output_names : sequence of str or None
            Which; all if None or empty.
        input_feed : mapping of str to array-like or sparse matrix
            A value for every input (`get_inputs`), of its dtype or one that fits it exactly. Any matrix of numbers may
            be a SciPy sparse matrix.
        run_options : None
            There for those who come from ONNX Runtime.
        sparse : bool, default False
            Give outputs that the program computes sparse as ``scipy.sparse.csr_matrix``; else all are dense.

        Returns
        -------
        list of ndarray
            New arrays, in the order of the names.

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

        Parameters
        ----------
        path : path
            The file; it appears, or replaces what is there, when all of it has been written.

        Raises
        ------
        ModelError
            If parts of the model have no native kernel.
        OSError
            If it cannot be written.
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
            Text as object arrays of str, missing text as `values.MISSING_NAN` and `values.MISSING_NONE`.

        Raises
        ------
        InputError
            Columns are missing, or a value does not fit its input exactly.
        """
        return tensors(X, self.signature, self.description.features if self.description else None)

    def sparse_feeds(self, X: Any) -> dict[str, Any]:
        """Return what `feeds` returns, for this runtime: a sparse matrix stays one."""
        if self.signature.records is not None:
            return dict(self.signature.records.feeds(X, self.signature.dtypes))
        if is_sparse(X) and not self.signature.by_column and len(self.signature.inputs) == 1:
            return {self.signature.inputs[0].name: X}
        return self.feeds(X)

    # ---- as the estimator has it -----------------------------------------------------------------------------------

    @property
    def methods(self) -> tuple[str, ...]:
        """The estimator's methods that the file holds."""
        return tuple(self.description.methods) if self.description else ()

    def predict(self, X: Any, *, return_std: bool = False, return_cov: bool = False) -> Any:
        """Return the estimator's prediction, of shape (n_samples,) or (n_samples, n_outputs).

        With ``return_std`` or ``return_cov``, return it and its standard deviations, or the covariances of the samples,
        where the file has them: converted with methods=["predict_std"] or methods=["predict_cov"].
        """
        if return_std and return_cov:
            raise InputError("at most one of return_std and return_cov can be asked for; ask twice.")
        return self.answer("predict_cov" if return_cov else "predict_std" if return_std else "predict", X)

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities of shape (n_samples, n_classes); a list of them for several outputs."""
        return self.answer("predict_proba", X)

    def predict_log_proba(self, X: Any) -> Any:
        """Return logarithms of probabilities, shaped like those of ``predict_proba``."""
        return self.answer("predict_log_proba", X)

    def decision_function(self, X: Any) -> Any:
        """Return scores of shape (n_samples,) or (n_samples, n_classes)."""
        return self.answer("decision_function", X)

    def score_samples(self, X: Any) -> Any:
        """Return a score for every sample, of shape (n_samples,)."""
        return self.answer("score_samples", X)

    def transform(self, X: Any) -> Any:
        """Return the transformed data: of SciPy's sparse matrices and arrays that which the estimator returns."""
        return self.answer("transform", X)

    def inverse_transform(self, X: Any) -> Any:
        """Return transformed data in the original space."""
        return self.answer("inverse_transform", X)

    def apply(self, X: Any) -> Any:
        """Return the leaf that every sample ends up in, tree by tree."""
        return self.answer("apply", X)

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

        Parameters
        ----------
        method : str
            One of `methods`.
        X : array-like, DataFrame, dict of columns, list of dicts or sparse matrix of shape (n_samples, n_features)

        Raises
        ------
        MissingMethodError
            If the file does not have the method.
        InputError
            If X does not fit.
        """
        quick = self._quick.get(method)
        if quick is not None and type(X) is np.ndarray and X.ndim == 2:
            outputs, name, dtype = quick
            array: Array = self.run(outputs, {name: X})[0]
            return array if array.dtype is dtype else self._in_dtype(method, dtype, array)
        entry = self.description.methods.get(method) if self.description else None
        if entry is None:
            raise missing_method(self, method)
        if self.signature.demands:
            check_demands(X, self.signature)
        plain = self._plain.get(method)
        if plain is not None:
            return self._in_dtype(method, plain, self._outputs_of(entry.outputs, X)[0])
        if is_coded(entry):
            return decode(entry, self.run(entry.outputs, self._fast_feeds(X), sparse=True)[0])
        layout = entry.layout or Layout()
        if entry.form == "sparse" and (is_sparse(X) or not layout.follows):
            X = opened(X)
            matrix = as_csr(self.run(entry.outputs, self._fast_feeds(X), sparse=True)[0], entry.dtypes[0])
            return laid_out(matrix, layout, X)
        return in_form(method, entry, self._outputs_of(entry.outputs, X))

    def _in_dtype(self, method: str, dtype: np.dtype[Any], array: Array) -> Any:
        if array.dtype == dtype or self.description is None:
            return array
        return in_form(method, self.description.methods[method], [array])

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
        check_demands(X, self.signature)
        arrays = dict(zip(outputs, self._outputs_of(outputs, X), strict=True))
        columns: dict[str, Array] = {}
        for name, entry in entries.items():
            parts = in_dtypes(name, entry, [arrays[output] for output in entry.outputs])
            columns |= named_columns(entry, self.description and self.description.classes, parts)
        return frame_like(X, columns)

    def _entries(self, methods: str | Sequence[str] | None) -> dict[str, Method]:
        known = self.description.methods if self.description else {}
        chosen = tuple(known) if methods is None else (methods,) if isinstance(methods, str) else tuple(methods)
        for name in chosen or ("predict",):
            if name not in known:
                raise missing_method(self, name)
            if is_coded(known[name]) or known[name].form == "stacked":
                raise InputError(f"{name} gives rows that no column holds; call session.{name}(X).")
        return {name: known[name] for name in chosen}

    def _fast_feeds(self, X: Any) -> dict[str, Any]:
        """Return feeds for run, which itself coerces an array that does not fit as it is."""
        spec = self._matrix
        if spec is not None and type(X) is np.ndarray:
            if X.ndim != 2 and spec.width is not None:
                check_matrix(X)
            return {spec.name: X}
        return self.sparse_feeds(opened(X))

    def _outputs_of(self, names: tuple[str, ...], X: Any) -> list[Array]:
        if (self._matrix is None or type(X) is not np.ndarray) and not is_sparse(X):
            X = opened(X)
            program = self._program
            result = None if program is None else self._reader.run(program, names, X)
            if result is not None:
                return result
        return self.run(names, self._fast_feeds(X))

    @property
    def _program(self) -> _native.Program | None:
        """The native core, if it alone is the session: it reads columns in place."""
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
        return len(self.signature.columns) or sum(spec.width or 1 for spec in self.signature.inputs)

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
            raise ModelError(
                "the file carries no rows to check it with, as sardonyx did not write it; "
                "compare it with its estimator by sardonyx.verify."
            )
        report = check_proof(self.description, self.run)
        report.raise_if_wrong()
        return report

    def __repr__(self) -> str:
        name = self.description.estimator if self.description else "model"
        return f"<{type(self).__name__} of {name}: {', '.join(self.methods) or 'run'}>"


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
