"""sklearn.utils._response: how meta-estimators ask a part for its scores, and what they make of them.

It registers nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target

from ..convert import Data, step
from ..errors import ConversionError
from ..graph import Value, concat


def response(name: str, est: Any, methods: Sequence[str] | str, X: Data, pos_label: Any = None) -> tuple[Value, str]:
    """Trace the first method that `est` has, as ``_get_response_values`` does; return its values and its name.

    Parameters
    ----------
    name : str
        Of the step.
    est : object
        A fitted part of a meta-estimator.
    methods : str or sequence of str
        What would do, best first.
    X : Value or Columns
        Its input.
    pos_label : object, optional
        The class whose scores are wanted, of two; by default the second.
    """
    wanted = (methods,) if isinstance(methods, str) else methods
    method = next((m for m in wanted if hasattr(est, m)), None)
    if method is None:
        raise ConversionError(
            f"{name}: {type(est).__name__} has no {' or '.join(wanted)}, which is asked of it here. Fit {name} on an "
            "estimator that has."
        )
    scores = step(name, est, [method], X)[method]
    if not is_classifier(est):
        return scores, method
    binary = type_of_target(est.classes_) == "binary"
    first = pos_label is not None and pos_label == est.classes_[0]
    if binary and method in ("predict_proba", "predict_log_proba"):
        return scores[:, 0 if first else 1], method
    return (-1 * scores if binary and first and method == "decision_function" else scores), method


def columns_of(values: Sequence[Value]) -> Value:
    """Return 1-D Values side by side, shape (N, n_values)."""
    return concat([v[:, None] for v in values])


def flat(values: Value) -> Value:
    """Return ``np.ravel`` of one column."""
    return values if values.ndim == 1 else values.reshape(-1)


def names_in(function: Any) -> tuple[str, ...]:
    """Return the names that the code of a scikit-learn method uses: tells its versions apart by what they do."""
    return tuple(inspect.unwrap(function).__code__.co_names)


def positive_scores(name: str, est: Any, X: Data, also: Sequence[str] = ()) -> tuple[Value, dict[str, Any]]:
    """Return the scores of the positive class as ``sklearn.multiclass._predict_binary``, and the results of `also`."""
    from sklearn.base import is_regressor

    method = "predict" if is_regressor(est) else "decision_function"
    if not hasattr(est, method):
        method = "predict_proba"
    results = step(name, est, list(dict.fromkeys([*also, method])), X)
    scores = results[method]
    return (scores[:, 1] if method == "predict_proba" else flat(scores)), results


def as_float64(values: Value) -> Value:
    """Return values as an array of ``np.zeros`` would hold them."""
    return values.astype(np.float64)
