"""A case in each runtime: what it answers beside what the estimator answers, method by method.

::

    case ──fit──▶ estimator ──convert──▶ file ─┬─▶ ONNX Runtime ─┐
                      │                        └─▶ sardonyx ─────┴─▶ Answer(method, actual, expected)
                      └──▶ its own method ─────────────────────────────────────────────▲

Both runtimes get the test rows, one row and no row. The tests assert on the answers (test_every_case.py);
`outcomes.py` records how well they agree. A case is fitted, converted and asked once for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

import sardonyx
from sardonyx.convert import convert, read_description
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE
from sardonyx.proof.hurting import number_of_rows
from sardonyx.session.ragged import encode, is_coded

from .cases import Case
from .exactness import arrays_of, expected_outputs, methods_of


@dataclass(frozen=True, slots=True)
class Answer:
    """One array of a runtime's answer and the estimator's own."""

    method: str
    actual: Any
    expected: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Converted:
    """A case's estimator, the methods to compare, its file, and the rows that all are asked for."""

    estimator: Any
    methods: tuple[str, ...]
    model: onnx.ModelProto
    X_test: Any
    answers: dict[tuple[str, int], list[NDArray[Any]]] = field(default_factory=dict)

    def batches(self) -> tuple[Any, Any, Any]:
        """Return the test rows, one of them, and none."""
        return self.X_test, self.X_test[:1], self.X_test[:0]

    def expected(self, method: str, X: Any) -> list[NDArray[Any]]:
        """Return the estimator's own answer for one of the batches."""
        key = method, number_of_rows(X)
        if key not in self.answers:
            self.answers[key] = _expected(self.estimator, method, X, self.X_test)
        return self.answers[key]


#: the last case that was converted: tests ask for it in one runtime after the other
_last: list[tuple[Case, Converted]] = []


def converted(case: Case) -> Converted:
    """Return a case, fitted and converted; some estimators have no hash, so it is known by itself."""
    if not _last or _last[0][0] is not case:
        estimator, methods, X_fit, X_test = _fitted(case)
        _last[:] = [(case, Converted(estimator, methods, convert(estimator, X_fit, methods=methods), X_test))]
    return _last[0][1]


def in_onnxruntime(case: Case) -> Iterator[Answer]:
    """Run a case's file in ONNX Runtime."""
    known = converted(case)
    model = known.model
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString())
    description = read_description(model)
    described = description.methods if description is not None else {}
    for X in known.batches():
        given = sardonyx.load(model).feeds(X) if isinstance(X, list) else feeds(X)  # a row that is a dict has no form
        outputs = iter(session.run(None, {port.name: given[port.name] for port in session.get_inputs()}))
        for method in known.methods:
            arrays, entry = known.expected(method, X), described[method]
            arrays = [encode(entry, arrays[0])] if is_coded(entry) else split_columns(model, method, arrays)
            for expected in arrays:
                yield Answer(method, next(outputs), expected)


def in_sardonyx(case: Case) -> Iterator[Answer]:
    """Load a case's file in our runtime, which answers as the estimator does."""
    known = converted(case)
    session = sardonyx.load(known.model)
    for X in known.batches():
        for method in known.methods:
            answer = session.answer(method, X)
            for actual, expected in zip(arrays_of(answer), known.expected(method, X), strict=True):
                yield Answer(method, with_sentinels(actual), with_sentinels(expected))


#: name -> how a case is run in it
RUNTIMES: Final[dict[str, Callable[[Case], Iterator[Answer]]]] = {
    "sardonyx": in_sardonyx,
    "onnxruntime": in_onnxruntime,
}


def feeds(X: Any) -> dict[str, Any]:
    """The tensors that an ONNX runtime wants for X."""
    if hasattr(X, "columns"):
        return {str(c): _text(np.asarray(X[c])).reshape(-1, 1) for c in X.columns}
    return {"X": _text(X.toarray() if hasattr(X, "toarray") else X)}


def split_columns(model: onnx.ModelProto, method: str, expected: list[Any]) -> list[Any]:
    """Expected arrays as the model's outputs: an array of both text and numbers is one output a column."""
    outputs = [
        o.name for o in model.graph.output if o.name == method or o.name.startswith((f"{method}.", f"{method}_"))
    ]
    if len(expected) == 1 and len(outputs) > 1 and all(o.startswith(f"{method}.") for o in outputs):
        return [expected[0][:, i : i + 1] for i in range(len(outputs))]
    return expected


def with_sentinels(array: Any) -> Any:
    """Missing text as the text that stands for it, which compares equal to itself; sparse matrices dense."""
    if hasattr(array, "toarray"):
        return array.toarray()
    if array.dtype != object:
        return array
    result = np.empty(array.size, dtype=object)
    result[:] = [MISSING_NONE if v is None else MISSING_NAN if v != v else v for v in array.ravel().tolist()]
    return result.reshape(array.shape)


def _fitted(case: Case) -> tuple[Any, tuple[str, ...], Any, Any]:
    """Return the estimator, the methods to compare, and what they take: training rows and test rows."""
    estimator, data = case.fit()
    methods = case.methods or methods_of(estimator)
    if methods == ("inverse_transform",):
        X_fit, X_test = (expected_outputs(estimator, "transform", X)[0] for X in (data.X, data.X_test))
        return estimator, methods, X_fit, X_test
    return estimator, methods, data.X, data.X_test


def _expected(estimator: Any, method: str, X: Any, X_test: Any) -> list[NDArray[Any]]:
    """The estimator's arrays; scikit-learn itself refuses no rows: there, shapes come from one row."""
    rows = number_of_rows(X)
    arrays = [array[:rows] for array in expected_outputs(estimator, method, X if rows else X_test[:1])]
    if method == "predict_cov":  # rows against rows
        return [arrays[0], arrays[1][:, :rows]]
    if getattr(estimator, "flatten_transform", True) or method != "transform":
        return arrays
    return [array[:, :rows] for array in expected_outputs(estimator, method, X if rows else X_test[:1])]


def _text(array: Any) -> Any:
    if array.dtype.kind not in "UOT":
        return np.ascontiguousarray(array)
    missing = {None: MISSING_NONE}
    text = [missing.get(v, MISSING_NAN) if v is None or v != v else v for v in array.ravel().tolist()]
    return np.array(text, dtype=object).reshape(array.shape)
