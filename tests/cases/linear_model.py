"""sklearn.linear_model."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn import linear_model as lm
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier

from . import Case


class SparseLogistic(LogisticRegression):  # type: ignore[misc]
    """Coefficients kept sparse, as users do after an l1 penalty."""

    def fit(self, X, y):  # type: ignore[no-untyped-def]
        super().fit(X, y)
        return self.sparsify()


class SparseSGDRegressor(lm.SGDRegressor):  # type: ignore[misc]
    """Sparse coefficients of one row."""

    def fit(self, X, y):  # type: ignore[no-untyped-def]
        super().fit(X, y)
        return self.sparsify()


def deprecated(name: str, **parameters: Any) -> Any:
    """An estimator that newer versions of scikit-learn warn about when it is made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return getattr(lm, name)(random_state=0, **parameters)


STD = ("predict_std",)  # gives the mean too
#: a product in float32, to which a float64 intercept is added: only the result's dtype is float64
SINGLE = 1e-5

CASES = [
    Case(Ridge(), "regression"),
    Case(Ridge(fit_intercept=False), "regression_multi"),
    Case(Ridge(alpha=3.0), "regression32"),
    Case(Ridge(), "regression_int"),
    Case(lm.RidgeCV(), "regression"),
    Case(lm.RidgeCV([0.1, 1.0]), "regression_multi"),
    Case(lm.RidgeCV(), "regression32"),
    Case(lm.LinearRegression(), "regression"),
    Case(lm.LinearRegression(), "regression_multi"),
    Case(lm.LinearRegression(positive=True), "regression32"),
    Case(lm.LinearRegression(fit_intercept=False), "regression_int"),
    Case(lm.Lasso(), "regression"),
    Case(lm.Lasso(0.1, fit_intercept=False), "regression_multi"),
    Case(lm.Lasso(), "regression32"),
    Case(lm.LassoCV(cv=3), "regression"),
    Case(lm.LassoCV(cv=3), "regression_int"),
    Case(lm.LassoCV(cv=3), "regression32"),
    Case(lm.ElasticNet(), "regression"),
    Case(lm.ElasticNet(l1_ratio=0.0, alpha=0.1), "regression_int"),
    Case(lm.ElasticNet(), "regression32"),
    Case(lm.ElasticNetCV(cv=3), "regression"),
    Case(lm.ElasticNetCV(cv=3, fit_intercept=False), "regression"),
    Case(lm.ElasticNetCV(cv=3), "regression32"),
    *(
        Case(estimator(**{key: value}, fit_intercept=intercept), data)
        for estimator, key, value in (
            (lm.MultiTaskLasso, "alpha", 0.1),
            (lm.MultiTaskElasticNet, "alpha", 0.1),
            (lm.MultiTaskLassoCV, "cv", 3),
            (lm.MultiTaskElasticNetCV, "cv", 3),
        )
        for intercept, data in (
            (True, "regression_multi"),
            (False, "regression_multi_int"),
            (True, "regression_multi32"),
        )
    ),
    *(
        Case(estimator, data)
        for estimator in (
            lm.LarsCV(cv=3),
            lm.LassoLars(0.01),
            lm.LassoLarsCV(cv=3),
            lm.LassoLarsIC(),
            lm.OrthogonalMatchingPursuitCV(cv=3),
            lm.OrthogonalMatchingPursuit(),
            lm.Lars(),
        )
        for data in ("regression", "regression_int", "regression32")
    ),
    Case(lm.Lars(n_nonzero_coefs=2, fit_intercept=False), "regression_multi"),
    Case(lm.LassoLars(0.01, fit_intercept=False), "regression_multi"),
    Case(lm.OrthogonalMatchingPursuit(n_nonzero_coefs=2), "regression_multi"),
    Case(lm.HuberRegressor(), "regression"),
    Case(lm.HuberRegressor(fit_intercept=False), "regression32"),
    Case(lm.HuberRegressor(), "regression_int"),
    Case(lm.QuantileRegressor(quantile=0.8), "regression"),
    Case(lm.QuantileRegressor(fit_intercept=False), "regression_int"),
    Case(lm.QuantileRegressor(), "regression32"),
    Case(lm.TheilSenRegressor(random_state=0, max_subpopulation=100), "regression"),
    Case(lm.TheilSenRegressor(random_state=0, max_subpopulation=100), "regression32"),
    Case(lm.TheilSenRegressor(random_state=0, max_subpopulation=100, fit_intercept=False), "regression_int"),
    Case(lm.RANSACRegressor(random_state=0), "regression"),
    Case(lm.RANSACRegressor(Ridge(), random_state=0, min_samples=8), "regression_multi"),
    Case(lm.RANSACRegressor(random_state=0), "regression32"),
    Case(lm.BayesianRidge(), "regression"),
    Case(lm.ARDRegression(), "regression32"),
    Case(lm.ARDRegression(), "regression"),
    Case(lm.BayesianRidge(), "regression", STD),
    Case(lm.BayesianRidge(fit_intercept=False), "regression", STD),
    Case(lm.BayesianRidge(), "regression32", STD),
    Case(lm.BayesianRidge(), "regression_int", STD),
    Case(lm.ARDRegression(), "regression", STD),
    Case(lm.ARDRegression(threshold_lambda=1.0), "regression", STD, "pruned"),
    Case(lm.ARDRegression(fit_intercept=False), "regression_int", STD),
    Case(lm.PoissonRegressor(), "regression_positive"),
    Case(lm.PoissonRegressor(fit_intercept=False), "regression_positive"),
    Case(lm.PoissonRegressor(alpha=0.1), "regression_positive32"),
    Case(lm.GammaRegressor(), "regression_positive"),
    Case(lm.GammaRegressor(fit_intercept=False, alpha=0.5), "regression_positive"),
    Case(lm.GammaRegressor(), "regression_positive32"),
    Case(lm.TweedieRegressor(power=0), "regression"),
    Case(lm.TweedieRegressor(power=1.5), "regression_positive"),
    Case(lm.TweedieRegressor(power=0, link="log"), "regression_positive"),
    Case(lm.TweedieRegressor(power=0), "regression32"),
    Case(lm.TweedieRegressor(power=0), "regression_int"),
    Case(lm.SGDRegressor(random_state=0), "regression"),
    Case(lm.SGDRegressor(random_state=0, loss="huber", average=True), "regression32", rtol=SINGLE),
    Case(lm.SGDRegressor(random_state=0, fit_intercept=False, alpha=0.1, penalty="l1"), "regression"),
    Case(SparseSGDRegressor(random_state=0, alpha=0.1, penalty="l1"), "regression", note="sparse coef_"),
    *(Case(deprecated("PassiveAggressiveRegressor"), d) for d in ("regression", "regression_int")),
    Case(deprecated("PassiveAggressiveRegressor"), "regression32", rtol=SINGLE),
    Case(LogisticRegression(), "binary"),
    Case(LogisticRegression(C=1e6), "binary_str"),
    Case(LogisticRegression(fit_intercept=False), "binary_bool"),
    Case(LogisticRegression(), "binary32"),
    Case(LogisticRegression(solver="liblinear"), "binary"),
    Case(LogisticRegression(), "binary_classes_int32"),
    Case(LogisticRegression(), "multiclass"),
    Case(LogisticRegression(solver="newton-cg", fit_intercept=False), "multiclass_str"),
    Case(LogisticRegression(solver="saga", C=0.01), "multiclass_float"),
    Case(LogisticRegression(), "multiclass32"),
    Case(LogisticRegression(), "multiclass_int"),
    Case(SparseLogistic(C=0.05), "binary", note="sparse coef_"),
    Case(SparseLogistic(C=0.05), "multiclass", note="sparse coef_"),
    Case(lm.LogisticRegressionCV(Cs=3, cv=3), "binary"),
    Case(lm.LogisticRegressionCV(Cs=3, cv=3), "multiclass_str"),
    Case(lm.LogisticRegressionCV(Cs=3, cv=3), "multiclass32"),
    *(
        Case(SGDClassifier(loss=loss, random_state=0), data)
        for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "huber")
        for data in ("binary", "multiclass_str")
    ),
    Case(SGDClassifier(loss="modified_huber", random_state=0, alpha=1.0), "multiclass", note="rows of zeros"),
    Case(SGDClassifier(loss="modified_huber", random_state=0), "binary32", rtol=SINGLE),
    Case(SGDClassifier(loss="log_loss", random_state=0), "multiclass32"),
    Case(SGDClassifier(loss="log_loss", random_state=0, average=True), "multiclass_int"),
    Case(SGDClassifier(random_state=0), "multiclass_float"),
    Case(lm.Perceptron(random_state=0), "binary"),
    Case(lm.Perceptron(random_state=0), "multiclass"),
    Case(lm.Perceptron(random_state=0), "binary_bool"),
    Case(deprecated("PassiveAggressiveClassifier"), "binary"),
    Case(deprecated("PassiveAggressiveClassifier"), "multiclass_str"),
    Case(deprecated("PassiveAggressiveClassifier"), "multiclass_int"),
    Case(lm.RidgeClassifier(), "binary"),
    Case(lm.RidgeClassifier(), "multiclass_str"),
    Case(lm.RidgeClassifier(), "multilabel"),
    Case(lm.RidgeClassifier(), "binary32"),
    Case(lm.RidgeClassifierCV(), "binary_bool"),
    Case(lm.RidgeClassifierCV(np.array([0.1, 1.0])), "multiclass"),
    Case(lm.RidgeClassifierCV(), "multilabel"),
    Case(lm.SGDOneClassSVM(random_state=0), "regression"),
    Case(lm.SGDOneClassSVM(random_state=0, nu=0.1, fit_intercept=False), "regression_int"),
    Case(lm.SGDOneClassSVM(random_state=0), "regression32", rtol=SINGLE),
    *(
        Case(est, "regression")
        for est in (
            lm.BayesianRidge(max_iter=5, alpha_init=1.0, compute_score=True),
            lm.ElasticNet(positive=True, selection="random", random_state=0),
            lm.ElasticNetCV(l1_ratio=[0.2, 0.9], cv=3),
            lm.HuberRegressor(epsilon=1.1, alpha=0.01),
            lm.Lars(n_nonzero_coefs=1),
            lm.LarsCV(cv=3, fit_intercept=False),
            lm.LarsCV(cv=2, max_n_alphas=5),
            lm.Lasso(0.01, positive=True),
            lm.LassoCV(cv=3, fit_intercept=False),
            lm.LassoCV(cv=2, eps=1e-2, positive=True),
            lm.LassoLars(0.5, positive=True),
            lm.LassoLarsCV(cv=3, fit_intercept=False),
            lm.LassoLarsCV(cv=2, positive=True),
            lm.LassoLarsIC("bic"),
            lm.LassoLarsIC("aic", fit_intercept=False),
            lm.OrthogonalMatchingPursuit(tol=1.0, fit_intercept=False),
            lm.OrthogonalMatchingPursuitCV(cv=3, fit_intercept=False),
            lm.OrthogonalMatchingPursuitCV(cv=2, max_iter=2),
            lm.RANSACRegressor(loss="squared_error", residual_threshold=5.0, random_state=0),
            lm.RidgeCV(alphas=[0.1, 10.0], fit_intercept=False, cv=3),
            lm.SGDOneClassSVM(nu=0.9, learning_rate="constant", eta0=0.01, random_state=0),
            lm.TheilSenRegressor(max_subpopulation=50, n_subsamples=12, random_state=0),
        )
    ),
    *(
        Case(est(**{name: value}, fit_intercept=False), "regression_multi")
        for est, name, value in (
            (lm.MultiTaskLasso, "alpha", 1.0),
            (lm.MultiTaskElasticNet, "l1_ratio", 0.9),
            (lm.MultiTaskLassoCV, "cv", 2),
            (lm.MultiTaskElasticNetCV, "cv", 2),
        )
    ),
    Case(lm.GammaRegressor(solver="newton-cholesky", alpha=0.0), "regression_positive"),
    *(
        Case(est, "multiclass")
        for est in (
            lm.LogisticRegressionCV(Cs=2, cv=3, fit_intercept=False),
            lm.LogisticRegressionCV(Cs=3, cv=2, class_weight="balanced"),
            lm.Perceptron(penalty="l2", random_state=0),
            lm.Perceptron(fit_intercept=False, random_state=0),
            lm.RidgeClassifier(alpha=10.0, fit_intercept=False),
            lm.RidgeClassifier(class_weight="balanced", solver="lsqr"),
            lm.RidgeClassifierCV(alphas=[0.1, 1.0], fit_intercept=False),
            deprecated("PassiveAggressiveClassifier", loss="squared_hinge", C=0.1),
            deprecated("PassiveAggressiveClassifier", fit_intercept=False),
        )
    ),
    Case(deprecated("PassiveAggressiveRegressor", epsilon=1.0, C=0.1), "regression"),
    Case(deprecated("PassiveAggressiveRegressor", fit_intercept=False), "regression"),
]
