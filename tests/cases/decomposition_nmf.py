"""sklearn.decomposition._nmf."""

from __future__ import annotations

from typing import Any

from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from . import Case

INVERSE = ("inverse_transform",)
QUICK: dict[str, Any] = {"random_state": 0, "max_iter": 60}
MU: dict[str, Any] = {**QUICK, "solver": "mu", "init": "nndsvda"}
BATCH: dict[str, Any] = {"random_state": 0, "max_iter": 5, "transform_max_iter": 40}

CASES = [
    Case(NMF(3, **QUICK), "positive"),
    Case(NMF(3, alpha_W=0.02, l1_ratio=0.4, **QUICK), "positive"),
    Case(NMF(4, shuffle=True, alpha_W=0.01, **QUICK), "positive"),
    Case(NMF(8, tol=0, random_state=0, max_iter=15), "positive", note="as many sweeps as there may be"),
    Case(NMF(3, **QUICK), "positive32"),
    Case(NMF(2, **QUICK), "counts_int"),
    Case(NMF(3, **QUICK), "positive", INVERSE),
    Case(NMF(3, **MU), "positive"),
    Case(NMF(3, alpha_W=0.02, l1_ratio=0.4, **MU), "positive"),
    Case(NMF(3, tol=0, **{**MU, "max_iter": 13}), "positive", note="no multiple of ten iterations"),
    Case(NMF(3, beta_loss="kullback-leibler", **MU), "positive"),
    Case(NMF(3, beta_loss="kullback-leibler", alpha_W=0.02, l1_ratio=0.5, **MU), "positive", note="penalties add up"),
    Case(NMF(3, beta_loss="itakura-saito", **MU), "strictly_positive"),
    *(Case(NMF(2, beta_loss=beta, **MU), "strictly_positive") for beta in (-0.5, 0.5, 1.5, 3)),
    Case(NMF(3, beta_loss="kullback-leibler", **MU), "positive32"),
    Case(MiniBatchNMF(3, **BATCH), "positive"),
    Case(MiniBatchNMF(3, beta_loss="kullback-leibler", alpha_W=0.01, l1_ratio=0.5, **BATCH), "positive"),
    Case(MiniBatchNMF(2, beta_loss="itakura-saito", **BATCH), "strictly_positive"),
    Case(MiniBatchNMF(2, beta_loss=1.5, tol=0, **BATCH), "counts_int"),
    Case(MiniBatchNMF(3, **BATCH), "positive32"),
    Case(MiniBatchNMF(3, **BATCH), "positive", INVERSE),
    Case(make_pipeline(MinMaxScaler(clip=True), NMF(3, **QUICK), LogisticRegression()), "positive"),
]
