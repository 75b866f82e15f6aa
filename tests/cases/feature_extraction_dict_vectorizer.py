"""sklearn.feature_extraction: DictVectorizer on rows whose keys come and go."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from . import Case

INVERSE = ("inverse_transform",)

CASES = [
    Case(DictVectorizer(), "records"),
    Case(DictVectorizer(sparse=False, sort=False, separator="::"), "records"),
    Case(DictVectorizer(dtype=np.float32, separator="/"), "records"),
    Case(DictVectorizer(), "records", INVERSE),
    Case(DictVectorizer(sparse=False, dtype=np.float32), "records", INVERSE),
    Case(make_pipeline(DictVectorizer(), LogisticRegression()), "records"),
    Case(
        make_pipeline(DictVectorizer(sparse=False), RandomForestClassifier(n_estimators=4, random_state=0)), "records"
    ),
]
