"""sklearn.feature_extraction: FeatureHasher, of rows that are bags of features (bags.py), or of a matrix of text."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction import FeatureHasher

from ..convert import Columns, Data, as_matrix
from ..errors import ConversionError
from ..graph import Value
from ..inputs.bags import HashedFeatures
from ..inputs.signature import Signature, describe, signature_of_bags
from ..operators.text import hash_terms
from ..protos import STRING, tensor_type
from ..registry import converter, describer, fitless
from ..text.tables import tables_of
from .feature_extraction_text import count_type, sparse_counts

fitless(FeatureHasher)(lambda est: True)  # scikit-learn 1.6 does not say so


@describer(FeatureHasher)
def inputs_of_features(est: Any, X: Any) -> Signature:
    """Return the input: the hashed matrix of rows of any length, or, of a matrix of text, that."""
    if getattr(X, "ndim", 1) > 1:
        return describe(X)
    bags = HashedFeatures(int(est.n_features), str(est.input_type), bool(est.alternate_sign))
    return signature_of_bags(bags, count_type(est).name, sparse=True)


@converter(FeatureHasher, frame=True, finite=False)
def feature_hasher(est: Any, rows: Data) -> Value:
    if isinstance(rows, Columns) and isinstance(rows.records, HashedFeatures):
        hashed = rows.values[0]
        hashed.sparse = True
        return hashed
    if est.input_type != "string":
        raise ConversionError(
            f"FeatureHasher(input_type={est.input_type!r}) takes dicts or pairs: let it, or a pipeline that begins "
            "with it, be first, and give a list of such rows as the sample."
        )
    X = as_matrix(rows)
    if X.dtype != STRING or X.ndim != 2:
        raise ConversionError("FeatureHasher takes rows of strings; give a matrix of text, as many a row.")
    dtype = count_type(est)
    result: Value = hash_terms(
        X,
        *tables_of(None, False, None),
        n_features=int(est.n_features),
        alternate_sign=int(est.alternate_sign),
        stop_words=np.zeros(0, dtype=object),
        analyzer="",
        lowercase=0,
        strip_accents="",
        token_pattern="",
        skipped=[0, 0],
        ngram_range=[1, 1],
        binary=int(dtype.kind == "b"),
        to=tensor_type(dtype if dtype.kind != "b" else np.dtype(np.int8)),
    )
    return sparse_counts(est, result, int(est.n_features))
