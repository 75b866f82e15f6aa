"""What "correct" means, as code: compare what a runtime answers with what the estimator's own method answers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sardonyx.convert import choose_methods
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE
from sardonyx.proof.verification import restored
from sardonyx.registry import ALIASES, METHODS, OPTIONS, ask
from sardonyx.session.ragged import rows_of


def methods_of(estimator: Any) -> tuple[str, ...]:
    """Every inference method the fitted estimator has that takes X alone; the others are asked for by name."""
    separate = {*ALIASES, "inverse_transform"}
    return choose_methods(estimator, [m for m in METHODS if m not in separate and hasattr(estimator, m)])


def expected_outputs(estimator: Any, method: str, X: Any) -> list[NDArray[Any]]:
    """Return the arrays of scikit-learn's own method, in the order of the model's outputs."""
    X = X.copy() if hasattr(X, "copy") else X  # some estimators write into it, such as IterativeImputer
    if option := OPTIONS.get(method):
        return [np.asarray(a) for a in estimator.predict(X, **{option: True})]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of unknown categories, and still answers
        result = ask(estimator, method, X)
    return [restored(a.toarray() if hasattr(a, "toarray") else np.asarray(a), X) for a in arrays_of(result)]


def arrays_of(answer: Any) -> list[Any]:
    """Return the arrays of an answer: of a list of rows, such as tuples of labels, one array of them."""
    if isinstance(answer, list) and all(getattr(row, "ndim", 1) == 1 for row in answer):
        return [rows_of(answer)]
    return list(answer) if isinstance(answer, list | tuple) else [answer]


def assert_exact(actual: Any, expected: NDArray[Any], rtol: float | None = None) -> None:
    """Labels identical, floats within the tolerance of their dtype, shapes and kinds of dtype the same."""
    actual = np.asarray(actual)
    if expected.dtype.kind in "UO":
        expected = _objects(expected, actual)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    if expected.dtype.kind != "f":
        assert actual.tolist() == expected.tolist()
        return
    assert actual.dtype.kind == "f", f"dtype {actual.dtype}, expected {expected.dtype}"
    tolerance = rtol if rtol is not None else 1e-5 if expected.dtype == np.float32 else 1e-10
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=1e-6 if tolerance >= 1e-5 else 1e-12)


def _objects(expected: NDArray[Any], actual: NDArray[Any]) -> NDArray[Any]:
    """Objects as the tensors that stand for them: numbers in their dtype, missing text as sentinels."""
    if actual.dtype.kind in "fiub":
        return expected.astype(actual.dtype)
    text: NDArray[Any] = np.vectorize(_text, otypes=[object])(expected)
    return text


def _text(value: Any) -> Any:
    if value is None:
        return MISSING_NONE
    return MISSING_NAN if isinstance(value, float) and np.isnan(value) else value
