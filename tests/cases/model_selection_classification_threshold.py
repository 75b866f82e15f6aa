"""sklearn.model_selection._classification_threshold."""

from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline

from . import Case
from .compose import TITANIC

CASES = [
    Case(FixedThresholdClassifier(make_pipeline(TITANIC, LogisticRegression()), threshold=0.4), "mixed"),
    Case(FixedThresholdClassifier(LogisticRegression(), threshold=0.3), "binary"),
    Case(FixedThresholdClassifier(LogisticRegression(), pos_label="no", threshold=0.7), "binary_str"),
    Case(FixedThresholdClassifier(SGDClassifier(random_state=0)), "binary_bool"),
    Case(FixedThresholdClassifier(LogisticRegression(), response_method="decision_function", pos_label=0), "binary"),
    Case(FixedThresholdClassifier(DummyClassifier(), threshold=0.5), "binary", note="score at the threshold"),
    Case(TunedThresholdClassifierCV(LogisticRegression(), cv=3), "binary"),
    Case(TunedThresholdClassifierCV(SGDClassifier(random_state=0), cv=3), "binary"),
    Case(TunedThresholdClassifierCV(LogisticRegression(), cv=0.75, refit=False, random_state=0), "binary32"),
]
