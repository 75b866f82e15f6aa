"""What can be converted: `@converter` writes this list where each converter is defined; nobody keeps another.

What cannot be, for a reason that no converter will overcome, is said beside it with `impossible`.

Lookup follows the method: it walks the class's MRO like Python does, so a subclass of a known estimator converts by
itself, and one that overrides the method is refused instead of being converted as its parent.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from .errors import ConversionError

Convert = Callable[..., Any]
F = TypeVar("F", bound=Convert)
T = TypeVar("T")

#: inference methods, in the order in which they are offered
METHODS: Final = (
    "predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples",
    "transform", "inverse_transform", "apply", "predict_std", "predict_cov", "kneighbors",
)  # fmt: skip
#: what a file is given when nobody says which methods
DEFAULTS: Final = (("predict", "predict_proba"), ("transform",))
#: names that stand for another method called with an option
ALIASES: Final = {"predict_std": "predict", "predict_cov": "predict"}
OPTIONS: Final = {"predict_std": "return_std", "predict_cov": "return_cov"}


@dataclass(frozen=True, slots=True)
class Converter:
    """A registered converter.

    Attributes
    ----------
    function : callable
        ``function(estimator, X) -> Value | Columns | list | tuple``.
    frame : bool
        X arrives as it is, perhaps as `Columns`; otherwise always as one matrix.
    finite : bool
        X is checked for NaN and infinity as the estimator's tags say; False where the estimator itself accepts anything
        or hands X on.
    """

    function: Convert
    frame: bool
    finite: bool


_registered: dict[tuple[type, str], Converter] = {}
_impossible: dict[tuple[type, str], str] = {}
_describers: dict[type, Convert] = {}
_spelled: dict[tuple[type, str], Convert] = {}
_fitless: dict[type, Convert] = {}


def converter(*classes: type, method: str | None = None, frame: bool = False, finite: bool = True) -> Callable[[F], F]:
    """Register a function as the ONNX form of an estimator's method.

    Parameters
    ----------
    *classes : type
        The classes that define the method; subclasses follow unless they override it.
    method : str, optional
        One of `METHODS`; by default ``transform`` if the class has one, else ``predict``.
    frame : bool, default False
        Set it to receive the columns of a DataFrame as they are (`sardonyx.convert.Columns`) instead of one matrix.
    finite : bool, default True
        Let the program refuse NaN and infinity where the estimator's tags do.

    Raises
    ------
    ConversionError
        If what is given is no class, or `method` no inference method.

    Examples
    --------
    >>> @sardonyx.converter(MyScaler)
    ... def my_scaler(est, X):
    ...     return (X - est.mean_) / est.scale_
    """
    if not classes or not all(isinstance(cls, type) for cls in classes):
        given = ", ".join(map(repr, classes)) or "nothing"
        raise ConversionError(f"@sardonyx.converter takes the classes of estimators, not {given}.")

    def register(function: F) -> F:
        for cls in classes:
            name = method or default_method(cls)
            if name not in METHODS:
                raise ConversionError(f"{name!r} is not an inference method; choose one of {', '.join(METHODS)}.")
            _registered[cls, name] = Converter(function, frame, finite)
        return function

    return register


def spelled(*classes: type, method: str) -> Callable[[F], F]:
    """Register ``function(estimator, X)``: how classes answer a method that they have under another name.

    Gradient boosting libraries say ``predict(X, raw_score=True)`` for a ``decision_function``.
    """

    def register(function: F) -> F:
        _spelled.update({(cls, method): function for cls in classes})
        return function

    return register


def spelling(estimator: Any, method: str) -> Convert | None:
    """Return the function of X that answers a method which an estimator lacks by its name; None if none does.

    It is what `spelled` says of its class; of a pipeline, what the last step answers (scikit-learn's has no ``apply``).
    """
    function = _find_own(_spelled, type(estimator), method)
    if function is not None:
        return lambda X: function(estimator, X)
    steps = getattr(estimator, "steps", None)
    last = (spelling(steps[-1][1], method) or getattr(steps[-1][1], method, None)) if steps else None
    return None if last is None else lambda X: last(_before_the_last(steps, X))


def _before_the_last(steps: Any, X: Any) -> Any:
    for _, transformer in steps[:-1]:
        X = X if transformer in (None, "passthrough") else transformer.transform(X)
    return X


def ask(estimator: Any, method: str, X: Any) -> Any:
    """Return what an estimator itself answers, by the method or by what stands for it."""
    if method in OPTIONS:
        return estimator.predict(X, **{OPTIONS[method]: True})
    own = getattr(estimator, method, None) or spelling(estimator, method)
    if own is None:
        raise AttributeError(f"{type(estimator).__name__} has no {method}")
    return own(X)


def fitless(*classes: type) -> Callable[[F], F]:
    """Register ``function(estimator) -> bool``: whether an estimator of these classes answers without a fit."""

    def register(function: F) -> F:
        _fitless.update(dict.fromkeys(classes, function))
        return function

    return register


def needs_fit(estimator: object) -> bool:
    """Return whether an estimator answers only after a fit, as nearly all do."""
    for base in type(estimator).__mro__:
        _import_converters(base)
        if base in _fitless:
            return not _fitless[base](estimator)
    return True


def describer(*classes: type) -> Callable[[F], F]:
    """Register ``function(estimator, X) -> Signature``: the inputs for estimators that take no rows of columns."""

    def register(function: F) -> F:
        _describers.update(dict.fromkeys(classes, function))
        return function

    return register


def find_describer(cls: type) -> Convert | None:
    """Return the function that describes a sample for estimators of a class, or None if nothing special does."""
    for base in cls.__mro__:
        _import_converters(base)
        if base in _describers:
            return _describers[base]
    return None


def impossible(*classes: type, method: str, reason: str) -> None:
    """Declare that a method of these classes has no ONNX form, and never will: no converter of it can be exact.

    Parameters
    ----------
    *classes : type
        The classes that define the method; subclasses follow unless they override it.
    method : str
        One of `METHODS`.
    reason : str
        Why, and what to do instead: the end of the sentence "... cannot be converted: ". It is part of the error, and
        of the page on coverage.
    """
    _impossible.update({(cls, method): reason for cls in classes})


def why_impossible(cls: type, method: str) -> str | None:
    """Return the reason why ``cls.method`` has no ONNX form, or None if it has one or might have."""
    return _find_own(_impossible, cls, method)


def default_method(cls: type) -> str:
    """Return the method that a converter is for when nobody says which."""
    return "transform" if hasattr(cls, "transform") else "predict"


def lookup(cls: type, method: str) -> Converter | None:
    """Return the converter of ``cls.method``, or None if that class's own method has none."""
    return _find_own(_registered, cls, method)


def _find_own(table: dict[tuple[type, str], T], cls: type, method: str) -> T | None:
    """Return what a table says of ``cls.method``: of the class that defines it, or one that stands before it."""
    defined = ALIASES.get(method, method)
    for base in cls.__mro__:
        _import_converters(base)
        if (base, method) in table:
            return table[base, method]
        if defined in vars(base):
            return None
    return None


def overrider(cls: type, method: str) -> type | None:
    """Return the class whose own definition of a method has no converter, while a class below it has one."""
    defined = ALIASES.get(method, method)
    owner = next((base for base in cls.__mro__ if defined in vars(base)), None)
    below = cls.__mro__[cls.__mro__.index(owner) + 1 :] if owner is not None else ()
    return owner if any(lookup(base, method) for base in below) else None


def is_users_own(cls: type, method: str) -> bool:
    """Return whether a method is defined in a class that is neither scikit-learn's nor of a library with converters."""
    owner = next((base for base in cls.__mro__ if method in vars(base)), None)
    if owner is None or method not in (
        "transform",
        "inverse_transform",
        "predict",
        "predict_proba",
        "decision_function",
    ):
        return False
    package = owner.__module__.split(".")[0]
    rooms = f"{__package__}.converters"
    return package != "sklearn" and importlib.util.find_spec(f"{rooms}.{package.lstrip('_')}") is None


def supported(cls: type) -> tuple[str, ...]:
    """Return the methods of `cls` that convert."""
    return tuple(m for m in METHODS if lookup(cls, m) is not None)


def _import_converters(cls: type) -> None:
    """Import what lives beside a class: ``sklearn.compose._target`` -> ``converters.compose``, ``.compose_target``."""
    package, *rest = cls.__module__.split(".")
    room = rest[0].lstrip("_") if package == "sklearn" and rest else package
    for stem in (room, f"{room}_{rest[1].lstrip('_')}" if len(rest) > 1 else room):
        name = f"{__package__}.converters.{stem}"
        if stem.isidentifier() and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
