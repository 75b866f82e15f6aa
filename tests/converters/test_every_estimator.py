"""Every estimator that takes numbers, on float32 and on a frame of integers; many rows, one, and none.

`compile` compares each method with the estimator's own on the sample and on its first row (`proof`); what is left to
see is that no rows are an answer of the same form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import _enforce_estimator_tags_X, _enforce_estimator_tags_y

import sardonyx
from sardonyx import registry

from ..exactness import arrays_of
from .test_instances import INSTANCES, REFUSED, SAMPLES, methods

#: class -> the first of scikit-learn's instances of it that has an answer
FIRST: dict[str, Any] = {}
for _name, _instance in INSTANCES.items():
    infers = any(hasattr(type(_instance), method) for method in registry.METHODS)
    if infers and _name not in REFUSED and type(_instance).__name__ not in {*SAMPLES, "PatchExtractor"}:
        FIRST.setdefault(type(_instance).__name__, _instance)
KINDS = {
    "float32": lambda X: X.astype(np.float32),
    "frame": lambda X: pd.DataFrame(np.round(X * 3).astype(np.int64)).rename(columns="feature {}".format),
}


def fitted(instance: Any, kind: str) -> tuple[Any, Any] | None:
    """Return the instance fitted on data of a kind, and the data; None where scikit-learn itself refuses them."""
    X, y = make_blobs(40, n_features=5, centers=3, random_state=1)
    X = _enforce_estimator_tags_X(instance, X)
    if get_tags(instance).target_tags.two_d_labels:
        y = np.stack([y, y[::-1]], axis=1)
    X, y = KINDS[kind](X), _enforce_estimator_tags_y(instance, y)
    try:
        return clone(instance).fit(X, y), X
    except ValueError:
        return None


def has(estimator: Any, method: str, X: Any) -> bool:
    """Whether scikit-learn's own method answers for what the estimator was fitted on."""
    try:
        getattr(estimator, method)(X)
    except ValueError:
        return False
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FIRST)
def test_many_rows_one_and_none(name: str, kind: str) -> None:
    made = fitted(FIRST[name], kind)
    if made is None:
        assert (name, kind) in NOT_TAKEN
        return
    estimator, X = made
    chosen = [
        m for m in methods(estimator) if registry.why_impossible(type(estimator), m) is None and has(estimator, m, X)
    ]
    session = sardonyx.compile(estimator, X, methods=chosen)
    for method in chosen:
        for none, one in zip(
            arrays_of(session.answer(method, X[:0])), arrays_of(session.answer(method, X[:1])), strict=True
        ):
            assert none.dtype == one.dtype
            assert none.shape[0] == 0
            assert none.shape[1:] == one.shape[1:]


#: what scikit-learn does not fit
NOT_TAKEN: set[tuple[str, str]] = set()
