"""Fitted estimator -> ONNX model. This file is the whole story; the details of each estimator are in `converters/`.

::

    convert(pipeline, X)                    describe X, open the graph, ask for the methods
      └─ call(estimator, method, X)         look the converter up, hand it X as it wants it, remember the result
           └─ step(name, estimator, ...)    meta-estimators trace each part as an ONNX function "name:Class"

It never runs a model: `verify` does.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from . import registry
from .description import KEY, Description, Form, Method
from .errors import ConversionError, InputError, SardonyxError
from .graph import STEPS, Graph, Value, concat, current_graph
from .inputs.bags import HashedFeatures, LabelSets
from .inputs.records import Records
from .inputs.signature import Signature, describe
from .large import Large, fill_model, give_back
from .operators import numeric  # noqa: F401  (adds log1p and expm1 to NumPy's functions)
from .operators.checks import check_finite
from .protos import STRING
from .unread import drop_unread_inputs

#: default version of ai.onnx: the newest that runtimes of the last two years all run
OPSET, OPSET_ML = 21, 5
OLDEST_OPSET = 18

#: columns of a transform whose names a file carries at most; more are the vocabulary of a text
MOST_NAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Columns:
    """A frame while converting: named (N, 1) Values, each with a dtype of its own.

    `records` says which keys they are where rows are dicts, or that rows are bags, of which there is one matrix.
    """

    names: tuple[str, ...]
    values: tuple[Value, ...]
    records: Records | LabelSets | HashedFeatures | None = None

    @property
    def shape(self) -> tuple[str, int]:
        """Like a frame's: rows are ``"N"``."""
        return ("N", len(self.values))

    def matrix(self) -> Value:
        """Return the columns as one matrix, in the dtype NumPy would give it."""
        kinds = {v.dtype == STRING for v in self.values}
        if len(kinds) > 1:
            text = [n for n, v in zip(self.names, self.values, strict=True) if v.dtype == STRING]
            raise ConversionError(
                f"columns {text} are text while others are numbers, and this step takes one matrix. "
                "Encode the text columns first, e.g. OneHotEncoder inside a ColumnTransformer."
            )
        return concat(self.values)

    def take(self, indices: Sequence[int]) -> Columns:
        """Return the columns at these positions."""
        return Columns(tuple(self.names[i] for i in indices), tuple(self.values[i] for i in indices))


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """An answer of another form than a tensor of rows: the Value that stands for it, and how it is read.

    Of the form ``stacked``, the rows are the second axis; of others, no tensor holds them (`ragged.decode`). `dtype` is
    what the estimator's answer has where it is an array.
    """

    form: Form
    value: Value
    tables: tuple[NDArray[Any], ...] = ()
    dtype: np.dtype[Any] | None = None


#: what a converter is given, and what it may return: a list stands for multi-output results, a tuple for several arrays
Data: TypeAlias = Value | Columns
Result: TypeAlias = Value | Columns | Coded | list[Value] | tuple[Value, ...]


def check_width(estimator: Any, X: Data) -> None:
    """Refuse a sample with another number of columns than in the fit; where they have names, those decide."""
    by_name = isinstance(X, Columns) and hasattr(estimator, "feature_names_in_")
    expected = None if by_name else getattr(estimator, "n_features_in_", None)
    given = X.shape[1] if len(X.shape) > 1 else expected
    if given != expected and expected is not None:
        raise ConversionError(
            f"the sample has {given} features, but {type(estimator).__name__} is expecting {expected} features as "
            "input; give rows such as it was fitted on."
        )


def as_matrix(X: Data) -> Value:
    """Return X as one matrix."""
    return X.matrix() if isinstance(X, Columns) else X


def as_columns(X: Data) -> Columns:
    """Return X as columns; those of a matrix are called ``x0``, ``x1``, ... as scikit-learn does."""
    if isinstance(X, Columns):
        return X
    return Columns(tuple(f"x{i}" for i in range(X.dim(1))), tuple(X[:, i : i + 1] for i in range(X.dim(1))))


def take(X: Data, indices: Sequence[int]) -> Data:
    """Return the columns of X at these positions, in that order."""
    chosen = [int(i) for i in indices]
    if isinstance(X, Columns):
        return X.take(chosen)
    consecutive = bool(chosen) and chosen == list(range(chosen[0], chosen[0] + len(chosen)))
    taken = X[:, chosen[0] : chosen[0] + len(chosen)] if consecutive else X[:, np.array(chosen, np.int64)]
    return taken.like(X)


def in_order(estimator: Any, X: Data) -> Data:
    """Return X, refused where its columns are not those of the fit in their order, as scikit-learn refuses it."""
    fitted = getattr(estimator, "feature_names_in_", None)
    if isinstance(X, Columns) and fitted is not None and tuple(map(str, fitted)) != X.names:
        raise ConversionError(
            f"{type(estimator).__name__} was fitted on columns {list(map(str, fitted))}, "
            f"the sample has {list(X.names)}. "
            "Give the sample the columns of the training data, in their order."
        )
    return X


def as_float(X: Value) -> Value:
    """Return X in the float dtype that scikit-learn's ``validate_data(dtype=FLOAT_DTYPES)`` gives it."""
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


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
    entry = _find(estimator, method)
    if not hasattr(estimator, registry.ALIASES.get(method, method)):
        raise ConversionError(f"{type(estimator).__name__} has no {method} as it was fitted, and it is asked for here.")
    data = X if entry.frame else as_matrix(X if method == "inverse_transform" else in_order(estimator, X))
    memo, key = current_graph().memo, (id(estimator), method, _identity(data))
    if key not in memo:
        given = checked(estimator, data) if entry.finite and isinstance(data, Value) else data
        memo[key] = _traced(entry, estimator, method, given)
    return memo[key]


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
    key = ("step", name, id(estimator), tuple(methods), _identity(X))
    if key in outer.memo:
        known: dict[str, Any] = outer.memo[key]
        return known
    shapes: dict[str, Any] = {}

    def body(*formal: Value) -> list[Value]:
        formal = tuple(v.like(given) for v, given in zip(formal, values, strict=True))
        for inside, outside in zip(formal, values, strict=True):
            inside.moment = outside.moment
        data = Columns(X.names, formal, X.records) if isinstance(X, Columns) else formal[0]
        shapes.update((m, call(estimator, m, data)) for m in methods)
        return [v for result in shapes.values() for v in _flatten(result)]

    labels = _LazyLabels(shapes)
    setup = _prepare(f"{outer.path}.{name}".lstrip("."), estimator, methods)
    results = iter(outer.function(STEPS, f"{name}:{type(estimator).__name__}", body, values, labels, setup=setup))
    outer.memo[key] = {m: _rebuild(result, results) for m, result in shapes.items()}
    return dict(outer.memo[key])


def together(method: str) -> tuple[str, ...]:
    """Return all methods wanted of the estimator being traced if `method` is among them: a step answers all at once."""
    wanted = current_graph().wanted
    return wanted if method in wanted else (method,)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A converted model, its large attributes beside it until it is finished."""

    model: onnx.ModelProto
    large: dict[str, Large]

    def finished(self) -> onnx.ModelProto:
        """Return the model with everything in it; the draft is that model then."""
        while self.large:  # what is written is freed
            one = dict([self.large.popitem()])
            fill_model(self.model, one)
            give_back(one)
        return self.model


def convert(
    estimator: Any,
    X: Any,
    *,
    methods: Sequence[str] | str | None = None,
    target_opset: int | None = None,
) -> onnx.ModelProto:
    """Convert a fitted estimator; `sardonyx.to_onnx` does this and proves the result.

    Parameters
    ----------
    estimator : object
        A fitted scikit-learn estimator.
    X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
        A sample: gives the inputs' names and dtypes.
    methods : sequence of str, optional
        What to convert; by default ``predict`` and ``predict_proba``, or ``transform``.
    target_opset : int, optional
        Version of ai.onnx, 18 or later.

    Raises
    ------
    ConversionError
        If the estimator is not fitted, has no such method, or a parameter cannot be converted exactly.
    """
    return draft(estimator, X, methods=methods, target_opset=target_opset).finished()


def draft(
    estimator: Any,
    X: Any,
    *,
    methods: Sequence[str] | str | None = None,
    target_opset: int | None = None,
) -> Draft:
    """Do what `convert` does, but for the numbers of large attributes, which double the memory of a large model."""
    _check_fitted(estimator)
    chosen = choose_methods(estimator, methods)
    graph = Graph({"": _opset(target_opset), "ai.onnx.ml": OPSET_ML, "sardonyx": 1, STEPS: 1})
    signature = _signature(estimator, X, chosen)
    with graph.scope():
        data = _inputs(graph, signature)
        if "inverse_transform" not in chosen:
            check_width(estimator, data)
        results = {method: _joined(result) for method, result in _trace(estimator, chosen, data).items()}
    outputs = {name: value for method, result in results.items() for name, value in name_outputs(method, result)}
    refuse_moments(outputs.values(), "what is returned")
    model = graph.draft(outputs)
    signature = _only_read(model, signature)
    write_description(model, describe_model(estimator, signature, results, graph.single))
    give_back(graph.large)
    return Draft(model, graph.large)


def _only_read(model: onnx.ModelProto, signature: Signature) -> Signature:
    """Drop the columns that nothing reads, as scikit-learn does not ask for them; return the signature without them."""
    if not signature.by_column or signature.records is not None:
        return signature
    drop_unread_inputs(model, STEPS)
    read = {value.name for value in model.graph.input}
    for spec in signature.inputs:
        if spec.refused and spec.name in read:
            raise InputError(spec.refused)
    return signature.reading(read)


def refuse_moments(values: Iterable[Value], where: str) -> None:
    """Refuse moments and durations that are handed on as they are: a tensor holds numbers in their place."""
    if any(value.moment for value in values):
        raise ConversionError(
            f"{where} holds moments or durations (datetime64, timedelta64), which tensors do not have. "
            "Convert them to numbers in the data, or leave the column out."
        )


def _trace(estimator: Any, methods: Sequence[str], data: Data) -> dict[str, Any]:
    """Trace the outermost estimator: containers of steps inline, so that the main graph reads like the pipeline."""
    current_graph().wanted = tuple(methods)
    if all(_find(estimator, m).frame for m in methods):
        return {m: call(estimator, m, data) for m in methods}
    return step(type(estimator).__name__.lower(), estimator, methods, data)


def choose_methods(estimator: Any, methods: Sequence[str] | str | None) -> tuple[str, ...]:
    """Return the methods to convert, checked against what the estimator has."""
    if methods is not None:
        chosen = _names_of_methods(methods)
        missing = [m for m in chosen if m not in registry.METHODS or not _offers(estimator, m)]
        if missing or not chosen:
            wrong = f"has no method {', '.join(missing)}" if missing else "is to be converted without methods"
            has = [m for m in registry.METHODS if _offers(estimator, m)]
            raise ConversionError(
                f"{type(estimator).__name__} {wrong}; it has {', '.join(has) or 'none that converts'}."
            )
        if "inverse_transform" in chosen and len(chosen) > 1:
            raise ConversionError(
                "inverse_transform takes other input than the other methods: convert it alone, with X = transform(X)."
            )
        return chosen
    for group in registry.DEFAULTS:
        if found := tuple(m for m in group if hasattr(estimator, m)):
            return found
    others = [m for m in registry.METHODS if _offers(estimator, m)]
    hint = (
        f"name the methods to convert: {', '.join(others)}."
        if others
        else "it answers for the rows of its fit only, so that there is nothing to convert."
    )
    raise ConversionError(f"{type(estimator).__name__} has neither predict nor transform; {hint}")


def name_outputs(method: str, result: Result) -> list[tuple[str, Value]]:
    """Name a method's arrays: ``predict_proba``, ``predict_proba_0`` ..., ``predict`` and ``predict_std``.

    Columns of both text and numbers have no common tensor: they are one output each, ``transform.age``,
    ``transform.city``.
    """
    if isinstance(result, list):
        return [(f"{method}_{i}", v) for i, v in enumerate(result)]
    if isinstance(result, tuple):
        suffixes = {
            "predict_std": ("predict", "predict_std"),
            "predict_cov": ("predict", "predict_cov"),
            "kneighbors": ("kneighbors_distances", "kneighbors_indices"),
        }
        return list(zip(suffixes[method], result, strict=True))
    if isinstance(result, Columns) and len({v.dtype == STRING for v in result.values}) > 1:
        return [(f"{method}.{n}", v) for n, v in zip(result.names, result.values, strict=True)]
    return [(method, result.value if isinstance(result, Coded) else as_matrix(result))]


def _joined(result: Result) -> Result:
    """Return columns that have a common tensor as that one matrix."""
    if isinstance(result, Columns) and len({v.dtype == STRING for v in result.values}) == 1:
        return as_matrix(result)
    return result


def describe_model(estimator: Any, signature: Signature, results: dict[str, Any], single: bool) -> Description:
    """Return what the file says of itself, but for the proof, which needs the model to be run."""
    import sklearn

    from . import __version__

    features = getattr(estimator, "feature_names_in_", None)
    classes = getattr(estimator, "classes_", None)
    classes = None if isinstance(classes, np.ndarray) and not classes.size else classes  # catboost's regressors
    labels = np.asarray(classes).dtype.str if isinstance(classes, np.ndarray) else None
    return Description(
        estimator=type(estimator).__name__,
        signature=signature,
        methods={
            method: _describe_method(method, result, labels, names_out(estimator, method, result, signature))
            for method, result in results.items()
        },
        version=__version__,
        sklearn=sklearn.__version__,
        single=single or any(spec.dtype == "float32" for spec in signature.inputs),
        features=None if features is None else tuple(map(str, features)),
        classes=[np.asarray(c) for c in classes] if isinstance(classes, list) else classes,
    )


def names_out(estimator: Any, method: str, result: Result, signature: Signature) -> tuple[str, ...]:
    """Return the names of a transform's columns as the estimator has them; none if it has no such names, or too many.

    An estimator that was fitted on arrays is told the names that the sample gives its columns.
    """
    width = result.shape[1] if isinstance(result, Value | Columns) and len(result.shape) > 1 else None
    if method != "transform" or not isinstance(width, int) or width > MOST_NAMES:
        return ()
    for given in ((list(signature.features),) if signature.by_column else (), ()):
        try:
            names = tuple(map(str, estimator.get_feature_names_out(*given)))
        except (AttributeError, ValueError, TypeError, NotImplementedError):
            continue
        if len(names) == width:
            return names
    return ()


def _describe_method(method: str, result: Result, labels: str | None, names: tuple[str, ...]) -> Method:
    outputs = name_outputs(method, result)
    if isinstance(result, Coded):
        dtype = result.value.dtype if result.dtype is None else result.dtype
        return Method((method,), result.form, (dtype.str,), tables=tuple(map(_writable, result.tables)))
    form: Form = "list" if isinstance(result, list) else "tuple" if isinstance(result, tuple) else "array"
    own = ["|O" if v.dtype == STRING else v.dtype.str for _, v in outputs]
    kinds = [np.dtype(text).kind for text in (*own, labels or "O")]
    labelled = method == "predict" and labels and len(own) == 1 and (kinds[0] != "f" or kinds[1] not in "iub")
    dtypes = [labels] if labelled and labels else own
    if isinstance(result, Value) and result.sparse:
        form = "sparse"
    elif form == "array" and len(own) > 1:
        form = "columns"
    return Method(tuple(n for n, _ in outputs), form, tuple(dtypes), names)


def _writable(table: NDArray[Any]) -> NDArray[Any]:
    """Return a table, refused where a description cannot hold it."""
    kinds = str | bool | int | float | np.bool_ | np.number | None
    if table.dtype.kind not in "biufU" and not all(isinstance(v, kinds) for v in table.tolist()):
        raise ConversionError(f"{table.tolist()[:3]!r} ... are no numbers, bools or text: a file holds no others.")
    return table


def read_description(model: onnx.ModelProto) -> Description | None:
    """Return what a model says of itself, or None if it was not written by sardonyx."""
    texts = [prop.value for prop in model.metadata_props if prop.key == KEY]
    return Description.parse(texts[0]) if texts else None


def write_description(model: onnx.ModelProto, description: Description) -> None:
    """Write what a model says of itself into ``metadata_props``, in place of what it said before."""
    others = [prop for prop in model.metadata_props if prop.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    model.metadata_props.add(key=KEY, value=description.to_json())


# ---- details ---------------------------------------------------------------------------------------------------------


def _names_of_methods(methods: Any) -> tuple[str, ...]:
    chosen = (methods,) if isinstance(methods, str) else methods
    if not isinstance(chosen, Sequence) or not all(isinstance(m, str) for m in chosen):
        raise ConversionError(f"methods={methods!r}; give a list of names, such as ['predict', 'predict_proba'].")
    return tuple(dict.fromkeys(chosen))


def _offers(estimator: Any, method: str) -> bool:
    """Whether an estimator has a method, as it is now fitted, with the option that it may stand for."""
    if method not in registry.OPTIONS:
        return hasattr(estimator, method)
    predict = getattr(estimator, "predict", None)
    return predict is not None and (
        registry.OPTIONS[method] in inspect.signature(predict).parameters
        or registry.lookup(type(estimator), method) is not None
    )


def _find(estimator: Any, method: str) -> registry.Converter:
    entry = registry.lookup(type(estimator), method)
    if entry is not None:
        return entry
    name = type(estimator).__name__
    if not _offers(estimator, method):
        raise ConversionError(f"{name} has no {method}, and it is asked for here.")
    if reason := registry.why_impossible(type(estimator), method):
        raise ConversionError(f"{name}.{method} cannot be converted: {reason}.")
    if registry.is_users_own(type(estimator), method):
        return registry.Converter(lambda est, X: _own(est, method, X), frame=True, finite=False)
    option = "" if method == registry.default_method(type(estimator)) else f", method={method!r}"
    register = f"Register one: @sardonyx.converter({name}{option}) def convert(est, X): ... (see docs/converters.md)."
    if owner := registry.overrider(type(estimator), method):
        raise ConversionError(f"{owner.__name__} overrides {method}, and has no converter for it. {register}")
    if has := [m for m in registry.supported(type(estimator)) if _offers(estimator, m)]:
        raise ConversionError(f"{name}.{method} cannot be converted; {name} converts {', '.join(has)}. {register}")
    raise ConversionError(f"{name} ({type(estimator).__module__}) has no converter for {method}. {register}")


def _own(estimator: Any, method: str, X: Data) -> Any:
    """Trace a method of a user's own class; tracing stands above this module, and is there when it is needed."""
    return importlib.import_module(f"{__package__}.tracing.own").own_method(estimator, method, X)


def checked(estimator: Any, X: Value) -> Value:
    """Return X, refused where it is NaN or infinite and the estimator does not allow that."""
    if X.dtype.kind != "f":
        return X
    memo = current_graph().memo
    key = ("checked", id(estimator), X.name)
    if key not in memo:
        result = check_finite(X, allow_nan=int(allows_nan(estimator)), estimator=type(estimator).__name__).like(X)
        memo[key] = memo["checked", id(estimator), result.name] = result
    known: Value = memo[key]
    return known


def allows_nan(estimator: Any) -> bool:
    """Whether the estimator's tags allow NaN."""
    return _input_tags(estimator)[0]


def _input_tags(estimator: Any) -> tuple[bool, bool]:
    """Return whether the estimator allows NaN, and whether it takes two-dimensional arrays."""
    try:
        from sklearn.utils import get_tags
    except ImportError:  # scikit-learn 1.5 keeps its tags in a dict
        from sklearn.utils._tags import _safe_tags

        old = _safe_tags(estimator)
        return bool(old["allow_nan"]), "2darray" in old["X_types"]
    tags = get_tags(estimator).input_tags
    return bool(tags.allow_nan), bool(tags.two_d_array)


def _check_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        given = f"the class {estimator.__name__}" if isinstance(estimator, type) else f"a {type(estimator).__name__}"
        raise ConversionError(
            f"expected a fitted scikit-learn estimator, got {given}; "
            "give an instance of a class that derives from sklearn.base.BaseEstimator, after fit."
        )
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        if not registry.needs_fit(estimator):
            return
        raise ConversionError(
            f"this {type(estimator).__name__} is not fitted; call fit before converting it."
        ) from error
    except TypeError:  # scikit-learn 1.5 asks a pipeline's last step, even where that is "passthrough"
        for _, part in getattr(estimator, "steps", ()):
            if hasattr(part, "fit"):
                _check_fitted(part)


def _opset(target: int | None) -> int:
    newest = onnx.defs.onnx_opset_version()
    whole = isinstance(target, int) and not isinstance(target, bool)
    if target is not None and not (whole and OLDEST_OPSET <= target <= newest):
        raise ConversionError(
            f"target_opset={target!r} is not possible; choose {OLDEST_OPSET} to {newest} (default {OPSET})."
        )
    return target or OPSET


def _inputs(graph: Graph, signature: Signature) -> Data:
    specs = signature.inputs
    if len({spec.moment for spec in specs if spec.moment}) > 1:
        moments = ", ".join(f"{spec.name} {spec.moment}" for spec in specs if spec.moment)
        raise InputError(
            f"the sample has moments or durations of several dtypes: {moments}; give all columns the same."
        )
    values = [graph.input(s.name, STRING if s.dtype == "str" else s.dtype, ("N", *s.row_shape)) for s in specs]
    for spec, value in zip(specs, values, strict=True):
        value.sparse, value.moment = spec.sparse, bool(spec.moment)
    return Columns(signature.names, tuple(values), signature.records) if signature.by_column else values[0]


def _signature(estimator: Any, X: Any, methods: Sequence[str]) -> Signature:
    """Return the inputs as the estimator that is first given X sees it: some take dicts, some one-dimensional data."""
    while inner := _first_part(estimator):
        estimator = inner
    describer = registry.find_describer(type(estimator))
    if describer is not None and "inverse_transform" not in methods:
        signature: Signature = describer(estimator, X)
        return signature
    return describe(X, vector=hasattr(estimator, "fit") and not _input_tags(estimator)[1])


def _first_part(estimator: Any) -> Any:
    """Return the estimator that is first given X, if another one is."""
    for parts in ("steps", "transformer_list"):
        if getattr(estimator, parts, None):
            return next((part for _, part in getattr(estimator, parts) if not isinstance(part, str)), None)
    return getattr(estimator, "best_estimator_", None)


def _identity(X: Data) -> tuple[str, ...]:
    return tuple(v.name for v in X.values) if isinstance(X, Columns) else (X.name,)


def _flatten(result: Result) -> list[Value]:
    if isinstance(result, Value | Coded):
        return [result if isinstance(result, Value) else result.value]
    return list(result.values) if isinstance(result, Columns) else list(result)


def _rebuild(result: Result, values: Any) -> Any:
    """Give a method's result the same form with the values of the calling scope."""
    if isinstance(result, Value):
        return next(values).like(result)
    if isinstance(result, Columns):
        return Columns(result.names, tuple(next(values) for _ in result.values))
    if isinstance(result, Coded):
        return replace(result, value=next(values).like(result.value))
    return type(result)(next(values) for _ in result)


class _LazyLabels(Sequence[str]):
    """Output names of a step, known once its body has been traced."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results

    def _names(self) -> list[str]:
        names = []
        for method, result in self.results.items():
            flat = _flatten(result)
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
