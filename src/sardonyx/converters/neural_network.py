"""sklearn.neural_network: multi-layer perceptrons, and the hidden layer of a restricted Boltzmann machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor

from ..convert import as_float, call
from ..graph import Value, op
from ..operators.numeric import logistic
from ..registry import converter, impossible
from .base import both_classes, inverse_binarize, softmax

#: sklearn/neural_network/_base.py
ACTIVATIONS: dict[str, Callable[[Value], Value]] = {
    "identity": lambda x: x,
    "logistic": logistic,
    "tanh": np.tanh,
    "relu": op.Relu,
    "exp": np.exp,
    "softmax": softmax,
}


def forward(est: Any, X: Value) -> Value:
    """Return the output layer's values: ``_forward_pass_fast``, shape (N,) where there is one output."""
    last = len(est.coefs_) - 1
    for i, (weights, bias) in enumerate(zip(est.coefs_, est.intercepts_, strict=True)):
        X = ACTIVATIONS[est.activation if i < last else est.out_activation_](X @ weights + bias)
    return X.reshape(-1) if est.n_outputs_ == 1 else X


@converter(MLPRegressor, method="predict")
def mlp_regressor(est: Any, X: Value) -> Value:
    return forward(est, X)


@converter(MLPClassifier, method="predict")
def mlp_classes(est: Any, X: Value) -> Value:
    return inverse_binarize(est._label_binarizer, forward(est, X), 0.5)


@converter(MLPClassifier, method="predict_proba")
def mlp_proba(est: Any, X: Value) -> Value:
    values = forward(est, X)
    return both_classes(values) if values.ndim == 1 else values


@converter(MLPClassifier, method="predict_log_proba")
def mlp_log_proba(est: Any, X: Value) -> Any:
    return np.log(call(est, "predict_proba", X))


@converter(BernoulliRBM)
def bernoulli_rbm(est: Any, X: Value) -> Any:
    """Probabilities that the hidden units are on: ``_mean_hiddens``."""
    activation: Value = as_float(X) @ est.components_.T
    return logistic((activation + est.intercept_hidden_).astype(activation.dtype))


impossible(
    BernoulliRBM,
    method="score_samples",
    reason="it flips a feature drawn at random in every row, so that it answers otherwise at every call; "
    "convert transform, and compute the free energy from components_ where you need it",
)
