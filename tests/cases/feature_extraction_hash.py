"""sklearn.feature_extraction: FeatureHasher on rows of strings."""

import numpy as np
from sklearn.feature_extraction import FeatureHasher

from . import Case

CASES = [
    Case(FeatureHasher(n_features=16, input_type="string"), "categories_str_unknown", standard=False),
    Case(
        FeatureHasher(n_features=3, input_type="string", alternate_sign=False, dtype=np.float32),
        "categories_str",
        standard=False,
    ),
    Case(FeatureHasher(n_features=2**12, input_type="string", dtype=np.int64), "categories_str", standard=False),
]
