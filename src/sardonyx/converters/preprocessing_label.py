"""sklearn.preprocessing._label: MultiLabelBinarizer; the other encoders of labels are in preprocessing.py.

A sample's labels are a row of a matrix. Where samples have different numbers of labels, fill up with any label that is
no class, which is ignored as it is in scikit-learn: "" or -1, say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import MultiLabelBinarizer

from ..convert import Coded
from ..errors import ConversionError
from ..graph import Value, concat
from ..operators.categories import category_lookup
from ..operators.checks import require
from ..protos import STRING
from ..registry import converter
from ._categories import category_table


@converter(MultiLabelBinarizer)
def multi_label_binarizer(est: Any, y: Value) -> Value:
    table = category_table(est, "y", est.classes_, y.dtype)
    labels = (y if y.ndim == 2 else y[:, None]) if y.dtype == STRING else y.astype(table.dtype)
    numbers = np.append(np.arange(len(table), dtype=np.int64), -1)
    codes = [
        category_lookup(labels[:, i : i + 1], table, numbers, column="y", refuse_unknown=0) for i in range(y.dim(1))
    ]
    hot = concat(codes)[:, :, None] == np.arange(len(table), dtype=np.int64)
    return hot.astype(np.int64).max(1)


@converter(MultiLabelBinarizer, method="inverse_transform", finite=False)
def multi_label_binarizer_inverse(est: Any, yt: Value) -> Coded:
    """Return which labels each row has."""
    if yt.ndim != 2 or yt.dim(1) != len(est.classes_):
        raise ConversionError(f"MultiLabelBinarizer.inverse_transform takes {len(est.classes_)} columns, one a class.")
    if yt.dtype.kind != "b":
        yt = require(yt, (yt == 0) | (yt == 1), message="Expected only 0s and 1s in label indicator.").like(yt)
    return Coded("tuples", yt.astype(np.bool_), (est.classes_,))
