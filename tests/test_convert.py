"""Every row of the case table, in ONNX Runtime: the file says what the estimator says."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from sardonyx.convert import convert

from .cases import KNOWN, Case, cases
from .exactness import assert_exact, expected_outputs, methods_of

CASES = list(cases())


def feeds(X: Any) -> dict[str, Any]:
    """The tensors that an ONNX runtime wants for X."""
    if hasattr(X, "columns"):
        return {str(c): _text(np.asarray(X[c])).reshape(-1, 1) for c in X.columns}
    return {"X": _text(X.toarray() if hasattr(X, "toarray") else X)}


def _text(array: Any) -> Any:
    return array.astype(object) if array.dtype.kind in "UOT" else np.ascontiguousarray(array)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_onnxruntime_answers_like_the_estimator(case: Case) -> None:
    if reason := KNOWN.get(case.name, {}).get("onnxruntime"):
        pytest.xfail(reason)
    estimator, data = case.fit()
    methods = case.methods or methods_of(estimator)
    inverse = methods == ("inverse_transform",)
    X_fit, X_test = (estimator.transform(x) if inverse else x for x in (data.X, data.X_test))
    model = convert(estimator, X_fit, methods=methods)
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString())
    for X in (X_test, X_test[:1], X_test[:0]):
        outputs = iter(session.run(None, feeds(X)))
        for method in methods:
            # scikit-learn itself refuses no rows: there, shapes come from one row
            for expected in expected_outputs(estimator, method, X if X.shape[0] else X_test[:1]):
                assert_exact(next(outputs), expected[: X.shape[0]], case.rtol)
