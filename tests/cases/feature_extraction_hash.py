"""sklearn.feature_extraction: FeatureHasher on rows of strings."""

import numpy as np
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from . import Case

CASES = [
    Case(FeatureHasher(n_features=16, input_type="string"), "categories_str_unknown", standard=False),
    Case(
        FeatureHasher(n_features=3, input_type="string", alternate_sign=False, dtype=np.float32),
        "categories_str",
        standard=False,
    ),
    Case(FeatureHasher(n_features=2**12, input_type="string", dtype=np.int64), "categories_str", standard=False),
    Case(FeatureHasher(n_features=2, input_type="string", dtype=bool), "categories_str", standard=False),
    Case(FeatureHasher(n_features=8), "feature_dicts"),
    Case(FeatureHasher(n_features=16, alternate_sign=False, dtype=np.float32), "feature_dicts"),
    Case(FeatureHasher(n_features=3, input_type="pair"), "feature_pairs"),
    Case(FeatureHasher(n_features=64, input_type="string", dtype=np.int32), "feature_names"),
    Case(make_pipeline(FeatureHasher(n_features=32), LogisticRegression()), "feature_dicts"),
]
