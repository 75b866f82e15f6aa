"""The two functions that most people need: `to_onnx` and `compile`. Both prove what they return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from .convert import Draft, draft, write_description
from .errors import ConversionError
from .lowering.lower import lower
from .lowering.plan import Plan
from .proof.hurting import number_of_rows
from .proof.verification import prove, verify_quickly
from .protos.large import give_back
from .session.loading import check_threads, session_of, sparse_inputs
from .session.session import Session


def to_onnx(
    estimator: Any,
    X: Any,
    *,
    methods: Sequence[str] | str | None = None,
    target_opset: int | None = None,
    inline: bool = False,
    verify: bool = True,
) -> onnx.ModelProto:
    """Convert a fitted estimator to ONNX, and prove on the sample that it says the same.

    Parameters
    ----------
    estimator : object
        A fitted scikit-learn estimator.
    X : array-like, DataFrame, dict of columns or sparse matrix of shape (n_samples, n_features)
        A sample: gives the inputs' names and dtypes, and the rows to compare on. A frame gives one input a column.
    methods : sequence of str, optional
        What to convert; by default ``predict`` and ``predict_proba``, or ``transform``.
    target_opset : int, optional
        Version of ai.onnx, 18 or later; by default 21.
    inline : bool, default False
        Write one flat graph, for runtimes that do not know model-local functions.
    verify : bool, default True
        Compare with the estimator on up to 100 rows of the sample, and let the file carry a few with their answers, so
        that it can be checked anywhere. `sardonyx.verify` compares on many more, and in ONNX Runtime too.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ConversionError
        If the estimator is not fitted, has no such method, or a parameter cannot be converted exactly.
    VerificationError
        If the model does not say what the estimator says.

    Examples
    --------
    >>> model = sardonyx.to_onnx(pipeline, X[:100])
    >>> onnx.save(model, "model.onnx")
    """
    converted = draft(estimator, X, methods=methods, target_opset=target_opset)
    if inline:
        converted = Draft(_inlined(converted.finished()), {})
    if verify:
        _prove(estimator, converted, X)
        give_back(converted.large)
    return converted.finished()


def compile(estimator: Any, X: Any, methods: Sequence[str] | str | None = None, *, threads: int = 0) -> Session:
    """Convert a fitted estimator and load the result, which answers like the estimator.

    Parameters
    ----------
    estimator : object
        A fitted scikit-learn estimator.
    X : array-like, DataFrame, dict of columns or sparse matrix of shape (n_samples, n_features)
        A sample, as for `to_onnx`.
    methods : sequence of str, optional
        What to convert; by default ``predict`` and ``predict_proba``, or ``transform``.
    threads : int, default 0
        The most threads that a call uses; 0 means all processors.

    Returns
    -------
    Session

    Raises
    ------
    ConversionError, VerificationError
        As `to_onnx`.

    Examples
    --------
    >>> fast = sardonyx.compile(forest, X)
    >>> labels = fast.predict(X)
    """
    check_threads(threads)
    converted = draft(estimator, X, methods=methods)
    plan = _prove(estimator, converted, X)
    return session_of(plan, converted.model, threads)


def _prove(estimator: Any, converted: Draft, X: Any) -> Plan:
    """Compare a model with its estimator, and let it carry the proof; a sample without rows proves nothing."""
    model = converted.model
    plan = lower(model, sparse=sparse_inputs(model), large=converted.large)
    if plan.native is None:
        converted.finished()
    session = session_of(plan, model, threads=1)
    if number_of_rows(X):
        report = verify_quickly(estimator, session, X)
        if not report.ok and getattr(X, "dtype", None) == np.float16:
            raise ConversionError(
                f"{type(estimator).__name__} computes in float16 on such a sample, and rounds accordingly; "
                "a model computes in float64. Give X.astype('float32')."
            )
        report.raise_if_wrong()
        write_description(model, prove(estimator, session, X))
    return plan


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    from onnx import inliner

    flat: onnx.ModelProto = inliner.inline_local_functions(model)
    return flat
