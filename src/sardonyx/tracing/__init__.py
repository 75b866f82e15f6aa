"""Users' functions become ONNX by being called once, with arrays that remember what was computed with them.

::

    def ratio(X):                     X: an Array of unknown rows
        X = np.log1p(X)               Log1p  ◀── np.log1p asks X: __array_ufunc__
        return X[:, :1] / X.sum(1)    refused at this line: rows would meet columns

`trace` calls the function, refuses what has no exact form with the file and line of the user, and refuses functions
that do not do the same twice. NumPy's functions keep their meaning (dtypes, NaN, integers that wrap); each is a rule in
ufuncs.py, elementary.py, reductions.py, joining.py or choosing.py. What is computed from constants alone is NumPy's own
business and done once, now.

::

    array.py     what a traced array is, its views            shapes.py   transposed, reshaped, beside each other
    loops.py     how a ufunc is called                        ufuncs.py  elementary.py  reductions.py ...  NumPy's
    frames.py    columns.py  frame_methods.py ...             pandas' methods;  tabular.py  pandas' functions
    masks.py     X[mask], written where it was read           texts.py  text_columns.py   methods of text
    moments.py   X["when"].dt
    branches.py  functions of one value that ask `if`         guards.py    `if (X < 0).any(): raise`
    replaced.py  names without a protocol: np.zeros, len      watching.py  exceptions that a function catches
    own.py       methods of estimators without a converter
"""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..convert import Columns, Data
from ..errors import ConversionError
from ..graph import Graph, Value, current_graph
from ..protos import STRING
from .array import Array, is_array, refuse
from .branches import by_value, followed
from .frames import Frame, from_columns, to_columns
from .guards import guarded
from .masks import Chosen
from .replaced import as_stack, transparent
from .texts import Text, as_tokens
from .watching import nothing_caught


def trace(name: str, function: Callable[..., Any], X: Data, arguments: Mapping[str, Any] | None = None) -> Data:
    """Return what a user's function makes of X, traced into the current graph.

    Parameters
    ----------
    name : str
        What to call the function in errors, such as ``FunctionTransformer(func=ratio)``.
    function : callable
        Takes an array, or a frame where X has columns, and keyword arguments.
    X : Value or Columns
        Its input.
    arguments : mapping, optional
        Keyword arguments.

    Raises
    ------
    ConversionError
        With the file and line at which the function does what has no exact ONNX form, and why.
    """
    kwargs = dict(arguments or {})
    if _sketch(name, function, X, kwargs, watched=True) != _sketch(name, function, X, kwargs):
        raise ConversionError(
            f"{name}: called twice, the function does not compute the same: it draws random numbers, or counts its "
            "calls. Make it depend on its arguments alone."
        )
    return _traced(name, function, X, kwargs)


def _sketch(
    name: str, function: Callable[..., Any], X: Data, arguments: dict[str, Any], *, watched: bool = False
) -> bytes:
    """Return all that a call computes, traced into a graph of its own."""
    graph = Graph(current_graph().opset)
    with graph.scope():
        values = X.values if isinstance(X, Columns) else (X,)
        inputs = tuple(graph.input(f"x{i}", v.dtype, v.shape) for i, v in enumerate(values))
        for own, given in zip(inputs, values, strict=True):
            own.moment = given.moment
        result = _traced(
            name, function, Columns(X.names, inputs) if isinstance(X, Columns) else inputs[0], arguments, watched
        )
        outputs = result.values if isinstance(result, Columns) else (result,)
    model = graph.model({f"y{i}": graph.node("Identity", [v], {})[0] for i, v in enumerate(outputs)})
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def _traced(name: str, function: Callable[..., Any], X: Data, arguments: dict[str, Any], watched: bool = False) -> Data:
    given: Any = from_columns(X) if isinstance(X, Columns) else Array(X)
    try:
        with transparent(X.values[0] if isinstance(X, Columns) else X) as inside, np.errstate(all="ignore"):
            called = inside(function)
            return guarded(lambda: called(_fresh(given), **arguments), _result, watched=function if watched else None)
    except Exception as error:
        raise ConversionError(f"{name}: {_where(error)}{_reason(error)}") from error


def _fresh(given: Any) -> Any:
    """Return the input as at first, which a call may have written into."""
    if not is_array(given):
        return Frame(dict(given._columns))
    again = Array(given.value)
    again.writable = False
    return again


def trace_text(name: str, function: Callable[..., Any], X: Value, *, tokens: bool) -> Value:
    """Return what a function of one text, a document, makes of every row.

    Parameters
    ----------
    name : str
        What to call the function in errors.
    function : callable
        Takes a text, gives a text or a list of texts.
    X : Value of shape (N,)
        Documents.
    tokens : bool
        Whether it gives a list of tokens, which stand in one text with a mark between them.

    Raises
    ------
    ConversionError
        If it does what has no form here.
    """
    text = Text(X)
    called = followed(function)
    try:
        with transparent(X), nothing_caught(function):
            result = by_value(lambda: as_tokens(called(text)) if tokens else called(text), Array(X))
    except Exception as error:
        raise ConversionError(f"{name}: {_where(error)}{_reason(error)}") from error
    if result.value.dtype != STRING:
        raise ConversionError(f"{name} gives {result!r}, not text.")
    value: Value = result.value
    return value


def _result(result: Any) -> Data:
    if issubclass(type(result), Frame):
        return to_columns(result)
    if isinstance(result, list | tuple) and any(is_array(x) for x in result):
        result = as_stack(result)
    if type(result) is Chosen:
        refuse("the function returns X[mask], only some of the rows; a transformer answers for each row")
    if not is_array(result):
        refuse(f"the function returns a {type(result).__name__}, not an array of rows; return what is computed from X")
    if result.row_axis:
        refuse(f"the function returns {result!r}, whose first axis is not the rows; transpose it back")
    value: Value = result.value
    return value


def _reason(error: Exception) -> str:
    text = str(error) if isinstance(error, ConversionError) else f"{type(error).__name__}: {error}"
    return text.rstrip(".") + ". Write it with NumPy on whole columns, or register a converter for a class of your own."


def _where(error: BaseException) -> str:
    """Return file, line and code of the last frame that is no library's."""
    own = str(Path(__file__).parents[1])
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(own)]
    written = [f for f in frames if "site-packages" not in f.filename and Path(f.filename).exists()] or frames
    if not written:
        return ""
    last = written[-1]
    code = (last.line or "").strip()
    return f"{last.filename}, line {last.lineno}{f': `{code}`' if code else ''}: "


for _module in pkgutil.iter_modules(__path__):  # all of them, as each fills the tables of functions
    importlib.import_module(f"{__name__}.{_module.name}")
