"""sklearn.dummy."""

from sklearn.dummy import DummyClassifier, DummyRegressor

from . import Case

CASES = [
    Case(DummyClassifier(), "binary"),
    Case(DummyClassifier(strategy="most_frequent"), "multiclass_str"),
    Case(DummyClassifier(strategy="most_frequent"), "multiclass_float"),
    Case(DummyClassifier(strategy="constant", constant="b"), "multiclass_str"),
    Case(DummyClassifier(strategy="constant", constant=[3, 1]), "classes_multi"),
    Case(DummyClassifier(strategy="uniform", random_state=0), "multiclass", ("predict_proba", "predict_log_proba")),
    Case(DummyClassifier(), "classes_multi"),
    Case(DummyClassifier(), "classes_multi_str", note="several texts a row"),
    Case(DummyClassifier(), "binary_bool"),
    Case(DummyClassifier(), "mixed"),
    Case(DummyRegressor(), "regression"),
    Case(DummyRegressor(strategy="median"), "regression_multi"),
    Case(DummyRegressor(strategy="quantile", quantile=0.9), "regression32"),
    Case(DummyRegressor(strategy="constant", constant=3), "regression_int"),
    Case(DummyRegressor(strategy="quantile", quantile=0.1), "regression", ("predict_std",)),
    Case(DummyRegressor(strategy="constant", constant=[1.5, 2, 3]), "regression_multi", ("predict_std",)),
]
