"""sklearn.decomposition."""

from sklearn.decomposition import (
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    MiniBatchSparsePCA,
    SparsePCA,
    TruncatedSVD,
)

from . import Case

INVERSE = ("inverse_transform",)

CASES = [
    Case(PCA(3), "regression"),
    Case(PCA(3, whiten=True), "regression"),
    Case(PCA(0.9, svd_solver="full"), "regression_int"),
    Case(PCA(2), "regression32"),
    Case(PCA(whiten=True, svd_solver="covariance_eigh"), "positive"),
    Case(PCA(4), "regression", INVERSE),
    Case(PCA(4, whiten=True), "regression", INVERSE),
    Case(IncrementalPCA(3), "regression"),
    Case(IncrementalPCA(3, whiten=True, batch_size=50), "regression"),
    Case(IncrementalPCA(2), "regression", INVERSE),
    Case(TruncatedSVD(3, random_state=0), "regression"),
    Case(TruncatedSVD(3, algorithm="arpack", random_state=0), "positive"),
    Case(TruncatedSVD(2, random_state=0), "regression_int"),
    Case(TruncatedSVD(2, random_state=0), "regression32"),
    Case(TruncatedSVD(2, random_state=0), "regression", INVERSE),
    Case(FactorAnalysis(3, random_state=0), "regression"),
    Case(FactorAnalysis(2, rotation="varimax", svd_method="lapack"), "regression32"),
    Case(FactorAnalysis(5), "regression_int", note="as many components as features"),
    Case(FastICA(3, random_state=0), "regression"),
    Case(FastICA(whiten="arbitrary-variance", random_state=0, max_iter=20), "regression_int"),
    Case(FastICA(whiten=False, random_state=0, max_iter=20), "regression"),
    Case(FastICA(2, random_state=0, max_iter=20), "regression32"),
    *(Case(FastICA(2, whiten=w, random_state=0, max_iter=9), "regression", INVERSE) for w in ("unit-variance", False)),
    Case(SparsePCA(3, random_state=0, max_iter=5), "regression"),
    Case(SparsePCA(9, random_state=0, max_iter=5, ridge_alpha=0.5), "regression", note="more components than features"),
    Case(SparsePCA(3, alpha=100, random_state=0, max_iter=5, ridge_alpha=0), "regression", note="components of zeros"),
    Case(SparsePCA(2, random_state=0, max_iter=5), "regression_int"),
    Case(SparsePCA(2, random_state=0, max_iter=5), "regression", INVERSE),
    Case(MiniBatchSparsePCA(3, random_state=0, max_iter=5), "regression"),
    Case(MiniBatchSparsePCA(2, random_state=0, max_iter=5, method="cd"), "regression32"),
    Case(MiniBatchSparsePCA(2, random_state=0, max_iter=5), "regression", INVERSE),
]
