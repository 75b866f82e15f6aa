"""Estimators of the user's own, without a converter: their methods are called once, with arrays that remember.

::

    class Ratio(TransformerMixin, BaseEstimator):
        def transform(self, X):                          X: a traced array, or frame
            X = validate_data(self, X, reset=False)      scikit-learn's checks let it through, rows are checked later
            X = self.scaler_.transform(X)                an estimator of scikit-learn's: its converter
            return X / self.scale_                       fitted attributes are constants

What has no exact form is refused with its line, as in functions (tracing/__init__.py), and the way out: a converter.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import registry
from ..convert import Columns, Data, as_matrix, checked, in_order
from ..errors import ConversionError
from ..graph import Value
from ..operators.checks import check_finite
from ..protos import STRING
from . import trace
from .array import Array, is_array, refuse
from .frames import from_columns, is_frame, to_columns
from .replaced import LOCK

#: methods that an estimator may ask of others
METHODS = ("transform", "inverse_transform", "predict", "predict_proba", "predict_log_proba", "decision_function")


def own_method(est: Any, method: str, X: Data) -> Data:
    """Return what a method of a user's own class computes, traced into the current graph.

    Raises
    ------
    ConversionError
        With the line that has no form here, and what to do.
    """
    name = type(est).__name__
    function = inspect.unwrap(getattr(type(est), method))  # without set_output, which asks for real containers
    kept = dict(vars(est))
    try:
        with LOCK, _checks_passed(type(est)), _converted(est):
            return trace(f"{name}.{method}", _bound(function, est), in_order(est, X))
    except ConversionError as error:
        owner = registry.overrider(type(est), method)
        subject = (
            f"{owner.__name__} overrides {method}, and has no converter for it"
            if owner is not None
            else (f"{name} ({type(est).__module__}) has no converter for {method}")
        )
        raise ConversionError(
            f"{subject}. It cannot be traced: {error} "
            f"Register one: @sardonyx.converter({name}) def convert(est, X): ... (see docs/converters.md)."
        ) from error
    finally:
        vars(est).clear()
        vars(est).update(kept)


def _bound(function: Callable[..., Any], est: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    def bound(X: Any) -> Any:
        return function(est, X)

    return bound


# ---- what converts, inside what is traced ----------------------------------------------------------------------------


@contextmanager
def _converted(est: Any) -> Iterator[None]:
    """Let estimators that an estimator holds, or is a subclass of, take traced arrays: by their converters."""
    bases = [base for v in (est, *_held(vars(est))) for base in type(v).__mro__ if _is_sklearns(base)]
    own = [(cls, m, vars(cls)[m]) for cls in dict.fromkeys(bases) for m in METHODS if m in vars(cls)]
    for cls, method, original in own:  # where they are defined: the registry asks which class defines a method
        setattr(cls, method, _by_converter(method, original))
    try:
        yield
    finally:
        for cls, method, original in own:
            setattr(cls, method, original)


def _held(values: Any) -> Iterator[Any]:
    """Return the objects in attributes, and in lists and dicts there, that have a method of estimators."""
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, dict | list | tuple):
            yield from _held(value)
        elif hasattr(value, "get_params") and not isinstance(value, type):
            yield value


def _by_converter(method: str, original: Any) -> Callable[..., Any]:
    def answer(self: Any, *args: Any, **options: Any) -> Any:
        if not args or not (is_array(args[0]) or is_frame(args[0])):
            return original.__get__(self, type(self))(*args, **options)
        (X, *more), own = args, type(self)
        entries = (registry.lookup(base, method) for base in own.__mro__ if base is own or _is_sklearns(base))
        entry = next((e for e in entries if e is not None), None)
        if more or options or entry is None:
            refuse(f"{own.__name__}.{method} with more than X, or without a converter")
        data = to_columns(X) if is_frame(X) else X.value
        if entry.frame:
            return _traced(entry.function(self, data))
        matrix = as_matrix(in_order(self, data))
        return _traced(entry.function(self, checked(self, matrix) if entry.finite else matrix))

    return answer


def _traced(result: Any) -> Any:
    if isinstance(result, list | tuple):
        return type(result)(map(_traced, result))
    if isinstance(result, Columns):
        return from_columns(result).copy()
    return Array(result) if isinstance(result, Value) else refuse("an answer that is no tensor")


# ---- scikit-learn's checks -------------------------------------------------------------------------------------------


@contextmanager
def _checks_passed(cls: type) -> Iterator[None]:
    """Let scikit-learn's checks take traced arrays, in the modules that a class is written in."""
    from sklearn.utils import validation

    replacements: dict[Any, Callable[..., Any]] = {
        validation.check_array: _check_array(validation.check_array),
        validation.validate_data: _validate_data(validation.validate_data),
    }
    functions = [
        f for base in cls.__mro__ if not _is_sklearns(base) for f in vars(base).values() if inspect.isfunction(f)
    ]
    scopes = {id(f.__globals__): f.__globals__ for f in map(inspect.unwrap, functions)}
    own = [(names, n, v) for names in scopes.values() for n, v in list(names.items()) if _among(v, replacements)]
    for names, name, value in own:
        names[name] = replacements[value]
    try:
        yield
    finally:
        for names, name, value in own:
            names[name] = value


def _among(value: Any, table: dict[Any, Any]) -> bool:
    return inspect.isfunction(value) and value in table


def _is_sklearns(cls: type) -> bool:
    return cls.__module__.split(".")[0] in ("sklearn", "builtins")


def _check_array(original: Callable[..., Any]) -> Callable[..., Any]:
    def check(array: Any, *args: Any, **options: Any) -> Any:
        if not is_array(array) and not is_frame(array):
            return original(array, *args, **options)
        return _checked(array, "", options)

    return check


def _validate_data(original: Callable[..., Any]) -> Callable[..., Any]:
    def validate(estimator: Any, /, X: Any = "no_validation", y: Any = "no_validation", **options: Any) -> Any:
        if not is_array(X) and not is_frame(X):
            return original(estimator, X, y, **options)
        if options.pop("skip_check_array", False):
            return X
        return _checked(X, type(estimator).__name__, options)

    return validate


def _checked(X: Any, name: str, options: dict[str, Any]) -> Any:
    """Return what the check would return: a matrix of numbers, refused when the model runs where it is not finite."""
    array: Array = X.to_numpy() if is_frame(X) else X
    dtype = options.get("dtype", "numeric")
    if array.value.dtype == STRING:
        if dtype not in (None, object, str):
            refuse("text where scikit-learn checks for numbers")
        return array
    if isinstance(dtype, list | tuple):
        dtype = None if array.dtype in [np.dtype(d) for d in dtype] else dtype[0]
    finite = options.get("ensure_all_finite", True)
    array = array.copy() if dtype in (None, "numeric") else array.astype(dtype)
    if array.dtype.kind == "f" and finite is not False:
        array = array.like(check_finite(array.value, allow_nan=int(finite == "allow-nan"), estimator=name))
    array.writable = bool(options.get("copy", False))
    return array
