"""sklearn.model_selection: a finished search is its best estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.model_selection._search import BaseSearchCV

from ..convert import Data, call
from ..errors import ConversionError
from ..registry import METHODS, converter


def _method(method: str) -> Callable[[Any, Data], Any]:
    def convert(est: Any, X: Data) -> Any:
        if not hasattr(est, "best_estimator_"):
            raise ConversionError(
                f"{type(est).__name__}(refit={est.refit!r}) has no best estimator; set refit=True and fit again."
            )
        return call(est.best_estimator_, method, X)

    return convert


for _name in METHODS:
    converter(BaseSearchCV, method=_name, frame=True, finite=False)(_method(_name))
