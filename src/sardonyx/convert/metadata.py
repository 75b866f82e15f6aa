"""What a file says of itself: the estimator, and how each method is answered by the outputs (description.py)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ..description import KEY, Description, Form, Method
from ..errors import ConversionError
from ..graph import Value
from ..inputs.signature import Signature
from ..protos import STRING
from .data import Coded, Columns, Result, as_matrix

#: columns of a transform whose names a file carries at most; more are the vocabulary of a text
MOST_NAMES = 1 << 16


def describe_model(estimator: Any, signature: Signature, results: dict[str, Any], single: bool) -> Description:
    """Return what the file says of itself, but for the proof, which needs the model to be run."""
    import sklearn

    from .. import __version__

    features = getattr(estimator, "feature_names_in_", None)
    classes = _classes_of(estimator)
    labels = classes.dtype.str if isinstance(classes, np.ndarray) else None
    return Description(
        estimator=type(estimator).__name__,
        signature=signature,
        methods={
            method: _describe_method(
                method, result, labels, names_out(estimator, method, result, signature), signature.features
            )
            for method, result in results.items()
        },
        version=__version__,
        sklearn=sklearn.__version__,
        single=single or any(spec.dtype == "float32" for spec in signature.inputs),
        features=None if features is None else tuple(map(str, features)),
        classes=classes,
    )


def _classes_of(estimator: Any) -> NDArray[Any] | list[NDArray[Any]] | None:
    """Return ``classes_``, a list of them for several outputs."""
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list):
        return [_as_written(np.asarray(c)) for c in classes]
    if not isinstance(classes, np.ndarray):
        return classes
    return _as_written(classes) if classes.size else None  # catboost's regressors have none


def _as_written(classes: NDArray[Any]) -> NDArray[Any]:
    """Return text of any length (NumPy's StringDType), for which NumPy has no code that a file could hold, as str."""
    return np.array(classes.tolist(), str) if classes.dtype.kind == "T" else classes


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


def name_outputs(method: str, result: Result, columns: Collection[str]) -> list[tuple[str, Value]]:
    """Name a method's arrays: ``predict_proba``, ``predict_proba_0`` ..., ``predict`` and ``predict_std``.

    Columns of both text and numbers have no common tensor: they are one output each, ``transform.age``,
    ``transform.city``. ONNX has one room for the names of inputs and outputs: where a column of the sample is called
    ``predict``, the output is ``predict_``.
    """
    return [(_beside(columns, name), value) for name, value in _named(method, result)]


def _beside(columns: Collection[str], name: str) -> str:
    return _beside(columns, f"{name}_") if name in columns else name


def _named(method: str, result: Result) -> list[tuple[str, Value]]:
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


def _describe_method(
    method: str, result: Result, labels: str | None, names: tuple[str, ...], columns: Collection[str]
) -> Method:
    outputs = name_outputs(method, result, columns)
    if isinstance(result, Coded):
        dtype = result.value.dtype if result.dtype is None else result.dtype
        return Method((outputs[0][0],), result.form, (dtype.str,), tables=tuple(map(_writable, result.tables)))
    form: Form = "list" if isinstance(result, list) else "tuple" if isinstance(result, tuple) else "array"
    own = ["|O" if v.dtype == STRING else v.dtype.str for _, v in outputs]
    kinds = [np.dtype(text).kind for text in (*own, labels or "O")]
    labelled = method == "predict" and labels and len(own) == 1 and (kinds[0] != "f" or kinds[1] not in "iub")
    dtypes = [labels] if labelled and labels else own
    layout = None
    if isinstance(result, Value) and result.sparse:
        form, layout = "sparse", result.layout
    elif form == "array" and len(own) > 1:
        form = "columns"
    return Method(tuple(n for n, _ in outputs), form, tuple(dtypes), names, layout=layout)


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
