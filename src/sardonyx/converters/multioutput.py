"""sklearn.multioutput: one estimator for each output, beside each other or in a chain."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, _BaseChain, _MultiOutputEstimator

from ..convert import Data, call, step
from ..errors import ConversionError
from ..graph import Value, concat
from ..registry import converter
from ._response import as_float64, columns_of, flat, response


@converter(_MultiOutputEstimator, method="predict", frame=True, finite=False)
def multi_output(est: Any, X: Data) -> Value:
    parts = [step(f"estimator_{i}", part, ["predict"], X)["predict"] for i, part in enumerate(est.estimators_)]
    if any(p.ndim != 1 for p in parts):
        raise ConversionError(
            f"{type(est).__name__}: an estimator of it predicts several outputs itself. Fit it on one output each."
        )
    return columns_of(parts)


@converter(MultiOutputClassifier, method="predict_proba", frame=True, finite=False)
def multi_output_proba(est: Any, X: Data) -> list[Value]:
    parts = [step(f"estimator_{i}", part, ["predict_proba"], X) for i, part in enumerate(est.estimators_)]
    return [part["predict_proba"] for part in parts]


def _chain(est: Any, X: Value, method: str) -> Value:
    """Return ``_BaseChain._get_predictions``: each estimator sees X and the predictions before it."""
    feature_method = getattr(est, "chain_method_", "predict")
    features: list[Value] = []
    outputs: list[Value] = []
    for i, part in enumerate(est.estimators_):
        seen = concat([X.astype(np.result_type(X.dtype, np.float64)), *features])
        features.append(as_float64(flat(response(f"estimator_{i}", part, feature_method, seen)[0]))[:, None])
        outputs.append(as_float64(flat(response(f"estimator_{i}", part, method, seen)[0])))
    return columns_of([outputs[i] for i in np.argsort(est.order_)])


@converter(_BaseChain, method="predict")
def chain_predict(est: Any, X: Value) -> Value:
    return _chain(est, X, "predict")


@converter(ClassifierChain, method="predict_proba")
def chain_proba(est: Any, X: Value) -> Value:
    return _chain(est, X, "predict_proba")


@converter(ClassifierChain, method="predict_log_proba")
def chain_log_proba(est: Any, X: Value) -> Value:
    return np.log(call(est, "predict_proba", X))


@converter(ClassifierChain, method="decision_function")
def chain_decision(est: Any, X: Value) -> Value:
    return _chain(est, X, "decision_function")
