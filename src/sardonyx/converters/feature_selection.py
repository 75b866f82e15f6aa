"""sklearn.feature_selection: every selector is its support; `SelectorMixin` does the rest, here as there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.feature_selection import RFE
from sklearn.feature_selection._base import SelectorMixin

from ..convert import Data, allows_nan, call, checked, in_order, take
from ..errors import ConversionError
from ..graph import Value, concat
from ..operators.checks import check_finite
from ..protos import STRING
from ..registry import METHODS, converter
from ._columns import array_of, constant_column, keeps_frames


@converter(SelectorMixin, frame=True, finite=False)
def selector(est: Any, X: Data) -> Data:
    data = in_order(est, X) if keeps_frames(est) else array_of(in_order(est, X))
    if isinstance(data, Value) and not allows_nan(est):  # where NaN is allowed, so is infinity
        data = checked(est, data, as_it_is=True)
    chosen = take(data, est.get_support(indices=True))
    return chosen.taken_as("csr") if isinstance(chosen, Value) else chosen


@converter(SelectorMixin, method="inverse_transform", finite=False)
def selector_inverse(est: Any, X: Value) -> Value:
    """Put selected features back in their places, zeros in the others: one gather from X and a column of zeros.

    Unlike ``transform``, scikit-learn's ``inverse_transform`` refuses NaN and infinity whatever the selector allows,
    unless the matrix is sparse.
    """
    support = est.get_support()
    if X.dtype == STRING or not support.any():
        what = "text" if X.dtype == STRING else "nothing"
        raise ConversionError(
            f"{type(est).__name__}.inverse_transform of {what} has no zeros to fill in; convert transform only."
        )
    if X.dtype.kind == "f" and not X.sparse:
        X = check_finite(X, allow_nan=0, estimator=type(est).__name__)
    places = np.where(support, np.cumsum(support) - 1, support.sum())
    first = X[:, :1]
    zeros = first & ~first if X.dtype.kind == "b" else constant_column(X, X.dtype.type(0))
    return concat([X, zeros])[:, places].like(X, "csc", matrix=True)


def _selected(method: str) -> Callable[[Any, Data], Any]:
    def convert(est: Any, X: Data) -> Any:
        return call(est.estimator_, method, call(est, "transform", X))

    return convert


for _name in METHODS:
    if not _name.endswith("transform") and hasattr(RFE, _name):
        converter(RFE, method=_name, frame=True, finite=False)(_selected(_name))
