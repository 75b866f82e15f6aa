"""What data must be like beyond fitting their input's dtype, where an estimator answers otherwise with equal numbers.

Nearly none does: numbers are what they are, in floats or integers. `GaussianMixture` keeps squared distances in the
dtype of the rows, which truncates them where they are integers, and a file computes in the sample's. `DotProduct` adds
up squares of bools and of narrow integers in their own dtype, where they overflow. Encoders and
`SimpleImputer` tell None from NaN in arrays of objects, and a tensor of numbers has NaN alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..errors import InputError
from .containers import as_array, columns_of, columns_of_records, is_frame, is_sparse, opened, plain, says_missing
from .signature import Signature
from .values import column_named


def check_demands(X: Any, signature: Signature) -> None:
    """Refuse data that the model's estimator would answer otherwise than the model.

    Raises
    ------
    InputError
        Naming the estimator, and the way out.
    """
    for demand, estimator in signature.demands.items():
        DEMANDS[demand](X, signature, estimator)


def _check_kind(X: Any, signature: Signature, estimator: str) -> None:
    expected = np.result_type(*(spec.dtype for spec in signature.inputs))
    given = _dtype(X, signature)
    if given.kind == "O" or (given.kind == expected.kind and (expected.kind == "f" or given == expected)):
        return
    raise InputError(
        f"X holds {given}, the model was converted from {expected}, and {estimator} answers otherwise with the same "
        f"numbers in {given}. Give X.astype({expected.name!r}), or convert with a sample of {given}."
    )


def _check_wide(X: Any, signature: Signature, estimator: str) -> None:
    given = _dtype(X, signature)
    if given.kind in "biu" and given.itemsize < 8:
        raise InputError(
            f"X holds {given}, whose squares {estimator} adds up in {given} in scikit-learn; give X.astype('float64')."
        )


def _dtype(X: Any, signature: Signature) -> np.dtype[Any]:
    """Return the dtype of the matrix that scikit-learn makes of X."""
    X = columns_of_records(opened(X))
    if is_sparse(X):
        sparse: np.dtype[Any] = X.dtype
        return sparse
    if not is_frame(X) and not hasattr(X, "keys"):
        return np.dtype(as_array(X).dtype)
    columns = columns_of(X)
    names = [name for name in signature.features if name in columns] if signature.by_column else list(columns)
    dtypes: list[np.dtype[Any]] = [plain(columns[name]).dtype for name in names]
    return np.result_type(*dtypes) if names else np.dtype(object)


def _check_entries(X: Any, signature: Signature, estimator: str) -> None:
    X = opened(X)
    if is_sparse(X) and not np.all(X.tocsr().data):
        raise InputError(
            f"X stores zeros among its entries, of which {estimator} makes NaN; call X.eliminate_zeros() first."
        )


def _check_none(X: Any, signature: Signature, estimator: str) -> None:
    if not says_missing(X):
        return
    for name in (spec.name for spec in signature.inputs if spec.dtype != "str"):
        given = _given(X, signature, name)
        if given.dtype == object and any(value is None for value in np.ravel(given).tolist()):
            raise InputError(
                f"{column_named(name)} holds None, which {estimator} tells from NaN among numbers, and a tensor does "
                "not; write what is missing as NaN: X.fillna(np.nan)."
            )


def _given(X: Any, signature: Signature, name: str) -> Any:
    """Return what an input is made of; nothing, where that is refused later."""
    if is_frame(X):
        return columns_of(X).get(name, np.zeros(0))
    features = signature.features
    return X[:, features.index(name)] if signature.by_column and X.shape[1:] == (len(features),) else X


#: what may be demanded -> how it is checked
DEMANDS: Final[dict[str, Callable[[Any, Signature, str], None]]] = {
    "kind": _check_kind,
    "wide": _check_wide,
    "no stored zeros": _check_entries,
    "no None": _check_none,
}
