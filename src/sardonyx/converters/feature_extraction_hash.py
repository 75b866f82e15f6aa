"""sklearn.feature_extraction: FeatureHasher, where its samples are as many strings each: a matrix of text."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction import FeatureHasher

from ..errors import ConversionError
from ..graph import Value
from ..operators.text import hash_terms
from ..protos import STRING, tensor_type
from ..registry import converter
from .feature_extraction_text import count_type, tables_of


@converter(FeatureHasher, finite=False)
def feature_hasher(est: Any, X: Value) -> Value:
    if est.input_type != "string":
        raise ConversionError(
            f"FeatureHasher(input_type={est.input_type!r}) takes any keys and values from row to row, which no tensor "
            "holds. Hash before the file, and convert what follows: it takes the sparse matrix. Or fit "
            "input_type='string' on rows of as many 'key=value' strings each."
        )
    if X.dtype != STRING or X.ndim != 2:
        raise ConversionError("FeatureHasher takes rows of strings; give a matrix of text, as many a row.")
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
        binary=0,
        to=tensor_type(count_type(est)),
    )
    return result
