"""Which methods are converted."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from .. import registry
from ..errors import ConversionError


def choose_methods(estimator: Any, methods: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the methods to convert, checked against what the estimator has."""
    return _usual(estimator) if methods is None else _asked_for(estimator, _names_of_methods(methods))


def _asked_for(estimator: Any, chosen: tuple[str, ...]) -> tuple[str, ...]:
    missing = [m for m in chosen if m not in registry.METHODS or not offers(estimator, m)]
    if missing or not chosen:
        wrong = f"has no method {', '.join(missing)}" if missing else "is to be converted without methods"
        has = [m for m in registry.METHODS if offers(estimator, m)]
        raise ConversionError(f"{type(estimator).__name__} {wrong}; it has {', '.join(has) or 'none that converts'}.")
    if "inverse_transform" in chosen and len(chosen) > 1:
        raise ConversionError(
            "inverse_transform takes other input than the other methods: convert it alone, with X = transform(X)."
        )
    return chosen


def _usual(estimator: Any) -> tuple[str, ...]:
    for group in registry.DEFAULTS:
        if found := tuple(m for m in group if hasattr(estimator, m)):
            return found
    others = [m for m in registry.METHODS if offers(estimator, m)]
    hint = (
        f"name the methods to convert: {', '.join(others)}."
        if others
        else "it answers for the rows of its fit only, so that there is nothing to convert."
    )
    raise ConversionError(f"{type(estimator).__name__} has neither predict nor transform; {hint}")


def _names_of_methods(methods: Any) -> tuple[str, ...]:
    chosen = (methods,) if isinstance(methods, str) else methods
    if not isinstance(chosen, Sequence) or not all(isinstance(m, str) for m in chosen):
        raise ConversionError(f"methods={methods!r}; give a list of names, such as ['predict', 'predict_proba'].")
    return tuple(dict.fromkeys(chosen))


def offers(estimator: Any, method: str) -> bool:
    """Whether an estimator has a method, as it is now fitted, with the option that it may stand for."""
    if method not in registry.OPTIONS:
        return hasattr(estimator, method) or registry.spelling(estimator, method) is not None
    estimator = _answering(estimator)
    predict = getattr(estimator, "predict", None)
    if predict is None:
        return False
    taken = inspect.signature(predict).parameters
    anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken.values())
    return registry.OPTIONS[method] in taken or (anything and registry.lookup(type(estimator), method) is not None)


def _answering(estimator: Any) -> Any:
    """Return what options of predict are passed on to: the last step of a pipeline."""
    steps = getattr(estimator, "steps", None)
    return _answering(steps[-1][1]) if steps and hasattr(steps[-1][1], "predict") else estimator
