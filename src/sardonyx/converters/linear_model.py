"""sklearn.linear_model: every linear model, from the few methods that scikit-learn itself defines.

Scores are ``X @ coef_.T + intercept_`` in the dtype that NumPy gives it (float32 with float32 stays float32).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import linear_model
from sklearn._loss import link
from sklearn.linear_model import _base, _coordinate_descent, _ridge, _stochastic_gradient
from sklearn.linear_model._glm.glm import _GeneralizedLinearRegressor

from ..convert import as_float, call, checked, step
from ..errors import ConversionError
from ..graph import Value, where
from ..operators.numeric import logistic
from ..registry import converter
from .base import both_classes, by_definer, dense, inverse_binarize, softmax, take_labels

#: classes that say ``predict`` again only to document it (some only in newer versions of scikit-learn)
_LINEAR = [
    cls
    for module, name in (
        (_base, "LinearModel"),
        (_base, "MultiOutputLinearModel"),
        (_ridge, "Ridge"),
        (_ridge, "RidgeCV"),
    )
    if (cls := getattr(module, name, None)) is not None
]
#: who may define ``LinearModel._decision_function``, and whether it takes sparse rows as they are, NaN and all
_DECISIONS = {_base.LinearModel: False, _coordinate_descent.ElasticNet: True}


# ---- regression ------------------------------------------------------------------------------------------------------


@converter(*_LINEAR, linear_model.BayesianRidge, linear_model.ARDRegression, method="predict", finite=False)
def linear_predict(est: Any, X: Value) -> Any:
    takes_all = by_definer(est, "_decision_function", _DECISIONS, "computes its decision")
    given = X if X.sparse and takes_all else checked(est, X)
    return given @ dense(est.coef_).T + est.intercept_


@converter(linear_model.BayesianRidge, method="predict_std")
def bayesian_ridge_std(est: Any, X: Value) -> tuple[Value, Value]:
    return call(est, "predict", X), _deviation(est, _centred(est, X))


@converter(linear_model.ARDRegression, method="predict_std")
def ard_std(est: Any, X: Value) -> tuple[Value, Value]:
    kept = est.lambda_ < est.threshold_lambda
    return call(est, "predict", X), _deviation(est, _centred(est, X)[:, kept])


def _centred(est: Any, X: Value) -> Value:
    """Subtract the training mean, where this version of scikit-learn does (older ones forgot it)."""
    return X - est.X_offset_ if "X_offset_" in type(est).predict.__code__.co_names else X


def _deviation(est: Any, X: Value) -> Any:
    return np.sqrt(((X @ est.sigma_) * X).sum(1) + (1.0 / est.alpha_))


@converter(_stochastic_gradient.BaseSGDRegressor, method="predict")
def sgd_regressor(est: Any, X: Value) -> Any:
    return (X @ dense(est.coef_).T + est.intercept_).reshape(-1)


@converter(_GeneralizedLinearRegressor, method="predict")
def generalized_linear(est: Any, X: Value) -> Value:
    raw = as_float(X) @ est.coef_ + est.intercept_
    return _inverse_link(est)(raw)


#: inverse link functions, sklearn/_loss/link.py
_INVERSE_LINKS: dict[type, Callable[[Value], Value]] = {
    link.IdentityLink: lambda raw: raw,
    link.LogLink: np.exp,
    link.LogitLink: logistic,
    link.HalfLogitLink: lambda raw: logistic(2 * raw),
}


def _inverse_link(est: Any) -> Callable[[Value], Value]:
    kind = type(est._base_loss.link)
    if kind not in _INVERSE_LINKS:
        known = ", ".join(k.__name__ for k in _INVERSE_LINKS)
        raise ConversionError(f"{type(est).__name__} uses the link function {kind.__name__}; known are {known}.")
    return _INVERSE_LINKS[kind]


@converter(linear_model.RANSACRegressor, method="predict", finite=False)
def ransac(est: Any, X: Value) -> Any:
    return step("estimator", est.estimator_, ["predict"], X)["predict"]


# ---- classification --------------------------------------------------------------------------------------------------


@converter(_base.LinearClassifierMixin, method="decision_function")
def linear_decision(est: Any, X: Value) -> Any:
    scores = X @ dense(est.coef_).T + est.intercept_
    return scores.reshape(-1) if scores.ndim > 1 and scores.shape[1] == 1 else scores


@converter(_base.LinearClassifierMixin, method="predict")
def linear_classes(est: Any, X: Value) -> Value:
    scores = call(est, "decision_function", X)
    return take_labels(est.classes_, scores > 0 if scores.ndim == 1 else scores.argmax(1))


@converter(_ridge._RidgeClassifierMixin, method="predict")
def ridge_classes(est: Any, X: Value) -> Value:
    if est._label_binarizer.y_type_.startswith("multilabel"):
        return inverse_binarize(est._label_binarizer, call(est, "decision_function", X), 0.0)
    return linear_classes(est, X)


#: whether rows without any probability become uniform (they are NaN in older versions of scikit-learn)
_MENDS_ZEROS = "all_zero" in _base.LinearClassifierMixin._predict_proba_lr.__code__.co_varnames


def one_vs_rest_proba(est: Any, X: Value) -> Value:
    """``LinearClassifierMixin._predict_proba_lr``: normalised logistic scores."""
    p = logistic(call(est, "decision_function", X))
    if p.ndim == 1:
        return both_classes(p)
    return _normalized(p) if _MENDS_ZEROS else p / p.sum(1, keepdims=True)


def _normalized(p: Value) -> Value:
    """Divide each row by its sum; rows of zeros become uniform."""
    total = p.sum(1, keepdims=True)
    zero = total == 0
    return where(zero, 1.0, p) / where(zero, p.dim(1), total)


@converter(linear_model.LogisticRegression, method="predict_proba")
def logistic_proba(est: Any, X: Value) -> Value:
    if _is_one_vs_rest(est):
        return one_vs_rest_proba(est, X)
    scores = call(est, "decision_function", X)
    if scores.ndim == 1:  # multi_class="multinomial" of two classes
        scores = np.concatenate([-scores[:, None], scores[:, None]], axis=1)
    return softmax(scores)


def _is_one_vs_rest(est: Any) -> bool:
    """Whether probabilities are one-vs-rest; before multi_class was removed, it decided."""
    scheme = est.get_params(deep=False).get("multi_class", "auto")
    if scheme not in ("auto", "deprecated"):
        return bool(scheme in ("ovr", "warn"))
    return len(est.classes_) <= 2 or est.solver == "liblinear"


@converter(linear_model.SGDClassifier, method="predict_proba")
def sgd_proba(est: Any, X: Value) -> Value:
    return {"log_loss": one_vs_rest_proba, "modified_huber": _modified_huber_proba}[est.loss](est, X)


def _modified_huber_proba(est: Any, X: Value) -> Value:
    scores = np.clip(call(est, "decision_function", X), -1, 1)
    if scores.ndim == 1:  # scikit-learn fills an array of float64 here
        return both_classes((scores.astype(np.float64) + 1.0) / 2.0)
    return _normalized((scores + 1.0) / 2.0)


@converter(linear_model.LogisticRegression, linear_model.SGDClassifier, method="predict_log_proba")
def log_proba(est: Any, X: Value) -> Any:
    return np.log(call(est, "predict_proba", X))


# ---- outliers --------------------------------------------------------------------------------------------------------


@converter(linear_model.SGDOneClassSVM, method="decision_function")
def one_class_decision(est: Any, X: Value) -> Any:
    return (X @ dense(est.coef_).T - est.offset_).reshape(-1)


@converter(linear_model.SGDOneClassSVM, method="score_samples")
def one_class_scores(est: Any, X: Value) -> Any:
    return call(est, "decision_function", X) + est.offset_


@converter(linear_model.SGDOneClassSVM, method="predict")
def one_class_predict(est: Any, X: Value) -> Value:
    return where(call(est, "decision_function", X) >= 0, np.int32(1), np.int32(-1))
