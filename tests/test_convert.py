"""Every row of the case table, in ONNX Runtime: the file says what the estimator says."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from sardonyx.convert import convert
from sardonyx.inputs import MISSING_NAN, MISSING_NONE

from .cases import KNOWN, Case, cases
from .exactness import assert_exact, expected_outputs, methods_of

CASES = list(cases())


def feeds(X: Any) -> dict[str, Any]:
    """The tensors that an ONNX runtime wants for X."""
    if hasattr(X, "columns"):
        return {str(c): _text(np.asarray(X[c])).reshape(-1, 1) for c in X.columns}
    return {"X": _text(X.toarray() if hasattr(X, "toarray") else X)}


def _text(array: Any) -> Any:
    if array.dtype.kind not in "UOT":
        return np.ascontiguousarray(array)
    missing = {None: MISSING_NONE}
    text = [missing.get(v, MISSING_NAN) if v is None or v != v else v for v in array.ravel().tolist()]
    return np.array(text, dtype=object).reshape(array.shape)


def split_columns(model: onnx.ModelProto, method: str, expected: list[Any]) -> list[Any]:
    """Expected arrays as the model's outputs: an array of both text and numbers is one output a column."""
    outputs = [
        o.name for o in model.graph.output if o.name == method or o.name.startswith((f"{method}.", f"{method}_"))
    ]
    if len(expected) == 1 and len(outputs) > 1 and all(o.startswith(f"{method}.") for o in outputs):
        return [expected[0][:, i : i + 1] for i in range(len(outputs))]
    return expected


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_onnxruntime_answers_like_the_estimator(case: Case) -> None:
    if reason := KNOWN.get(case.name, {}).get("onnxruntime"):
        pytest.xfail(reason)
    estimator, data = case.fit()
    methods = case.methods or methods_of(estimator)
    inverse = methods == ("inverse_transform",)
    X_fit, X_test = (expected_outputs(estimator, "transform", x)[0] if inverse else x for x in (data.X, data.X_test))
    model = convert(estimator, X_fit, methods=methods)
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString())
    for X in (X_test, X_test[:1], X_test[:0]):
        outputs = iter(session.run(None, feeds(X)))
        for method in methods:
            # scikit-learn itself refuses no rows: there, shapes come from one row
            arrays = expected_outputs(estimator, method, X if X.shape[0] else X_test[:1])
            for expected in split_columns(model, method, arrays):
                assert_exact(next(outputs), expected[: X.shape[0]], case.rtol)
