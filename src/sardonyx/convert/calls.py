"""Estimators that ask estimators: `call` traces a method where it is asked for, `step` as an ONNX function of its own.

Both look the converter up, hand it X as it wants it, and remember the result.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import registry
from ..errors import ConversionError, SardonyxError
from ..graph import STEPS, Graph, Value, current_graph
from ..operators.checks import check_finite, refuse
from .data import Coded, Columns, Data, Result, as_matrix, demand, flatten, identity, in_order, rebuild
from .methods import offers


def call(estimator: Any, method: str, X: Data) -> Any:
    """Trace ``estimator.method(X)`` into the current scope, once.

    Parameters
    ----------
    estimator : object
        A fitted estimator.
    method : str
        One of `registry.METHODS`.
    X : Value or Columns
        Its input.

    Returns
    -------
    Value, Columns, list of Value (multi-output) or tuple of Value (several arrays)
    """
    entry = find(estimator, method)
    if not offers(estimator, registry.ALIASES.get(method, method)):
        raise ConversionError(
            f"{type(estimator).__name__} has no {method} as it was fitted, and it is asked for here. Fit it so that it "
            "has, or name methods that do not need it."
        )
    data = X if entry.frame else as_matrix(X if method == "inverse_transform" else in_order(estimator, X))
    if isinstance(data, Value) and method != "inverse_transform":
        _check_handed(estimator, data)
    given = checked(estimator, data) if entry.finite and isinstance(data, Value) else data
    # The rows as the converter sees them: it may ask for another method of theirs, as may the caller.
    memo, key = current_graph().memo, (id(estimator), method, identity(given))
    if key not in memo:
        memo[key] = _traced(entry, estimator, method, given)
    return memo[key]


def _check_handed(estimator: Any, X: Value) -> None:
    """Refuse what the step before makes, if the estimator was fitted on another number of columns, as it would."""
    expected = getattr(estimator, "n_features_in_", None)
    if X.ndim == 2 and isinstance(expected, int) and X.shape[1] not in (expected, None):
        raise ConversionError(
            f"{type(estimator).__name__} is given {X.shape[1]} features here, and was fitted on {expected}: the step "
            "before it transforms into others than its fit_transform gave. scikit-learn refuses that model's rows too."
        )


def _traced(entry: registry.Converter, estimator: Any, method: str, X: Data) -> Result:
    """Return what a converter returns, refused if it is no data of the graph."""
    try:
        result: Result = entry.function(estimator, X)
    except SardonyxError:
        raise
    except (AttributeError, TypeError, ValueError) as error:  # most often the estimator's own, of a method it lacks
        raise ConversionError(f"{type(estimator).__name__}.{method} cannot be converted: {error}") from error
    parts = result if isinstance(result, list | tuple) else [result]
    if not parts or not all(isinstance(part, Value | Columns | Coded) for part in parts):
        given = ", ".join(dict.fromkeys(type(part).__name__ for part in parts)) or "nothing"
        raise ConversionError(
            f"the converter of {type(estimator).__name__}.{method} returned {given}; "
            "return what is computed from X: a sardonyx.graph.Value, or a list or tuple of them."
        )
    return result


def step(name: str, estimator: Any, methods: Sequence[str], X: Data) -> dict[str, Any]:
    """Trace methods of an estimator as one ONNX function called ``name:Class``; return each method's result."""
    if isinstance(X, Coded):
        raise ConversionError(f"{name} is given no tensor of rows by the step before it; convert up to there.")
    outer, values = current_graph(), list(X.values) if isinstance(X, Columns) else [X]
    key = ("step", name, id(estimator), tuple(methods), identity(X))
    if key in outer.memo:
        known: dict[str, Any] = outer.memo[key]
        return known
    shapes: dict[str, Any] = {}

    def body(*formal: Value) -> list[Value]:
        formal = tuple(v.like(given) for v, given in zip(formal, values, strict=True))
        for inside, outside in zip(formal, values, strict=True):
            inside.marked_as(outside)
        data = Columns(X.names, formal, X.records) if isinstance(X, Columns) else formal[0]
        shapes.update((m, call(estimator, m, data)) for m in methods)
        return [v for result in shapes.values() for v in flatten(result)]

    labels = _LazyLabels(shapes)
    setup = _prepare(f"{outer.path}.{name}".lstrip("."), estimator, methods)
    results = iter(outer.function(STEPS, f"{name}:{type(estimator).__name__}", body, values, labels, setup=setup))
    outer.memo[key] = {m: rebuild(result, results) for m, result in shapes.items()}
    return dict(outer.memo[key])


def together(method: str) -> tuple[str, ...]:
    """Return all methods wanted of the estimator being traced if `method` is among them: a step answers all at once."""
    wanted = current_graph().wanted
    return wanted if method in wanted else (method,)


# ---- converters and their input --------------------------------------------------------------------------------------


def find(estimator: Any, method: str) -> registry.Converter:
    """Return the converter of an estimator's method; where there is none, say why."""
    entry = registry.lookup(type(estimator), method)
    if entry is not None:
        return entry
    name = type(estimator).__name__
    if not offers(estimator, method):
        raise ConversionError(
            f"{name} has no {method}, and it is asked for here. Put an estimator there that has, or name methods that "
            "do not need it."
        )
    if reason := registry.why_impossible(type(estimator), method):
        raise ConversionError(f"{name}.{method} cannot be converted: {reason}.")
    if registry.is_users_own(type(estimator), method):
        return registry.Converter(lambda est, X: _own(est, method, X), frame=True, finite=False)
    option = "" if method == registry.default_method(type(estimator)) else f", method={method!r}"
    register = f"Register one: @sardonyx.converter({name}{option}) def convert(est, X): ... (see docs/converters.md)."
    if owner := registry.overrider(type(estimator), method):
        raise ConversionError(f"{owner.__name__} overrides {method}, and has no converter for it. {register}")
    if has := [m for m in registry.supported(type(estimator)) if offers(estimator, m)]:
        raise ConversionError(f"{name}.{method} cannot be converted; {name} converts {', '.join(has)}. {register}")
    raise ConversionError(f"{name} ({type(estimator).__module__}) has no converter for {method}. {register}")


def _own(estimator: Any, method: str, X: Data) -> Any:
    """Trace a method of a user's own class; tracing stands above this module, and is there when it is needed."""
    tracing = __package__.rpartition(".")[0] + ".tracing.own"
    return importlib.import_module(tracing).own_method(estimator, method, X)


def checked(estimator: Any, X: Value, *, as_it_is: bool = False) -> Value:
    """Return X, refused where it is NaN or infinite and the estimator does not allow that.

    `as_it_is`: the estimator leaves numbers in arrays of objects as they are; scikit-learn looks for NaN alone there.
    """
    if X.dtype.kind != "f":
        return X
    if as_it_is and X.objects:
        demand(estimator, X, "no None")
    memo = current_graph().memo
    key = ("checked", id(estimator), X.name)
    if key not in memo:
        found = _without_nan(estimator, X) if as_it_is and X.objects else _finite(estimator, X)
        memo[key] = memo["checked", id(estimator), found.name] = found
    known: Value = memo[key]
    return known


def _finite(estimator: Any, X: Value) -> Value:
    result: Value = check_finite(X, allow_nan=int(allows_nan(estimator)), estimator=type(estimator).__name__)
    result.given = X.given
    return result.like(X)


def _without_nan(estimator: Any, X: Value) -> Value:
    if allows_nan(estimator):
        return X
    result: Value = refuse(X, np.isnan(X), message=f"{type(estimator).__name__}: Input contains NaN")
    return result.like(X)


def allows_nan(estimator: Any) -> bool:
    """Whether the estimator's tags allow NaN."""
    return input_tags(estimator)[0]


def input_tags(estimator: Any) -> tuple[bool, bool]:
    """Return whether the estimator allows NaN, and whether it takes two-dimensional arrays."""
    from sklearn.utils import get_tags

    tags = get_tags(estimator).input_tags
    return bool(tags.allow_nan), bool(tags.two_d_array)


# ---- steps -----------------------------------------------------------------------------------------------------------


class _LazyLabels(Sequence[str]):
    """Output names of a step, known once its body has been traced."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results

    def _names(self) -> list[str]:
        names = []
        for method, result in self.results.items():
            flat = flatten(result)
            names += [method] if len(flat) == 1 else [f"{method}.{i}" for i in range(len(flat))]
        return names

    def __len__(self) -> int:
        return len(self._names())

    def __getitem__(self, index: Any) -> Any:
        return self._names()[index]


def _prepare(path: str, estimator: Any, methods: Sequence[str]) -> Any:
    def setup(graph: Graph) -> None:
        graph.wanted = tuple(methods)
        graph.path = path
        graph.names_of = {id(v): k for k, v in vars(estimator).items() if isinstance(v, np.ndarray)}

    return setup
