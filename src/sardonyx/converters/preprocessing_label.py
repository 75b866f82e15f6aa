"""sklearn.preprocessing._label: MultiLabelBinarizer; the other encoders of labels are in preprocessing.py.

A sample's labels are a row of a matrix. Where samples have different numbers of labels, fill up with any label that is
no class, which is ignored as it is in scikit-learn: "" or -1, say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import MultiLabelBinarizer

from ..graph import Value, concat
from ..operators.categories import category_lookup
from ..protos import STRING
from ..registry import converter, impossible
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


impossible(
    MultiLabelBinarizer,
    method="inverse_transform",
    reason="it gives tuples of as many labels as a row has, and no tensor has rows of different lengths. Read the "
    "labels off the indicator matrix: classes_[row == 1].",
)
