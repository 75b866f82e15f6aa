"""Fitted estimator -> ONNX model: inputs, methods, outputs and what the file says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnx

from .. import registry
from ..errors import ConversionError, InputError
from ..graph import STEPS, Graph, Moment, current_graph
from ..inputs.demands import check_demands
from ..inputs.signature import Signature, describe
from ..layouts import GIVEN, Layout
from ..operators import numeric as numeric  # adds log1p and expm1 to NumPy's functions
from ..protos import STRING
from ..protos.large import Large, fill_model, give_back
from .calls import call, find, input_tags, step
from .data import Columns, Data, check_width, joined, refuse_moments
from .metadata import describe_model, name_outputs, write_description
from .methods import choose_methods
from .unread import drop_unread_inputs

#: default version of ai.onnx: the newest that runtimes of the last two years all run
OPSET, OPSET_ML = 21, 5
OLDEST_OPSET = 18


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A converted model, its large attributes beside it until it is finished."""

    model: onnx.ModelProto
    large: dict[str, Large]

    def finished(self) -> onnx.ModelProto:
        """Return the model with everything in it; the draft is that model then."""
        for key in sorted(self.large, key=lambda key: (self.large[key].tensor, self.large[key].array.nbytes)):
            one = {key: self.large.pop(key)}  # what is written is freed, lists of integers first: they shrink
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
    _check_installed()
    _check_fitted(estimator)
    chosen = choose_methods(estimator, methods)
    graph = Graph({"": _opset(target_opset), "ai.onnx.ml": OPSET_ML, "sardonyx": 1, STEPS: 1})
    signature = _signature(estimator, X, chosen)
    with graph.scope():
        data = _inputs(graph, signature)
        if "inverse_transform" not in chosen:
            check_width(estimator, data)
        results = {method: joined(result) for method, result in _trace(estimator, chosen, data).items()}
    outputs = dict(pair for m, result in results.items() for pair in name_outputs(m, result, signature.features))
    refuse_moments(outputs.values(), "what is returned")
    model = graph.draft(outputs)
    signature = replace(_only_read(model, signature), demands=dict(graph.demands))
    check_demands(X, signature)
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


def _trace(estimator: Any, methods: Sequence[str], data: Data) -> dict[str, Any]:
    """Trace the outermost estimator: containers of steps inline, so that the main graph reads like the pipeline."""
    current_graph().wanted = tuple(methods)
    if all(find(estimator, m).frame for m in methods):
        return {m: call(estimator, m, data) for m in methods}
    return step(type(estimator).__name__.lower(), estimator, methods, data)


# ---- details ---------------------------------------------------------------------------------------------------------


def _check_installed() -> None:
    if find_spec("sklearn") is None:
        raise ModuleNotFoundError("to convert takes scikit-learn: pip install 'sardonyx[sklearn]'", name="sklearn")


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
        value.sparse, value.objects, value.own, value.given = spec.sparse, spec.objects, spec.own, True
        value.moment = Moment(np.dtype(spec.moment), spec.missing == "NaN") if spec.moment else None
        value.layout = GIVEN if signature.records is None else Layout()
    return Columns(signature.names, tuple(values), signature.records) if signature.by_column else values[0]


def _signature(estimator: Any, X: Any, methods: Sequence[str]) -> Signature:
    """Return the inputs as the estimator that is first given X sees it: some take dicts, some one-dimensional data."""
    while inner := _first_part(estimator):
        estimator = inner
    describer = registry.find_describer(type(estimator))
    if describer is not None and "inverse_transform" not in methods:
        signature: Signature = describer(estimator, X)
        return signature
    return describe(X, vector=hasattr(estimator, "fit") and not input_tags(estimator)[1])


def _first_part(estimator: Any) -> Any:
    """Return the estimator that is first given X, if another one is."""
    for parts in ("steps", "transformer_list"):
        if getattr(estimator, parts, None):
            return next((part for _, part in getattr(estimator, parts) if not isinstance(part, str)), None)
    return getattr(estimator, "best_estimator_", None)
