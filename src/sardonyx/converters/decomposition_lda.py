"""sklearn.decomposition._lda: topics of documents."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.decomposition._online_lda_fast import _dirichlet_expectation_2d

from ..graph import Value
from ..operators.checks import refuse
from ..operators.topics import document_topics
from ..registry import converter


@converter(LatentDirichletAllocation)
def latent_dirichlet_allocation(est: Any, X: Value) -> Value:
    """``_e_step`` and its normalisation, in the dtype of the fit, as scikit-learn casts the counts to it."""
    dtype = est.components_.dtype
    X = X.astype(dtype)
    X = refuse(X, X < 0, message="LatentDirichletAllocation: negative values in the data")
    start = np.exp(_dirichlet_expectation_2d(np.ones((1, len(est.components_)), dtype)))[0]
    prior, tol = dtype.type(est.doc_topic_prior_), np.float64(est.mean_change_tol)
    words = est.exp_dirichlet_component_
    topics = document_topics(X, words, start, prior, tol, max_iter=int(est.max_doc_update_iter))
    return topics / topics.sum(1, keepdims=True)
