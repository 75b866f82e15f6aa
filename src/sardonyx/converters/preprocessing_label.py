"""sklearn.preprocessing._label: MultiLabelBinarizer; the other encoders of labels are in preprocessing.py.

Rows are sets of labels (bags.py). Where the sample is a matrix, so are later rows: of as many labels each. Labels that
are no class are ignored, as in scikit-learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import MultiLabelBinarizer

from ..convert import Coded, Columns, Data, as_matrix
from ..errors import ConversionError
from ..graph import Value, concat
from ..inputs.bags import LabelSets
from ..inputs.signature import Signature, describe, signature_of_bags
from ..operators.categories import category_lookup
from ..operators.checks import require
from ..protos import STRING
from ..registry import converter, describer
from ._categories import category_table


@describer(MultiLabelBinarizer)
def inputs_of_labels(est: Any, y: Any) -> Signature:
    """Return the input: which of the classes each row has, or, of a matrix, its labels."""
    if getattr(y, "ndim", 1) > 1:
        return describe(y)
    return signature_of_bags(LabelSets(est.classes_), "int64", sparse=bool(est.sparse_output))


@converter(MultiLabelBinarizer, frame=True, finite=False)
def multi_label_binarizer(est: Any, rows: Data) -> Value:
    if isinstance(rows, Columns) and isinstance(rows.records, LabelSets):
        return rows.values[0]
    y = as_matrix(rows)
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
