"""sklearn.decomposition._lda."""

from __future__ import annotations

from typing import Any

from sklearn.decomposition import LatentDirichletAllocation

from . import Case

QUICK: dict[str, Any] = {"random_state": 0, "max_iter": 2}

CASES = [
    Case(LatentDirichletAllocation(3, **QUICK), "positive"),
    Case(LatentDirichletAllocation(9, learning_method="online", doc_topic_prior=0.05, **QUICK), "positive"),
    Case(LatentDirichletAllocation(2, max_doc_update_iter=3, **QUICK), "counts_int", note="stopped early"),
    Case(LatentDirichletAllocation(4, mean_change_tol=1e-8, **QUICK), "strictly_positive"),
    Case(LatentDirichletAllocation(2, max_doc_update_iter=0, **QUICK), "positive", note="no iteration"),
    Case(LatentDirichletAllocation(3, **QUICK), "positive32"),
]
