"""sklearn.base, and what several rooms of converters share: labels, links from scores to probabilities.

It registers nothing: scikit-learn's own base classes define no inference method.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value, as_value, concat, op
from ..operators import numeric


def class_labels(classes: Any) -> NDArray[Any]:
    """Return class labels as ONNX holds them: int64, float, bool or str; object arrays by what they hold.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        An estimator's ``classes_``.

    Raises
    ------
    ConversionError
        If the labels are of mixed types, or of one that a tensor of labels does not hold.
    """
    labels = np.asarray(classes)
    if labels.dtype.kind == "O":
        if len({np.asarray(label).dtype.kind for label in labels.tolist()}) != 1:
            raise ConversionError(
                f"classes_ {labels.tolist()!r} mixes types, a tensor of labels has one. Fit on labels of one type."
            )
        labels = np.asarray(labels.tolist())
    if labels.dtype.kind not in "biufU":
        raise ConversionError(
            f"class labels of dtype {labels.dtype} have no ONNX type. Fit on int, float, bool or str labels."
        )
    if labels.dtype == np.uint64 and labels.size and labels.max() > np.iinfo(np.int64).max:
        raise ConversionError(
            f"the class label {labels.max()} is beyond int64. Fit on labels that int64 holds, or on str."
        )
    return labels.astype(np.int64) if labels.dtype.kind in "iu" and labels.dtype != np.int64 else labels


def take_labels(classes: Any, indices: Value) -> Value:
    """Return ``classes[indices]``."""
    return as_value(class_labels(classes))[indices.astype(np.int64)]


def argmax_labels(classes: Any, scores: Value) -> Value:
    """Return the label of the first largest score of each row of `scores`, shape (N, n_classes)."""
    return take_labels(classes, scores.argmax(1))


def inverse_binarize(binarizer: Any, scores: Value, threshold: float) -> Value:
    """Return the labels of scores: ``LabelBinarizer.inverse_transform(scores, threshold)``.

    Parameters
    ----------
    binarizer : LabelBinarizer
        Fitted on binary, multiclass or multilabel targets.
    scores : Value of shape (N,) or (N, n_classes)
        One column (flattened) for binary targets.
    threshold : float
        Half way between the negative and the positive label.
    """
    if binarizer.y_type_ == "multiclass":
        return argmax_labels(binarizer.classes_, scores)
    hits = (scores > threshold).astype(np.int64)
    if binarizer.y_type_ != "binary":
        return hits
    return take_labels(binarizer.classes_, hits if len(binarizer.classes_) > 1 else hits * 0)


def softmax(x: Value) -> Value:
    """Return the softmax of each row."""
    result: Value = op.Softmax(x, axis=1) if x.dtype == np.float64 else numeric.softmax(x)
    return result


def both_classes(positive: Value) -> Value:
    """Return columns ``1 - p, p`` of the positive class's probabilities, shape (N,)."""
    p = positive[:, None]
    return concat([1.0 - p, p])


def dense(array: Any) -> NDArray[Any]:
    """Return a parameter as a NumPy array; sparse ones (``sparsify()``, sparse fits) are made dense."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array)


def defined_by(estimator: Any, name: str) -> type:
    """Return the class in the MRO that defines an attribute: what a private hook really runs."""
    return next(cls for cls in type(estimator).__mro__ if name in vars(cls))
