"""The one table (`cases/`): how many ways of every estimator it holds."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.utils import all_estimators

from sardonyx import registry

from .cases import cases

LEAST = 3


def parts(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and those that its parameters hold."""
    yield estimator
    held = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    yield from (value for value in held if hasattr(value, "get_params") and not isinstance(value, type))


def settings(estimator: Any) -> str:
    return repr(sorted((name, repr(value)) for name, value in estimator.get_params(deep=False).items()))


#: class -> its settings, and the data sets that it is fitted on
SETTINGS: dict[str, set[str]] = defaultdict(set)
DATA: dict[str, set[str]] = defaultdict(set)
for _case in cases():
    for _part in parts(_case.estimator):
        SETTINGS[type(_part).__name__].add(settings(_part))
        DATA[type(_part).__name__].add(_case.data)

ANSWERING = {
    name: cls
    for name, cls in all_estimators()
    if any(hasattr(cls, m) and registry.why_impossible(cls, m) is None for m in registry.METHODS)
}


@pytest.mark.parametrize("name", ANSWERING)
def test_every_estimator_in_three_ways(name: str) -> None:
    """Three settings of its parameters; of an estimator without any, three data sets."""
    if inspect.signature(ANSWERING[name]).parameters:
        assert len(SETTINGS[name]) >= LEAST
    else:
        assert len(DATA[name]) >= LEAST


@pytest.mark.parametrize("library", ["XGB", "LGBM", "CatBoost"])
@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_every_boosting_library_in_three_ways(library: str, kind: str) -> None:
    assert len(SETTINGS[library + kind]) >= LEAST
