"""NaN, infinity and extremes in one row: the program refuses what the estimator does, and answers the same."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from sardonyx.convert import convert, read_description
from sardonyx.description import Method
from sardonyx.errors import SardonyxError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner
from sardonyx.session.ragged import encode, is_coded

from ..cases import (
    Case,
    compose,
    decomposition,
    decomposition_nmf,
    feature_selection,
    impute,
    pipeline,
    preprocessing,
    preprocessing_polynomial,
)
from ..cases.data import dataset
from ..exactness import assert_exact, expected_outputs, methods_of

MODULES = (compose, decomposition, feature_selection, impute, pipeline, preprocessing)
INVERSE = ("inverse_transform",)
VALUES = (np.nan, np.inf, -np.inf, 1.7e308, -0.0, 5e-324)
#: of rows that nearly are training rows, and of rows infinitely far from all, the neighbours are a matter of rounding
UNDETERMINED = {"KNNImputer": (np.nan, 1.7e308, -0.0, 5e-324)}


def is_float_matrix(case: Case) -> bool:
    if case.data == "complete_first":  # of one row, scikit-learn's inverse fails where a feature was missing
        return False
    X = dataset(case.data).X
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f" and case.methods in ((), INVERSE)


CASES = [case for module in MODULES for case in module.CASES if is_float_matrix(case)]
CASES += [case for case in preprocessing_polynomial.CASES if is_float_matrix(case) and "zeros" in case.name]
CASES += [case for case in decomposition_nmf.CASES if case.methods == INVERSE and is_float_matrix(case)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_refused_or_answered_as_by_the_estimator(case: Case) -> None:
    estimator, data = case.fit()
    methods = case.methods or methods_of(estimator)
    sample = expected_outputs(estimator, "transform", data.X)[0] if methods == INVERSE else data.X
    model = convert(estimator, sample, methods=methods)
    description, runner = read_description(model), PlanRunner(lower(model), threads=1)
    assert description is not None
    undetermined = UNDETERMINED.get(type(estimator).__name__, ())
    for value in (v for v in VALUES if v not in undetermined):
        for column in (0, sample.shape[1] - 1):
            X = sample[:1].copy()
            with np.errstate(over="ignore"):
                X[0, column] = value
            compare(estimator, description.methods, runner, X)


def compare(estimator: Any, methods: dict[str, Method], runner: PlanRunner, X: Any) -> None:
    """Assert that both refuse X or both give the same."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = [
                encode(entry, array) if is_coded(entry) else array
                for method, entry in methods.items()
                for array in expected_outputs(estimator, method, X)
            ]
    except (ValueError, IndexError):
        with pytest.raises(SardonyxError):
            runner.run(None, {"X": X})
        return
    for actual, array in zip(runner.run(None, {"X": X}), expected, strict=True):
        with np.errstate(all="ignore"):
            assert_exact(actual, array)
