"""sklearn.naive_bayes: joint log likelihoods, and what scikit-learn's base class derives from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import naive_bayes as nb

from ..convert import call
from ..graph import Value, as_value, current_graph, where
from ..registry import converter
from .base import argmax_labels, by_definer


@converter(nb._BaseNB, method="predict")
def predict(est: Any, X: Value) -> Value:
    return argmax_labels(est.classes_, joint_log_likelihood(est, X))


@converter(nb._BaseNB, method="predict_log_proba")
def predict_log_proba(est: Any, X: Value) -> Any:
    joint = joint_log_likelihood(est, X)
    return joint - logsumexp(joint)


@converter(nb._BaseNB, method="predict_proba")
def predict_proba(est: Any, X: Value) -> Any:
    return np.exp(call(est, "predict_log_proba", X))


def logsumexp(x: Value) -> Any:
    """Return ``log(sum(exp(x)))`` of each row as a column; the largest is taken out, so that nothing overflows."""
    largest = x.max(1, keepdims=True)
    shift = where(np.isinf(largest), np.zeros((), x.dtype), largest)
    if x.dtype == np.float32:
        return _log_of_sum(x, largest, shift) + largest
    return np.log(np.exp(x - shift).sum(1, keepdims=True)) + shift


def _log_of_sum(x: Value, largest: Value, shift: Value) -> Any:
    """Return ``log(sum(exp(x - largest)))`` as scikit-learn's ``_logsumexp``, which adds up the others alone.

    The digits that float32 loses otherwise are seen behind a logit of the probabilities; those of float64 are not, and
    it takes twice the time.
    """
    is_largest = x == largest
    many = is_largest.astype(x.dtype).sum(1, keepdims=True)
    others = np.exp(where(is_largest, x.dtype.type(-np.inf), x) - shift).sum(1, keepdims=True)
    return np.log1p(others / many) + np.log(many)


def joint_log_likelihood(est: Any, X: Value) -> Value:
    """Return ``_joint_log_likelihood(X)``, shape (N, n_classes)."""
    joint = by_definer(est, "_joint_log_likelihood", _JOINT, "computes likelihoods")
    memo, key = current_graph().memo, ("joint log likelihood", id(est), X.name)
    if key not in memo:
        memo[key] = joint(est, X)
    known: Value = memo[key]
    return known


def _gaussian(est: Any, X: Value) -> Any:
    constant = -0.5 * np.sum(np.log(2.0 * np.pi * est.var_), axis=1)
    deviation = X[:, None, :] - est.theta_
    return constant - (deviation * deviation / est.var_).sum(2) * 0.5 + np.log(est.class_prior_)


def _multinomial(est: Any, X: Value) -> Any:
    return X @ est.feature_log_prob_.T + est.class_log_prior_


def _complement(est: Any, X: Value) -> Any:
    scores = X @ est.feature_log_prob_.T
    return scores + est.class_log_prior_ if len(est.classes_) == 1 else scores


def _bernoulli(est: Any, X: Value) -> Any:
    with np.errstate(all="ignore"):  # a feature that is always there
        absent = np.log(1 - np.exp(est.feature_log_prob_))
    if (threshold := est.binarize) is not None:
        X = (threshold < X).astype(X.dtype if X.dtype.kind != "b" else np.float64)
    return X @ (est.feature_log_prob_ - absent).T + (est.class_log_prior_ + absent.sum(axis=1))


def _categorical(est: Any, X: Value) -> Any:
    """Sum table rows; categories that training never counted point outside of the table, which runtimes refuse.

    ::

        table     feature 0, category 0, 1, 2 | feature 1, category 0, 1 | ...   a row a category, a column a class
        starts    0                             3                          ...
    """
    table = np.concatenate(est.feature_log_prob_, axis=1).T.copy()
    sizes = np.array([p.shape[1] for p in est.feature_log_prob_], np.int64)
    codes = X.astype(np.int64)
    known = (codes >= 0) & (codes < sizes)
    rows = where(known, codes + (np.cumsum(sizes) - sizes), np.int64(len(table)))
    looked_up = as_value(table)[rows]
    return looked_up.sum(1) + est.class_log_prior_


#: the classes that define ``_joint_log_likelihood``
_JOINT: dict[type, Callable[[Any, Value], Value]] = {
    nb.GaussianNB: _gaussian,
    nb.MultinomialNB: _multinomial,
    nb.ComplementNB: _complement,
    nb.BernoulliNB: _bernoulli,
    nb.CategoricalNB: _categorical,
}
