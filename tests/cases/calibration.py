"""sklearn.calibration."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from . import Case
from .compose import TITANIC

CASES = [
    Case(CalibratedClassifierCV(make_pipeline(TITANIC, LogisticRegression()), cv=2), "mixed", note="a frame"),
    Case(CalibratedClassifierCV(GaussianNB(), cv=3, method="isotonic"), "multiclass_str"),
    Case(CalibratedClassifierCV(RandomForestClassifier(5, max_depth=4, random_state=0), cv=2), "binary_str"),
    Case(CalibratedClassifierCV(LogisticRegression(), cv=3), "binary_str"),
    Case(CalibratedClassifierCV(LogisticRegression(), cv=3, method="isotonic"), "binary_bool"),
    Case(CalibratedClassifierCV(LogisticRegression(), cv=2, ensemble=False), "multiclass_str"),
    Case(CalibratedClassifierCV(SGDClassifier(random_state=0), cv=3, method="isotonic"), "multiclass"),
    Case(CalibratedClassifierCV(DummyClassifier(), cv=2), "multiclass", note="no decision_function"),
    Case(CalibratedClassifierCV(DummyClassifier(), cv=2, method="isotonic"), "binary", note="one knot"),
    Case(
        CalibratedClassifierCV(LinearDiscriminantAnalysis(), cv=StratifiedKFold(4), method="isotonic"),
        "binary32",
        rtol=1e-5,
    ),
    Case(CalibratedClassifierCV(LogisticRegression(), cv=3, method="temperature"), "binary", since="1.8"),
    # scikit-learn 1.9 reads labels other than 0, 1, 2, ... as indices when it fits a temperature, and may crash
    Case(
        CalibratedClassifierCV(QuadraticDiscriminantAnalysis(), cv=3, method="temperature"),
        "multiclass_int",
        since="1.8",
    ),
    Case(
        CalibratedClassifierCV(DummyClassifier(), cv=3, method="temperature"),
        "binary",
        note="probabilities",
        since="1.8",
    ),
    Case(
        CalibratedClassifierCV(DummyClassifier(), cv=3, method="temperature"),
        "multiclass_int",
        note="probabilities",
        since="1.8",
    ),
]
