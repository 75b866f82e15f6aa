"""sklearn.multioutput."""

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.tree import DecisionTreeClassifier

from . import Case

CASES = [
    Case(MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=5)), "regression_multi"),
    Case(MultiOutputClassifier(DecisionTreeClassifier(max_depth=4, random_state=0)), "classes_multi_str"),
    Case(MultiOutputRegressor(Ridge()), "regression_multi"),
    Case(MultiOutputRegressor(Ridge(fit_intercept=False)), "regression_multi"),
    Case(MultiOutputRegressor(Ridge()), "multilabel"),
    Case(MultiOutputClassifier(LinearDiscriminantAnalysis()), "classes_multi"),
    Case(MultiOutputClassifier(LogisticRegression()), "multilabel"),
    Case(MultiOutputClassifier(DummyClassifier()), "classes_multi_str"),
    Case(RegressorChain(Ridge()), "regression_multi"),
    Case(RegressorChain(Ridge(), order=[2, 0, 1]), "regression_multi"),
    Case(RegressorChain(Ridge(), order="random", random_state=3, cv=3), "multilabel"),
    Case(ClassifierChain(LogisticRegression()), "multilabel"),
    Case(ClassifierChain(LogisticRegression(), order=[2, 0, 1], chain_method="decision_function"), "multilabel"),
    Case(ClassifierChain(LogisticRegression(), chain_method="predict_proba", cv=3), "multilabel32"),
    Case(ClassifierChain(LogisticRegression(), chain_method=["predict_log_proba"]), "multilabel"),
]
