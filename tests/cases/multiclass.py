"""sklearn.multiclass."""

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from . import Case
from .compose import TITANIC

CASES = [
    Case(OneVsRestClassifier(make_pipeline(TITANIC, LogisticRegression())), "mixed", note="a frame"),
    Case(OutputCodeClassifier(make_pipeline(TITANIC, LogisticRegression()), random_state=0), "mixed", note="a frame"),
    Case(OneVsRestClassifier(RandomForestClassifier(5, max_depth=4, random_state=0)), "multiclass_str"),
    Case(OneVsOneClassifier(DecisionTreeClassifier(max_depth=3, random_state=0)), "multiclass"),
    Case(OneVsRestClassifier(LogisticRegression()), "multiclass"),
    Case(OneVsRestClassifier(LogisticRegression()), "binary_str"),
    Case(OneVsRestClassifier(LogisticRegression()), "multilabel"),
    Case(OneVsRestClassifier(QuadraticDiscriminantAnalysis()), "multiclass_str"),
    Case(OneVsRestClassifier(GaussianNB()), "far_classes", ("predict",), note="NaN among the scores"),
    Case(OneVsRestClassifier(Ridge()), "multiclass_float", note="regressors"),
    Case(OneVsRestClassifier(Ridge()), "multilabel", note="regressors"),
    Case(OneVsRestClassifier(DummyClassifier(strategy="prior")), "multiclass", note="ties, no decision_function"),
    Case(OneVsRestClassifier(DummyClassifier(strategy="most_frequent")), "multiclass_str", note="rows of zeros"),
    Case(OneVsRestClassifier(make_pipeline(StandardScaler(), LogisticRegression())), "multiclass_int"),
    Case(OneVsRestClassifier(LogisticRegression()), "multilabel_constant", note="a label never and one always there"),
    Case(OneVsOneClassifier(LogisticRegression()), "multiclass_str"),
    Case(OneVsOneClassifier(LinearDiscriminantAnalysis()), "binary_str"),
    Case(OneVsOneClassifier(Ridge()), "multiclass", note="regressors: no votes"),
    Case(OneVsOneClassifier(DummyClassifier(strategy="prior")), "multiclass_float", note="no decision_function"),
    Case(OneVsOneClassifier(SGDClassifier(random_state=0)), "multiclass_int"),
    Case(OutputCodeClassifier(LogisticRegression(), code_size=2, random_state=0), "multiclass_str"),
    Case(OutputCodeClassifier(LinearDiscriminantAnalysis(), random_state=1), "multiclass_float"),
    Case(OutputCodeClassifier(DummyClassifier(), code_size=3, random_state=2), "multiclass", note="ties"),
    Case(OutputCodeClassifier(make_pipeline(StandardScaler(), LogisticRegression()), random_state=0), "multiclass_int"),
]
