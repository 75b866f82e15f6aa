"""Operators of latent Dirichlet allocation, as sklearn/decomposition/_online_lda_fast.pyx computes them."""

from __future__ import annotations

import numpy as np

from ..graph import Value, loop, op, where
from . import operator

EULER = 0.577215664901532860606512090082402431
#: below it, -EULER - 1/x is what matters; from `LARGE` on, the asymptotic series is used
SMALL, LARGE = 1e-6, 6


@operator("Digamma")
def digamma(X: Value) -> Value:
    """Return the derivative of the logarithm of the gamma function, for X > 0, float32 or float64.

    J. M. Bernardo, Algorithm AS 103: Psi (Digamma) Function, Applied Statistics 25 (1976): recurrence up to 6, then the
    asymptotic series; about 1e-10, as scikit-learn's own. Terms are float64, what is kept between them of X's dtype.
    """
    x = where(X <= SMALL, 1, X)
    total = x * 0
    for _ in range(LARGE):
        below = x < LARGE
        total = where(below, _less(total, 1 / _wide(x)), total)
        x = where(below, x + 1, x)
    r = (1 / _wide(x)).astype(X.dtype)
    total = (_wide(total) + (np.log(_wide(x)) - 0.5 * _wide(r))).astype(X.dtype)
    r = r * r
    series = _wide(r) * (1 / 12 - _wide(r) * (1 / 120 - _wide(r) * (1 / 252)))
    return where(X <= SMALL, (-EULER - 1 / _wide(X)).astype(X.dtype), _less(total, series))


def _wide(x: Value) -> Value:
    return x.astype(np.float64)


def _less(total: Value, term: Value) -> Value:
    return (_wide(total) - term).astype(total.dtype)


@operator("DocumentTopics")
def document_topics(X: Value, topic_words: Value, start: Value, prior: Value, tol: Value, *, max_iter: int) -> Value:
    """Return the variational parameters of each document's topics (unnormalised): the E-step of online LDA.

    M. D. Hoffman, D. M. Blei and F. Bach, Online learning for latent Dirichlet allocation, NIPS 2010, algorithm 2. Each
    document is iterated until its parameters change by less than `tol` on average (``_update_doc_distribution``).

    Parameters
    ----------
    X : Value of shape (N, n_words)
        Counts, float32 or float64.
    topic_words : Value of shape (n_topics, n_words)
        Exponentials of the expected logarithms of the words' probabilities.
    start : Value of shape (n_topics,)
        The like of the topics' probabilities, before the first iteration.
    prior : scalar
        Of the topics; all of these of X's dtype.
    tol : float64 scalar
    max_iter : int
        The most iterations.

    Returns
    -------
    Value of shape (N, n_topics)
    """
    epsilon, words_topics = np.finfo(X.dtype).eps, op.Transpose(topic_words, perm=[1, 0])
    nothing = X[:, :1] * 0

    def iterate(i: Value, topics: Value, weights: Value, going: Value) -> tuple[Value, Value, Value, Value]:
        phi = weights @ topic_words + epsilon
        after = weights * ((X / phi) @ words_topics) + prior
        expected = np.exp(_wide(digamma(after) - digamma(after.sum(1, keepdims=True)))).astype(X.dtype)
        change = _wide(abs(topics - after)).mean(1, keepdims=True)
        topics, weights = where(going, after, topics), where(going, expected, weights)
        going = going & ~(change < tol)
        return going.astype(np.int64).sum((0, 1)) > 0, topics, weights, going

    initial = nothing + np.ones((1, topic_words.dim(0)), X.dtype)
    return loop(iterate, max_iter, initial, nothing + start, nothing == 0)[0]
