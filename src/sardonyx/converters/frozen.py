"""sklearn.frozen: what is frozen answers as itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.frozen import FrozenEstimator

from ..convert import Data, step, together
from ..registry import METHODS, converter


def _method(method: str) -> Callable[[Any, Data], Any]:
    return lambda est, X: step("estimator", est.estimator, together(method), X)[method]


for _name in METHODS:
    converter(FrozenEstimator, method=_name, frame=True, finite=False)(_method(_name))
