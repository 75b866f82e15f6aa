"""sklearn.neural_network."""

from __future__ import annotations

from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor

from . import Case

TRANSFORM = ("transform",)
QUICK = {"max_iter": 20, "random_state": 0}
#: newer versions of scikit-learn only
poisson = [
    Case(MLPRegressor(hidden_layer_sizes=(6,), loss="poisson", **QUICK), "regression_positive")
    for _ in range("loss" in MLPRegressor().get_params())
]

CASES = [
    *(
        Case(MLPRegressor(hidden_layer_sizes=(8, 5), activation=activation, **QUICK), "regression")
        for activation in ("identity", "logistic", "tanh", "relu")
    ),
    Case(MLPRegressor(hidden_layer_sizes=(), **QUICK), "regression", note="no hidden layer"),
    Case(MLPRegressor(hidden_layer_sizes=(6,), **QUICK), "regression_multi"),
    Case(MLPRegressor(hidden_layer_sizes=(6,), **QUICK), "regression32"),
    Case(MLPRegressor(hidden_layer_sizes=(6,), **QUICK), "regression_int"),
    *poisson,
    Case(MLPClassifier(hidden_layer_sizes=(8,), **QUICK), "binary"),
    Case(MLPClassifier(hidden_layer_sizes=(8, 4), activation="tanh", **QUICK), "binary_str"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), activation="logistic", **QUICK), "binary_bool"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), **QUICK), "multiclass"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), activation="identity", **QUICK), "multiclass_str"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), **QUICK), "multiclass32"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), **QUICK), "multiclass_int"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), **QUICK), "binary32"),
    Case(MLPClassifier(hidden_layer_sizes=(8,), **QUICK), "multilabel"),
    Case(BernoulliRBM(4, n_iter=2, random_state=0), "positive", TRANSFORM),
    Case(BernoulliRBM(3, n_iter=2, random_state=0), "positive32", TRANSFORM),
    Case(BernoulliRBM(5, n_iter=2, random_state=0), "counts_int", TRANSFORM),
]
